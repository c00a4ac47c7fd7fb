"""What a worker does with the cases of an audit: judge each, or take what is stored where nothing has happened since, and compare.

How the work is divided stands in service.chunkwork.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from rules.clock import iso, parse_day
from rules.explain import sentence
from rules.model import CaseFile, Verdict
from rules.policy import Policy
from service import chunkwork
from service.audits.check import differences
from service.audits.document import document
from service.audits.ending import ended
from service.audits.prints import NOTHING, fingerprint
from service.audits.report import EDGES, digest_of, text_of
from service.audits.tally import ENDED, ENDED_BEFORE_DUE, NOT_ASKED, TOLD, CaseFound, Checked, Finding, Movement, Place, Tally
from service.bootstrap import Service
from service.chunkwork import BUDGET
from service.errors import NotFound
from service.findings import Waiver, under_waivers
from service.logs import get
from service.policies import book as policybook
from service.policies.policyset import Judgement, PolicySet, of_policies
from service.whereabouts import whereabouts
from store import auditcount, audited, auditlimits, audits
from store.audited import Kept, Moved
from store.audits import Audit
from store.cases import load_cases
from store.chunkedjobs import Chunk
from store.ids import Key
from store.outcomes import verdicts_of_cases
from store.sql import chunks

EVER = 2**62
_AT_ONCE = 10

_log = get("audit")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is on record about a case that is to be judged; with what is stored of it, where that is compared."""

    file: CaseFile
    waivers: Sequence[Waiver]
    moved: Sequence[Moved]
    kept: Kept | None = None
    stored: Mapping[Key, Verdict] | None = None
    conditions: Mapping[Key, str] | None = None


