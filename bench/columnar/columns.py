"""From events in columns to what rules look at: which cases are plain, and for each selector which events of a case fit it.

A case is *plain* where the record says all that the rules of a policy ask, to the moment, and its course is one episode: no word about
the record (voids, corrections), no merge, pause, reopening or second closure, one source, no day without its moment.  Only these are
judged in columns.  Imports rules/ and bench.columnar.conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.columnar.conditions import NotTaken, dug, json_path, literal, truth
from rules.clock import DAY_MS, EPOCH_DAY, Zone
from rules.conditions import Selector
from rules.policy import Policy
from rules.record import CORRECTED, VOIDED

ENTRY = "{'time': time, 'recorded': recorded, 'source': source, 'id': id, 'day': day}"
"""An event, so that the least of some is the first: events of a case are in order of (time, recorded, source, id)."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def words(texts: object) -> str:
    return ", ".join(quoted(str(text)) for text in sorted(texts))  # type: ignore[call-overload]


def day_of(ms: str, zone: Zone, low: int, high: int) -> str:
    """The local day (ordinal) of an instant between two others, as `Zone.day_of` has it: spans of days of one offset each, last first."""
    spans: list[tuple[int, int, int]] = []
    for day in range(zone.day_of(low), zone.day_of(high) + 1):
        behind = (day - EPOCH_DAY) * DAY_MS - zone.start_of(day)
        if spans and spans[-1][2] == behind:
            spans[-1] = (spans[-1][0], day, behind)
        else:
            spans.append((day, day, behind))
    cases = (
        f"WHEN {ms} >= {zone.start_of(first)} THEN least(({ms} + {behind}) // {DAY_MS} + {EPOCH_DAY}, {last})"
        for first, last, behind in reversed(spans)
    )
    return f"(CASE {' '.join(cases)} END)::INT"


