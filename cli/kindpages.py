"""The reference pages of the policy language: kinds of rule, conditions, verdicts.  Imports rules.* and cli.pagetables.

Examples are taken from policies that are tested, and answers are what the conditions themselves say, so that neither can be wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.pagetables import fields, table, ticks

if TYPE_CHECKING:
    from pydantic import BaseModel

    from rules.kinds.base import Kind
    from rules.policy import Policy, Rule

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
_OF_CONDITIONS = ("Where", "Test", "Ref", "Previous")
"""Parts that the page of conditions describes."""


def kinds_page() -> str:
    """Every kind of rule with what it takes and an example, and the parts that they share."""
    from rules.kinds import registry
    from rules.policyfile import PolicyFile, RuleHead

    lead = (
        "A rule of a policy is of one kind, or has several `clauses` that each are. Besides what its kind takes, a rule has an id, a title"
        " and so on: see [a rule](#a-rule). `duecare policy kinds` lists the kinds, `duecare policy kinds NAME` describes one.\n"
    )
    kinds = registry()
    parts: dict[str, Mapping[str, Any]] = {}
    models: list[type[BaseModel]] = [*kinds.values(), PolicyFile, RuleHead]
    for model in models:
        parts.update(model.model_json_schema().get("$defs", {}))
    listed = table(["kind", "for"], [[f"[{name}](#{name})", kind.about] for name, kind in kinds.items()])
    examples = _examples()
    described = [
        part for kind in kinds.values() for part in (kind_page(kind), _example(*examples[kind.name]) if kind.name in examples else "")
    ]
    shared = [_part(name, parts[name]) for name in sorted(parts) if name not in _OF_CONDITIONS]
    about_file = "What stands above the rules. `duecare policy schema` prints all of this as a JSON Schema, for editors."
    heads = [_whole("A rule", "What every rule has, whatever its kind.", RuleHead), _whole("The policy file", about_file, PolicyFile)]
    pages = ["# Kinds of rule\n", lead, listed, *described, *heads, "# Parts of rules\n", *shared]
    return _with_links("\n".join(page for page in pages if page))


def kind_page(kind: type[Kind]) -> str:
    """One kind: what it means, and a line for each field."""
    from rules.schema import kind_schema

    text = ticks(inspect.getdoc(kind) or "")
    parts = [f"## {kind.name}\n", kind.about + "\n"]
    if text and text != kind.about:
        parts.append(text + "\n")
    return "\n".join([*parts, fields(kind_schema(kind))])


def _part(name: str, schema: Mapping[str, Any]) -> str:
    from rules.schemawords import described

    return "\n".join([f"## {name.lower()}\n", ticks(schema.get("description", "")) + "\n", fields(described(dict(schema), name))])


def _with_links(text: str) -> str:
    for name in _OF_CONDITIONS:
        text = text.replace(f"](#{name.lower()})", f"](conditions.md#{name.lower()})")
    return text


def _whole(heading: str, lead: str, model: type[BaseModel]) -> str:
    from rules.schemawords import described

    return "\n".join([f"# {heading}\n", lead + "\n", fields(described(model.model_json_schema(), model.__name__))])


# -------------------------------------------------------------------------------------------------------------- examples
def _examples() -> dict[str, tuple[Policy, Rule]]:
    """For each kind the rule that is told in the fewest lines: of the shipped policies, else of the examples in the documentation."""
    from rules.policy import load_policy, shipped

    found: dict[str, tuple[Policy, Rule]] = {}
    for paths in (shipped().values(), sorted(file for file in EXAMPLES.glob("*/*.yaml") if _is_policy(file))):
        here: dict[str, list[tuple[int, Policy, Rule]]] = {}
        for policy in map(load_policy, paths):
            for rule in policy.rules:
                if len(rule.clauses) == 1 and rule.kind not in found:
                    here.setdefault(rule.kind, []).append((len(_text(policy, rule)), policy, rule))
        found |= {kind: min(rules, key=lambda one: one[0])[1:] for kind, rules in here.items()}
    return found


def _is_policy(file: Path) -> bool:
    return file.stem == file.parent.name


def _example(policy: Policy, rule: Rule) -> str:
    from rules.saying import Saying

    spoken = " ".join(rule.clauses[0].read_aloud(Saying(policy)))
    title = f"For example {rule.id} of {policy.id}, {rule.title[0].lower()}{rule.title[1:]}:"
    return f"{title}\n\n```yaml\n{_text(policy, rule)}\n```\n\n{spoken}\n"


def _text(policy: Policy, rule: Rule) -> str:
    """What stands in the policy's file from the kind on."""
    from rules.yamlsource import read

    source = read(policy.path)
    index = next(index for index, raw in enumerate(policy.raw["rules"]) if raw["id"] == rule.id)
    lines = Path(policy.path).read_text("utf-8").splitlines()
    start = source.mark(("rules", index, "kind"))[0] - 1
    indent = len(lines[start]) - len(lines[start].lstrip())
    own = [lines[start]]
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            break
        own.append(line)
    return "\n".join(line[indent:].rstrip() for line in own).rstrip()


