"""Walking through a page of the documentation: its files are written, its commands run, and what it shows is held against what they say.

A block whose language is followed by ``file=NAME`` is a file of the reader's; ``diff file=NAME`` changes lines of it.  A ``console``
block holds commands (lines that begin with ``$ ``), each with the output shown below it; ``...`` stands for anything, a line of its
own for any number of lines.  Ids of twelve hexadecimal digits may be others than those shown, but always the same ones.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import logging
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import time_machine

from cli.main import run

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE", "PYTEST_CURRENT_TEST")
PLAIN = {"cat", "cp", "ls", "mkdir", "printf"}
_ID = re.compile(r"\b[0-9a-f]{12}\b")
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


def changed(text: str, diff: str) -> str:
    """The text with the lines that a diff takes away and puts in their place; each group of them stands in the text once."""
    groups = re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", diff, re.MULTILINE)
    assert groups, f"a diff without lines to take away:\n{diff}"
    for old, new in groups:
        before, after = (re.sub(r"^[-+]", "", lines, flags=re.MULTILINE) for lines in (old, new))
        assert text.count(before) == 1, f"stands there {text.count(before)} times:\n{before}"
        text = text.replace(before, after)
    return text


def alike(shown: str, said: str) -> bool:
    """Whether what a page shows is what was said, white space at the ends of lines aside."""
    parts = []
    for line in shown.strip("\n").splitlines():
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*".join(_literal(part) for part in line.rstrip().split("...")) + r"[ \t]*\n")
    return re.fullmatch("".join(parts), said.strip("\n") + "\n" if said.strip() else "") is not None


def _literal(text: str) -> str:
    """The text as it stands, but for the gaps between columns of a table: a terminal shows them as wide as they need be."""
    indent = len(text) - len(text.lstrip(" "))
    return text[:indent] + re.sub(r"(?:\\ ){2,}", lambda _: r"[ \t]+", re.escape(text[indent:]))


@dataclass
class Walk:
    """A reader with a folder, a home for duecare and nothing else.  ``steps_done`` counts the commands whose output was compared."""

    folder: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, str] = field(default_factory=dict)
    """What is written in place of something in the page's files: an address on loopback for one in the wide world."""
    secrets: dict[str, str] = field(default_factory=dict)
    """What the reader exports where the page shows ``...``."""
    today: dt.datetime | None = None
    """The moment at which the reader begins, from which the clock goes on; None: now."""
    steps_done: int = 0
    code: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    """Ids as the page shows them, and as they are."""
    passwords: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = {**kept, "HOME": str(self.home), "DUECARE_HOME": str(self.home / "duecare"), **self.environment}

    def through(self, page: Path) -> None:
        """Does all that a page says, in order."""
        for block in blocks(page):
            if block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                text = changed(path.read_text("utf-8"), block.text) if block.language == "diff" else block.text
                for there, here in self.stand_ins.items():
                    assert there in text, f"{page.name}: no file says {there}"
                    text = text.replace(there, here)
                path.write_text(text, "utf-8")
            elif block.language == "console":
                for step in steps(block):
                    said = self.do(self._with_ids(step.command))
                    self._learn_ids(step.shown, said)
                    place = f"{page.name}:{step.line}"
                    assert alike(self._with_ids(step.shown), said), f"{place}: $ {step.command}\n--- shown\n{step.shown}\n--- said\n{said}"
                    self.steps_done += 1

    def _learn_ids(self, shown: str, said: str) -> None:
        there, here = _ID.findall(shown), _ID.findall(said)
        if len(there) == len(here):
            for one, other in zip(there, here, strict=True):
                self.ids.setdefault(one, other)

    def _with_ids(self, text: str) -> str:
        return _ID.sub(lambda found: self.ids.get(found[0], found[0]), text)

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
                    self.environment[name] = self.secrets[name] if value == "..." else value.replace("$PWD", str(self.folder))
                return ""
            case ["echo", "$?"]:
                return f"{self.code}\n"
            case ["duecare", "serve"]:
                return self._serve()
            case ["duecare", "users", "create", name, *_]:
                said = self.duecare(words[1:])
                self._choose_password(name, said.split()[-1])
                return said
            case ["duecare", *arguments] if "--user" in arguments:
                password = self.passwords[arguments[arguments.index("--user") + 1]]
                return "Password:\n" + self.duecare([*arguments, "--password-stdin"], f"{password}\n")
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
        now = self._now()
        at = contextlib.nullcontext() if now is None else time_machine.travel(now)
        with _as_reader(self.folder, self.environment, given), redirect_stdout(out), redirect_stderr(out), at:
            self.code = run(arguments)
        return out.getvalue()

    def _now(self) -> dt.datetime | None:
        return None if self.today is None else self.today + dt.timedelta(seconds=time.monotonic() - self.began)

    def _choose_password(self, name: str, first: str) -> None:
        """What a person does at the first sign-in."""
        from cli.stored import service
        from service import users

        self.passwords[name] = f"{len(self.passwords)} green kettles sing at dawn"
        with _as_reader(self.folder, self.environment, ""), service() as svc:
            user = users.sign_in(svc, name=name, password=first)
            users.change_password(svc, user_id=user.id, old=first, new=self.passwords[name])

    def _serve(self) -> str:
        """Starts the product in a process of its own, on a free port, lets it judge what waits, and ends it; what it printed."""
        now = self._now()
        start = "" if now is None else f"import time_machine; time_machine.travel({now.timestamp()!r}).start(); "
        command = [sys.executable, "-c", f"{start}from cli.main import main; main(['serve', '--port', '0'])"]
        environment = {**self.environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "DUECARE_LOG_LEVEL": "warning"}
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"serves on http://127\.0\.0\.1:(\d+)/", line):
                    self.served(found[1])
                    break
            process.terminate()
            process.wait(120)
        return re.sub(r"(127\.0\.0\.1:)\d+", r"\g<1>8321", "".join(lines))

    def served(self, port: str) -> None:
        """Waits until nothing is left to be judged."""
        from sqlalchemy import create_engine, text

        engine = create_engine(f"sqlite:///{self.home}/duecare/duecare.db")
        with contextlib.closing(engine.connect()) as connection:
            for _ in range(1_200):
                if not connection.execute(text("select count(*) from dirty")).scalar_one():
                    break
                connection.rollback()
                time.sleep(0.1)
        engine.dispose()


@contextmanager
def _as_reader(folder: Path, environment: Mapping[str, str], given: str) -> Iterator[None]:
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
