"""How pages are walked through: files, commands, what is shown, and what stands for anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.walkthrough import Walk, alike, blocks, steps

PAGE = """\
# A page

```yaml file=one/two.yaml
a: 1
```

1. Then

   ```console
   $ cat one/two.yaml
   a: 1
   $ duecare policy \\
       kinds
   co_existence ...
   ...
   ```
"""


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    (tmp_path / "reader").mkdir()
    return Walk(tmp_path / "reader", tmp_path / "home")


def written(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    return page


def test_a_page_is_read_in_blocks_and_steps(tmp_path: Path) -> None:
    file, console = blocks(written(tmp_path, PAGE))
    assert (file.language, file.file, file.text, file.line) == ("yaml", "one/two.yaml", "a: 1\n", 3)
    assert [(step.command, step.shown, step.line) for step in steps(console)] == [
        ("cat one/two.yaml", "a: 1", 10),
        ("duecare policy kinds", "co_existence ...\n...", 12),
    ]


def test_files_are_written_and_commands_run_in_the_readers_folder(walk: Walk, tmp_path: Path) -> None:
    walk.through(written(tmp_path, PAGE))
    assert walk.steps_done == 2
    assert (tmp_path / "reader" / "one" / "two.yaml").read_text() == "a: 1\n"


def test_what_is_shown_and_not_said_is_told_with_its_line(walk: Walk, tmp_path: Path) -> None:
    page = written(tmp_path, PAGE.replace("   a: 1\n", "   a: 2\n"))
    with pytest.raises(AssertionError, match=r"page\.md:10: \$ cat one/two\.yaml"):
        walk.through(page)


def test_a_command_that_cannot_be_run_is_no_silent_pass(walk: Walk, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="cannot run"):
        walk.through(written(tmp_path, "```console\n$ rm -r x\n```\n"))


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ("a\nb", "a  \nb\n", True),
        ("a\nb", "a\nb\nc\n", False),
        ("one  two", "one\ttwo\n", True),
        ("one two", "one\ttwo\n", False),
        ("  one", " one\n", False),
        ("a", "a b\n", False),
        ("a...c", "a b c\n", True),
        ("a ...", "a b\nc\n", False),
        ("a\n...\nd", "a\nb\nc\nd\n", True),
        ("a\n...\nd", "a\nd\n", True),
        ("a\n...", "b\n", False),
        ("", "", True),
        ("", "a\n", False),
        ("...", "", True),
        ("(a) [b].c", "(a) [b].c\n", True),
    ],
)
def test_what_counts_as_the_same(shown: str, said: str, same: bool) -> None:
    assert alike(shown, said) is same


def test_the_environment_is_the_readers_own(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUECARE_POLICIES", "/nowhere")
    assert "DUECARE_POLICIES" not in walk.environment
    walk.do("export DUECARE_POLICIES=$PWD/more")
    assert walk.environment["DUECARE_POLICIES"] == f"{walk.folder}/more"
    walk.do("duecare policy lint nothing.yaml")
    assert walk.do("echo $?") == "2\n"
