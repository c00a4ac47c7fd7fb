"""`duecare notify`: who is told, whether it works, and what was given up, from the command line."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.support.notifying import SECRET, webhook, write
from tests.support.webworld import Say, Site


@pytest.fixture
def place():
    with Site() as site:
        yield site


@pytest.fixture
def ready(command, tmp_path, place):
    given = {"NOTIFY_SECRET": SECRET, "DUECARE_NOTIFY": str(tmp_path / "notify.yaml")}
    write(tmp_path / "notify.yaml", webhooks=[webhook(place.base + "hook")])
    assert command("db", "upgrade").code == 0
    return partial(command, **given)


def test_a_receiver_is_listed_and_tried(ready, place):
    (row,) = json.loads(ready("notify", "list", "--format", "json").out)["receivers"]
    assert (row["name"], row["by"], row["state"], row["waiting"]) == ("partner", "webhook", "good", 0)
    assert ready("notify", "test", "partner").code == 0
    assert json.loads(place.asked[0].body)["type"] == "duecare.test"
    place.answer = lambda _: Say({}, status=500)
    done = ready("notify", "test", "partner")
    assert done.code == 1
    assert "it answers 500" in done.err
    assert SECRET not in done.err + done.out


def test_faults_of_the_file_are_named_with_their_place(ready, tmp_path):
    write(tmp_path / "notify.yaml", webhooks=[webhook("ftp://x", secret="plain")])
    done = ready("notify", "list")
    assert done.code == 2
    assert "notify.yaml:1:" in done.err
    assert "webhooks.0.url: is no address" in done.err
    assert "plain" not in done.err


def test_what_was_given_up_is_chosen_one_way(ready):
    assert "Nothing was given up" in ready("notify", "dead").out + ready("notify", "dead").err
    assert ready("notify", "retry").code == 2
    assert ready("notify", "retry", "1", "--all").code == 2
    assert ready("notify", "retry", "1").code == 2
    assert ready("notify", "dismiss", "--all").code == 0
