"""The map from groups to roles: read strictly, and never giving more than the groups give."""

from __future__ import annotations

import json

import pytest

from service.errors import SettingsError
from service.rolemap import Grant, RoleMap, load

MANAGER = Grant(frozenset({"manager"}))
NORTH = Grant(frozenset({"reviewer"}), frozenset({"north"}))
SOUTH = Grant(frozenset({"reviewer"}), frozenset({"south"}))
LEADER = Grant(frozenset({"team_leader"}), frozenset({"north"}))
EVERYWHERE = Grant(frozenset({"reviewer"}))
DARWIN = Grant(frozenset({"reviewer"}), None, frozenset({"darwin"}))


def of(*grants: Grant) -> Grant | None:
    """What somebody has who is in a group for each, in the order of the map."""
    made = RoleMap({str(number): grant for number, grant in enumerate(grants)})
    return made.of({*made.grants, "another group"})


def test_whoever_is_in_no_group_of_the_map_has_nothing():
    assert RoleMap({"a": MANAGER}).of({"b", ""}) is None
    assert RoleMap({"a": MANAGER}).of(set()) is None


def test_groups_that_differ_in_one_thing_are_added_up():
    assert of(NORTH, SOUTH) == Grant(frozenset({"reviewer"}), frozenset({"north", "south"}))
    assert of(NORTH, LEADER) == Grant(frozenset({"reviewer", "team_leader"}), frozenset({"north"}))
    assert of(NORTH, EVERYWHERE) == EVERYWHERE


@pytest.mark.parametrize("pair", [(MANAGER, NORTH), (NORTH, MANAGER), (LEADER, SOUTH), (SOUTH, LEADER), (NORTH, DARWIN)], ids=str)
def test_of_groups_that_differ_in_more_the_first_holds(pair):
    assert of(*pair) == pair[0]


def test_it_is_read_from_a_file_or_from_the_variable(tmp_path):
    file = tmp_path / "roles.yaml"
    file.write_text("child protection/north:\n  roles: [reviewer]\n  teams: [north]\n")
    assert load(str(file)).grants == {"child protection/north": NORTH}
    assert load(json.dumps({"g": {"roles": ["manager"]}})).grants == {"g": MANAGER}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "names no group"),
        ('{"g": {"roles": ["boss"]}}', "not a role: boss"),
        ('{"g": {"roles": []}}', "g.roles"),
        ('{"g": {"roles": ["viewer"], "teams": []}}', "g.teams"),
        ('{"g": {"roles": ["viewer"], "team": ["x"]}}', "g.team"),
        ('{"g": {"roles": "viewer"}}', "g.roles"),
        ('{"g": {"roles": ["viewer"]}, "g": {"roles": ["manager"]}}', "g"),
        ("/no/such/file.yaml", "OIDC_ROLE_MAP"),
    ],
)
def test_a_map_that_is_not_clear_is_refused_with_its_place(text, told):
    with pytest.raises(SettingsError, match="OIDC_ROLE_MAP") as caught:
        load(text)
    assert told in str(caught.value)
