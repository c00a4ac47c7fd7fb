"""Policies in words: every rule can be read out, and nothing that can change a verdict changes without being told."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rules.changes import TEXT_ONLY
from rules.diff import diff
from rules.errors import RulesError
from rules.policy import Policy, load_package, load_policy, package_of, shipped
from rules.reading import read_aloud

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PACKAGES = [*shipped().values(), *sorted(p for p in EXAMPLES.glob("*/*.yaml") if p.read_text().lstrip("#\n").find("\nrules:") > 0)]
CODE = re.compile(r"[{}$\[\]|`]|\w_\w|\b[a-z]+\.[a-z]+\b|\bNone\b|\bTrue\b|\bFalse\b|  |\.\.|\(\)")
TEXTS = {
    "questions",
    "title",
    "guidance",
    "unmet",
    "false_alarm",
    "means",
    "question",
    "about",
    "reading",
    "at",
    "version",
    "documents",
    "for_a_person",
}


@pytest.fixture(scope="module", params=PACKAGES, ids=lambda path: path.stem)
def policy(request: pytest.FixtureRequest) -> Policy:
    return load_policy(request.param)


# -------------------------------------------------------------------------------------------------------------------------- reading
def test_there_is_something_to_read() -> None:
    assert {path.stem for path in PACKAGES} >= {"cfss", "strengthening_families", "record_quality", "permits"}


def test_every_rule_is_read_in_sentences_without_code(policy: Policy) -> None:
    for rule in policy.rules:
        told = read_aloud(policy, rule)
        assert told[0].startswith(f"{rule.id}: ")
        assert len(told) == len(set(told)) >= 4
        for sentence in told:
            assert not CODE.search(sentence), (rule.id, sentence)
            assert sentence[0].isupper(), sentence
            assert sentence[-1] in ".?!", sentence


def test_every_shipped_rule_says_what_would_be_a_false_alarm() -> None:
    rules = [rule for path in shipped().values() for rule in load_policy(path).rules]
    assert len(rules) == 55
    assert all(len(rule.false_alarm) > 80 for rule in rules)
    assert len({rule.false_alarm for rule in rules}) == 55


def test_set_parameters_are_read_with_their_values() -> None:
    policy = load_policy(shipped()["cfss"])
    unset = " ".join(read_aloud(policy, policy.rule("C20")))
    now = policy.with_parameters({"family_contact_days": 14})
    told = " ".join(read_aloud(now, now.rule("C20")))
    assert "a number of days (not set yet) may go by" in unset
    assert "at most 14 days may go by" in told
    assert "It is set to 14 days." in told


# ----------------------------------------------------------------------------------------------------------------------------- diff
def test_a_policy_does_not_differ_from_itself(policy: Policy) -> None:
    assert diff(policy, policy) == []
    again = load_package(dict(package_of(policy).files), package_of(policy).main)
    assert diff(policy, again) == []


def _mutants(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every field with another value (or None: taken away), by its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key), None
            yield from _mutants(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if len(data) > 1:
                yield (*path, index), None
            yield from _mutants(value, (*path, index))
    elif isinstance(data, bool):
        yield path, not data
    elif isinstance(data, int):
        yield path, data + 1
    elif isinstance(data, str):
        for other in _others(data, path):
            if other != data:
                yield path, other


_SWAPS = {
    "shadow": "enforced",
    "enforced": "shadow",
    "critical": "low",
    "high": "low",
    "medium": "high",
    "low": "medium",
    "advisory": "low",
    "day": "moment",
    "moment": "day",
    "held": "attempted",
    "in_person": "phone",
    "$person": "c1",
    "last": "any",
    "attempt": "episode",
    "visit.held": "household.recorded",
    "qualifying_visit": "held_visit",
    "snapshot.completed": "assessment.completed",
    "assessment.completed": "assessment.updated",
    "safety_plan.updated": "safety_plan.recorded",
    "case.opened": "case.closed",
    "service.connected": "case.opened",
    "Australia/Adelaide": "Australia/Perth",
    "Australia/Darwin": "Australia/Perth",
    "sa": "nt",
    "nt": "sa",
    "cfss": "strengthening_families",
    "strengthening_families": "cfss",
    "2020-01-01": "2021-03-01",
}


def _others(text: str, path: tuple[Any, ...]) -> Iterator[str]:
    """Other words of the same sort."""
    if text in _SWAPS:
        yield _SWAPS[text]
    else:
        yield f"{text} otherwise" if " " in text else f"{text}x"


def _with(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def _tell(policy: Policy, files: Mapping[str, str], data: Mapping[str, Any], name: str, counted: Counter[str], every: int) -> None:
    """Every mutant of a file that loads is told by at least one change.  ``every``: of so many only one is tried, since each is loaded."""
    main = package_of(policy).main
    for number, (path, value) in enumerate(_mutants(dict(data))):
        if number % every:
            continue
        texts = {**files, name: json.dumps(_with(dict(data), path, value))}
        try:
            mutant = load_package(texts, main)
        except RulesError:
            counted["refused"] += 1
            continue
        except RecursionError:
            raise AssertionError(path) from None
        if mutant.digest == policy.digest:
            counted["the same"] += 1
            continue
        changes = diff(policy, mutant)
        counted["told"] += 1
        assert changes, (path, value)
        back = diff(mutant, policy)
        assert back, (path, value)
        for change in changes:
            assert change.before != change.after, (path, change)
            assert "(stated otherwise)" not in change.after, (path, change)
            assert not CODE.search(change.effect), (path, change.words)
            if change.changes_verdicts:
                assert not re.search(r"[{}$\[\]`]|\w_\w|\bNone\b", change.words.replace("x_", "").replace("_x", "")), (path, change.words)
        only_text = any(part in TEXTS for part in path if isinstance(part, str)) or path[-1] == "default"
        if not only_text and not any(part in ("policy", "catalogue", "cites", "documents") for part in path):
            assert any(change.effect != TEXT_ONLY for change in changes), (path, value, changes)


@pytest.mark.parametrize("name", ["cfss", "strengthening_families", "record_quality"])
def test_every_change_of_one_field_that_can_change_a_verdict_is_told(name: str) -> None:
    policy = load_policy(shipped()[name])
    package = package_of(policy)
    counted: Counter[str] = Counter()
    _tell(policy, package.files, policy.raw, package.main, counted, every=2 if name == "record_quality" else 13)
    assert counted["told"] > {"cfss": 30, "strengthening_families": 30, "record_quality": 15}[name], counted
    assert counted["told"] > counted["refused"] / 2, counted


def test_every_change_of_the_catalogue_that_can_change_a_verdict_is_told() -> None:
    policy = load_policy(shipped()["strengthening_families"])
    package = package_of(policy)
    source = policy.catalogue.source
    assert source is not None
    kept = {key: source.data[key] for key in ("catalogue", "version", "common", "course", "roster", "state", "links")}
    types = {name: {"data": body["data"]} for name, body in list(source.data["types"].items())[:14] if body.get("data")}
    counted: Counter[str] = Counter()
    for part in ({**kept, "types": source.data["types"]}, {**kept, "types": {**source.data["types"], **types}}):
        slim = load_package({**package.files, "catalogue.yaml": json.dumps(part)}, package.main)
        assert diff(policy, slim) == []
    for name in ("course", "roster", "state"):
        for number, (path, value) in enumerate(_mutants(kept[name], (name,))):
            if number % 3:
                continue
            texts = {**package.files, "catalogue.yaml": json.dumps(_with(dict(source.data), path, value))}
            try:
                mutant = load_package(texts, package.main)
            except RulesError:
                counted["refused"] += 1
                continue
            counted["told"] += mutant.digest != policy.digest
            assert bool(diff(policy, mutant)) is (mutant.digest != policy.digest), path
    assert counted["told"] > 4, counted
