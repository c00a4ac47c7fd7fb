"""Changes of policies: proposed by one person, approved by another, in force from a day on.  Imports rules/, store/ and service/.

A change names a whole version by its digest, so that what was tried on the stored cases is what is approved and what judges.  Where
the version that it follows gets other parameter values meanwhile, the change takes them over and its row version moves on: whoever
approves it sees it anew.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.errors import ParameterError, PolicyError
from rules.lint import ERROR, lint_texts
from rules.policy import Policy, load_package, package_of
from rules.yamlsource import parse
from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound, NotPossible
from service.policies.book import keep
from service.policies.decisions import approve, reject, withdraw
from service.policies.history import InForce, history_of
from service.policies.questions import OpenQuestion, questions
from service.policies.record import REASON_LIMIT, SCOPE, PolicyChange, candidate, change, changes, day_text, shown
from service.policies.succession import carried_over, newest
from store.models import PolicyChangeRow

__all__ = [
    "SCOPE",
    "InForce",
    "OpenQuestion",
    "PolicyChange",
    "approve",
    "candidate",
    "change",
    "changes",
    "history_of",
    "propose_parameters",
    "propose_version",
    "questions",
    "reject",
    "withdraw",
]


def propose_parameters(
    svc: Service,
    access: Access,
    policy: str,
    values: Mapping[str, int | None],
    *,
    effective: dt.date,
    applies_to_open: bool,
    reason: str,
) -> PolicyChange:
    """Propose other values of some parameters (None: not set), from ``effective`` on.

    Raises Forbidden, NotFound, Invalid, and NotPossible where the same is proposed already.
    """
    access.require(SCOPE)
    with svc.writing() as session:
        base = newest(session, svc.versions, policy)
        if base is None:
            raise NotFound("there is no such policy in force")
        flaws = _reason_flaws(reason) + _day_flaws(svc, base, base, effective)
        try:
            wanted = base.with_parameters(values)
        except ParameterError as error:
            raise Invalid(*flaws, Flaw("values", "wrong_value", str(error))) from None
        if wanted.values == base.values:
            flaws.append(Flaw("values", "nothing_changes", "these are the values that hold already"))
        if flaws:
            raise Invalid(*flaws)
        wanted = wanted.taking_effect(effective.toordinal(), applies_to_open=applies_to_open)
        named = {name: wanted.values[name] for name in values}
        return _propose(svc, session, access, wanted, base, kind="parameters", values=named, reason=reason)


def propose_version(
    svc: Service,
    access: Access,
    files: Mapping[str, str],
    main: str,
    *,
    policy: str | None = None,
    values: Mapping[str, int | None] | None = None,
    effective: dt.date | None,
    applies_to_open: bool | None,
    reason: str,
) -> PolicyChange:
    """Propose another text of a policy (of ``policy``, where that is given): a package of texts by name, of which ``main`` is its own.

    Texts that are not among ``files`` (the catalogue, calendars) are taken from the version that it follows; so are the values that
    people have set, except those of ``values``.  Raises Forbidden, NotPossible where the same is proposed already, and Invalid with
    every finding and its place: ``field`` is then ``file:line:col``.
    """
    access.require(SCOPE)
    with svc.writing() as session:
        loaded = _read(svc, session, files, main)
        if policy not in (None, loaded.id):
            raise Invalid(Flaw("files", "another_policy", f"this is the policy {loaded.id}, not {policy}"))
        base = newest(session, svc.versions, loaded.id)
        try:
            wanted = loaded.with_parameters(values or {}) if base is None else carried_over(loaded, base, values)
        except ParameterError as error:
            raise Invalid(Flaw("values", "wrong_value", str(error))) from None
        day = effective.toordinal() if effective is not None else wanted.effective
        wanted = wanted.taking_effect(day, applies_to_open=wanted.applies_to_open if applies_to_open is None else applies_to_open)
        flaws = _reason_flaws(reason) + _day_flaws(svc, wanted, base, dt.date.fromordinal(day))
        if base is not None and (wanted.text_digest, wanted.values) == (base.text_digest, base.values):
            flaws.append(Flaw("files", "nothing_changes", "this is the version that holds already"))
        if flaws:
            raise Invalid(*flaws)
        return _propose(svc, session, access, wanted, base, kind="version", values=dict(values or {}), reason=reason)


def _propose(
    svc: Service,
    session: Session,
    access: Access,
    wanted: Policy,
    base: Policy | None,
    *,
    kind: str,
    values: Mapping[str, int | None],
    reason: str,
) -> PolicyChange:
    waits = select(PolicyChangeRow.id).where(PolicyChangeRow.digest == wanted.digest, PolicyChangeRow.state == "proposed")
    if session.scalar(waits.limit(1)) is not None:
        raise NotPossible("the same change has been proposed already and waits for an answer")
    row = PolicyChangeRow(
        id=uuid.uuid4().hex,
        policy=wanted.id,
        kind=kind,
        state="proposed",
        digest=keep(session, wanted, now=svc.now()),
        base_digest=None if base is None else base.digest,
        version=wanted.version,
        effective=day_text(wanted.effective),
        applies_to_open=wanted.applies_to_open,
        values=dict(values),
        reason=reason.strip(),
        proposed_by=access.actor,
        proposed_name=access.name,
        proposed_at=svc.now(),
        row_version=1,
    )
    session.add(row)
    session.flush()
    return shown(row)


def _read(svc: Service, session: Session, files: Mapping[str, str], main: str) -> Policy:
    """The policy in the texts, completed by those of the version in force.  Raises Invalid with every fault and error."""
    texts = dict(files)
    base = newest(session, svc.versions, _named_in(files.get(main, ""), main))
    if base is not None:
        package = package_of(base)
        texts = {name: text for name, text in package.files.items() if name != package.main} | texts
    others = [
        other for other in svc.policies.policies if base is not None and other.id != base.id and other.catalogue.name == base.catalogue.name
    ]
    errors = [found.fault for found in lint_texts(texts, main, beside=others) if found.severity == ERROR]
    if errors:
        raise Invalid(*(Flaw(f"{fault.file}:{fault.line}:{fault.col}", fault.code, fault.message) for fault in errors))
    policy = load_package(texts, main)
    used = {main, policy.raw["catalogue"], *(f"calendars/{name}.yaml" for name in policy.calendars)}
    return load_package({name: text for name, text in texts.items() if name in used}, main)


def _named_in(text: str, main: str) -> str:
    try:
        data = parse(text, name=main).data
    except PolicyError:
        return ""
    return str(data.get("policy", "")) if isinstance(data, dict) else ""


def _reason_flaws(reason: str) -> list[Flaw]:
    if not reason.strip() or len(reason) > REASON_LIMIT or "\x00" in reason:
        return [Flaw("reason", "wrong_length", f"say why, in 1 to {REASON_LIMIT} characters")]
    return []


def _day_flaws(svc: Service, policy: Policy, base: Policy | None, day: dt.date) -> list[Flaw]:
    today = dt.date.fromordinal(policy.zone.day_of(svc.now()))
    if day < today:
        return [Flaw("effective", "past", f"choose {today} or a later day: what people were told before must not change")]
    if base is not None and day.toordinal() < base.effective:
        first = day_text(base.effective)
        words = f"a version that takes effect on {first} has been approved: choose that day or a later one"
        return [Flaw("effective", "before_another", words)]
    return []
