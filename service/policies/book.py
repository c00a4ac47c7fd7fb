"""Versions of policies by their digests: kept as whole packages, loaded again from the store alone.  Imports rules/ and store/.

A version is its package of texts, the values of its parameters, the day on which it takes effect and whether it applies to open
cases.  What was judged by a version years ago can so be judged by it again, whatever the installation's files hold by then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from rules.clock import iso, parse_day
from rules.policy import Policy, load_package, package_of
from service.errors import NotFound, NotPossible
from store.policychanges import packages
from store.states import note_policy

if TYPE_CHECKING:
    from service.bootstrap import Service


def keep(session: Session, policy: Policy, *, now: int) -> str:
    """Keep a version, if it is not kept yet; its digest.  ``now`` in ms.

    Raises PolicyError where its file has changed since it was read, NotPossible where its texts do not give its digest.
    """
    if not _whole(packages(session, [policy.digest]).get(policy.digest)):
        package = package_of(policy)
        text = {
            "main": package.main,
            "files": dict(package.files),
            "values": dict(policy.values),
            "effective": iso(policy.effective),
            "applies_to_open": policy.applies_to_open,
        }
        _load(policy.digest, text)
        note_policy(
            session, digest=policy.digest, policy=policy.id, version=policy.version, effective=iso(policy.effective), text=text, now=now
        )
    return policy.digest


def version(svc: Service, digest: str) -> Policy:
    """The version of this digest.  Raises NotFound, and NotPossible for what was kept by a release that kept no packages."""
    known = svc.versions.get(digest)
    if known is None:
        with svc.reading() as session:
            known = loaded(session, [digest], svc.versions)[digest]
    return known


def loaded(session: Session, digests: Collection[str], memory: dict[str, Policy]) -> dict[str, Policy]:
    """Versions by their digests; those that are not in ``memory`` yet are put there.  Raises NotFound and NotPossible."""
    wanted = [digest for digest in digests if digest not in memory]
    kept = packages(session, wanted) if wanted else {}
    for digest in wanted:
        if digest not in kept:
            raise NotFound("there is no version of this digest")
        memory[digest] = _load(digest, kept[digest])
    return {digest: memory[digest] for digest in digests}


def _whole(kept: Any) -> bool:
    return isinstance(kept, Mapping) and "files" in kept


def _load(digest: str, kept: Any) -> Policy:
    if not _whole(kept):
        raise NotPossible(f"of the version {digest[:12]} only a part was kept, by an earlier release: it cannot be judged by again")
    policy = load_package(kept["files"], kept["main"]).with_parameters(kept["values"])
    policy = policy.taking_effect(parse_day(kept["effective"]), applies_to_open=bool(kept["applies_to_open"]))
    if policy.digest != digest:
        raise NotPossible(f"what is stored as the version {digest[:12]} does not give this digest: it has been altered")
    return policy
