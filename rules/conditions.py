"""The closed set of data conditions that a policy may use, and selectors of events.  No code in policies, ever.

Conditions are three-valued (Kleene): an absent attribute makes a test unclear, one false part makes *and* false, one true
part makes *or* true.  Where presence itself is the requirement, ``present`` makes absence plainly false.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scalar = bool | int | str
DATA, EVENT, ASKED = 0, 1, 2
"""How far a condition looks: at the data under test; at the event that carries it, in its case; at what asks for it, too."""
Watch = Callable[[str, Any], Any]
"""What looks on while coverage is measured: it wraps what a part of a condition (by its word) becomes, one function or several."""


class Model(BaseModel):
    """Base of everything that stands in a policy: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Previous(Model):
    """The attribute of the event of the same type before this one, of those that are alike in ``same``.

    ``same`` must be there to be compared; for ``same_or_absent`` two absences are alike.
    """

    attribute: str
    same: tuple[str, ...] = ()
    same_or_absent: tuple[str, ...] = ()


class Ref(Model):
    """A value that is looked up in the case: exactly one of the first four.

    state: the value of a declared state (such as the worker) at the time of the event.  last, greatest: of the events that a
    selector finds up to the event, the last one's or the greatest ``attribute``.  previous: see Previous.
    ``if_none`` says what a comparison gives where no such event is on record.
    """

    state: str | None = None
    last: Selector | None = None
    greatest: Selector | None = None
    previous: Previous | None = None
    attribute: str | None = None
    if_none: Literal["true", "false", "unknown"] = "unknown"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.state, self.last, self.greatest, self.previous)) != 1:
            raise ValueError("give exactly one of state, last, greatest, previous")
        if (self.last or self.greatest) and not self.attribute:
            raise ValueError("last and greatest need an attribute")
        return self


Value = Scalar | Ref
"""A literal, ``$person``, ``$item.PATH``, ``$this.PATH`` (the event under test), ``$activation.PATH``, or a Ref."""


class Test(Model):
    """Tests of one attribute; several are joined by *and*.  A bare value is short for ``equals``, a bare list for ``in``."""

    __test__ = False  # not a pytest class

    equals: Value | None = None
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in")
    differs_from: Value | tuple[Value, ...] | None = None
    has: Value | None = None
    has_all: tuple[Scalar, ...] | None = None
    has_any: tuple[Scalar, ...] | None = None
    at_least: Value | None = None
    at_most: Value | None = None
    before: Value | None = None
    after: Value | None = None
    present: bool | None = None
    includes_role: tuple[str, ...] | None = None
    each: Where | None = None
    some: Where | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, bool | int | str):
            return {"equals": data}
        if isinstance(data, list | tuple):
            return {"in": data}
        return data

    @model_validator(mode="after")
    def _some_test(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what the attribute must be")
        return self

    @cached_property
    def active(self) -> tuple[tuple[str, Any], ...]:
        """The tests that were given, but for ``present``."""
        given = ((name, getattr(self, name)) for name in type(self).model_fields if name != "present")
        return tuple((name, value) for name, value in given if value is not None)

    @cached_property
    def watch(self) -> Watch | None:
        """Set before the test is first put, if at all; its word "" is the whole test."""
        return None

    @cached_property
    def reach(self) -> int:
        """How far it looks: DATA, EVENT or ASKED."""
        words = [_reach(one) for _, value in self.active for one in (value if isinstance(value, tuple) else (value,))]
        inner = [part.reach for part in (self.each, self.some) if part is not None]
        return max((EVENT if self.includes_role else DATA, *words, *inner))


def _reach(word: Any) -> int:
    if isinstance(word, Ref):
        return EVENT if word.state is not None or word.previous is not None else ASKED
    if not isinstance(word, str) or not word.startswith("$"):
        return DATA
    return EVENT if word.startswith("$this.") else ASKED


class Where(BaseModel):
    """Attributes (dotted paths) with their tests, joined by *and*; and the joiners all, any, not."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)
    __pydantic_extra__: dict[str, Test]

    all_: tuple[Where, ...] | None = Field(default=None, alias="all", min_length=1)
    any_: tuple[Where, ...] | None = Field(default=None, alias="any", min_length=1)
    not_: Where | None = Field(default=None, alias="not")

    @cached_property
    def tests(self) -> dict[str, Test]:
        return self.__pydantic_extra__ or {}

    @cached_property
    def reach(self) -> int:
        """How far it looks: DATA, EVENT or ASKED."""
        parts = (*(self.all_ or ()), *(self.any_ or ()), *((self.not_,) if self.not_ else ()), *self.tests.values())
        return max((part.reach for part in parts), default=DATA)

    @cached_property
    def literal(self) -> bool:
        """Whether it looks at nothing but the data under test: no references, no roles of the household."""
        return self.reach == DATA

    @cached_property
    def watch(self) -> Watch | None:
        """As that of a test, for what joins parts: it is given the parts' functions, and makes one of them."""
        return None

    @cached_property
    def ready(self) -> dict[str, Any]:
        """What `rules.matching` made of it, by prefix."""
        return {}


class Selector(Model):
    """Which events: type names or declared terms, with conditions.  A bare name or list of names will do.

    ``same``: attributes that must equal the activating event's.  ``of: attempt``: only of the activating event's closure
    attempt.  ``related``: also in cases that share a child with this one.
    """

    event: str | Annotated[tuple[str, ...], Field(min_length=1)]
    where: Where | None = None
    same: tuple[str, ...] = ()
    of: Literal["episode", "attempt"] = "episode"
    related: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"event": data} if isinstance(data, str | list | tuple) else data

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (self.event,) if isinstance(self.event, str) else self.event


class Term(Model):
    """A selector that the policy names once, so that everything which uses the word means the same.

    ``once_per``: the same thing reported by two sources (alike in these attributes and in the local day) counts once.
    """

    event: str | Annotated[tuple[str, ...], Field(min_length=1)]
    where: Where | None = None
    once_per: tuple[str, ...] = ()
    means: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (self.event,) if isinstance(self.event, str) else self.event


class Collection(Model):
    """Items that the latest version of a document lists: goals of a plan, actions of a plan.

    ``document``: the attribute that names the document.  ``date``: an item's own due date.  ``moved_by``: an event that
    moves it.  ``done_by``: the event that does an item (``$item.id`` is its id).
    """

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    document: str
    list_: str = Field(alias="list")
    id: str = "id"
    date: str | None = None
    moved_by: MovedBy | None = None
    done_by: Selector


class MovedBy(Model):
    """An event that gives an item a new date."""

    event: str
    item: str
    date: str


for _model in (Ref, Test, Where, Selector, Term, Collection):
    _model.model_rebuild()
