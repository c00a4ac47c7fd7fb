"""The life of a breach with two reviewers who look at it at different times, held against a model written from the documents.

One breach (no safety plan by the end of the third visit), a record that changes under it, two people who act on what they have seen, a
waiver that one asks for and the other answers, and time.  ``Model`` knows the documents and none of the code: docs/explanation/verdicts.md,
docs/decisions/020 and docs/how-to/review-breaches.md.  ``DUECARE_MACHINE_EXAMPLES`` (default 8) is how many lives are lived.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from service import users
from service.access import Access
from service.assigning import assign
from service.errors import Forbidden, NotPossible, ServiceError, StaleVersion
from service.review import ask_waiver, review, settle_waiver
from store.models import OutboxRow
from store.queries import waivers_of_case
from tests.support.service_kit import ADELAIDE, Kit, connected, event, kit, plan, visit

DAY = 86_400_000
RULE = "C08"
FIRST, SECOND, THIRD, BETWEEN = "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-20"
PLANS = ("2026-03-18", "2026-03-22", "2026-04-02")
"""In time whichever visit is the third; in time unless there was a visit in between; late."""
DECISIONS = {"acknowledge": "acknowledged", "uphold": "upheld", "dismiss": "dismissed"}
_case = itertools.count(1)


@dataclass
class Waiver:
    """A request as the documents tell it."""

    author: str
    ends: int
    grounds: Any
    state: str = "proposed"


@dataclass
class Model:
    """One breach, by the documents."""

    now: int
    between: bool = False
    plans: dict[str, str] = field(default_factory=dict)
    """Day of each plan on record, by the event's id."""
    condition: str = "open"
    review: str = "new"
    contested: bool = False
    assignee: str | None = None
    seen: Any = None
    """What a reviewer could last look at: due day, evidence and verdict."""
    judged: Any = (THIRD, None)
    """Due day, and the plan that counted, at the last judgement."""
    waivers: dict[str, Waiver] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen = self.grounds()
        self.told.append("breach.opened")

    @property
    def due(self) -> str:
        return BETWEEN if self.between else THIRD

    @property
    def best(self) -> tuple[str, str] | None:
        """The plan that counts: the first one."""
        return min(((day, key) for key, day in self.plans.items()), default=None)

    @property
    def outcome(self) -> str:
        if self.best is None:
            return "breached"
        return "met" if self.best[0] <= self.due else "late"

    def grounds(self) -> Any:
        return (self.due, self.best)

    @property
    def redated(self) -> bool:
        """The plan that counted bears an earlier day than at the last judgement, and no event has come to count besides."""
        due, before = self.judged
        return bool(before and self.best and before[1] == self.best[1] and self.best < before and self.due in (due, THIRD))

    def judge(self) -> None:
        """What a new judgement does: waivers that hold no longer, then the condition, then the review."""
        for waiver in self.waivers.values():
            if waiver.state in {"proposed", "approved"}:
                if waiver.ends <= self.now:
                    waiver.state = "ended"
                elif waiver.grounds != self.grounds():
                    waiver.state = "void"
        excused = any(waiver.state == "approved" for waiver in self.waivers.values())
        aim = {"met": "withdrawn", "late": "remedied", "breached": "excused" if excused else "open"}[self.outcome]
        before = self.condition
        reopened = before != aim and (aim == "open" or (before == "withdrawn" and aim == "remedied"))
        if reopened and aim == "open":
            self.told.append("breach.opened")
        if aim == "remedied" and before in {"open", "excused"}:
            self.told.append("breach.remedied")
        if aim in {"withdrawn", "excused"} and before in {"open", "remedied"}:
            self.told.append("breach.withdrawn")
        changed = aim != "withdrawn" and self.seen != self.grounds()
        if aim != "withdrawn":
            self.seen = self.grounds()
        contested = self.redated and not self.contested
        self.contested |= contested
        self.judged = self.grounds()
        if contested or (changed and (self.review == "acknowledged" or reopened)):
            self.review = "new"
        self.condition = aim


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, dict[str, Access]]]:
    home = tmp_path_factory.mktemp("life")
    with kit(f"sqlite:///{home / 'life.sqlite3'}", home) as made:
        people = {}
        for name, role in (("ann", "reviewer"), ("mia", "manager")):
            user, _ = users.create(made.svc, name=name, roles=[role])
            people[name] = replace(users.access_of(user), must_change=False)
        yield made, people