# ------------------------------------------------------------------------------------------------------------ conditions
_TRIED: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (
    ("{status: held}", ({"status": "held"}, {"status": "cancelled"}, {})),
    ("{mode: [in_person, school]}", ({"mode": "school"}, {"mode": "phone"}, {})),
    ("{safe_at_home: true}", ({"safe_at_home": True}, {"safe_at_home": False}, {})),
    ("{reason: {differs_from: safety}}", ({"reason": "planned"}, {"reason": "safety"}, {})),
    ("{considered: {has: statutory}}", ({"considered": ["statutory"]}, {"considered": []}, {})),
    ("{covers: {has_all: [story, hopes]}}", ({"covers": ["story", "hopes", "worries"]}, {"covers": ["story"]}, {})),
    ("{covers: {has_any: [story, hopes]}}", ({"covers": ["hopes"]}, {"covers": ["worries"]}, {})),
    ("{seen: {at_least: 1}}", ({"seen": ["child-1"]}, {"seen": []}, {})),
    ("{level: {at_most: 3}}", ({"level": 3}, {"level": 4}, {})),
    ('{due_on: {before: "2026-07-01"}}', ({"due_on": "2026-06-30"}, {"due_on": "2026-07-01"}, {})),
    ('{due_on: {after: "2026-07-01"}}', ({"due_on": "2026-07-02"}, {"due_on": "2026-07-01"}, {})),
    ("{outcome: {present: true}}", ({"outcome": "closed"}, {})),
    ("{outcome: {present: false}}", ({}, {"outcome": "closed"})),
    (
        "{participants: {includes_role: [parent, carer]}}",
        ({"participants": [{"role": "carer"}]}, {"participants": [{"role": "child"}]}, {}),
    ),
    (
        "{goals: {each: {target: {present: true}}}}",
        ({"goals": [{"target": "t"}]}, {"goals": []}, {"goals": [{"target": "t"}, {"measure": "m"}]}, {}),
    ),
    (
        "{goals: {some: {owner: family}}}",
        ({"goals": [{"owner": "family"}, {}]}, {"goals": [{"owner": "practitioner"}]}, {"goals": [{}]}, {"goals": []}),
    ),
    ("{status: held, mode: school}", ({"status": "held", "mode": "school"}, {"mode": "phone"}, {"status": "held"})),
    ("{any: [{status: final}, {agreed: true}]}", ({"agreed": True}, {"status": "draft", "agreed": False}, {"status": "draft"})),
    ("{not: {status: draft}}", ({"status": "final"}, {"status": "draft"}, {})),
)
"""Conditions, each put to data for which it holds, does not hold, or cannot be told."""


