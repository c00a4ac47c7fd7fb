"""The columns of the work list, on the page and in files.  Imports this package's views and the pages' words only.

The finding itself always comes first.  In a file, where nothing stands beneath it, the case, the rule and the id come along always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.web import words
from api.web.worklist.views import WorkRow

Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """``sort``: the order that its head offers; ``file``: the heads and values that it has in a file."""

    name: str
    words: str
    sort: str = ""
    file: tuple[tuple[str, Callable[[WorkRow, str], Cell]], ...] = ()


def _of(name: str) -> Callable[[WorkRow, str], Cell]:
    return lambda item, _: getattr(item.row, name) or None


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("severity", "Severity", "severity", (("Severity", lambda item, _: words.word("severity", item.row.severity)),)),
        Column("due_on", "Was due", "due_on", (("Was due", lambda item, _: item.row.due_on.isoformat() if item.row.due_on else None),)),
        Column("days_late", "Late by", "", (("Days late", lambda item, _: item.row.days_late),)),
        Column(
            "found",
            "Found",
            "opened_at",
            (
                ("Found", lambda item, zone: words.local(item.opened_at, zone).strftime("%Y-%m-%d %H:%M")),
                ("Days since found", lambda item, _: item.age),
            ),
        ),
        Column(
            "changed",
            "Changed",
            "changed_at",
            (("Changed", lambda item, zone: words.local(item.changed_at, zone).strftime("%Y-%m-%d %H:%M")),),
        ),
        Column("case", "Case", "case"),
        Column("rule", "Rule", "rule"),
        Column("policy", "Policy", "", (("Policy", lambda item, _: item.policy),)),
        Column("team", "Team", "", (("Team", _of("team")),)),
        Column("office", "Office", "", (("Office", _of("office")),)),
        Column("worker", "Worker", "", (("Worker", _of("worker")),)),
        Column("assignee", "Assigned to", "", (("Assigned to", lambda item, _: item.assignee or None),)),
        Column(
            "state",
            "State",
            "",
            (
                ("Condition", lambda item, _: words.word("condition", item.row.condition)),
                ("Review", lambda item, _: words.word("review", item.row.review)),
                ("Contested", lambda item, _: "contested" if item.row.contested else None),
            ),
        ),
    )
}
USUAL = ("severity", "due_on", "days_late", "assignee", "state")
SORTS = {
    "": "Newest finding first",
    "opened_at": "Oldest finding first",
    "-changed_at": "Changed last",
    "severity": "Most severe first",
    "due_on": "Longest overdue first",
    "-due_on": "Last due first",
    "rule": "By rule",
    "case": "By case",
}
"""The orders that are offered by name; the heads of columns turn some of them round."""
_ALWAYS: tuple[tuple[str, Callable[[WorkRow, str], Cell]], ...] = (
    ("Finding", lambda item, _: item.row.sentence),
    ("Case", lambda item, _: item.row.case),
    ("Rule", lambda item, _: item.row.rule),
    ("About", lambda item, _: item.row.subject or None),
)
_LAST: tuple[tuple[str, Callable[[WorkRow, str], Cell]], ...] = (("Breach", lambda item, _: item.row.id),)


def shown(chosen: Sequence[str]) -> list[Column]:
    """The columns of these names in their own order; the usual ones where none is chosen."""
    names = set(chosen or USUAL)
    return [column for name, column in COLUMNS.items() if name in names]


def sort_words(sort: str) -> str:
    """An order in words."""
    if sort == "-opened_at":
        return SORTS[""]
    known = SORTS.get(sort)
    if known is not None:
        return known
    name = sort.removeprefix("-")
    head = next((column.words for column in COLUMNS.values() if column.sort == name), name)
    return f"{head}, {'last' if sort.startswith('-') else 'first'} first"


def file_heads(chosen: Sequence[str]) -> list[str]:
    """The heads of a file with these columns."""
    return [head for head, _ in _file(chosen)]


def file_cells(chosen: Sequence[str], zone: str) -> Callable[[WorkRow], list[Cell]]:
    """What makes a row of a file with these columns; instants as on the clocks of ``zone``."""
    values = [value for _, value in _file(chosen)]
    return lambda item: [value(item, zone) for value in values]


def _file(chosen: Sequence[str]) -> list[tuple[str, Callable[[WorkRow, str], Cell]]]:
    return [*_ALWAYS, *(cell for column in shown(chosen) for cell in column.file), *_LAST]
