"""Changes of policies: proposed by one person, approved by another, in force from a day on.  Imports rules/, store/ and service/.

A change names a whole version by its digest, so that what was tried on the stored cases is what is approved and what judges.  Where
the version that it follows gets other parameter values meanwhile, the change takes them over and its row version moves on: whoever
approves it sees it anew.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.clock import parse_day
from rules.errors import ParameterError, PolicyError
from rules.policy import Policy, load_package, package_of
from rules.yamlsource import parse
from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.logs import get
from service.policybook import keep, version
from service.succession import carried_over, moved, newest, newly_enforced
from store.models import INSTALLATION, PolicyChangeRow
from store.policychanges import claim_change, epoch
from store.queue import mark_every_case, stale

SCOPE = "policies:write"
REASON_LIMIT = 4_000
MOST_LISTED = 500
HINTS_AT_ONCE = 500

_log = get("policies")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change as it stands.  Instants in ms.

    ``kind``: installed, version or parameters; ``state``: proposed, active, rejected or withdrawn.  ``values``: the parameters that it
    names.  ``row_version``: what whoever decides must have seen.
    """

    id: str
    policy: str
    kind: str
    state: str
    digest: str
    base_digest: str | None
    version: str
    effective: dt.date
    applies_to_open: bool
    values: Mapping[str, int | None]
    reason: str
    proposed_by: str
    proposed_name: str
    proposed_at: int
    decided_by: str | None
    decided_name: str | None
    decided_at: int | None
    comment: str | None
    backtest: str | None
    row_version: int


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
    values: Mapping[str, int | None] | None = None,
    effective: dt.date | None,
    applies_to_open: bool | None,
    reason: str,
) -> PolicyChange:
    """Propose another text of a policy: a package of texts by name, of which ``main`` is the policy's.

    Texts that are not among ``files`` (the catalogue, calendars) are taken from the version that it follows; so are the values that
    people have set, except those of ``values``.  Raises Forbidden, NotPossible where the same is proposed already, and Invalid with
    every finding and its place: ``field`` is then ``file:line:col``.
    """
    access.require(SCOPE)
    with svc.writing() as session:
        loaded = _read(svc, session, files, main)
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


