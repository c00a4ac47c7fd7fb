"""Due from data: each item that a document lists with its own date must be done by that date."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rules.clock import parse_day
from rules.collections import dated_items, done
from rules.kinds.base import Kind, or_nothing
from rules.kinds.limits import dated
from rules.obligation import Obligation, hole
from rules.phrases import words_of
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class DueFromData(Kind):
    """``items``: a declared collection with a ``date``.  The date stated last counts; a move made after it had passed is contested."""

    name: ClassVar[str] = "due_from_data"
    about: ClassVar[str] = "Each item that a document lists must be done by its own date."

    items: str

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        return [
            f"It asks that each of the {words_of(self.items)} is done by the end of its own date.",
            *say.soon(None),
            "A date that was moved after it had passed is put before a person.",
            *say.paused(),
            *say.closure_ends(),
        ]

    def met_with(self, say: Saying, told: Told) -> str:
        """See Kind."""
        item = say.concerning(told.judged.obligation.about)
        return f"with {item.selector(say.policy.collections[self.items].done_by, bare=True)}"

    def obligations(self, view: View) -> list[Obligation]:
        collection = view.policy.collections[self.items]
        found = []
        for item in dated_items(view, collection, parse_day):
            key = f"item:{item.id}"
            if item.missing or item.id.startswith("?"):
                missing = item.missing or f"{collection.list_}.{collection.id}"
                found.append(Obligation(key, (hole(missing, item.first.day),), missing, (item.first.id,), about=item.id))
                continue
            hits = done(view, collection, {**item.item, collection.id: item.id, "id": item.id})
            world = dated(
                view,
                activated=item.first,
                due_day=item.due,
                candidates=[hit.candidate() for hit in hits],
                limits=(item.stated.id,),
                arithmetic="the date stated for it in",
            )
            found.append(Obligation(key, (world,), "", (item.first.id,), contested=item.contested, about=item.id))
        return or_nothing(found)
