"""Policies that are judged by together: by domain, all versions of one policy in one group, with every event that any of them knows."""

from __future__ import annotations

from dataclasses import replace

from rules.clock import parse_day
from rules.model import CaseFile, Event
from rules.policy import Policy, load_package, load_policy, load_shipped, package_of, shipped
from service.policies.policyset import of_policies
from tests.support.core import at, ev

CFSS, SF = load_shipped("cfss"), load_shipped("strengthening_families")
PACKAGE = package_of(load_policy(shipped()["cfss"]))


def next_version(*, add: str = "", drop: str = "", name: str = "", effective: str = "2026-04-01") -> Policy:
    """The shipped policy with another catalogue: a type more, one fewer, or another name."""
    text = PACKAGE.files["catalogue.yaml"]
    if add:
        text = text.replace("\ntypes:\n", f"\ntypes:\n  {add}:\n    about: Something new.\n", 1)
    if name:
        text = text.replace(f"catalogue: {CFSS.catalogue.name}", f"catalogue: {name}", 1)
    assert text != PACKAGE.files["catalogue.yaml"] or drop
    found = load_package({**PACKAGE.files, "catalogue.yaml": text}, PACKAGE.main)
    if drop:
        types = {known: one for known, one in found.catalogue.types.items() if known != drop}
        found = replace(found, catalogue=replace(found.catalogue, types=types, digest="other"))
    return found.taking_effect(parse_day(effective), applies_to_open=False)


def test_policies_of_one_domain_are_one_group_whatever_the_versions_of_its_catalogue() -> None:
    made = of_policies([CFSS, SF, next_version(add="letter.sent")])
    assert len(made.groups) == 1
    assert made.get("cfss").digest != CFSS.digest
    assert "letter.sent" in made.groups[0].catalogue.types
    assert set(CFSS.catalogue.types) <= set(made.groups[0].catalogue.types)


def test_a_type_that_a_new_catalogue_leaves_out_is_taken_in_as_long_as_a_version_knows_it() -> None:
    newer = next_version(drop="visit.held")
    assert "visit.held" not in newer.catalogue.types
    catalogue = of_policies([newer, CFSS]).groups[0].catalogue
    assert catalogue.types["visit.held"] is CFSS.catalogue.types["visit.held"]
    assert catalogue.types["case.closed"] is newer.catalogue.types["case.closed"]


def test_one_catalogue_stays_the_very_same() -> None:
    (group,) = of_policies([CFSS, SF]).groups
    assert group.catalogue.digest == CFSS.catalogue.digest
    assert group.catalogue.types == CFSS.catalogue.types


def test_all_versions_of_a_policy_are_in_one_group_even_if_the_domain_gets_another_name() -> None:
    newer = next_version(name="family_work")
    made = of_policies([CFSS, SF, newer])
    assert {group.catalogue.name: {policy.id for policy in group.policies} for group in made.groups} == {
        "family_work": {"cfss"},
        SF.catalogue.name: {"strengthening_families"},
    }


def test_versions_with_different_catalogues_judge_each_obligation_once() -> None:
    events: list[Event] = [
        ev("k", "service.connected", "03-02 09:00", program="cfss"),
        ev("v", "visit.held", "03-09 09:00", status="held", mode="in_person", purpose="engagement", seen=["p1"]),
        Event("urn:desk", "l", "letter.sent", "case-1", at("03-12 09:00"), at("03-12 09:00"), True, {}),
    ]
    file = CaseFile("case-1", tuple(replace(event, case="case-1") for event in events))
    newer = next_version(add="letter.sent")
    for now in ("03-20 12:00", "06-01 12:00"):
        found = of_policies([CFSS, newer]).judge(file, as_of=at(now), known_at=at(now), keep_out_of_scope=True).verdicts
        assert len(found) == len({verdict.key for verdict in found}) > 10
    before = of_policies([CFSS]).judge(file, as_of=at("03-20 12:00"), known_at=at("03-20 12:00"))
    after = of_policies([CFSS, newer]).judge(file, as_of=at("03-20 12:00"), known_at=at("03-20 12:00"))
    assert after.verdicts == before.verdicts