@dataclass
class Columns:
    """The selectors whose events are looked for: one column of `fact` each, and one of `found` (the first event that fits)."""

    policy: Policy
    zone: Zone
    as_of: int
    known_at: int
    low: int
    hits: dict[tuple[tuple[str, ...], str], str] = field(default_factory=dict)
    """Columns of `fact` by types and condition."""
    lists: dict[str, int] = field(default_factory=dict)
    """How many of the first events that fit are wanted beside the very first, by column."""
    paths: dict[str, int] = field(default_factory=dict)
    """What is dug out of the data of every event."""
    alls: dict[str, str] = field(default_factory=dict)
    """Columns of `found` with every event that fits, by the condition on a row of `fact`."""
    once: bool = False
    """Whether something is counted that two sources may report alike."""

    def hit(self, selector: Selector) -> str:
        """The column of a selector.  Raises NotTaken."""
        if selector.related or selector.same or getattr(selector, "takes", "any") != "any":
            raise NotTaken("events of related cases, or events that must be like the activating one")
        terms = [self.policy.terms.get(name) for name in selector.names]
        if not all(where is None or where.literal for where in (selector.where, *(term.where for term in terms if term))):
            raise NotTaken("a condition that looks at more than the event itself")
        types = tuple(sorted({t for name, term in zip(selector.names, terms, strict=True) for t in (term.names if term else (name,))}))
        parts = [
            f"(type IN ({words(term.names if term else (name,))}) AND {truth(term.where if term else None, self.dug)})"
            for name, term in zip(selector.names, terms, strict=True)
        ]
        sql = f"(({' OR '.join(parts)}) AND {truth(selector.where, self.dug)})"
        return self.hits.setdefault((types, sql), f"h{len(self.hits)}")

    def term(self, name: str, count: int = 0) -> str:
        """The column of a declared term whose events are counted, and how many of them are wanted."""
        self.once = self.once or bool(self.policy.terms[name].once_per)
        column = self.hit(Selector(event=name))
        self.lists[column] = max(count, self.lists.get(column, 0))
        return column

    def each(self, selectors: Sequence[Selector]) -> str:
        """The rows of all events of plain cases that fit one of the selectors: case_id and the event, ``a``, with its data."""
        hit = " OR ".join(self.hit(selector) for selector in selectors)
        name = self.alls.setdefault(hit, f"all{len(self.alls)}")
        return f"SELECT case_id, unnest({name}) AS a FROM plain"

    def told(self) -> dict[str, str]:
        """What the events of a case may say of the case, by name: the program, and who owns it."""
        domain = self.policy.domain
        course = domain.course
        team = "NULL" if course.team is None else self.dug(course.team.attribute)
        if course.team is not None and (moves := course.team.moves) is not None:
            team = f"coalesce(if(type = {quoted(moves.event)}, {self.dug(moves.attribute)}, NULL), {team})"
        worker = " ".join(f"WHEN type = {quoted(one.event)} THEN {self.dug(one.attribute)}" for one in domain.state.get("worker", ()))
        return {
            "program": self.dug(course.program) if course.program else "NULL",
            "office": self.dug(course.office) if course.office else "NULL",
            "team": team,
            "worker": f"CASE {worker} END" if worker else "NULL",
        }

    def dug(self, path: str) -> str:
        """The JSON text at a path of an event's data in `fact`, where all are dug out at once."""
        return f"nullif(d[{self.paths.setdefault(path, len(self.paths) + 1)}], 'null')"

    def day(self, time: str) -> str:
        """The day of an instant."""
        return day_of(time, self.zone, self.low, self.as_of)

    def fact(self, events: str) -> str:
        """Every event that was known: its day, what was dug out of its data, and what each selector says of it."""
        hits = ", ".join(
            f"CASE WHEN now AND type IN ({words(types)}) THEN {sql} ELSE false END AS {h}" for (types, sql), h in self.hits.items()
        )
        paths = ", ".join(f"'{json_path(path)}'" for path in self.paths)
        return f"""
        SELECT *, {hits} FROM (
            SELECT case_id, id, source, type, time, recorded, data, json_extract(data, [{paths}])::VARCHAR[] AS d,
                   {self.day("time")} AS day, time <= {self.as_of} AS now
            FROM {events} WHERE recorded <= {self.known_at})"""

    def found(self) -> str:
        """One row a case: what makes it plain or not, whom it belongs to, and by selector the first event, or events, that fit."""
        course, roster = self.policy.domain.course, self.policy.domain.roster
        turns = {part.event for part in (course.reopens, course.merges, course.pauses) if part is not None}
        closes = quoted(course.closes.event) if course.closes else "NULL"
        papers = words({*course.closing_papers, *([course.closes.event] if course.closes else ())})
        odd = [f"type IN ({words({VOIDED, CORRECTED, *turns})})"]
        odd += [f"{self.dug(path)} IS NOT NULL" for path in ("occurred_on", course.episode) if path is not None]
        columns = [
            f"bool_or({' OR '.join(odd)}) AS odd",
            f"bool_or({' OR '.join(f'{h} IS NULL' for h in self.hits.values())}) AS unclear",
            f"min({ENTRY}) FILTER (now) AS start",
            f"min({ENTRY}) FILTER (now AND type = {closes}) AS closed",
            f"count(*) FILTER (now AND type = {closes}) AS closings",
            f"max(time) FILTER (now AND type NOT IN ({papers})) AS last" if papers else "max(time) FILTER (now) AS last",
            "min(source) AS source",
            "max(source) AS last_source",
        ]
        for name, sql in self.told().items():
            columns.append(f"min({sql}) FILTER (now) AS {name}, max({sql}) FILTER (now) AS last_{name}")
        listed = "NULL" if roster is None else quoted(roster.event)
        columns.append(f"count(*) FILTER (now AND type = {listed}) AS lists, any_value(data) FILTER (now AND type = {listed}) AS home_data")
        columns += [f"min({ENTRY}) FILTER ({h}) AS {h}" for h in self.hits.values()]
        columns += [f"min({ENTRY}, {count}) FILTER ({h}) AS {h}_first" for h, count in self.lists.items() if count]
        whole = f"{ENTRY[:-1]}, 'type': type, 'data': data}}"
        columns += [f"list({whole}) FILTER ({hit}) AS {name}" for hit, name in self.alls.items()]
        return f"SELECT case_id, {', '.join(columns)} FROM fact GROUP BY case_id"

    def plain(self) -> str:
        """The rows of `found` that are plain, with their households."""
        roster, home = self.policy.domain.roster, "NULL"
        conditions = [
            "NOT odd", "unclear IS NOT TRUE", f"start.time >= {self.zone.start_of(self.policy.effective)}", "closings <= 1", "lists <= 1",
            "(closed IS NULL OR last < closed.time)", f"program = {literal(self.policy.program)}",
        ]  # fmt: skip
        conditions += [f"{name} IS NOT DISTINCT FROM last_{name}" for name in (*self.told(), *(("source",) if self.once else ()))]
        if roster is not None:
            listed = f"json_extract(home_data, '{json_path(roster.list_)}[*]')"
            member = f"{{'person': {dug(roster.person, 'm')}, 'role': {dug(roster.role, 'm')}}}"
            home = f"if(lists = 0, NULL, list_transform({listed}, lambda m: {member}))"
            dated = [f"json_extract(home_data, '{json_path(roster.list_)}[*].{one}')" for one in (roster.from_, roster.to) if one]
            conditions += [f"coalesce(len({one}), 0) = 0" for one in dated]
        return f"SELECT * EXCLUDE (home_data), {home} AS home FROM found WHERE {' AND '.join(conditions)}"
