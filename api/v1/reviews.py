"""What reviewers do with a breach.  Thin over service.review; the version that was seen comes in ``If-Match``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Body, Operations, Reply
from api.v1 import schemas, shapes
from api.v1.lists import InstantText
from rules.instants import parse_instant
from service import assigning, review
from service.errors import Flaw as ServiceFlaw
from service.errors import Invalid
from service.review import COMMENT_LIMIT, REVIEW_REASONS, WAIVER_REASONS

operations = Operations(
    "reviews",
    "The reviewer's work. Each change names the version that was seen in `If-Match`: where somebody else was first, nothing is written. "
    "A waiver needs two persons: who asks for it, and another one with the role for it, who approves it.",
)

_REVIEW_CODES = ", ".join(f"`{code}`" for code in REVIEW_REASONS)
_WAIVER_CODES = ", ".join(f"`{code}`" for code in WAIVER_REASONS)
_COMMENT = f"no names and no narrative of the case; {COMMENT_LIMIT:,} characters at most"

ReviewReason = Annotated[str, Field(json_schema_extra={"enum": sorted(REVIEW_REASONS)})]
WaiverReason = Annotated[str, Field(json_schema_extra={"enum": sorted(WAIVER_REASONS)})]
Comment = Annotated[str, Field(json_schema_extra={"maxLength": COMMENT_LIMIT})]


class ReviewStep(Body):
    """A step of a review."""

    action: Literal["acknowledge", "uphold", "dismiss", "comment"]
    reason_code: ReviewReason | None = Field(default=None, description=f"one of {_REVIEW_CODES}; a dismissal needs one")
    comment: Comment | None = Field(default=None, description=_COMMENT)


class Assignment(Body):
    """Who is to work on a breach."""

    assignee: str | None = Field(description="`user:ID` or the account's name of a person who reviews breaches; null: nobody")
    comment: Comment | None = Field(default=None, description=_COMMENT)


class WaiverRequest(Body):
    """A request that a breach be excused for a time."""

    reason_code: WaiverReason = Field(description=f"one of {_WAIVER_CODES}")
    ends_at: InstantText = Field(description="RFC 3339 instant within the next twelve months")
    comment: Comment | None = Field(default=None, description=_COMMENT)


class Settlement(Body):
    """The answer to a request for a waiver."""

    comment: Comment | None = Field(default=None, description=_COMMENT)


@operations.post(
    "/v1/breaches/{breach}/review",
    scope="breaches:review",
    versioned=True,
    body=ReviewStep,
    problems=["not_possible"],
    answers={200: Answer("The breach as it stands now.", schemas.BreachRow, headers={"ETag": "its new version"})},
)
def review_breach(breach: str, version: int, body: ReviewStep) -> Any:
    """Acknowledge, uphold or dismiss a breach, or comment on it."""
    done = review.review(
        service(), current_access(), breach, action=body.action, version=version, reason_code=body.reason_code, comment=body.comment
    )
    return Reply(shapes.breach(done), headers={"ETag": f'"{done.version}"'})


@operations.post(
    "/v1/breaches/{breach}/assignment",
    scope="breaches:review",
    versioned=True,
    body=Assignment,
    problems=["not_possible"],
    answers={200: Answer("The breach as it stands now.", schemas.BreachRow, headers={"ETag": "its new version"})},
)
def assign_breach(breach: str, version: int, body: Assignment) -> Any:
    """Give a breach to a person, or take it back.

    It must be somebody who reviews breaches and whose teams and offices it belongs to.
    """
    done = assigning.assign(service(), current_access(), breach, version=version, assignee=body.assignee, comment=body.comment)
    return Reply(shapes.breach(done), headers={"ETag": f'"{done.version}"'})


@operations.post(
    "/v1/breaches/{breach}/waivers",
    scope="breaches:review",
    versioned=True,
    body=WaiverRequest,
    problems=["not_possible"],
    answers={201: Answer("The waiver, which waits for its approval.", schemas.Waiver, headers={"ETag": "the waiver's version"})},
)
def ask_waiver(breach: str, version: int, body: WaiverRequest) -> Any:
    """Ask that a breach be excused for a time.

    `If-Match` is the version of the breach. The waiver ends by itself, and is void when the evidence of the breach changes.
    """
    try:
        ends_at = parse_instant(body.ends_at)
    except ValueError as error:
        raise Invalid(ServiceFlaw("ends_at", "wrong_value", str(error))) from None
    made = review.ask_waiver(
        service(), current_access(), breach, version=version, reason_code=body.reason_code, ends_at=ends_at, comment=body.comment
    )
    return Reply(shapes.waiver(made), status=201, headers={"ETag": f'"{made.version}"'})


@operations.post(
    "/v1/waivers/{waiver}/approve",
    scope="breaches:review",
    versioned=True,
    body=Settlement,
    problems=["not_possible"],
    answers={200: Answer("The waiver, approved; the case is judged again.", schemas.Waiver, headers={"ETag": "its new version"})},
)
def approve_waiver(waiver: str, version: int, body: Settlement) -> Any:
    """Approve a waiver that another person has asked for.

    `If-Match` is the version of the waiver. Low and medium severity: a team leader or a manager; high and critical: a manager.
    """
    return _settle(waiver, version, body, approve=True)


@operations.post(
    "/v1/waivers/{waiver}/refuse",
    scope="breaches:review",
    versioned=True,
    body=Settlement,
    problems=["not_possible"],
    answers={200: Answer("The waiver, refused.", schemas.Waiver, headers={"ETag": "its new version"})},
)
def refuse_waiver(waiver: str, version: int, body: Settlement) -> Any:
    """Refuse a waiver, or take back one's own request.

    `If-Match` is the version of the waiver.
    """
    return _settle(waiver, version, body, approve=False)


def _settle(waiver: str, version: int, body: Settlement, *, approve: bool) -> Reply:
    settled = review.settle_waiver(service(), current_access(), waiver, approve=approve, version=version, comment=body.comment)
    return Reply(shapes.waiver(settled), headers={"ETag": f'"{settled.version}"'})
