"""Walking through a page of the documentation: its files are written, its commands run, and what it shows is held against what they say.

A block whose language is followed by ``file=NAME`` is a file of the reader's.  A ``console`` block holds commands (lines that begin
with ``$ ``), each with the output shown below it; ``...`` stands for anything, a line of its own for any number of lines.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from cli.main import run

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE", "PYTEST_CURRENT_TEST")
PLAIN = {"cat", "cp", "ls", "mkdir", "printf"}
_BLOCK = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, and the line on which it begins."""

    language: str
    file: str | None
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """A command as the page shows it, with the output below it."""

    command: str
    shown: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page in order."""
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        indent, language, info, inner = found.groups()
        name = re.search(r"\bfile=(\S+)", info)
        body = "".join(line.removeprefix(indent) for line in inner.splitlines(keepends=True))
        yield Block(language, name[1] if name else None, body, text[: found.start()].count("\n") + 1)


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block."""
    command: str | None = None
    shown: list[str] = []
    at = block.line
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if command is not None and command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {line.strip()}"
        elif line.startswith("$ "):
            if command is not None:
                yield Step(command, "\n".join(shown), at)
            command, shown, at = line[2:], [], number
        elif command is None:
            raise AssertionError(f"line {number}: output without a command")
        else:
            shown.append(line)
    if command is not None:
        yield Step(command, "\n".join(shown), at)


def alike(shown: str, said: str) -> bool:
    """Whether what a page shows is what was said, white space at the ends of lines aside."""
    parts = []
    for line in shown.strip("\n").splitlines():
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n")
    return re.fullmatch("".join(parts), said.strip("\n") + "\n" if said.strip() else "") is not None


@dataclass
class Walk:
    """A reader with a folder, a home for duecare and nothing else.  ``steps_done`` counts the commands whose output was compared."""

    folder: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    steps_done: int = 0
    code: int = 0

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = {**kept, "HOME": str(self.home), "DUECARE_HOME": str(self.home / "duecare"), **self.environment}

    def through(self, page: Path) -> None:
        """Does all that a page says, in order."""
        for block in blocks(page):
            if block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, "utf-8")
            elif block.language == "console":
                for step in steps(block):
                    said = self.do(step.command)
                    place = f"{page.name}:{step.line}"
                    assert alike(step.shown, said), f"{place}: $ {step.command}\n--- shown\n{step.shown}\n--- said\n{said}"
                    self.steps_done += 1

    def do(self, command: str) -> str:
        """What a command says, both streams as a terminal shows them."""
        first, pipe, second = command.partition(" | ")
        if pipe:
            return self._one(second, self._one(first, ""))
        return self._one(command, "")

    def _one(self, command: str, given: str) -> str:
        words = shlex.split(command, comments=True)
        match words:
            case ["cd", name]:
                self.folder = (self.folder / name).resolve()
                return ""
            case ["export", *pairs]:
                for pair in pairs:
                    name, _, value = pair.partition("=")
                    self.environment[name] = value.replace("$PWD", str(self.folder))
                return ""
            case ["echo", "$?"]:
                return f"{self.code}\n"
            case ["duecare", *arguments]:
                return self.duecare(arguments, given)
            case [name, *_] if name in PLAIN:
                done = subprocess.run(words, cwd=self.folder, input=given, capture_output=True, text=True, check=False)
                self.code = done.returncode
                return done.stdout + done.stderr
        raise AssertionError(f"a page shows a command that its test cannot run: {command}")

    def duecare(self, arguments: list[str], given: str = "") -> str:
        """The command line in this process, in the reader's folder and with the reader's environment only."""
        out = io.StringIO()
        with _as_reader(self.folder, self.environment, given), redirect_stdout(out), redirect_stderr(out):
            self.code = run(arguments)
        return out.getvalue()


@contextmanager
def _as_reader(folder: Path, environment: Mapping[str, str], given: str) -> Iterator[None]:
    import sys

    before, cwd, stdin = dict(os.environ), Path.cwd(), sys.stdin
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.encode()), "utf-8")
    try:
        yield
    finally:
        sys.stdin = stdin
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(before)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
