"""Every link in the documentation leads somewhere: to a file that is there, and to a heading that it has."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^(```+|~~~+).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """The page without what stands in code blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link may name behind ``#``: each heading in lower case with hyphens for spaces, a number after one that comes again."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        again = seen.get(anchor, 0)
        seen[anchor] = again + 1
        found.add(f"{anchor}-{again}" if again else anchor)
    return frozenset(found)


def broken(page: Path) -> list[str]:
    found = []
    for link in _LINK.findall(_CODE.sub("", prose(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            found.append(f"{link}: there is no {path}")
        elif not target.is_relative_to(ROOT):
            found.append(f"{link}: leads out of the project")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"{link}: {name(target)} has no such heading")
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# One `thing`: two\n## One\n## One\n[a](#one-thing-two) [b](#one-1) [c](#one-2) [d](gone.md) ![e](page.md)\n```\n[f](no.md)\n```\n"
    )
    assert [line.split(":")[0] for line in broken(page)] == ["#one-2", "gone.md"]


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_file():
            continue
        seen.add(page)
        for link in _LINK.findall(prose(page)):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md":
                waiting.append(target)
            elif target.is_dir():
                waiting += target.glob("*.md")
    assert [name(page) for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in seen] == []
