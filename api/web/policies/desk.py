"""What the pages about policies ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from api.web.policies.views import BacktestPage, ChangeLine, ChangePage, PolicyPage, PolicyRow, RulePage
from service.access import Access


class PolicyDesk(Protocol):
    """Each method may raise service.errors.ServiceError."""

    def policies(self, access: Access) -> list[PolicyRow]:
        """The policies in force."""
        ...

    def policy(self, access: Access, policy: str) -> PolicyPage:
        """One policy with its rules, its questions, its versions and what is proposed."""
        ...

    def rule(self, access: Access, policy: str, rule: str) -> RulePage:
        """One rule with all that explains it."""
        ...

    def changes(self, access: Access) -> list[ChangeLine]:
        """What is proposed and waits for an answer, of all policies."""
        ...

    def change(self, access: Access, change: str) -> ChangePage:
        """One proposal."""
        ...

    def propose_values(
        self, access: Access, policy: str, *, values: Mapping[str, int | None], effective: dt.date, open_cases: bool, reason: str
    ) -> str:
        """Propose values of parameters; the id of the proposal.  Raises Forbidden, Invalid or NotPossible."""
        ...

    def propose_files(
        self,
        access: Access,
        policy: str,
        *,
        files: Mapping[str, str],
        effective: dt.date | None,
        open_cases: bool | None,
        reason: str,
    ) -> str:
        """Propose another text of a policy (the first of ``files``; what it refers to is taken from the version in force where it is
        not among them).  The id of the proposal.  Raises Forbidden, NotPossible, or Invalid with every finding and its place."""
        ...

    def decide(self, access: Access, change: str, *, answer: str, comment: str, version: int) -> None:
        """``answer``: approve, reject or withdraw.  Raises StaleVersion, Forbidden, NotPossible or Invalid."""
        ...

    def start_backtest(self, access: Access, change: str, *, since: dt.date | None) -> str:
        """Start trying a proposal on the stored cases; the id of the backtest."""
        ...

    def cancel_backtest(self, access: Access, backtest: str) -> None:
        """Stop one that is under way."""
        ...

    def backtest(self, access: Access, backtest: str) -> BacktestPage:
        """A backtest, with its report once it is done."""
        ...

    def backtest_report(self, access: Access, backtest: str, *, form: str) -> str:
        """The report as text; ``form``: json or html.  Raises NotPossible while there is none."""
        ...
