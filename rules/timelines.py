"""The YAML of policy tests, read strictly: an unknown key, verdict or day is a fault with its place.  Imports rules.* and pydantic."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from rules.clock import MAX_NAME
from rules.errors import Fault, PolicyError
from rules.model import Outcome, to_ms
from rules.yamlsource import Key, Source, read

DEFAULT_YEAR = 2026
_SHORT = re.compile(r"\d\d-\d\d(?:[ T].*)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_FIELDS = {"verdict", "reason", "activated_on", "due_on", "due_soon_on", "satisfied_on", "days_late", "curable", "evidence", "rejected"}
_FIELDS |= {"obligation", "episode", "severity", "status", "team", "office", "worker", "contested"}
_WORDS = {"extra_forbidden": ("unknown-key", "is unknown here"), "missing": ("missing", "is missing")}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TimelineEvent(_Part):
    """One event; exactly one of ``at`` and ``on``."""

    id: str = Field(description="What evidence and reasons call it.")
    type: str = Field(description="An event type of the catalogue; `source.heartbeat`, `event.voided` and `event.corrected` too.")
    at: str | None = Field(default=None, description="The moment at which it happened, in local time: `03-02 09:00`.")
    on: str | None = Field(default=None, description="The day on which it happened, where the moment is unknown: `03-02`.")
    rec: str | None = Field(default=None, description="When it was recorded. Else: when it happened.")
    source: str = Field(default="urn:timeline", description="The system that reports it.")
    subject: str | None = Field(default=None, description="The case that it is about. Else: the timeline's.")
    data: dict[str, Any] = Field(default_factory=dict, description="Its attributes, as the catalogue lists them.")

    @model_validator(mode="after")
    def _one_time(self) -> TimelineEvent:
        if (self.at is None) == (self.on is None):
            raise ValueError("an event has either at or on")
        return self


class Expected:
    """What a check expects of one rule: one verdict, a list of them, or how many there are of each."""

    def __init__(self, given: Any, year: int) -> None:
        self._counts: dict[str, int] | None = None
        self._wanted: list[dict[str, Any]] = []
        if isinstance(given, Mapping) and "counts" in given:
            self._counts = dict(given["counts"])
        else:
            for one in given if isinstance(given, list) else [given]:
                fields = {"verdict": one} if isinstance(one, str) else dict(one)
                dated = {name: with_year(value, year) for name, value in fields.items() if name.endswith("_on") and value is not None}
                self._wanted.append({**fields, **dated})

    @property
    def verdicts(self) -> set[str]:
        """The verdicts that are expected."""
        return set(self._counts) if self._counts is not None else {one["verdict"] for one in self._wanted if "verdict" in one}

    def holds(self, got: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these verdicts, all of the rule's, are exactly the expected ones."""
        if self._counts is not None:
            return dict(Counter(one["verdict"] for one in got)) == {name: n for name, n in self._counts.items() if n}
        left = list(got)
        for wanted in self._wanted:
            match = next((one for one in left if all(one.get(name) == value for name, value in wanted.items())), None)
            if match is None:
                return False
            left.remove(match)
        return not left

    def shown(self, got: Sequence[Mapping[str, Any]]) -> str:
        """These verdicts, cut down to what is expected of them."""
        if self._counts is not None:
            return _plain(dict(Counter(str(one["verdict"]) for one in got)))
        names = list(dict.fromkeys(["verdict", *(name for wanted in self._wanted for name in wanted)]))
        if got and "reason" not in names and any(one.get("reason") for one in got):
            names.append("reason")
        return " and ".join(_plain({name: one.get(name) for name in names}) for one in got) or "no verdict"

    def __str__(self) -> str:
        return _plain(self._counts) if self._counts is not None else " and ".join(map(_plain, self._wanted))


