"""A Primero version 2 on loopback, as its interface is documented and as it behaves: tokens that end, lists that drift.

Its date filter is inclusive and cut to seconds, and is passed over without a word where the role may not see the field; its lists have no
order among cases of one instant but where they happen to lie; a case's time is set before it is committed; histories tell the newest
first, to the second, and everything that was ever typed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.webworld import Ask, Say, iso, ms

USER, PASSWORD = "reader", "correct-horse"


@dataclass
class Primero:
    """The installation: give it to a Site as its ``answer``.  ``now`` (ms) is its clock."""

    now: int = ms("2026-03-02T00:00:00")
    token_good_for: int = 10_000
    """Requests after which a token has run out."""
    creation_told: bool = True
    """Whether the entry of a case's creation tells what it was created with; older versions leave that out."""
    filters: bool = True
    log_allowed: bool = True
    history_page: int = 1_000
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken: bool = False
    tokens: dict[str, int] = field(default_factory=dict)

    # --- what people do there

    def save(self, case: str, *, at: int | None = None, by: str = "ada", **values: Any) -> None:
        """A case is created or changed.  ``at`` (ms): when, else now."""
        self.begin(case, at=at, by=by, **values)()

    def begin(self, case: str, *, at: int | None = None, by: str = "ada", **values: Any) -> Callable[[], None]:
        """The same in a transaction; what it returns commits it, with the time at which it was begun."""
        when = self.now if at is None else at
        self.now = max(self.now, when)

        def commit() -> None:
            old = self.cases.pop(case, None)  # a changed row moves to the end of the table
            before = {name: value for name, value in (old or {}).items() if name not in ("last_updated_at", "last_updated_by")}
            base = old or {"id": case, "case_id_display": case[-7:], "created_at": iso(when), "created_by": by, "record_state": True}
            new = {**copy.deepcopy(base), **copy.deepcopy(values)}
            told = {
                name: value
                for name, value in new.items()
                if before.get(name, ...) != value and name not in ("last_updated_at", "last_updated_by")
            }
            self.cases[case] = {**new, "last_updated_at": iso(when), "last_updated_by": by}
            changes = [{name: {"from": before.get(name), "to": value}} for name, value in told.items()]
            if old is None and not self.creation_told:
                changes = []
            if changes or old is None:
                action = "create" if old is None else "update"
                self.histories.setdefault(case, []).append(
                    {"record_id": case, "record_type": "Child", "datetime": iso(when, part="seconds"), "user_name": by, "action": action,
                     "record_changes": changes}
                )  # fmt: skip

        return commit

    def nudge(self, case: str) -> bytes:
        """What its webhook sends: which record it is about, and no more."""
        return json.dumps({"data": {"record_id": case, "record_type": "case", "action": "update"}}).encode()

    # --- what it answers

    def __call__(self, ask: Ask) -> Say:
        if self.broken:
            return Say({"errors": [{"code": 500}]}, 500)
        if ask.path == "/api/v2/tokens":
            return self._token(ask)
        token = ask.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= 0:
            return Say({"errors": [{"code": 401}]}, 401)
        self.tokens[token] -= 1
        parts = [unquote(part) for part in ask.path.strip("/").split("/")]
        if parts[:3] != ["api", "v2", "cases"]:
            return Say({"errors": [{"code": 404}]}, 404)
        if len(parts) == 3:
            return self._cases(ask.params)
        if parts[3] not in self.cases:
            return Say({"errors": [{"code": 404}]}, 404)
        if len(parts) == 4:
            return Say({"data": self.cases[parts[3]]})
        return self._history(parts[3], ask.params)

    def _token(self, ask: Ask) -> Say:
        if json.loads(ask.body) != {"user": {"user_name": USER, "password": PASSWORD}}:
            return Say({"errors": [{"code": 401}]}, 401)
        token = f"token-{len(self.tokens)}"
        self.tokens[token] = self.token_good_for
        return Say({"id": 1, "user_name": USER, "token": token})

    def _cases(self, params: dict[str, str]) -> Say:
        found = list(self.cases.values())
        asked = params.get("last_updated_at")
        if asked and self.filters:
            floor = ms(asked.partition("..")[0])
            found = [case for case in found if _ms(case) // 1000 >= floor // 1000]
        found.sort(key=lambda case: _ms(case) // 1000, reverse=params.get("order", "desc") == "desc")
        per, page = min(int(params.get("per", 20)), 1_000), int(params.get("page", 1))
        wanted = params["fields"].split(",") if "fields" in params else None
        shown = [
            {name: value for name, value in case.items() if wanted is None or name in wanted}
            for case in found[(page - 1) * per : page * per]
        ]
        return Say({"data": shown, "metadata": {"total": len(found), "per": per, "page": page}})

    def _history(self, case: str, params: dict[str, str]) -> Say:
        if not self.log_allowed:
            return Say({"errors": [{"code": 403}]}, 403)
        entries = sorted(self.histories.get(case, []), key=lambda entry: str(entry["datetime"]), reverse=True)
        per, page = min(int(params.get("per", 20)), self.history_page), int(params.get("page", 1))
        return Say({"data": entries[(page - 1) * per : page * per], "metadata": {"total": len(entries), "per": per, "page": page}})


def _ms(case: dict[str, Any]) -> int:
    return ms(str(case["last_updated_at"]))
