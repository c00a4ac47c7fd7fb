"""Builds the documentation as a site: ``./dev site``. A link that leads nowhere, or a page that no list names, ends it with an error.

The pages are those of ``docs``, as they stand. The project's own README becomes the page *Start*, and a file outside ``docs`` to which
a page links (a policy, a test, the Procfile) is carried along. The order is that of the lists in ``docs/README.md``: there is no other.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_LINK = re.compile(r"(\]\(<?)([^)\s>#]+)(#[^)\s>]*)?(>?\))")
_MOVED = {"README.md": "start.md", "CHANGELOG.md": "changes.md"}
"""Pages at the root of the project, and what they are called in the site."""


def place_of(page: str, target: str) -> str | None:
    """Where in the project a link of ``page`` (named from the project's root) leads; None for an address elsewhere."""
    return None if re.match(r"[a-z]+:", target) else normpath(f"{PurePosixPath(page).parent}/{target}")


def name_in_site(place: str) -> str:
    """What a file of the project is called in the site."""
    return place.removeprefix("docs/") if place.startswith("docs/") else _MOVED.get(place, f"project/{place}")


def laid_out(page: str, text: str, target: Path) -> str:
    """The text of a page with its links as they hold in the site; files from outside ``docs`` to which it links are copied."""

    def pointed(link: re.Match[str]) -> str:
        place = place_of(page, link[2])
        if place is None:
            return link[0]
        if not place.startswith("docs/") and place not in _MOVED and (ROOT / place).is_file():
            copy = target / name_in_site(place)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / place, copy)
        if (ROOT / place).is_dir():
            place += "/README.md"
        return f"{link[1]}{relpath(name_in_site(place), PurePosixPath(name_in_site(page)).parent.as_posix())}{link[3] or ''}{link[4]}"

    return _LINK.sub(pointed, text)


def contents(index: str) -> str:
    """The navigation: a group for each heading of the index, an entry for each page that a list under it names."""
    groups = [("", ["start", "tour"])]
    for line in index.splitlines():
        if heading := re.match(r"##+ (.+)", line):
            groups.append((heading[1], []))
        elif len(groups) > 1:
            for target in (link[2] for link in _LINK.finditer(line)):
                folder = target.removesuffix("/README.md")
                groups[-1][1].extend([target.removesuffix(".md")] if folder == target else _below(DOCS / folder))
    groups.append(("", ["changes"]))
    return "\n".join(_toctree(name, pages) for name, pages in groups if pages)


def _toctree(name: str, pages: list[str]) -> str:
    caption = [f":caption: {name}"] if name else []
    return "\n".join(["```{toctree}", ":hidden:", *caption, "", *pages, "```", ""])


def _below(folder: Path) -> list[str]:
    return [page.relative_to(DOCS).with_suffix("").as_posix() for page in sorted(folder.glob("*.md"))]


def listing(folder: Path) -> str:
    """A page for a folder that is linked as a whole: its own README where it has one, else the names of what it holds."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    own = folder / "README.md"
    head = own.read_text("utf-8") if own.is_file() else f"# {folder.name.capitalize()}\n"
    lines = [f"- [{_title(path, folder)}]({path.relative_to(folder).as_posix()})" for path in files]
    return "---\norphan: true\n---\n" + head + "\n" + "\n".join(lines) + "\n"


def _title(path: Path, folder: Path) -> str:
    heading = re.match(r"# (.+)", path.read_text("utf-8")) if path.suffix == ".md" else None
    return heading[1] if heading else path.relative_to(folder).as_posix()


def lay_out(target: Path) -> None:
    """Write every page of the site into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(DOCS, target)
    for page in [*DOCS.rglob("*.md"), *(ROOT / name for name in _MOVED)]:
        name = page.relative_to(ROOT).as_posix()
        text = laid_out(name, page.read_text("utf-8"), target)
        if page == DOCS / "README.md":
            text += "\n\n" + contents(text)
        (target / name_in_site(name)).write_text(text, "utf-8")
    for folder in [DOCS / "decisions", *(path for path in (DOCS / "examples").iterdir() if path.is_dir())]:
        (target / folder.relative_to(DOCS) / "README.md").write_text(listing(folder), "utf-8")


def main() -> int:
    """Lay the pages out and build them; the exit status is Sphinx'."""
    cache = ROOT / ".cache"
    pages, site = cache / "site-pages", cache / "site"
    lay_out(pages)
    strictly = ["-q", "-W", "--keep-going", "-E"]
    status = sphinx([*strictly, "-b", "html", "-d", str(cache / "site-state"), "-c", str(Path(__file__).parent), str(pages), str(site)])
    if status == 0:
        print(f"the site stands in .cache/site: open {(site / 'README.html').relative_to(ROOT)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
