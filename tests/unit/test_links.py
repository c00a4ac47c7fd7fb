"""How cases hang together: link keys, merges, and the files that judging needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from rules.casefile import cluster, gather
from rules.course import CourseOfCase
from rules.links import links, roots
from rules.model import Event, Heartbeat, Verdict
from rules.policy import load_shipped
from rules.record import standing
from tests.support.core import CATALOGUE, DOMAIN, FOR_EVER, at, ev, evaluated, fix, household, one, said, told, visit, void


def merged(name: str, case: str, into: str, when: str = "03-05 09:00") -> Event:
    return ev(name, "case.merged", when, case=case, into=into)


def test_a_catalogue_says_where_ids_stand_that_link_cases() -> None:
    sources = CourseOfCase.of(CATALOGUE).links
    assert {name: [source.event for source in found] for name, found in sources.items()} == {
        "child": ["household.recorded", "referral.received"]
    }


# ------------------------------------------------------------------------------------------------------------------------- link keys
@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (household("h", "03-02 09:00", "m1:parent", "c1:child", "c2:child"), {"child:c1", "child:c2"}),
        (household("h", "03-02 09:00", {"person": "c1"}), set()),  # no role: not known to be a child
        (ev("h", "household.recorded", "03-02 09:00"), set()),
        (ev("r", "referral.received", "03-02 09:00", children=["c1", "c2"]), {"child:c1", "child:c2"}),
        (ev("r", "referral.received", "03-02 09:00", children=[]), set()),
        (visit("v", "03-02 09:00", "c1"), set()),
        (merged("m", "case-1", "case-2"), {"merge:case-1", "merge:case-2"}),
        (ev("m", "case.merged", "03-02 09:00"), set()),
        (fix("k", "r", "03-02 09:00", children=["c7"]), {"child:c7"}),
        (fix("k", "h", "03-02 09:00", members=[{"person": "c7", "role": "child"}, {"person": "m7", "role": "parent"}]), {"child:c7"}),
        (fix("k", "h", "03-02 09:00", data__members=[{"person": "c7", "role": "child"}]), {"child:c7"}),
        (fix("k", "h", "03-02 09:00", members__1={"person": "c7", "role": "child"}), {"child:c7"}),
        (fix("k", "h", "03-02 09:00", members__1__person="c7"), {"child:c7"}),  # whatever the role that stands beside it
        (fix("k", "r", "03-02 09:00", children__0="c7"), {"child:c7"}),
        (fix("k", "h", "03-02 09:00", members__1__from="2026-03-01"), set()),
        (fix("k", "h", "03-02 09:00", members=None), set()),
        (fix("k", "h", "03-02 09:00", team="a"), set()),
        (void("x", "h", "03-02 09:00"), set()),
    ],
)
def test_an_event_gives_the_keys_of_what_it_links(event: Event, keys: set[str]) -> None:
    assert links(event, DOMAIN) == keys


# ----------------------------------------------------------------------------------------------------------------------------- merges
def into(*events: Event, as_of: int = FOR_EVER) -> tuple[Mapping[str, str], list[str]]:
    facts, _ = standing(events, FOR_EVER, CATALOGUE)
    found, queries = roots(facts, DOMAIN, as_of)
    return found, [query.code for query in queries]


@pytest.mark.parametrize(
    ("merges", "wanted", "queries"),
    [
        ([], {}, []),
        ([("a", "b")], {"a": "b"}, []),
        ([("a", "b"), ("b", "c")], {"a": "c", "b": "c"}, []),  # followed to its end
        ([("b", "c"), ("a", "b")], {"a": "c", "b": "c"}, []),
        ([("a", "c"), ("b", "c")], {"a": "c", "b": "c"}, []),
        ([("a", "b"), ("b", "a")], {"a": "b"}, ["merge_ring"]),  # the second would close a ring
        ([("a", "b"), ("b", "c"), ("c", "a")], {"a": "c", "b": "c"}, ["merge_ring"]),
        ([("a", "a")], {}, ["merge_ring"]),
        ([("a", "b"), ("a", "c")], {"a": "c"}, []),  # the last merge of a case counts
        ([("a", "b"), ("b", "c"), ("a", "d")], {"a": "d", "b": "c"}, []),
    ],
)
def test_merges_are_followed_to_their_end(merges: Sequence[tuple[str, str]], wanted: Mapping[str, str], queries: list[str]) -> None:
    events = [merged(f"m{index}", case, other, f"03-{index + 10} 09:00") for index, (case, other) in enumerate(merges)]
    assert into(*events) == (wanted, queries)
    assert into(*reversed(events)) == (wanted, queries)


def test_a_merge_counts_from_when_it_happened() -> None:
    assert into(merged("m", "a", "b"), as_of=at("03-05 08:59"))[0] == {}
    assert into(merged("m", "a", "b"), as_of=at("03-05 09:00"))[0] == {"a": "b"}


def test_voiding_a_merge_undoes_it() -> None:
    assert into(merged("m", "a", "b"), void("x", "m", "03-06 09:00"))[0] == {}
    assert into(merged("m", "a", "b"), void("x", "m", "03-06 09:00"), void("y", "x", "03-07 09:00"))[0] == {"a": "b"}


# ----------------------------------------------------------------------------------------------------------------------------- files
def files(*events: Event, beats: Sequence[Heartbeat] = ()) -> dict[str, dict[str, list[str]]]:
    return {
        file.case: {"": [e.id for e in file.events], **{case: [e.id for e in mine] for case, mine in file.linked.items()}}
        for file in gather(events, beats, DOMAIN)
    }


def test_each_case_has_its_own_events() -> None:
    events = [visit("v1", "03-02 09:00", case="b"), visit("v2", "03-02 10:00", case="a"), visit("v3", "03-02 11:00", case="b")]
    assert files(*events) == {"a": {"": ["v2"]}, "b": {"": ["v1", "v3"]}}


def test_cases_of_the_same_child_are_linked() -> None:
    events = [household("h", "03-02 09:00", "c1:child", case="a"), ev("r", "referral.received", "03-02 09:00", case="b", children=["c1"])]
    assert files(*events, visit("v", "03-02 09:00", case="c")) == {
        "a": {"": ["h"], "b": ["r"]},
        "b": {"": ["r"], "a": ["h"]},
        "c": {"": ["v"]},
    }


def test_a_child_links_over_one_step_only() -> None:
    events = [
        household("h1", "03-02 09:00", "c1:child", case="a"),
        household("h2", "03-02 09:00", "c1:child", "c2:child", case="b"),
        household("h3", "03-02 09:00", "c2:child", case="c"),
    ]
    found = files(*events)
    assert set(found["a"]) == {"", "b"}
    assert set(found["b"]) == {"", "a", "c"}


def test_merges_link_over_any_number_of_steps() -> None:
    events = [merged("m1", "a", "b"), merged("m2", "b", "c"), visit("v", "03-02 09:00", case="c"), visit("w", "03-02 09:00", case="d")]
    found = files(*events)
    assert set(found["c"]) == {"", "a", "b"}
    assert set(found["a"]) == {"", "b", "c"}
    assert set(found["d"]) == {""}


def test_the_children_of_a_merged_case_link_the_one_it_went_into() -> None:
    events = [
        household("h", "03-02 09:00", "c1:child", case="a"),
        merged("m", "a", "b"),
        visit("v", "03-02 09:00", case="b"),
        ev("r", "referral.received", "03-02 09:00", case="cp", children=["c1"]),
    ]
    found = files(*events)
    assert set(found["b"]) == {"", "a", "cp"}
    assert set(found["cp"]) == {"", "a", "b"}


def test_a_void_or_correction_goes_with_the_case_of_its_target() -> None:
    events = [visit("v", "03-02 09:00", case="a"), void("x", "v", "03-05 09:00", case="b"), void("y", "x", "03-06 09:00", case="c")]
    found = files(*events)
    assert found["a"][""] == ["v", "x", "y"]
    assert (found["b"][""], found["c"][""]) == (["x"], ["y"])


def test_a_void_of_another_source_or_of_nothing_stays_where_it_is() -> None:
    found = files(
        visit("v", "03-02 09:00", case="a"),
        void("x", "v", "03-05 09:00", case="b", source="urn:other"),
        void("y", "y", "03-06 09:00", case="b"),
    )
    assert found["a"][""] == ["v"]


def test_every_file_has_the_heartbeats() -> None:
    beat = Heartbeat("urn:desk", 5, 5)
    found = gather([visit("v", "03-02 09:00", case="a")], [beat], DOMAIN)
    assert found[0].heartbeats == (beat,)


def test_a_cluster_leaves_the_case_itself_out() -> None:
    keys = {"a": {"merge:a", "merge:b"}, "b": set(), "c": {"child:1"}}
    holders = {"merge:a": {"a"}, "merge:b": {"a"}, "child:1": {"c"}}
    assert cluster("a", keys, holders) == {"b"}
    assert cluster("b", keys, holders) == {"a"}
    assert cluster("c", keys, holders) == set()


# --------------------------------------------------------------------------------------------------------------------- judged together
CFSS = load_shipped("cfss")
START = ev("k", "service.connected", "03-02 09:00", program="cfss")
PLAN = ev("p", "safety_plan.recorded", "03-20 09:00", case="case-2", plan="sp", status="completed")
VISITS = [visit("v1", "03-03 09:00"), visit("v2", "03-10 09:00", case="case-2"), visit("v3", "03-23 09:00", case="case-2")]


def test_the_histories_of_merged_cases_are_judged_as_one() -> None:
    own, other = [START, VISITS[0]], [*VISITS[1:], PLAN, merged("m", "case-2", "case-1", "04-01 09:00")]
    together = evaluated(CFSS, own, "05-01", linked={"case-2": other})
    assert said(one(together, "C08")) == "met"
    assert one(together, "C08").evidence == ("k", "v1", "v2", "v3", "p")
    before = evaluated(CFSS, own, "03-31", linked={"case-2": other})
    assert said(one(before, "C08")) == "pending"


def test_the_case_that_was_merged_is_judged_where_it_went() -> None:
    found = evaluated(CFSS, [START, merged("m", "case-1", "case-9", "04-01 09:00")], "05-01")
    assert (found.verdicts, found.merged_into) == ((), "case-9")
    assert [(q.code, q.case) for q in found.queries] == [("merged", "case-1")]


def test_unmerging_restores_both() -> None:
    other = [*VISITS[1:], PLAN, merged("m", "case-2", "case-1", "04-01 09:00"), void("x", "m", "04-02 09:00", case="case-2")]
    found = evaluated(CFSS, [START, VISITS[0]], "05-01", linked={"case-2": other})
    assert said(one(found, "C08")) == "pending"
    assert found.merged_into is None


def test_a_child_protection_case_is_seen_only_through_a_shared_child() -> None:
    policy = load_shipped("strengthening_families")
    own = [ev("o", "case.opened", "03-02 09:00", program="strengthening_families"), household("h", "03-02 08:00", "c1:child")]

    def first_rule(children: list[str], when: str = "02-20 09:00") -> Verdict:
        other = [
            ev("r", "referral.received", "02-01 09:00", case="cp", program="child_protection", children=children),
            ev("i", "investigation.completed", when, case="cp", outcome="future_harm", safe_at_home=True),
        ]
        return told(evaluated(policy, own, "04-01", linked={"cp": other}), "S01")["case"]

    assert said(first_rule(["c1"])) == "met"
    assert said(first_rule(["c2"])) == "breached"
    assert said(first_rule(["c1"], "03-02 10:00")) == "breached"