class Check(_Part):
    """What is expected at one instant."""

    as_of: str = Field(description="Judge as the world stood then: a day (its last moment) or a moment.")
    known_at: str | None = Field(default=None, description="Use only what had been recorded by then. Else: all that the timeline tells.")
    case: str | None = Field(default=None, description="The case to judge. Else: the timeline's.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters set for this check: `{cfss.plan_update_days: 10}`.")
    waived: dict[str, str] = Field(
        default_factory=dict, description="Obligations on which a waiver stands: by rule, the obligation, in episode 1 or as `2/case`."
    )
    expect: dict[str, Any] = Field(default_factory=dict, description="By rule, what is expected of it.")
    counted: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="By rule that is only counted, how many of what: `{C27: {clinical: 2}}`."
    )
    breaches: Literal["exactly"] | None = Field(
        default=None,
        description="Says aloud what holds anyway: no breach but those expected. A check that expects nothing else needs it.",
    )

    @property
    def waivers(self) -> list[tuple[str, str, str]]:
        """The waivers as `evaluate` takes them: episode, rule, obligation."""
        placed = {rule: name if name[:1].isdigit() and "/" in name else f"1/{name}" for rule, name in self.waived.items()}
        return [(name.partition("/")[0], rule, name.partition("/")[2]) for rule, name in placed.items()]

    @field_validator("expect")
    @classmethod
    def _known_words(cls, given: dict[str, Any]) -> dict[str, Any]:
        for rule, wanted in given.items():
            for problem in _wrong(wanted):
                raise ValueError(f"{rule}: {problem}")
        return given

    @model_validator(mode="after")
    def _expects_something(self) -> Check:
        if not self.expect and not self.counted and self.breaches is None:
            raise ValueError("a check expects something: expect, counted, or breaches: exactly")
        return self


class Timeline(_Part):
    """Some cases' events and the checks on them.

    ``beside``: rules (several with commas; ``others``: all that are not named) that are breached though no check is about them,
    each with the reason why that is so.
    """

    name: str = Field(description="What it shows, in a few words; no other of the file has it.")
    policy: str = Field(description="The policy that judges; several with commas.")
    zone: str | None = Field(default=None, description="Whose local time it tells. Else: the first policy's.")
    year: int = Field(default=DEFAULT_YEAR, description="The year of days that are given without one.")
    case: str = Field(default="case-1", description="The case that its events are about.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters set for all its checks.")
    beside: dict[str, str] = Field(default_factory=dict, description="Breaches that no check is about, by rule, each with the reason.")
    events: list[TimelineEvent] = Field(description="What happened.")
    checks: list[Check] = Field(min_length=1, description="What is expected, and when.")
    _source: Source | None = PrivateAttr(default=None)
    _at: int = PrivateAttr(default=0)

    @property
    def policies(self) -> list[str]:
        return [name.strip() for name in self.policy.split(",")]

    @property
    def tolerated(self) -> list[str]:
        """The rules named in ``beside``, one by one."""
        return [name.strip() for names in self.beside for name in names.split(",")]

    @field_validator("beside")
    @classmethod
    def _with_reasons(cls, given: dict[str, str]) -> dict[str, str]:
        for names, reason in given.items():
            if not reason.strip():
                raise ValueError(f"{names}: say why it is breached beside")
        return given

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return None if name is None else ZoneInfo(name[:MAX_NAME]).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone is called {name!r}") from None

    @model_validator(mode="after")
    def _readable_times(self) -> Timeline:
        times = [text for event in self.events for text in (event.at, event.on, event.rec) if text]
        times += [text for check in self.checks for text in (check.as_of, check.known_at) if text]
        for text in times:
            dt.datetime.fromisoformat(with_year(text, self.year))
        return self

    def placed(self, source: Source, at: int) -> Timeline:
        """This timeline, knowing that it is the file's ``at``-th."""
        self._source, self._at = source, at
        return self

    def place(self, *path: Key) -> str:
        """``file:line`` of the timeline, or of something in it."""
        fault = self.fault(path, "", "")
        return f"{fault.file}:{fault.line}"

    def fault(self, path: tuple[Key, ...], code: str, message: str) -> Fault:
        """A fault at a place inside the timeline."""
        if self._source is None:
            return Fault(self.name, 0, 0, code, message)
        return self._source.fault((self._at, *path), code, message)

    def expected(self, check: Check) -> dict[str, Expected]:
        """What a check of this timeline expects, by rule."""
        return {rule: Expected(given, self.year) for rule, given in check.expect.items()}

    def instant(self, text: str, zone: ZoneInfo) -> dt.datetime:
        """A moment as written: local time of the zone unless it carries an offset."""
        when = dt.datetime.fromisoformat(with_year(text, self.year))
        return when if when.tzinfo else when.replace(tzinfo=zone)

    def moment(self, text: str, zone: ZoneInfo) -> int | dt.date:
        """An ``as_of`` or ``known_at``: a day stays a day (its last instant), a moment becomes ms."""
        full = with_year(text, self.year)
        return dt.date.fromisoformat(full) if _DAY.fullmatch(full) else to_ms(self.instant(full, zone))


