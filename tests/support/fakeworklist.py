"""The work list of the made-up desk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from api.web import words
from api.web.views import BreachRow, Choice
from api.web.worklist.desk import Extract
from api.web.worklist.views import SEVERAL, Answer, Left, News, ViewLink, WorkFilters, WorkList, WorkRow
from service.access import Access
from service.errors import Flaw, Invalid, NotFound, TooMuch
from service.worklist import AGES

DAY = 86_400_000
ZONE = "Australia/Adelaide"
PAGE = 25


class FakeWork:
    """``moved``: ids that a colleague changes before the next step; ``news``: what the page is told has come."""

    rows: dict[str, BreachRow]
    assigned: dict[str, str]
    seen: list[tuple[str, Any]]
    empty: bool
    clock: int

    def __init__(self) -> None:
        self.kept_views: dict[str, ViewLink] = {}
        self.moved: set[str] = set()
        self.news = News(0)

    def _fail(self) -> None:
        raise NotImplementedError

    def _item(self, row: BreachRow, access: Access) -> WorkRow:
        actor = self.assigned.get(row.id, "")
        age = int(row.id[1:]) * 3
        opened = self.clock - age * DAY
        title = "Child and Family Support System journey"
        return WorkRow(row, title, opened, opened, age, actor.removeprefix("user:"), bool(actor) and actor == access.actor)

    def _fits(self, item: WorkRow, filters: WorkFilters, access: Access) -> bool:
        actor = f"user:{item.assignee}" if item.assignee else "-"
        age = next(name for name, days in AGES.items() if days is None or item.age <= days)
        held = {name: getattr(item.row, name) for name in SEVERAL if hasattr(item.row, name)} | {"age": age, "assignee": actor}
        wanted = {name: set(getattr(filters, name)) for name in SEVERAL}
        if "me" in wanted["assignee"]:
            wanted["assignee"].add(access.actor)
        narrow = all(not values or (held[name] or "-") in values for name, values in wanted.items())
        return narrow and item.row.case.lower().startswith(filters.search.lower())

    def _list(self, access: Access, filters: WorkFilters) -> list[WorkRow]:
        self._fail()
        items = [] if self.empty else [self._item(row, access) for row in self.rows.values()]
        items = [item for item in items if self._fits(item, filters, access)]
        if filters.sort == "severity":
            items.sort(key=lambda item: words.SEVERITIES.index(item.row.severity))
        return items

    def breaches(self, access: Access, filters: WorkFilters) -> WorkList:
        items = self._list(access, filters)
        self.seen.append(("breaches", filters))
        start = int(filters.cursor or 0)
        everything = [self._item(row, access).row for row in self.rows.values()]
        choices = {
            name: [Choice(value, words.word(name, value), sum(getattr(row, name) == value for row in everything)) for value in values]
            for name, values in (("severity", words.SEVERITIES), ("condition", words.CONDITIONS), ("review", words.REVIEWS))
        }
        for name in ("policy", "rule", "team", "office", "worker"):
            values = sorted({getattr(row, name) or "-" for row in everything})
            choices[name] = [Choice(value, "None on record" if value == "-" else value, 1) for value in values]
        choices["age"] = [Choice(name, words.word("age", name), 1) for name in AGES]
        choices["assignee"] = [Choice("me", "Me", 0), Choice("-", "Nobody", 1), Choice("user:robin", "robin", 0)]
        brought = [("To review", WorkFilters(condition=("open",), review=("new",))), ("All", WorkFilters())]
        views = [ViewLink(name, one, here=one == filters) for name, one in brought]
        views += [replace(view, here=view.filters == filters) for view in self.kept_views.values()]
        return WorkList(
            items[start : start + PAGE],
            len(items),
            self.clock,
            ZONE,
            str(start + PAGE) if start + PAGE < len(items) else "",
            choices,
            (Choice("user:kim", "kim"), Choice("user:robin", "robin")) if access.allows("breaches:review") else (),
            views,
            2,
            self.empty,
        )

    def breach_news(self, access: Access, filters: WorkFilters, *, since: int, known: int, seen: Mapping[str, int]) -> News:
        self.seen.append(("news", (filters, since, known, dict(seen))))
        return replace(self.news, changed=[one for one in seen if self.rows[one].version != seen[one]])

    def take_step(self, access: Access, chosen: Sequence[tuple[str, int]], *, action: str, assignee: str) -> Answer:
        self._fail()
        if assignee not in {"", "user:kim", "user:robin"}:
            raise Invalid(Flaw("assignee", "unknown", "choose somebody who reviews breaches"))
        self.seen.append(("step", (action, assignee, list(chosen))))
        for breach in self.moved & {one for one, _ in chosen}:
            self.rows[breach] = replace(self.rows[breach], review="upheld", version=self.rows[breach].version + 1)
        self.moved.clear()
        done, left = [], []
        for breach, version in chosen:
            row = self.rows[breach]
            told = f"{row.sentence} (case {row.case})"
            if row.version != version:
                left.append(Left(breach, told, "it was changed meanwhile by robin, Thu 9 Apr 2026, 10:14: Upheld"))
            elif action == "acknowledge" and row.review != "new":
                left.append(Left(breach, told, f"it is {row.review} already"))
            else:
                done.append(told)
                self.assigned |= {breach: assignee} if action == "assign" else {}
                self.rows[breach] = replace(row, version=version + 1, review="acknowledged" if action == "acknowledge" else row.review)
        what = "Acknowledged" if action == "acknowledge" else f"Assigned to {assignee.removeprefix('user:') or 'nobody'}"
        many = done[0] if len(done) == 1 else words.count(len(done), "breach", "breaches")
        said = f"{what}: {many}" if done else "Nothing was changed"
        return Answer(said, len(done), left, [self._item(self.rows[breach], access) for breach, _ in chosen], ZONE)

    @contextmanager
    def extract(self, access: Access, filters: WorkFilters, *, most: int) -> Iterator[Extract]:
        items = self._list(access, filters)
        if len(items) > min(most, 10_000):
            raise TooMuch("the list has too many breaches")
        yield Extract(len(items), self.clock, ZONE, [(words.word("filter", name), value) for name, value in filters.chosen()], iter(items))

    def save_view(self, access: Access, *, name: str, filters: WorkFilters, shared: bool) -> str:
        if len(name) > 60 or not name.strip():
            raise Invalid(Flaw("name", "wrong_value", "give a name of 1 to 60 characters"))
        self.kept_views[f"v{len(self.kept_views)}"] = ViewLink(name, filters, f"v{len(self.kept_views)}", "", shared)
        return name

    def remove_view(self, access: Access, view: str) -> str:
        if view not in self.kept_views:
            raise NotFound("you keep no such view")
        return self.kept_views.pop(view).name