class Life(RuleBasedStateMachine):
    """The product on one side, the model on the other."""

    desk: Kit
    people: dict[str, Access]

    @initialize()
    def a_breach(self) -> None:
        self.case = f"life-{next(_case)}"
        self.serial = itertools.count(1)
        self.extra: str | None = None
        self.events(connected(case=self.case), *(visit(f"{day}T10:00", case=self.case) for day in (FIRST, SECOND, THIRD)))
        self.desk.settle()
        self.model = Model(now=self.desk.clock.ms)
        self.history: list[Any] = []
        self.looked = {name: self.breach().version for name in self.people}
        self.dirty = False

    # --- the record changes ---------------------------------------------------------------------------------------------

    def events(self, *made: dict[str, Any]) -> None:
        assert [result.status for result in self.desk.take(*made).results] == ["accepted"] * len(made)

    def named(self, what: str) -> str:
        return f"{self.case}-{what}-{next(self.serial)}"

    @rule(day=st.sampled_from(PLANS))
    def a_plan_is_recorded(self, day: str) -> None:
        name = self.named("plan")
        self.events(plan(f"{day}T10:00", case=self.case, event_id=name, plan=name))
        self.model.plans[name] = day

    @precondition(lambda self: self.model.plans)
    @rule(data=st.data())
    def a_plan_is_voided(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.plans)))
        self.events(event("event.voided", "2026-05-20T09:00", {"target": name}, case=self.case, event_id=self.named("void")))
        del self.model.plans[name]

    @precondition(lambda self: any(day != PLANS[0] for day in self.model.plans.values()))
    @rule(data=st.data())
    def a_plan_is_given_an_earlier_day(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(name for name, day in self.model.plans.items() if day != PLANS[0])))
        day = data.draw(st.sampled_from([day for day in PLANS if day < self.model.plans[name]]))
        said = {"target": name, "set": {"time": f"{day}T10:00:00+10:30"}}
        self.events(event("event.corrected", self.local(), said, case=self.case, event_id=self.named("correction")))
        self.model.plans[name] = day

    def local(self) -> str:
        """Now, as the clocks in Adelaide show it: a later correction counts before an earlier one."""
        return dt.datetime.fromtimestamp(self.desk.clock.ms / 1000 - 3600 + next(self.serial), ADELAIDE).replace(tzinfo=None).isoformat()

    @precondition(lambda self: not self.model.between)
    @rule()
    def another_visit_comes_to_light(self) -> None:
        self.extra = self.named("visit")
        self.events(visit(f"{BETWEEN}T10:00", case=self.case) | {"id": self.extra})
        self.model.between = True

    @precondition(lambda self: self.model.between)
    @rule()
    def that_visit_was_a_mistake(self) -> None:
        self.events(event("event.voided", "2026-05-20T09:00", {"target": self.extra}, case=self.case, event_id=self.named("void")))
        self.model.between = False

    # --- time and judging -----------------------------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 3]))
    def days_pass(self, days: int) -> None:
        self.desk.clock.ms += days * DAY
        self.model.now = self.desk.clock.ms

    @rule()
    def the_case_is_judged(self) -> None:
        self.desk.settle()
        self.model.judge()

    # --- two people -----------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(["ann", "mia"]))
    def somebody_looks(self, name: str) -> None:
        self.looked[name] = self.breach().version

    def attempt(self, refused: type[ServiceError] | None, call: Any) -> Any:
        """Does ``call``, which must be refused so, or not at all."""
        if refused is None:
            return call()
        before = self.breach()
        with pytest.raises(refused):
            call()
        assert self.breach() == before, "what is refused writes nothing"
        return None

    @rule(name=st.sampled_from(["ann", "mia"]), action=st.sampled_from([*DECISIONS, "comment"]))
    def somebody_decides(self, name: str, action: str) -> None:
        model = self.model
        refused: type[ServiceError] | None = None
        if self.looked[name] != self.breach().version:
            refused = StaleVersion
        elif model.review == DECISIONS.get(action) or (action == "acknowledge" and model.review != "new"):
            refused = NotPossible
        words = {"reason_code": "record_error"} if action == "dismiss" else {"comment": "Looked into."} if action == "comment" else {}
        done = self.attempt(
            refused,
            lambda: review(self.desk.svc, self.people[name], self.breach().id, action=action, version=self.looked[name], **words),
        )
        if done is not None:
            model.review = DECISIONS.get(action, model.review)
            self.looked[name] = done.version

    @rule(name=st.sampled_from(["ann", "mia"]), to=st.sampled_from(["ann", "mia", None]))
    def somebody_assigns(self, name: str, to: str | None) -> None:
        refused: type[ServiceError] | None = None
        if self.looked[name] != self.breach().version:
            refused = StaleVersion
        elif self.model.assignee == to:
            refused = NotPossible
        done = self.attempt(
            refused, lambda: assign(self.desk.svc, self.people[name], self.breach().id, version=self.looked[name], assignee=to)
        )
        if done is not None:
            self.model.assignee = to
            self.looked[name] = done.version

    @rule(name=st.sampled_from(["ann", "mia"]), days=st.sampled_from([2, 30]))
    def somebody_asks_for_a_waiver(self, name: str, days: int) -> None:
        model = self.model
        refused: type[ServiceError] | None = None
        if self.looked[name] != self.breach().version:
            refused = StaleVersion
        elif model.condition not in {"open", "excused"} or any(one.state == "proposed" for one in model.waivers.values()):
            refused = NotPossible
        ends = model.now + days * DAY
        asked = self.attempt(
            refused,
            lambda: ask_waiver(
                self.desk.svc, self.people[name], self.breach().id, version=self.looked[name], reason_code="unsafe", ends_at=ends
            ),
        )
        if asked is not None:
            model.waivers[asked.id] = Waiver(name, ends, model.seen)

    @precondition(lambda self: self.model.waivers)
    @rule(name=st.sampled_from(["ann", "mia"]), approve=st.booleans(), data=st.data())
    def somebody_answers_a_request(self, name: str, approve: bool, data: st.DataObject) -> None:
        model = self.model
        identity = data.draw(st.sampled_from(list(model.waivers)))
        waiver = model.waivers[identity]
        refused: type[ServiceError] | None = None
        if waiver.state != "proposed":
            refused = NotPossible
        elif (waiver.author == name and approve) or (waiver.author != name and name == "ann"):
            refused = Forbidden  # another person, and one whose role reaches so far
        elif approve and (waiver.ends <= model.now or waiver.grounds != model.seen):
            refused = NotPossible
        done = self.attempt(refused, lambda: settle_waiver(self.desk.svc, self.people[name], identity, approve=approve))
        if done is not None:
            waiver.state = "approved" if approve else "refused"

    # --- both say the same ----------------------------------------------------------------------------------------------

    def breach(self) -> Any:
        return self.desk.breaches(self.case)[RULE]

    @invariant()
    def both_say_the_same(self) -> None:
        found, model = self.breach(), self.model
        assert (found.condition, found.review, found.contested is not None) == (model.condition, model.review, model.contested)
        assert found.assignee == (self.people[model.assignee].actor if model.assignee else None)
        with self.desk.svc.reading() as session:
            states = {one.id: one.state for one in waivers_of_case(session, self.case)}
        assert states == {identity: waiver.state for identity, waiver in model.waivers.items()}

    @invariant()
    def nothing_of_its_history_is_lost_and_it_tells_the_same(self) -> None:
        lines = self.desk.history(RULE, self.case)
        assert lines[: len(self.history)] == self.history, "lines are added and never changed"
        self.history = lines
        condition, review_state, assignee = "", "new", None
        for stored in lines:
            line = stored.line
            if line.kind in {"opened", "reopened"}:
                condition = "open"
            elif line.kind in {"remedied", "withdrawn", "excused"}:
                condition = line.kind
            elif line.kind in DECISIONS.values():
                review_state = line.kind
            elif line.kind == "review_reset":
                review_state = "new"
            elif line.kind == "assigned":
                assignee = line.after
        found = self.breach()
        assert (condition, review_state, assignee) == (found.condition, found.review, found.assignee)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self.the_case_is_judged()
        self.both_say_the_same()
        with self.desk.svc.reading() as session:
            rows = session.execute(select(OutboxRow.topic, OutboxRow.payload).where(OutboxRow.key == self.case).order_by(OutboxRow.id))
            told = [topic for topic, payload in rows if payload["breach"].get("rule") == RULE and topic != "breach.due_soon"]
        assert told == self.model.told, "others are told of each opening and of each end of one, once"


def test_a_breach_lives_as_the_documents_say(desk: tuple[Kit, dict[str, Access]]) -> None:
    machine = type("TheLife", (Life,), {"desk": desk[0], "people": desk[1]})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("DUECARE_MACHINE_EXAMPLES", "8")),
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # a life that goes wrong is told as it was lived: making it shorter takes minutes
            report_multiple_bugs=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
