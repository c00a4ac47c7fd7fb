"""What the work list asks of the product.  Part of ``api.web.desk.Desk``.  Imports this package's views and service.access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from api.web.worklist.views import Answer, News, WorkFilters, WorkList, WorkRow
from service.access import Access


@dataclass(frozen=True, slots=True)
class Extract:
    """The whole list as it stood at ``as_of`` (ms), row after row; ``total`` of them."""

    total: int
    as_of: int
    zone: str
    narrowed: Sequence[tuple[str, str]]
    """What the list is narrowed to, in words: filter, value."""
    rows: Iterator[WorkRow]


class WorkDesk(Protocol):
    """Any method may raise service.errors.ServiceError, store.errors.QueryError or CursorError."""

    def breaches(self, access: Access, filters: WorkFilters) -> WorkList:
        """One page of the work list, with what it can be narrowed to."""
        ...

    def breach_news(self, access: Access, filters: WorkFilters, *, since: int, known: int, seen: Mapping[str, int]) -> News:
        """What came since a page was drawn at ``since`` (ms) with ``known`` fresh findings; ``seen``: the versions that it shows, by id."""
        ...

    def take_step(self, access: Access, chosen: Sequence[tuple[str, int]], *, action: str, assignee: str) -> Answer:
        """Acknowledge or assign breaches, given as (id, version seen); an empty ``assignee``: to nobody."""
        ...

    def extract(self, access: Access, filters: WorkFilters, *, most: int) -> AbstractContextManager[Extract]:
        """All rows of the list, in its order, as of one instant.  Raises TooMuch where there are more than ``most``."""
        ...

    def save_view(self, access: Access, *, name: str, filters: WorkFilters, shared: bool) -> str:
        """Keep filters, order and columns under a name; gives the name as it is kept.  Raises Invalid."""
        ...

    def remove_view(self, access: Access, view: str) -> str:
        """Forget one of one's own views; its name.  Raises NotFound."""
        ...
