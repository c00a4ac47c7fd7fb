"""What the tutorial and the how-tos show is what a reader gets: every file is written and every command run, in their order."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from rules.kinds import registry
from rules.schema import policy_schema
from tests.support.receiver import SECRET, Receiver
from tests.support.walkthrough import Walk, blocks

DOCS = Path(__file__).resolve().parents[2] / "docs"
APRIL = dt.datetime(2026, 4, 7, 9, tzinfo=dt.timezone(dt.timedelta(hours=9, minutes=30)))
MAY = dt.datetime(2026, 5, 20, 9, tzinfo=dt.timezone(dt.timedelta(hours=9, minutes=30)))
PAGES = {
    "tutorials/write-your-first-rule.md": (None, APRIL),
    "how-to/change-a-policy.md": (".", APRIL),
    "how-to/run-audits.md": (".", APRIL),
    "how-to/check-the-record.md": (".", APRIL),
    "how-to/take-out-a-case.md": (".", APRIL),
    "how-to/keep-and-remove.md": (None, APRIL),
    "how-to/backup-and-restore.md": (".", APRIL),
    "how-to/add-a-kind-of-rule.md": ("placements", None),
    "how-to/use-duecare-for-another-process.md": ("permits", APRIL),
    "how-to/connect-a-database.md": ("client-database", MAY),
    "how-to/watch-a-folder.md": ("watched-folder", None),
}
"""By page: the example whose folder the reader is in (else an empty one), and the moment at which the page is read."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_its_commands_say(name: str, tmp_path: Path) -> None:
    example, today = PAGES[name]
    folder = tmp_path / "reader"
    if example is None:
        folder.mkdir()
    else:
        shutil.copytree(DOCS / "examples" / example, folder)
    walk = Walk(folder, tmp_path / "home", today=today)
    walk.through(DOCS / name)
    assert walk.steps_done > 0


def test_somebody_is_told_as_the_page_says_and_its_signature_holds(tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with Receiver(tmp_path / "came.jsonl") as receiver:
        walk = Walk(folder, tmp_path / "home", today=None)
        walk.stand_ins = {"https://cases.example.org/hooks/duecare": f"{receiver.url}\n    allow_private: true"}
        walk.secrets = {"CASE_SYSTEM_SECRET": SECRET}
        walk.through(DOCS / "how-to/get-notified.md")
        assert [(one["good"], one["body"]["type"]) for one in receiver.lines()] == [(True, "duecare.test")]


def test_the_code_that_is_quoted_is_the_code() -> None:
    kind = (DOCS.parent / "rules" / "kinds" / "not_response.py").read_text("utf-8")
    quoted = [block.text for block in blocks(DOCS / "how-to" / "add-a-kind-of-rule.md") if block.language == "python"]
    assert quoted
    for text in quoted:
        lines = [line for line in text.splitlines() if line.strip()]
        assert [line for line in lines if line not in kind] == []


def test_the_schema_knows_the_kind_of_the_example() -> None:
    assert "kind_not_response" in policy_schema()["$defs"]
    assert [name for name in registry() if f"kind_{name}" not in policy_schema()["$defs"]] == []