def conditions_page() -> str:
    """The closed set of conditions: what each means, and what it says of some data."""
    from rules.conditions import Previous, Ref, Test, Where
    from rules.schemawords import described

    rows = [[f"`{condition}`", f"`{_shown(data)}`", _answer(condition, data)] for condition, tried in _TRIED for data in tried]
    parts = [
        "# Conditions\n",
        (
            "A condition asks something of the data of an event: `where: {status: held, seen: {at_least: 1}}`. The set is closed: there is"
            " no code in policies. An attribute inside another is named with dots: `worker.id`.\n"
        ),
        (
            "A condition has three answers. It **holds**, it **does not hold**, or it **cannot be told**, since an attribute that"
            " it needs is absent. Of parts that must all hold, one that does not decides; of parts of which one must hold, one that does"
            " decides. What cannot be told makes a verdict `unknown` only where it could turn the verdict.\n"
        ),
        "## where\n",
        (inspect.getdoc(Where) or "") + "\n",
        fields(described(Where.model_json_schema()["$defs"]["Where"], "Where")),
        "## test\n",
        (inspect.getdoc(Test) or "") + "\n",
        fields(described(Test.model_json_schema()["$defs"]["Test"], "Test"), parts="kinds.md"),
        "## What they say\n",
        "An event's data, and what the condition says of it.\n",
        table(["condition", "data", "answer"], rows),
        "## Values that are looked up\n",
        (
            "Instead of a literal a test may name a value of the case: `$person` (whom the obligation is about), `$item.PATH` (the item at"
            " hand), `$this.PATH` (another attribute of the same event), `$activation.PATH` (of the event that called for it;"
            " `$activation.id` is its id). Or it looks one up:\n"
        ),
        "## ref\n",
        ticks(inspect.getdoc(Ref) or "") + "\n",
        fields(described(Ref.model_json_schema()["$defs"]["Ref"], "Ref"), parts="kinds.md"),
        "## previous\n",
        ticks(inspect.getdoc(Previous) or "") + "\n",
        fields(described(Previous.model_json_schema(), "Previous")),
    ]
    text = "\n".join(parts)
    for name in _OF_CONDITIONS:
        text = text.replace(f"](kinds.md#{name.lower()})", f"](#{name.lower()})")
    return text


def _answer(condition: str, data: Mapping[str, Any]) -> str:
    import yaml

    from rules.conditions import Where
    from rules.matching import Context, check
    from rules.model import Fit

    fit, why = check(Where.model_validate(yaml.safe_load(condition)), data, Context(_no_view()))
    if fit is Fit.YES:
        return "holds"
    return f"does not hold: {why}" if fit is Fit.NO else f"cannot be told: {why} is missing"


def _no_view() -> Any:
    """Conditions on literal values look at nothing but the data."""
    return None


def _shown(data: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(dict(data), default_flow_style=True, sort_keys=False, width=1000)
    return text.strip()


# -------------------------------------------------------------------------------------------------------------- verdicts
def verdicts_page() -> str:
    """Verdicts, their reasons, and the lines of the decision table from which they come."""
    from rules.meanings import LINES, OPENS, REASONS, VERDICTS
    from rules.verdicts import outcome_of

    return "\n".join(
        [
            "# Verdicts\n",
            "One verdict says what one rule makes of one obligation: [how a verdict comes about](../explanation/verdicts.md).\n",
            table(
                ["verdict", "means", "of an enforced rule"],
                [[f"`{verdict.value}`", words, OPENS.get(verdict, "opens no breach")] for verdict, words in VERDICTS.items()],
            ),
            "`duecare check` ends with exit code 1 where a verdict is `breached`.\n",
            "## Reasons\n",
            "Where several would do, the one that stands higher here is given.\n",
            table(
                ["reason", "verdict", "means"], [[f"`{name}`", f"`{verdict.value}`", words] for name, (verdict, words) in REASONS.items()]
            ),
            "## Lines of the decision\n",
            (
                "Each way in which the missing data may turn out is decided by the first of these lines that holds. Where all ways come to"
                " the same verdict, that is the verdict; else it is `unknown`. `duecare policy test --coverage` counts on which"
                " lines the expected verdicts rest.\n"
            ),
            table(
                ["line", "holds where", "verdict"],
                [[f"`{line.value}`", words, f"`{outcome_of(line).value}`"] for line, words in LINES.items()],
            ),
        ]
    )