def approve(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Put a proposed version in force from its effective day on, and have every case judged again.  ``version``: the row version seen.

    Raises NotFound, StaleVersion, Invalid; Forbidden for whoever proposed it or lacks the role; NotPossible where it has been decided,
    its day has passed, another text has come into force meanwhile, or a rule that could not accuse before was not tried out.
    """
    with svc.writing() as session:
        claim_change(session)
        row = _waiting(session, access, change_id, version, comment)
        if row.proposed_by == access.actor:
            raise Forbidden("nobody approves a change of their own: another person has to")
        base = newest(session, svc.versions, row.policy)
        tried = row.digest
        wanted = _following(svc, session, row, base)
        row.backtest = _backtest(session, wanted, base, {tried, wanted.digest})
        newest_decision = epoch(session).newest
        _decide(row, access, "active", max(svc.now(), newest_decision + 1), comment)
        session.flush()
        _take_along(svc, session, row.policy, base, wanted)
        cases = mark_every_case(session, svc.now())
        made = _shown(row)
    svc.refresh()
    with svc.reading() as session:
        waiting = stale(session, svc.now(), HINTS_AT_ONCE)
    svc.hints.send(waiting)
    _log.info("policy_activated", policy=made.policy, digest=made.digest[:12], effective=made.effective.isoformat(), cases=cases)
    return made


def reject(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Decide against a change.  Raises as ``approve`` does."""
    with svc.writing() as session:
        row = _waiting(session, access, change_id, version, comment)
        if row.proposed_by == access.actor:
            raise Forbidden("withdraw a change of your own instead of rejecting it")
        _decide(row, access, "rejected", svc.now(), comment)
        return _shown(row)


def withdraw(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Take back a change of one's own.  Raises NotFound, StaleVersion, Invalid, NotPossible, and Forbidden for anybody else's."""
    with svc.writing() as session:
        row = _waiting(session, access, change_id, version, comment, role=False)
        if row.proposed_by != access.actor:
            raise Forbidden("only whoever proposed a change takes it back")
        _decide(row, access, "withdrawn", svc.now(), comment)
        return _shown(row)


def changes(svc: Service, *, policy: str | None = None, state: str | None = None) -> list[PolicyChange]:
    """Changes, the newest first, at most ``MOST_LISTED``."""
    query = select(PolicyChangeRow).order_by(PolicyChangeRow.proposed_at.desc(), PolicyChangeRow.id).limit(MOST_LISTED)
    if policy is not None:
        query = query.where(PolicyChangeRow.policy == policy)
    if state is not None:
        query = query.where(PolicyChangeRow.state == state)
    with svc.reading() as session:
        return [_shown(row) for row in session.scalars(query)]


def change(svc: Service, change_id: str) -> PolicyChange:
    """The change.  Raises NotFound."""
    with svc.reading() as session:
        return _shown(_found(session, change_id))


def candidate(svc: Service, change_id: str) -> Policy:
    """The version that the change would put, or has put, in force.  Raises NotFound."""
    return version(svc, change(svc, change_id).digest)


# -- proposing
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
        effective=_day(wanted.effective),
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
    return _shown(row)


def _read(svc: Service, session: Session, files: Mapping[str, str], main: str) -> Policy:
    """The policy in the texts, completed by those of the version in force.  Raises Invalid with every fault and error."""
    from rules.lint import ERROR, lint_texts

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
        first = _day(base.effective)
        words = f"a version that takes effect on {first} has been approved: choose that day or a later one"
        return [Flaw("effective", "before_another", words)]
    return []


# -- deciding
def _waiting(session: Session, access: Access, change_id: str, seen: int, comment: str, *, role: bool = True) -> PolicyChangeRow:
    access.require(SCOPE)
    if role and not access.may_decide_policies():
        raise Forbidden("this takes the role policy_owner, manager or administrator")
    if len(comment) > REASON_LIMIT or "\x00" in comment:
        raise Invalid(Flaw("comment", "wrong_length", f"at most {REASON_LIMIT} characters"))
    row = _found(session, change_id, lock=True)
    if row.row_version != seen:
        raise StaleVersion(row.row_version)
    if row.state != "proposed":
        raise NotPossible(f"the change is {row.state} already")
    return row


def _decide(row: PolicyChangeRow, access: Access, state: str, now: int, comment: str) -> None:
    row.state, row.decided_by, row.decided_name, row.decided_at = state, access.actor, access.name, now
    row.comment, row.row_version = comment.strip() or None, row.row_version + 1


def _following(svc: Service, session: Session, row: PolicyChangeRow, base: Policy | None) -> Policy:
    """The version that the change puts in force now.  What the installation proposed takes effect today where its day has passed."""
    if row.base_digest != (None if base is None else base.digest):
        raise NotPossible("another version has come into force since this was proposed: propose it anew")
    wanted = version(svc, row.digest)
    today = wanted.zone.day_of(svc.now())
    if wanted.effective >= today:
        return wanted
    if row.proposed_by != INSTALLATION:
        raise NotPossible(f"its day, {row.effective}, has passed: propose it anew with a later one")
    wanted = moved(wanted, base, today=today)
    row.digest, row.effective = keep(session, wanted, now=svc.now()), _day(wanted.effective)
    return wanted


def _backtest(session: Session, wanted: Policy, base: Policy | None, digests: set[str]) -> str | None:
    """The backtest that the approval rests on.  Raises NotPossible where a rule begins to accuse and nobody has tried it out."""
    from service import backtest

    passed = next((found for digest in sorted(digests) if (found := backtest.passed(session, digest)) is not None), None)
    rules = newly_enforced(wanted, base)
    if rules and passed is None:
        which = f"rule {rules[0]} is" if len(rules) == 1 else f"rules {', '.join(rules)} are"
        raise NotPossible(f"{which} enforced by this version and not by the one before: run a backtest of it to the end first")
    return passed


def _take_along(svc: Service, session: Session, policy: str, before: Policy | None, now: Policy) -> None:
    """Changes that wait take over the parameter values that hold now, where that is all that has changed."""
    if before is None or before.text_digest != now.text_digest:
        return
    waiting = select(PolicyChangeRow).where(
        PolicyChangeRow.policy == policy, PolicyChangeRow.state == "proposed", PolicyChangeRow.base_digest == before.digest
    )
    for row in session.scalars(waiting.with_for_update()):
        wanted = version(svc, row.digest)
        start = max(wanted.effective, now.effective)
        plain = wanted.with_parameters({name: parameter.default for name, parameter in wanted.parameters.items()})
        wanted = carried_over(plain, now, row.values).taking_effect(start, applies_to_open=row.applies_to_open)
        row.digest, row.base_digest, row.effective = keep(session, wanted, now=svc.now()), now.digest, _day(wanted.effective)
        row.row_version += 1


def _day(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


def _found(session: Session, change_id: str, *, lock: bool = False) -> PolicyChangeRow:
    row = session.get(PolicyChangeRow, change_id, with_for_update=lock or None)
    if row is None:
        raise NotFound("there is no such change")
    return row


def _shown(row: PolicyChangeRow) -> PolicyChange:
    return PolicyChange(
        id=row.id,
        policy=row.policy,
        kind=row.kind,
        state=row.state,
        digest=row.digest,
        base_digest=row.base_digest,
        version=row.version,
        effective=dt.date.fromordinal(parse_day(row.effective)),
        applies_to_open=row.applies_to_open,
        values=dict(row.values),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_name=row.proposed_name,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_name=row.decided_name,
        decided_at=row.decided_at,
        comment=row.comment,
        backtest=row.backtest,
        row_version=row.row_version,
    )