@dataclass(frozen=True)
class Auditing:
    """An audit, ready to judge."""

    audit: Audit
    policies: PolicySet
    """Every version that was in force as known at ``known_at``."""

    @property
    def position(self) -> int:
        return self.audit.position

    @cached_property
    def chosen(self) -> tuple[Policy, ...]:
        """The versions that judge."""
        wanted = self.audit.scope.policies
        return tuple(policy for policy in self.policies.policies if wanted is None or policy.id in wanted)

    @cached_property
    def _whole(self) -> bool:
        """Whether nothing limits what is looked at."""
        return all(value is None for value in astuple(self.audit.scope))

    @cached_property
    def period(self) -> tuple[int, int]:
        """The first and last instant (ms) of the period in which movements count."""
        scope, zone = self.audit.scope, self.chosen[0].zone
        since = 0 if scope.since is None else zone.start_of(parse_day(scope.since))
        until = EVER if scope.until is None else zone.end_of(parse_day(scope.until)) - 1
        return since, min(until, self.audit.known_at)

    @cached_property
    def _today(self) -> dict[str, int]:
        return {policy.id: policy.zone.day_of(self.audit.as_of) for policy in self.chosen}

    @cached_property
    def _asked(self) -> auditcount.Asked:
        told = self.audit
        since, upto = self.period
        return auditcount.Asked(
            by=min(told.as_of, told.known_at),
            until=max(told.as_of, told.known_at),
            scope=told.scope,
            since=since,
            upto=upto,
            lines=told.lines,
            today=self._today,
            edges=EDGES,
            told=TOLD,
            not_asked=NOT_ASKED,
            listed=ENDED_BEFORE_DUE,
            most=ENDED,
            seed=told.seed,
            size=told.sample,
        )

    def tally(self) -> Tally:
        """Nothing counted yet."""
        return Tally(seed=self.audit.seed, size=self.audit.sample, today=self._today)

    def take(self, session: Session, tally: Tally, cases: Sequence[str]) -> list[str]:
        """Count what needs no judging: of an incremental audit what is stored, and cases that hold nothing within the scope's limits."""
        scope = self.audit.scope
        if self.audit.kind == "incremental":
            counted = auditcount.count(session, cases, self._asked)
            if counted is None:
                self._take_one_by_one(session, tally, cases)
            else:
                tally.take(counted)
        rest = [case for case in cases if case not in tally.prints]
        if scope.teams is None and scope.offices is None:
            return rest
        wanted = auditlimits.concerned(session, rest, scope, upto=self.position)
        tally.prints.update((case, NOTHING) for case in rest if case not in wanted)
        return [case for case in rest if case in wanted]

    def _take_one_by_one(self, session: Session, tally: Tally, cases: Sequence[str]) -> None:
        told = self.audit
        kept = audited.kept(session, cases)
        settled = [case for case in cases if kept[case].why_not(as_of=told.as_of, known_at=told.known_at) is None]
        since, until = self.period
        moved = audited.movements(session, settled, since=since, until=until, lines=told.lines)
        for case, found in audited.verdicts(session, settled).items():
            one = kept[case]
            tally.add(self._found(case, one.program, (one.team, one.office), found, one.queries, moved.get(case, ()), None))

    def load(self, session: Session, cases: Sequence[str]) -> Mapping[str, Loaded]:
        """What is on record about each case, all of it as of one instant."""
        told = self.audit
        since, until = self.period
        moved = audited.movements(session, cases, since=since, until=until, lines=told.lines)
        files = self.files(session, cases)
        if told.kind != "full":
            return {case: Loaded(file, waivers, moved.get(case, ())) for case, (file, waivers) in files.items()}
        kept, stored = audited.kept(session, cases), verdicts_of_cases(session, cases)
        conditions = audited.conditions(session, cases)
        return {
            case: Loaded(file, waivers, moved.get(case, ()), kept[case], stored[case], conditions[case])
            for case, (file, waivers) in files.items()
        }

    def files(self, session: Session, cases: Sequence[str]) -> dict[str, tuple[CaseFile, list[Waiver]]]:
        """By case, its file as it was known then, and the waivers that held."""
        told = self.audit
        if not cases:
            return {}
        found = load_cases(session, cases, known_at=told.known_at, upto=told.position, heartbeat=told.heartbeat)
        covering = audited.coverings(session, cases, as_of=told.as_of, known_at=told.known_at)
        ids = {policy.id for policy in self.chosen}
        return {
            case: (
                one.file,
                [Waiver(w.id, w.breach_id, w.key, w.evidence_digest, w.ends_at) for w in covering.get(case, ()) if w.key[2] in ids],
            )
            for case, one in found.items()
        }

    def judge(self, file: CaseFile, waivers: Sequence[Waiver]) -> Judgement:
        """What the case comes to.  Pure."""
        told = self.audit

        def judge_with(waived: frozenset[tuple[str, str, str]]) -> Judgement:
            return self.policies.judge(file, as_of=told.as_of, known_at=told.known_at, waived=waived, only=told.scope.policies)

        return under_waivers(judge_with, waivers, at=told.as_of)[0]

    def add(self, tally: Tally, case: str, found: Loaded) -> None:
        """Judge a case and count it."""
        judged = self.judge(found.file, found.waivers)
        where = whereabouts(self.policies, found.file, now=self.audit.as_of)
        codes = [query.code for query in judged.queries]
        checked = self._checked(found, judged.verdicts)
        tally.add(self._found(case, where.program, (where.team, where.office), judged.verdicts, codes, found.moved, checked))

    def keep(self, session: Session, chunk: Chunk, tally: Tally) -> None:
        """The digests of what was found in each case, and the cases that are stored differently."""
        audits.keep_prints(session, chunk, tally.prints)
        audits.keep_differing(session, chunk, tally.differing)

    def report(self, session: Session, results: Iterator[dict[str, Any]], give_way: Callable[[], None]) -> tuple[str, str]:
        """The report and its digest."""
        tally = self.tally()
        for result in results:
            tally.merge(result)
        self._leave_out_of_scope(session, tally)
        drawn = [place[1:] for kept in tally.drawn.values() for place in kept]
        sample = self._drawn(session, drawn, give_way)
        text = text_of(document(audit=self.audit, policies=self.chosen, tally=tally, sample=sample))
        return text, digest_of(text)

    def within(self, one: Finding) -> bool:
        """Whether a finding lies in the scope."""
        scope = self.audit.scope
        if not scope.sees(one.team, one.office) or (scope.policies is not None and one.policy not in scope.policies):
            return False
        if scope.since is None and scope.until is None:
            return True
        day = one.due_on or one.activated_on
        return day is not None and (scope.since or "") <= day <= (scope.until or "9999-12-31")

    def words(self, verdict: Verdict) -> str:
        """The verdict's sentence, by the version that gave it."""
        policy = next(one for one in self.policies.policies if one.digest == verdict.policy_digest)
        rule = policy.rule(verdict.rule)
        today = iso(policy.zone.day_of(self.audit.as_of)) or ""
        return sentence(verdict, rule.title, rule.unmet, today=today, done_word=rule.done_word, due_word=rule.due_word)

    def _found(
        self,
        case: str,
        program: str | None,
        place: Place,
        verdicts: Sequence[Finding],
        codes: Sequence[str],
        moved: Sequence[Moved],
        checked: Checked | None,
    ) -> CaseFound:
        scope = self.audit.scope
        if scope.program is not None and program != scope.program:
            return CaseFound(case, None, (), print=NOTHING)
        findings = verdicts if self._whole else [one for one in verdicts if self.within(one)]
        seen = place if scope.sees(*place) else None
        if checked is not None and seen is None and not findings and not checked.differences:
            checked = None
        return CaseFound(
            case=case,
            place=seen,
            findings=findings,
            queries=codes if scope.policies is None else (),
            movements=self._movements(verdicts, moved),
            checked=checked,
            print=fingerprint(findings),
        )

    def _movements(self, verdicts: Sequence[Finding], moved: Sequence[Moved]) -> list[Movement]:
        """What became of the breaches: each belongs to the team that its obligation belongs to, as it was judged here."""
        if not moved:
            return []
        scope = self.audit.scope
        owners = {(one.case, one.episode, one.policy, one.rule, one.obligation): (one.team, one.office) for one in verdicts}
        found = []
        for one in moved:
            team, office = owners.get(one.key, (one.team, one.office))
            if scope.sees(team, office) and (scope.policies is None or one.key[2] in scope.policies):
                waived = one.kind == "excused" and one.reason == "waiver"
                found.append(Movement(one.key[2], one.key[3], one.severity, team, office, one.kind, waived, one.times))
        return found

    def _checked(self, found: Loaded, verdicts: Sequence[Verdict]) -> Checked | None:
        if found.kept is None or found.stored is None or found.conditions is None:
            return None
        why = found.kept.why_not(as_of=self.audit.as_of, known_at=self.audit.known_at)
        if why is not None:
            return Checked(why)
        ids = self.audit.scope.policies
        stored = {key: one for key, one in found.stored.items() if ids is None or key[2] in ids}
        conditions = {key: one for key, one in found.conditions.items() if ids is None or key[2] in ids}
        return Checked(None, differences(stored, verdicts, conditions, within=self.within))

    def _leave_out_of_scope(self, session: Session, tally: Tally) -> None:
        """Of the cases that could not be judged, nobody knows where they belong; what is stored of them says so as well as can be."""
        scope = self.audit.scope
        if scope.teams is None and scope.offices is None:
            return
        places = audited.kept(session, [case for case, _ in tally.failures])
        tally.failures = [[case, why] for case, why in tally.failures if scope.sees(places[case].team, places[case].office)]
        tally.failed = len(tally.failures)

    def _drawn(self, session: Session, wanted: Sequence[Sequence[str]], give_way: Callable[[], None]) -> list[tuple[Verdict, str]]:
        """The verdicts that were drawn, judged anew, since what is stored may be of another day by now, each with its sentence."""
        by_case: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for case, *rest in wanted:
            by_case[case].append((case, *rest))
        drawn: list[tuple[Verdict, str]] = []
        for cases in chunks(sorted(by_case), _AT_ONCE):
            give_way()
            for case, (file, waivers) in self.files(session, cases).items():
                try:
                    judged: dict[Any, Verdict] = {verdict.key: verdict for verdict in self.judge(file, waivers).verdicts}
                except Exception as error:  # noqa: BLE001 - a case that cannot be judged must not keep the report from being made
                    _log.error("audit_sample_failed", audit=self.audit.id, case=case, exc_info=error)
                    continue
                drawn += [(judged[key], self.words(judged[key])) for key in by_case[case] if key in judged]
        return drawn


def ready(svc: Service, audit: str) -> Auditing:
    """An audit, ready to judge.  Raises NotFound, NotPossible and PolicyError."""
    with svc.reading() as session:
        told = audits.get(session, audit)
    if told is None:
        raise NotFound("no such audit")
    return auditing(svc, told)


def auditing(svc: Service, told: Audit) -> Auditing:
    """The same for an audit that has been read."""
    return Auditing(told, of_policies([policybook.version(svc, digest) for digest in told.policies]))


KIND = chunkwork.Kind(
    "audit",
    audits.JOBS,
    ready,
    lambda svc, job, workers: svc.hints.audit(job, workers=workers),
    lambda svc: svc.settings.audit_workers,
    ended,
)


def work(svc: Service, audit: str, *, budget: float = BUDGET, give_way: bool = True) -> bool:
    """Work on an audit for a while; whether it is over.  See ``service.chunkwork.work``."""
    return chunkwork.work(svc, KIND, audit, budget=budget, give_way=give_way)


def put_forward(svc: Service) -> int:
    """Tell the workers of audits on which nobody works.  See ``service.chunkwork.put_forward``."""
    return chunkwork.put_forward(svc, KIND)
