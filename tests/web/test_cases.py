"""The pages about cases over the real service: the list, the picture with its words, the part that sliders renew, merged cases."""

from __future__ import annotations

import re

import pytest

from store.models import DirtyRow
from tests.support.service_kit import connected, event, three_visits, visit


def lanes(page) -> list[str]:
    return [e.text for e in page.all("div") if "dc-lane__name" in e.attributes.get("class", "") and e.text]


def shown(page) -> list[str]:
    return [e.text for e in page.all("a") if "dc-rowlink" in e.attributes.get("class", "")]


def household(case: str = "k1", *children: str):
    members = [{"person": "p1", "role": "parent"}, *({"person": child, "role": "child"} for child in children)]
    return event("household.recorded", "2026-03-02T10:00", {"members": members}, case=case)


@pytest.fixture
def some(flow):
    """Four cases: two of the north with an open breach, a good one of the south, and one that belongs to nobody yet."""
    flow.take(*three_visits("k1"), *three_visits("k2"), connected(case="s1", team="south", office="port_pirie"))
    flow.take(event("referral.received", "2026-03-01T09:00", {"source": "school"}, case="n1"))
    flow.settle()
    return flow


LISTS = {
    "": ["k1", "k2", "n1", "s1"],
    "case=k": ["k1", "k2"],
    "case=k2": ["k2"],
    "team=south": ["s1"],
    "office=port_pirie": ["s1"],
    "program=cfss&team=north&open=yes": ["k1", "k2"],
    "open=no": ["n1"],
    "only=queries": ["n1"],
    "only=waiting": [],
    "only=aside": [],
    "worker=nobody": [],
    "sort=-case": ["s1", "n1", "k2", "k1"],
    "sort=-open_breaches&open=yes&case=k1": ["k1"],
}


def test_the_list_is_narrowed_and_counted(some, enter):
    client = enter("kim")
    for query, cases in LISTS.items():
        page = client.get(f"/cases?{query}")
        assert shown(page) == cases, query
        told = f"{len(cases)} case{'s' if len(cases) > 1 else ''}, as of" if cases else "No case fits"
        assert told in page.main
    page = client.get("/cases?office=port_pirie")
    assert "Office: Port Pirie" in page.main
    assert "; 4 without the filters" in page.main


def test_what_came_in_since_is_told_in_the_list_and_on_the_page(some, enter):
    client = enter("kim")
    some.take(visit("2026-03-30T10:00", case="k2"))
    assert shown(client.get("/cases?only=waiting")) == ["k2"]
    assert "New events" in client.get("/cases/k2").main
    for wrong in ("open=maybe", "only=colour", "sort=worker", "cursor=zzz"):
        client.get(f"/cases?{wrong}", status=400)


def test_nobody_sees_cases_or_counts_beyond_their_teams(some, enter):
    page = enter("lee", teams=["south"]).get("/cases")
    assert shown(page) == ["s1"]
    assert "k1" not in page.main
    assert [e.text for e in page.all("option") if "(" in e.text] == ["Child and Family Support System (1)", "south (1)", "Port Pirie (1)"]


def test_the_picture_and_its_words_tell_the_same(flow, enter):
    flow.take(*three_visits(), household("k1", "c1"))
    flow.take(event("clock.paused", "2026-03-10T09:00", {"approved_by": {"id": "m", "role": "manager"}}))
    flow.take(event("clock.resumed", "2026-03-12T09:00"))
    flow.settle()
    page = enter("kim").get("/cases/k1")
    assert lanes(page)[:4] == ["Course of the case", "Visit held", "What was recorded", "Not in time, or not sure"]
    assert any(name.startswith("C08 A safety plan by the end of the 3rd visit") for name in lanes(page))
    assert lanes(page)[-1] == "Child c1"
    words = page.main
    for said in (
        "Tue 10 March 2026: The clock rests, to Thu 12 March 2026",
        "Child c1; in the household from Mon 2 Mar 2026",
        "3rd that counts",
    ):
        assert said in words
    (row,) = [e for e in page.all("tr") if e.text.startswith("C08")]
    assert "Mon 23 Mar 2026" in row.text
    assert "not on record" in row.text
    assert "Breached" in row.text
    tips = [e.attributes["data-tip"] for e in page.all("svg") if "data-tip" in e.attributes]
    assert "Visit held (3rd that counts), Mon 23 Mar 2026" in tips
    assert not any(e.attributes.get("tabindex") == "0" for e in page.all("svg"))


