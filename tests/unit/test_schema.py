"""The schema for editors takes every good policy, refuses broken ones at their place, and says something of every field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rules.kinds import registry
from rules.policy import load_policy, load_shipped, shipped
from rules.schema import DIALECT, fields_without_words, policy_schema
from rules.yamlsource import read

ROOT = Path(__file__).resolve().parents[2]
POLICIES = [
    *shipped().values(),
    *(file for file in sorted((ROOT / "docs" / "examples").glob("*/*.yaml")) if "\npolicy: " in "\n" + file.read_text()),
]


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema_rs.validator_for(policy_schema())


def faults(validator: Any, data: Any) -> list[str]:
    return ["/".join(map(str, error.instance_path)) for error in validator.iter_errors(data)]


def test_the_schema_is_one(validator: Any) -> None:
    assert policy_schema()["$schema"] == DIALECT
    assert jsonschema_rs.meta.is_valid(policy_schema())


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_takes_shipped_and_example_policies(validator: Any, path: Path) -> None:
    assert faults(validator, read(path).data) == []


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_with_a_policy_it_offers_its_names_and_takes_it_too(path: Path) -> None:
    policy = load_policy(path)
    schema = policy_schema(policy)
    offered = json.dumps(schema["$defs"]["Selector"])
    assert all(f'"{name}"' in offered for name in [*policy.terms, *policy.catalogue.types])
    assert faults(jsonschema_rs.validator_for(schema), read(path).data) == []


@pytest.mark.parametrize(
    ("place", "value", "told_at"),
    [
        (("titel",), "x", ""),
        (("zone",), None, "zone"),
        (("version",), 1, "version"),
        (("effective",), 2020, "effective"),
        (("parameters", "household_days"), {}, "parameters/household_days"),
        (("terms", "held_visit", "where", "status"), {"equal": "held"}, "terms/held_visit/where"),
        (("anchors", "weeks", "if_within"), {"week": 6}, "anchors/weeks/if_within"),
        (("rules", 7, "id"), "1C", "rules/7/id"),
        (("rules", 7, "severity"), "Critical", "rules/7/severity"),
        (("rules", 7, "kind"), "nth_occurence", "rules/7/kind"),
        (("rules", 7, "by"), {"nth": 0, "of": "qualifying_visit"}, "rules/7/by/nth"),
        (("rules", 7, "within"), {"weeks": 1}, "rules/7"),
        (("rules", 7, "when"), "always", "rules/7/when"),
        (("rules", 11, "within"), {"weeks": -1}, "rules/11/within/weeks"),
        (("rules", 11, "within"), "6 weeks", "rules/11/within"),
        (("rules", 11, "requires"), [], "rules/11/requires"),
    ],
)  # fmt: skip
def test_it_refuses_a_broken_policy_at_its_place(validator: Any, place: tuple[Any, ...], value: Any, told_at: str) -> None:
    data = json.loads(json.dumps(load_shipped("cfss").raw))
    around = data
    for step in place[:-1]:
        around = around[step]
    around[place[-1]] = value
    assert faults(validator, data) == [told_at]


@pytest.mark.parametrize("key", ["policy", "title", "version", "effective", "zone", "catalogue", "rules"])
def test_it_misses_what_a_policy_must_say(validator: Any, key: str) -> None:
    data = dict(load_shipped("record_quality").raw)
    del data[key]
    assert faults(validator, data) == [""]


def test_a_rule_needs_a_kind_or_clauses(validator: Any) -> None:
    data = copy.deepcopy(dict(load_shipped("record_quality").raw))
    del data["rules"][0]["kind"]
    assert set(faults(validator, data)) == {"rules/0"}


def test_every_kind_is_offered_with_its_words_and_the_shipped_ones_with_an_example() -> None:
    definitions = policy_schema()["$defs"]
    kinds = definitions["rule"]["properties"]["kind"]
    assert kinds["enum"] == list(registry())
    assert kinds["enumDescriptions"] == [kind.about for kind in registry().values()]
    used = {clause.kind for name in shipped() for rule in load_shipped(name).rules for clause in rule.clauses}
    for name in registry():
        assert definitions[f"rule_{name}"]["description"].startswith(registry()[name].about)
        assert [example["kind"] for example in definitions[f"rule_{name}"]["examples"]] == ([name] if name in used else [])


def test_every_field_has_words() -> None:
    assert fields_without_words() == []