def read_timelines(path: Path) -> list[Timeline]:
    """The timelines in a YAML file.  Raises PolicyError with every fault."""
    return timelines_in(read(path))


def timelines_in(source: Source) -> list[Timeline]:
    """The timelines in a YAML text that was read already.  Raises PolicyError with every fault."""
    if not isinstance(source.data, list) or not source.data:
        raise PolicyError([source.fault((), "wrong-type", "a test file is a list of timelines")])
    found: list[Timeline] = []
    faults: list[Fault] = []
    for index, raw in enumerate(source.data):
        try:
            found.append(Timeline.model_validate(raw).placed(source, index))
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False, include_input=False):
                code, words = _WORDS.get(problem["type"], (problem["type"].replace("_", "-"), problem["msg"].removeprefix("Value error, ")))
                faults.append(source.fault((index, *problem["loc"]), code, _dotted(problem["loc"]) + words, key=True))
    names = Counter(timeline.name for timeline in found)
    again = [timeline for timeline in found if names[timeline.name] > 1]
    faults += [timeline.fault(("name",), "same-name", "another timeline of this file has this name") for timeline in again]
    if faults:
        raise PolicyError(sorted(faults, key=lambda fault: (fault.line, fault.col)))
    return found


def with_year(text: Any, year: int) -> str:
    """``03-24 09:00`` with the year before it; what has a year stays as it is."""
    return f"{year}-{text}" if _SHORT.fullmatch(str(text)) else str(text)


def _wrong(wanted: Any) -> list[str]:
    if isinstance(wanted, str):
        return [] if wanted in _OUTCOMES else [f"{wanted!r} is no verdict: {', '.join(sorted(_OUTCOMES))}"]
    if isinstance(wanted, list):
        return [problem for one in wanted for problem in _wrong(one)] if wanted else ["an empty list expects nothing: write {counts: {}}"]
    if not isinstance(wanted, dict) or not wanted:
        return ["expects a verdict, a mapping of a verdict's fields, a list of those, or {counts: {verdict: number}}"]
    if "counts" in wanted:
        counts = wanted["counts"]
        if len(wanted) > 1 or not isinstance(counts, dict) or not all(isinstance(n, int) for n in counts.values()):
            return ["counts stands alone and gives a whole number for each verdict"]
        return [problem for name in counts for problem in _wrong(name)]
    unknown = sorted(wanted.keys() - _FIELDS)
    return [f"a verdict has no field {name!r}" for name in unknown] or ([] if "verdict" not in wanted else _wrong(str(wanted["verdict"])))


def _dotted(loc: Sequence[Key]) -> str:
    return ".".join(map(str, loc)) + ": " if loc else ""


def _plain(fields: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"
