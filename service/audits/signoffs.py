"""Sign-offs: the persons who have read the report of an audit say so, each once, under the digest of what they read.

Imports store/ and service/.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.access import Access
from service.audits.runs import SCOPE, found_in, sees_all
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotPossible
from store import audits
from store.audits import Audit, Signature

LONGEST_COMMENT = 2_000


def sign(svc: Service, access: Access, audit: str, *, digest: str, comment: str) -> Signature:
    """Sign a finished audit off, as a person: ``digest`` is that of the report that was read.

    Raises Forbidden (for an API key, and for who may not see all of it), NotFound, Invalid, and NotPossible where there is no report or
    the person has signed it already.
    """
    access.require(SCOPE)
    if not access.actor.startswith("user:"):
        raise Forbidden("a report is signed off by a person, under an account of their own")
    told = comment.strip()
    if not told or len(told) > LONGEST_COMMENT or "\x00" in told:
        raise Invalid(Flaw("comment", "wrong_length", f"say in 1 to {LONGEST_COMMENT:,} characters what you have looked at"))
    with svc.writing() as session:
        found = found_in(session, access, audit)
        if not sees_all(access, found):
            raise Forbidden("this report covers more than you may see: it is for somebody who sees all of it to sign off")
        if found.report_digest is None:
            raise NotPossible(f"there is no report: the audit is {found.state}")
        if digest != found.report_digest:
            raise Invalid(Flaw("digest", "wrong_value", "this is not the digest of the report"))
        signature = Signature(audit, access.actor, access.name, svc.now(), digest, told)
        if not audits.sign(session, signature):
            raise NotPossible("you have signed this report off already")
    return signature


def signatures(svc: Service, access: Access, audit: str) -> list[Signature]:
    """Who has signed it off, the first one first.  Raises Forbidden and NotFound."""
    access.require(SCOPE)
    with svc.reading() as session:
        found_in(session, access, audit)
        return audits.signatures(session, [audit])[audit]


def signed(svc: Service, access: Access, found: Sequence[Audit]) -> dict[str, int]:
    """How many have signed each of these audits off, which the caller has got from ``listing``.  Raises Forbidden."""
    access.require(SCOPE)
    with svc.reading() as session:
        return {audit: len(lines) for audit, lines in audits.signatures(session, [one.id for one in found]).items()}