def test_the_part_that_the_sliders_renew_is_the_same_as_in_the_page(flow, enter):
    flow.take(*three_visits())
    flow.settle()
    client = enter("kim")
    whole = client.get("/cases/k1?as_of=2026-03-24")
    part = client.flask.get("/cases/k1?as_of=2026-03-24&part=yes").text
    assert part.lstrip().startswith('<div id="judged"')
    assert "<html" not in part
    assert 'data-said="3 not done in time' in part
    assert 'data-as-of="2026-03-24"' in part
    slider = next(e for e in whole.all("input") if e.attributes.get("data-for") == "as_of")
    assert "name" not in slider.attributes
    low, value, high = (int(slider.attributes[name]) for name in ("min", "value", "max"))
    assert low < value < high
    later = client.get("/cases/k1?as_of=2026-03-16")
    moved = next(e for e in later.all("input") if e.attributes.get("data-for") == "as_of")
    assert [moved.attributes[name] for name in ("min", "max")] == [slider.attributes[name] for name in ("min", "max")]


def test_steps_lead_from_one_day_with_something_to_the_next_also_where_it_was_not_yet(flow, enter):
    flow.take(*three_visits())
    flow.settle()
    client = enter("kim")
    page = client.get("/cases/k1?as_of=2026-03-10")
    before, after = page.one("a", rel="prev"), page.one("a", rel="next")
    assert (before.attributes["href"], after.attributes["href"]) == ("/cases/k1?as_of=2026-03-09", "/cases/k1?as_of=2026-03-16")
    assert "Back to Mon 9 Mar 2026" in before.text
    first = client.get("/cases/k1?as_of=2026-01-01")
    assert "Nothing of this case was on record" in first.main
    assert first.one("a", rel="next").attributes["href"] == "/cases/k1?as_of=2026-03-02"


def test_a_merged_case_shows_the_journey_of_all_its_ids(flow, enter):
    flow.take(*three_visits()[:3], visit("2026-03-20T10:00", case="k0"))
    flow.take(event("case.merged", "2026-03-25T09:00", {"into": "k1"}, case="k0"))
    flow.settle()
    client = enter("kim")
    page = client.get("/cases/k1")
    assert re.search(r"Merged into this case k0", page.main)
    assert "reported for case k0" in page.main
    assert "3rd that counts" in page.main
    gone = client.get("/cases/k0")
    assert "This case was merged into case k1 and is judged there" in gone.main
    assert "reported for case k1" in gone.main
    assert any(e.attributes["href"] == "/cases/k1" for e in gone.all("a"))


def test_a_merged_case_tells_nothing_of_one_that_lies_outside_what_the_viewer_may_see(flow, enter):
    flow.take(*three_visits())
    flow.take(connected("2026-03-03T09:00", case="k0", team="south"), visit("2026-03-20T10:00", case="k0"))
    flow.settle()
    flow.take(event("case.merged", "2026-03-25T09:00", {"into": "k1"}, case="k0"))
    client = enter("lee", teams=["south"])
    page = client.get("/cases/k0")
    assert "This case was merged into another one" in page.main
    assert not any(e.attributes["href"].endswith("/cases/k1") for e in page.all("a"))
    assert "k1-visit" not in page.text
    assert "Mon 23 Mar 2026" not in page.main
    client.get("/cases/k1", status=404)


def test_cases_that_share_people_are_named_to_those_who_may_see_them(flow, enter):
    flow.take(connected(), household("k1", "c1"), connected(case="far", team="south"), household("far", "c1"))
    flow.settle()
    assert "Shares people with far" in enter("kim").get("/cases/k1").main
    assert "far" not in enter("lee", teams=["north"]).get("/cases/k1").main


