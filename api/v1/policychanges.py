"""Changes of policies: proposed by one person, decided by another.  Thin over service.policies.changes; the version is in ``If-Match``."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.access import current_access, service
from api.operations import Answer, Body, Operations, Query, Reply, one_of
from api.v1 import changeshapes as shapes
from api.v1 import schemas
from api.v1.lists import DayText
from api.v1.schemas.changes import ChangeState
from rules.diff import diff
from service.errors import Flaw, Invalid, NotFound, NotPossible
from service.policies import changes as policychanges
from service.policies.answers import begins_to_enforce
from service.policies.book import version as version_of
from service.policies.changes import PolicyChange
from service.policies.record import REASON_LIMIT

MOST_FILES = 40
operations = Operations(
    "policy changes",
    "How a policy changes: one person proposes numbers or another text, with a first day and a reason; another person approves it. "
    "Nothing is judged by it before. A proposal that makes a rule open breaches which could not before needs a finished backtest.",
)

Number = Annotated[int, Field(ge=0, le=36_500)]
_ETAG = {"ETag": "the change's version, for `If-Match`"}


class ChangeFilters(Query):
    """Which changes."""

    policy: str | None = Field(default=None, min_length=1, max_length=200, description="policy id")
    state: ChangeState | None = Field(default=None, description="how it stands")


class Proposal(Body):
    """What is proposed: `policy` with `values`, or `files` with `main`."""

    model_config = ConfigDict(json_schema_extra=one_of(("policy", "values", "effective", "applies_to_open"), ("files", "main")))

    policy: str | None = Field(default=None, description="the policy whose parameters are to change; with `values`, without `files`")
    values: dict[str, Number | None] | None = Field(default=None, max_length=500, description="parameters by name; null: not set")
    files: dict[str, str] | None = Field(
        default=None,
        max_length=MOST_FILES,
        description="texts by name: the policy, and its catalogue and calendars where they change too",
    )
    main: str | None = Field(default=None, max_length=200, description="which of the files is the policy")
    effective: DayText | None = Field(default=None, description="first day, today or later; without it, the file's own day")
    applies_to_open: bool | None = Field(
        default=None,
        description="whether cases that are open on the first day are judged by it throughout from then on; without it, as the file says",
    )
    reason: str = Field(min_length=1, max_length=REASON_LIMIT, description="why; stays with the change for good")


class Decision(Body):
    """The answer to a proposal."""

    comment: str = Field(default="", max_length=REASON_LIMIT, description="stays with the change for good")


@operations.get(
    "/v1/policy-changes",
    scope="breaches:read",
    query=ChangeFilters,
    answers={200: Answer("Changes, the newest first, at most 500.", schemas.PolicyChangeList)},
)
def list_policy_changes(query: ChangeFilters) -> Any:
    """List changes of policies: proposed, approved, rejected and withdrawn."""
    return {"items": [shapes.change(one) for one in policychanges.changes(service(), policy=query.policy, state=query.state)]}


@operations.get(
    "/v1/policy-changes/{change}",
    scope="breaches:read",
    answers={200: Answer("The change.", schemas.PolicyChangeDetail, headers=_ETAG)},
)
def show_policy_change(change: str) -> Any:
    """Show a change with what it means, in words."""
    return _reply(policychanges.change(service(), change))


@operations.post(
    "/v1/policy-changes",
    scope="policies:write",
    body=Proposal,
    problems=["not_possible", "not_found"],
    answers={201: Answer("The proposal, which waits for another person.", schemas.PolicyChangeDetail, headers=_ETAG)},
)
def propose_policy_change(body: Proposal) -> Any:
    """Propose other parameter values, or another text of a policy.

    A text is checked first: each finding comes with its place, as `/FILE:LINE:COLUMN` in `pointer`.
    """
    svc, access = service(), current_access()
    day = _day(body.effective)
    if body.files is not None:
        if body.policy is not None or body.main not in body.files:
            raise Invalid(Flaw("main", "wrong_value", "name one of the files, and leave `policy` out: the file says it"))
        made = policychanges.propose_version(
            svc,
            access,
            body.files,
            body.main,
            values=body.values,
            effective=day,
            applies_to_open=body.applies_to_open,
            reason=body.reason,
        )
        return _reply(made, status=201)
    missing = [name for name in ("policy", "values", "effective", "applies_to_open") if getattr(body, name) is None]
    if missing or body.main is not None or body.policy is None or body.values is None or day is None:
        names = missing or ["main"]
        raise Invalid(
            *(
                Flaw(
                    name,
                    "missing" if missing else "unknown",
                    "parameters take all of policy, values, effective and applies_to_open, and no main",
                )
                for name in names
            )
        )
    made = policychanges.propose_parameters(
        svc, access, body.policy, body.values, effective=day, applies_to_open=bool(body.applies_to_open), reason=body.reason
    )
    return _reply(made, status=201)


@operations.post(
    "/v1/policy-changes/{change}/approve",
    scope="policies:write",
    versioned=True,
    body=Decision,
    problems=["not_possible"],
    answers={
        200: Answer("The change, in force from its first day on; every case is judged again.", schemas.PolicyChangeDetail, headers=_ETAG)
    },
)
def approve_policy_change(change: str, version: int, body: Decision) -> Any:
    """Approve what another person has proposed.

    It takes the role of a policy owner, a manager or an administrator, and another person than the one who proposed it.
    """
    return _reply(policychanges.approve(service(), current_access(), change, version=version, comment=body.comment))


@operations.post(
    "/v1/policy-changes/{change}/reject",
    scope="policies:write",
    versioned=True,
    body=Decision,
    problems=["not_possible"],
    answers={200: Answer("The change, rejected.", schemas.PolicyChangeDetail, headers=_ETAG)},
)
def reject_policy_change(change: str, version: int, body: Decision) -> Any:
    """Decide against what another person has proposed."""
    return _reply(policychanges.reject(service(), current_access(), change, version=version, comment=body.comment))


@operations.post(
    "/v1/policy-changes/{change}/withdraw",
    scope="policies:write",
    versioned=True,
    body=Decision,
    problems=["not_possible"],
    answers={200: Answer("The change, withdrawn.", schemas.PolicyChangeDetail, headers=_ETAG)},
)
def withdraw_policy_change(change: str, version: int, body: Decision) -> Any:
    """Take back one's own proposal."""
    return _reply(policychanges.withdraw(service(), current_access(), change, version=version, comment=body.comment))


def _reply(found: PolicyChange, *, status: int = 200) -> Reply:
    svc = service()
    wanted = version_of(svc, found.digest)
    try:
        told = diff(version_of(svc, found.base_digest), wanted) if found.base_digest is not None else []
    except (NotFound, NotPossible):
        told = []
    body = shapes.change(found) | {
        "differences": [shapes.difference(one) for one in told],
        "enforces": begins_to_enforce(svc, found) if found.state == "proposed" else [],
    }
    return Reply(body, status=status, headers={"ETag": f'"{found.row_version}"'})


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(Flaw("effective", "wrong_value", "there is no such day")) from None
