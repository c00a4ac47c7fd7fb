"""The example of another process: its mapping reads its sample, and its policy judges it."""

from pydantic import BaseModel

from adapters.base import Reject
from adapters.files import read_events
from adapters.mapping import Mapping
from adapters.mapping_schema import Document, Layout, Skip, Take
from rules.envelope import Parsed
from rules.policy import load_policy
from tests.support.door import PERMITS, RECEIVED, ROOT, permits


def test_the_sample_is_read_without_a_reject() -> None:
    mapping = Mapping.load(PERMITS / "mapping.yaml", permits())
    found = list(read_events(PERMITS / "sample.csv", permits(), mapping, received=RECEIVED))
    assert [r for r in found if isinstance(r, Reject)] == []
    events = [r.event for r in found if isinstance(r, Parsed) and r.event is not None]
    assert len(events) == 33 + 4  # four of the six requests have ended
    assert len({event.id for event in events}) == len(events)
    first = events[0]
    assert first.data == {
        "performer": {"id": "clerk-1"},
        "group": "Group 1",
        "channel": "internet",
        "department": "General",
        "request": "request-1",
        "responsible": {"id": "clerk-1"},
        "terms": [{"id": "decision", "due_on": "2024-03-29"}],
    }
    assert {event.type for event in events} <= permits().types.keys()


def test_every_type_that_the_mapping_makes_is_used_by_name_once() -> None:
    mapping = Mapping.load(PERMITS / "mapping.yaml", permits())
    made = {value for plan in mapping.plans for value in (plan.type.values or {}).values()} | {plan.type.constant for plan in mapping.plans}
    assert made - {None} == permits().types.keys() - {"event.voided", "event.corrected", "source.heartbeat"}


def test_the_policy_loads_with_its_own_catalogue() -> None:
    policy = load_policy(PERMITS / "permits.yaml")
    assert policy.catalogue.name == "building_permits"
    assert [rule.id for rule in policy.rules] == [f"P0{n}" for n in range(1, 8)]


def test_the_reference_names_everything_that_a_mapping_may_say() -> None:
    text = (ROOT / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
    models: list[type[BaseModel]] = [Document, Take, Skip, Layout]
    names = {name for model in models for name in model.model_fields}
    assert {name for name in names if f"`{name}`" not in text} == set()