def test_of_very_many_verdicts_the_reasons_are_told_when_they_are_asked_for(flow, enter):
    flow.take(connected(), *(visit(f"2026-04-{day:02d}T{hour:02d}:00") for day in range(1, 23) for hour in (9, 15)))
    flow.settle()
    client = enter("kim")
    page = client.get("/cases/k1")
    (asks,) = [e for e in page.all("a") if e.attributes.get("aria-label") == "Tell the reasons for rule X01"]
    assert "There are many; only what was found is told" in page.main
    reasons = len([e for e in page.all("summary") if e.text.startswith("Why: X01")])
    assert reasons == 0
    told = client.get(asks.attributes["href"].partition("#")[0])
    assert len([e for e in told.all("summary") if e.text.startswith("Why: X01")]) > 40
    assert "Tell the reasons for rule X01" not in told.text


def test_a_case_is_told_from_its_first_event_on_by_its_page_and_beside_the_list(some, enter):
    some.take(*three_visits("new"), connected(case="theirs", team="south"))
    kim, lee = enter("kim"), enter("lee", teams=["south"])
    page = kim.get("/cases/new")
    assert "Not judged yet" in page.main
    assert "has waited to be judged since" in page.main
    assert "north" in page.main
    assert any(name.startswith("C08") for name in lanes(page))
    lee.get("/cases/new", status=404)
    assert "Not judged yet" in lee.get("/cases/theirs").main
    listed = kim.get("/cases")
    assert shown(listed) == ["k1", "k2", "n1", "s1"]
    assert "2 cases more came in and have not been judged yet" in listed.main
    assert "1 case more came in and has not been judged yet" in lee.get("/cases").main
    assert shown(kim.get("/cases?only=new")) == ["theirs", "new"]
    assert shown(kim.get("/cases?only=new&team=north")) == shown(kim.get("/cases?only=waiting&case=ne")) == ["new"]
    assert shown(lee.get("/cases?only=new")) == ["theirs"]
    assert shown(kim.get("/cases?only=aside")) == shown(kim.get("/cases?only=new&open=yes")) == []
    some.settle()
    assert "not been judged" not in kim.get("/cases").main
    assert "No case fits" in kim.get("/cases?only=new").main


def test_a_case_that_was_put_aside_is_shown_with_the_reason_and_its_events_and_not_tried(some, enter, monkeypatch):
    some.take(*three_visits("new"), visit("2026-03-30T10:00", case="k2"))
    with some.svc.writing() as session:
        for row in session.query(DirtyRow).all():
            row.quarantined, row.attempts, row.last_error = True, 3, "KeyError at rules.x:7"

    def killer(*_, **__):
        raise AssertionError("it is judged although that may stop the process")

    monkeypatch.setattr("api.web.cases.casefile.evaluate", killer)
    client = enter("kim")
    page = client.get("/cases/new")
    assert "This case could not be judged. It never was" in page.main
    assert "Judging it failed 3 times, so it was put aside" in page.main
    assert "What failed: KeyError at rules.x:7." in page.main
    assert "Visit held" in page.main
    assert "What is stored about it may be out of date" in client.get("/cases/k2").main
    client.get("/cases/new?as_of=2026-03-20")
    aside = client.get("/cases?only=aside")
    assert shown(aside) == ["new", "k2"]
    assert "What failed: KeyError at rules.x:7" in aside.main


def test_a_case_whose_records_were_all_withdrawn_says_so_and_counts_as_none(some, enter):
    client = enter("kim")
    some.take(event("event.voided", "2026-03-20T10:00", {"target": "n1-referral.received-2026-03-01T09:00"}, case="n1"))
    some.settle()
    listed = client.get("/cases")
    assert shown(listed) == ["k1", "k2", "s1"]
    assert "3 cases, as of" in listed.main
    gone = client.get("/cases?only=withdrawn")
    assert shown(gone) == ["n1"]
    assert "1 case, as of" in gone.main
    page = client.get("/cases/n1")
    assert "All its records were withdrawn. Every event of this case was voided" in page.main
    assert "Nothing, for all records of this case were withdrawn." in page.main
    assert "Referral received" in page.main
    assert "Withdrawn" not in client.get("/cases/s1").main
