"""Small faults for mutation testing: every way in which one place of a module can be wrong by a little.

Used by bench.mutants.  It imports nothing of the project: it works on syntax trees.  Left alone are docstrings, annotations,
imports, decorators and what puts a kind of rule into words.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[1]
_CORE = "record history roster pauses clock course view collections conditions matching obligation periods versions evaluate verdicts"
MODULES = (
    *(f"rules.{name}" for name in _CORE.split()),
    *(f"rules.decide.{name}" for name in ("table", "facts", "both", "ruleset")),
    *(f"rules.kinds.{path.stem}" for path in sorted((ROOT / "rules/kinds").glob("[a-z]*.py"))),
)
"""The core: what turns a record into verdicts."""

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list"}
NAMED = {"first": "last", "last": "first", "start_of": "end_of", "end_of": "start_of", "start": "end", "end": "start"}
"""Attributes that stand for the two ends of the same thing."""
MEMBERS = {
    "Fit": {"YES": "UNCLEAR", "NO": "UNCLEAR", "UNCLEAR": "NO"},
    "State": {"LIVE": "OFF", "OFF": "UNSET", "UNSET": "OFF", "HOLE": "OFF"},
}
DESCRIBING = ("about", "__slots__", "__test__", "model_config")
SPEAKING = ("read_aloud", "met_with", "met_from", "until_words", "if_longer")
"""Methods of a kind that put a rule into words; what they say is no matter of verdicts."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a tree where it stands in its parent, with the statement and the function around it."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    statement: ast.stmt
    function: str
    """Qualified name of the function in whose body it stands; "" where it runs when the module is loaded."""

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True, slots=True)
class Mutant:
    """The ``number``-th mutant of a module: a place with something else in it."""

    module: str
    number: int
    name: str
    """Function and change; it stays the same while the function does."""
    place: Place
    other: ast.AST

    @property
    def function(self) -> str:
        return self.place.function

    @property
    def line(self) -> int:
        return self.place.statement.lineno

    @property
    def lines(self) -> range:
        """The lines of its statement, without those of a block that this heads."""
        statement = self.place.statement
        body = getattr(statement, "body", None)
        return range(statement.lineno, body[0].lineno if body else (statement.end_lineno or statement.lineno) + 1)

    def code(self) -> CodeType:
        """The whole module with the change."""
        tree = tree_of(self.module)
        self.place.put(self.other)
        try:
            return compile(tree, str(path_of(self.module)), "exec")
        finally:
            self.place.put(self.place.node)


def path_of(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text())


@cache
def mutants_of(module: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    found: list[Mutant] = []
    named: Counter[str] = Counter()
    for place in places(tree_of(module)):
        for other in variants(place):
            ast.fix_missing_locations(ast.copy_location(other, place.node if hasattr(place.node, "lineno") else place.statement))
            before, after = (" ".join(ast.unparse(node).split()) for node in (place.node, other))
            name = f"{place.function or 'module'}: {before} -> {after}"
            named[name] += 1
            found.append(Mutant(module, len(found), name if named[name] == 1 else f"{name} #{named[name]}", place, other))
    return found


def places(tree: ast.Module) -> Iterator[Place]:
    """Every place at which something can be changed, in the order of the text."""
    for index, statement in enumerate(tree.body):
        yield from _in(tree, "body", index, statement, statement, "", "")


def _in(parent: ast.AST, field: str, index: int | None, node: ast.AST, statement: ast.stmt, function: str, scope: str) -> Iterator[Place]:
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node) or _for_types(node):
        return
    if isinstance(node, ast.FunctionDef) and node.name in SPEAKING:
        return
    if isinstance(node, ast.stmt):
        statement = node
    if not isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield Place(parent, field, index, node, statement, function)
    if isinstance(node, ast.Assign | ast.AnnAssign) and _target(node) in DESCRIBING:
        return
    inside = f"{scope}{node.name}" if isinstance(node, ast.ClassDef | ast.FunctionDef) else ""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords") and not isinstance(node, ast.Call):
            continue
        own, within = function, scope
        if name == "body" and isinstance(node, ast.FunctionDef):
            own, within = inside, f"{inside}.<locals>."
        elif name == "body" and isinstance(node, ast.ClassDef):
            own, within = function, f"{inside}."
        for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield from _in(node, name, number, child, statement, own, within)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def variants(place: Place) -> Iterator[ast.AST]:  # noqa: C901 - a table of small cases
    """What may stand there instead."""
    node = place.node
    match node:
        case ast.Compare():
            for number, operator in enumerate(node.ops):
                for other in COMPARED[type(operator)]:
                    yield ast.Compare(node.left, [*node.ops[:number], other(), *node.ops[number + 1 :]], node.comparators)
        case ast.BoolOp():
            for number in range(len(node.values)):
                left = node.values[:number] + node.values[number + 1 :]
                yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
        case ast.AugAssign():
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Raise():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) if place.function:
            yield ast.Pass()
        case ast.Continue():
            yield ast.Pass()
            yield ast.Break()
        case ast.Break():
            yield ast.Pass()
        case ast.Constant():
            yield from _constants(place, node)
        case ast.JoinedStr():
            yield ast.Constant("")
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            other_keywords = [] if CALLED[name] == "list" else node.keywords
            yield ast.Call(ast.Name(CALLED[name], ast.Load()), node.args[:1] if CALLED[name] == "list" else node.args, other_keywords)
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in MEMBERS.get(owner, {}):
            yield ast.Attribute(node.value, MEMBERS[owner][name], node.ctx)
        case ast.Attribute(attr=name) if name in NAMED and isinstance(node.ctx, ast.Load):
            yield ast.Attribute(node.value, NAMED[name], node.ctx)
        case ast.comprehension(ifs=[_, *_]):
            for number in range(len(node.ifs)):
                yield ast.comprehension(node.target, node.iter, node.ifs[:number] + node.ifs[number + 1 :], node.is_async)
        case ast.Slice():
            if node.lower is not None:
                yield ast.Slice(None, node.upper, node.step)
            if node.upper is not None:
                yield ast.Slice(node.lower, None, node.step)
    if place.field in ("test", "ifs") and isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
        yield ast.UnaryOp(ast.Not(), node)


def _constants(place: Place, node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(place.parent, ast.JoinedStr | ast.FormattedValue | ast.MatchValue):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant("" if node.value else "XX")
