"""The reference pages are what the code says, and name everything that there is."""

from __future__ import annotations

import click
import pytest

from cli.docs import NOTICE, pages
from cli.main import app
from service.access import ROLES, SCOPES
from service.settings import Settings
from tests.cli.conftest import ROOT


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_is_as_the_code_is(name):
    page = ROOT / "docs" / "reference" / name
    assert page.read_text("utf-8") == NOTICE + pages()[name](), "run `./dev docs`"


def test_check_tells_a_page_that_is_out_of_date(duecare, tmp_path):
    assert duecare("docs", "--to", tmp_path).code == 0
    assert duecare("docs", "--check", "--to", tmp_path).code == 0
    page = tmp_path / "kinds.md"
    page.write_text(page.read_text("utf-8").replace("deadline", "timelimit"), "utf-8")
    done = duecare("docs", "--check", "--to", tmp_path)
    assert done.code == 1
    assert "kinds.md is not as the code is" in done.err
    (tmp_path / "cli.md").unlink()
    assert "2 pages" in duecare("docs", "--check", "--to", tmp_path).err


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def every_command(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from every_command(command.get_command(context, name), (*path, name))


def test_every_command_and_option_says_what_it_does():
    for path, command in every_command(app):
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in ("form", "email"):
                assert parameter.help, (path, parameter.name)


def test_roles_and_scopes_are_named_where_they_are_asked_for(duecare):
    assert all(role in duecare("users", "create", "--help").out for role in ROLES)
    assert all(scope in duecare("keys", "create", "--help").out for scope in SCOPES)
