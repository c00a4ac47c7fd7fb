"""Some four hundred broken, odd and hostile policy packages, the same ones each time."""

# ruff: noqa: E501  (tables of broken values read best a line each)

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CATALOGUE = """\
catalogue: small
version: "1"
common: {program: code, performer: {id: id}}
values: {program: [home]}
types:
  thing.begun: {about: It began., data: {kind: code, count: int, done: flag, day: date, people: [person]}, values: {kind: [a, b]}}
  thing.done: {about: It was done., data: {kind: code, parts: [{id: id, owner: code}]}, values: {kind: [a, b]}}
  thing.closed: {about: It ended., data: {why: code}}
  people.listed: {about: Who is there., data: {members: [{person: person, role: code}]}, values: {members.role: [child, parent]}}
course:
  closes: {event: thing.closed, reason: why}
  program: program
roster: {event: people.listed, list: members, person: person, role: role}
"""
CALENDAR = 'calendar: here\nversion: "1"\nzone: Australia/Darwin\nholidays: {2019-12-25: Christmas Day, 2020-01-01: New Year}\n'
POLICY = """\
policy: trial
title: A trial
version: "1"
effective: 2020-01-01
zone: Australia/Darwin
catalogue: catalogue.yaml
calendar: here
program: home
documents: {d: A document}
parameters: {some_days: {question: How many days}}
terms: {finished: {means: done in a good way, event: thing.done, where: {kind: a}}}
anchors: {weeks: {first: finished, if_within: {weeks: 6}, of: thing.begun}}
collections:
  parts: {of: [thing.done], document: kind, list: parts, done_by: {event: thing.done, where: {kind: {equals: $item.id}}}}
rules:
  - id: R1
    title: It is done in time
    guidance: What begins must be done.
    unmet: Not done
    false_alarm: When it was not begun.
    cites: {document: d, at: here}
    severity: high
    kind: response
    when: {each: thing.begun}
    requires: {event: finished, where: {all: [{kind: {in: [a, b]}}]}}
    within: {days: $some_days}
    warn: {days: 2}
  - id: R2
    title: Each child is asked
    guidance: Each one.
    unmet: Not asked
    false_alarm: When there is no child.
    cites: {document: d, at: there}
    severity: low
    kind: precedence
    per: [child]
    when: {first: thing.closed}
    requires: {event: thing.begun, where: {people: {has: $person}}}
"""
TESTS = """\
- name: it is done
  policy: trial
  events:
    - {id: a, at: 2020-03-02 09:00, type: thing.begun, data: {program: home}}
  checks:
    - {as_of: 2020-03-03, expect: {R1: not_applicable, R2: {counts: {}}}}
"""


@dataclass(frozen=True)
class Hostile:
    """A package to be written: ``refused``: whether it must be.  ``make`` changes the folder after the good files stand in it."""

    name: str
    make: Callable[[Path], None]
    refused: bool = True


def hostile() -> list[Hostile]:
    """All of them."""
    return [*_bytes(), *_yaml(), *_fields(), *_meanings(), *_folders(), *_others(), *_noise()]


def write_all(folder: Path) -> list[tuple[Hostile, Path]]:
    """Writes each package into a folder of its own and gives the policy file of each."""
    found = []
    for number, one in enumerate(hostile()):
        home = folder / f"{number:03}"
        (home / "calendars").mkdir(parents=True)
        (home / "tests").mkdir()
        for name, text in (
            ("catalogue.yaml", CATALOGUE),
            ("calendars/here.yaml", CALENDAR),
            ("trial.yaml", POLICY),
            ("tests/t.yaml", TESTS),
        ):
            (home / name).write_text(text, "utf-8")
        one.make(home)
        found.append((one, home / "trial.yaml"))
    return found


def _put(name: str, content: str | bytes, *, file: str = "trial.yaml", refused: bool = True) -> Hostile:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")

    def make(home: Path) -> None:
        (home / file).write_bytes(raw)

    return Hostile(name, make, refused)


def _with(name: str, old: str, new: str, *, refused: bool = True) -> Hostile:
    assert POLICY.count(old) >= 1, old
    return _put(name, POLICY.replace(old, new, 1), refused=refused)


def _bytes() -> Iterator[Hostile]:
    good = POLICY.encode()
    yield _put("empty", b"")
    yield _put("only a byte order mark", b"\xef\xbb\xbf")
    yield _put("a byte order mark before a good policy", b"\xef\xbb\xbf" + good, refused=False)
    yield _put("carriage returns for line ends", good.replace(b"\n", b"\r\n"), refused=False)
    yield _put("blanks", b" \n\n   \n")
    yield _put("NUL bytes", b"\0" * 100)
    yield _put("a NUL inside", good.replace(b"A trial", b"A\0trial"))
    yield _put("latin-1", POLICY.replace("A trial", "Entw\u00fcrfe").encode("latin-1"))
    for code in ("utf-16", "utf-16-le", "utf-32", "cp037"):
        yield _put(code, POLICY.replace("A trial", "A \u00e4trial").encode(code))
    yield _put("ten megabytes", good + b"# " + b"x" * 10_000_000)
    yield _put("ten megabytes of lines", good + b"# x\n" * 2_500_000)
    yield _put("one long line", b"a: [" + b"1," * 900_000 + b"1]")
    yield _put("a million characters of title", good.replace(b"A trial", b"A" * 1_000_000), refused=False)
    yield _put("half a file", good[: len(good) // 2])
    yield _put("an image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    yield _put("a zip", b"PK\x03\x04" + bytes(range(256)) * 20)
    for seed in range(12):
        yield _put(f"random bytes {seed}", random.Random(seed).randbytes(3000))
    for number in (0x01, 0x07, 0x08, 0x0B, 0x0C, 0x1B, 0x7F, 0x80, 0x9F, 0xFFFE, 0xFDD0):
        yield _with(f"U+{number:04X}", "A trial", f"A{chr(number)}trial", refused=number != 0xFDD0)
    for number in (0x200B, 0x202A, 0x202B, 0x202D, 0x202E, 0x2060, 0x2066, 0x2067, 0x2069, 0xFEFF):
        yield _with(f"hidden U+{number:04X}", "severity: high", f"severity: high # {chr(number)}")
    for number in (0xD800, 0xDFFF):
        yield _with(f"surrogate U+{number:04X}", "A trial", chr(number))
    for escape in (r"\0", r"\e[2J", r"\x07", r"\uD800", r"\u202e", r"\uFFFE", r"\U0010FFFF"):
        yield _with(f"escaped {escape}", "title: A trial", f'title: "{escape}"', refused=escape != r"\U0010FFFF")
        yield _with(f"escaped key {escape}", "title: A trial", f'title: A trial\n"{escape}": 1')
        yield _with(f"escaped path {escape}", "catalogue: catalogue.yaml", f'catalogue: "a{escape}b"')


def _yaml() -> Iterator[Hostile]:
    yield _put("ten thousand brackets", "[" * 10_000)
    yield _put("ten thousand braces", "{a: " * 10_000)
    yield _put("deep by lines", "".join(f"{' ' * n}a:\n" for n in range(900)))
    yield _put("deep by dashes", "- " * 5000 + "x")
    yield _put("deep and closed", "a: " + "[" * 3000 + "]" * 3000)
    nine = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    nine += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    yield _put("a billion laughs", nine)
    yield _put("laughs of mappings", "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, 40)))
    yield _put("an alias inside itself", "a: &a [*a]\n")
    yield _put("an alias inside itself, deeper", "a: &a {b: [{c: *a}]}\n")
    yield _put("an alias of nothing", "a: *nobody\n")
    yield _put("an alias as key", "a: &a x\n*a : 1\n")
    yield _put("a hundred thousand anchors", "".join(f"k{n}: &a{n} x\n" for n in range(100_000)))
    yield _put("a hundred thousand keys", "".join(f"k{n}: x\n" for n in range(100_000)))
    yield _put("three hundred thousand values", "a:\n" + "- x\n" * 300_000)
    yield _with("merge key", "documents: {d: A document}", "documents: {<<: {d: A document}}")
    yield _with("merge key twice", "documents: {d: A document}", "x: &x {d: A}\ndocuments: {<<: [*x, *x]}")
    for tag in ("!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!binary aGk=", "!!set {a, b}", "!!timestamp 2020-01-01",
                "!!omap [a: 1]", "!custom x", "!!map {}", "!!str", "!<tag:x,2000:y> z"):  # fmt: skip
        yield _with(f"tag {tag}", "title: A trial", f"title: {tag}", refused=tag != "!!str")
    yield _put("two documents", f"{POLICY}---\n{POLICY}")
    yield _put("fifty documents", "---\na: 1\n" * 50)
    yield _put("a directive", f"%YAML 1.1\n%TAG ! tag:x,2000:\n---\n{POLICY}", refused=False)
    yield _put("an unknown version of YAML", f"%YAML 9.9\n---\n{POLICY}")
    yield _put("only a separator", "---\n")
    yield _put("only an end", "...\n")
    for text in ("just text", "42", "- a\n- b", "null", "[]", "{}", "? {a: b}\n: c", "? [a]\n: b", ": x", "a: b: c", "'open", '"open', "{a: 1", "[1, 2",
                 "a: |\n  x\n y", "@x", "`x", "%", "&a", "*", "!", "|", ">", "\t", "a:\n\tb: 1", "- - - -", "a: 1\n b: 2", "{,}", "[,]"):  # fmt: skip
        yield _put(f"text {text!r}", text)
    yield _with("key twice", "severity: high", "severity: high\n    severity: low")
    yield _with("key twice at the top", "title: A trial", "title: A trial\ntitle: B")
    yield _with("empty key", "title: A trial", "title: A trial\n: x")
    yield _with("tabs", "    severity: high", "\tseverity: high")
    yield _with("no-break spaces", "    severity: high", "\u00a0   severity: high")
    yield _with("line separators", "A trial", "A\u2028trial\u2029x\u0085y", refused=False)
    yield _with("letters of another alphabet", "severity: high", "s\u0435verity: high")


_VALUES: tuple[Any, ...] = (
    None, True, -1, 3.7, 10**17, "", " ", "x" * 5000, [], {}, [[]], [None], {"a": "b"}, [{"a": [{"b": "c"}]}], "2026-13-45", "../x", "$nobody",
    "9" * 400, 1e308, "*", "{0.__class__}", "\u202fodd", "\U0001f4a5", "a\nb",
)  # fmt: skip
_PLACES: tuple[tuple[Any, ...], ...] = (
    ("policy",), ("title",), ("version",), ("effective",), ("zone",), ("zones",), ("catalogue",), ("program",), ("calendar",), ("offices",),
    ("documents",), ("documents", "d"), ("parameters",), ("parameters", "some_days"), ("parameters", "some_days", "default"), ("terms",),
    ("terms", "finished"), ("terms", "finished", "event"), ("terms", "finished", "where"), ("terms", "finished", "where", "kind"), ("anchors",),
    ("anchors", "weeks"), ("anchors", "weeks", "first"), ("anchors", "weeks", "if_within"), ("collections",), ("collections", "parts", "of"),
    ("collections", "parts", "done_by"), ("questions",), ("for_a_person",), ("rules",), ("rules", 0), ("rules", 0, "id"), ("rules", 0, "cites"),
    ("rules", 0, "cites", "document"), ("rules", 0, "severity"), ("rules", 0, "status"), ("rules", 0, "clauses"), ("rules", 0, "kind"),
    ("rules", 0, "when"), ("rules", 0, "when", "each"), ("rules", 0, "requires"), ("rules", 0, "requires", "event"),
    ("rules", 0, "requires", "where"), ("rules", 0, "requires", "where", "all"), ("rules", 0, "requires", "where", "all", 0, "kind", "in"),
    ("rules", 0, "within"), ("rules", 0, "within", "days"), ("rules", 1, "per"), ("rules", 1, "requires", "where", "people"),
    ("rules", 1, "requires", "same"), ("rules", 1, "requires", "of"), ("rules", 1, "requires", "related"), ("rules", 1, "compare"),
)  # fmt: skip


def _fields() -> Iterator[Hostile]:
    """Each field with some values that it may not hold (some it may: what matters is that nothing breaks)."""
    good = yaml.load(POLICY, Loader=yaml.BaseLoader)
    for number, place in enumerate(_PLACES):
        for turn in range(2):
            value = _VALUES[(number * 5 + turn * 11) % len(_VALUES)]
            data = copy.deepcopy(good)
            around: Any = data
            for step in place[:-1]:
                around = around[step]
            around[place[-1]] = value
            text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=200)
            yield _put(f"{'.'.join(map(str, place))} = {str(value)[:20]!r}", text, refused=False)


def _meanings() -> Iterator[Hostile]:
    yield _with("a term of itself", "event: thing.done, where: {kind: a}}}", "event: finished}}")
    loop = "a: {event: b}, b: {event: a}, finished: {means: done in a good way, event: thing.done"
    yield _with("terms in a circle", "finished: {means: done in a good way, event: thing.done", loop)
    yield _with("an anchor of an anchor", "first: finished, if_within", "first: weeks, if_within")
    yield _with("a condition in a condition", "{kind: {in: [a, b]}}", "{not: " * 20 + "{kind: a}" + "}" * 20, refused=False)
    yield _with("a condition too deep", "{kind: {in: [a, b]}}", "{not: " * 60 + "{kind: a}" + "}" * 60)
    yield _with("alternatives of alternatives", "{kind: {in: [a, b]}}", "{any: [" * 15 + "{kind: a}, {kind: b}" + "]}" * 15, refused=False)
    yield _with("twenty thousand alternatives", "{kind: {in: [a, b]}}", "{any: [" + "{kind: a}, " * 20_000 + "{kind: b}]}")
    yield _with("twenty thousand codes", "in: [a, b]", f"in: [{', '.join(f'c{n}' for n in range(20_000))}]")
    yield _with("a very long id", "id: R1", f"id: {'R' * 100_000}")
    yield _with("a very long key", "title: A trial", f"title: A trial\n? {'k' * 50_000}\n: 1")
    yield _with("a very long event", "each: thing.begun", f"each: {'thing.' * 20_000}begun")
    yield _with(
        "a very long attribute",
        "kind: {in: [a, b]}",
        f"? {'kind.' * 20_000}kind\n      : {{in: [a, b]}}".replace("\n      ", " ").replace("? ", ""),
    )
    yield _with("a very long parameter", "days: $some_days", f"days: ${'a' * 50_000}")
    yield _with("a very long kind", "kind: response", f"kind: {'response' * 10_000}")
    yield _with("a very long zone", "zone: Australia/Darwin", f"zone: {'A/' * 20_000}B")
    yield _with("a very long path", "catalogue: catalogue.yaml", f"catalogue: {'c' * 10_000}.yaml")
    for words in (
        "99999999999999999999",
        "1e400",
        "0x7fffffffffffffff",
        "-0",
        ".inf",
        ".nan",
        "1_000",
        "0o7777777",
        "1e3",
        "- 5",
        "٣",
        "½",
        "1,5",
        "~",
    ):
        yield _with(f"days {words}", "days: $some_days", f"days: {words}", refused=words != "-0")
    for number in (0, -1, 10**6, 10**15):
        yield _with(f"months {number}", "within: {days: $some_days}", f"within: {{months: {number}}}", refused=number != 0)
    yield _with("the longest limit", "days: $some_days", "business_days: 36500", refused=False)
    for day in (
        "2020-02-30",
        "0000-01-01",
        "9999-12-31",
        "10000-01-01",
        "-001-01-01",
        "20200101",
        "2020-W01-1",
        "01/02/2020",
        "today",
        "1e4",
    ):
        yield _with(f"effective {day}", "effective: 2020-01-01", f"effective: {day}", refused=day != "9999-12-31")
    for name in (
        "Mars/Base",
        "../../etc/passwd",
        "/etc/localtime",
        "UTC+10",
        "GMT0",
        "posixrules",
        "right/UTC",
        "Australia",
        "australia/darwin",
        ".",
    ):
        yield _with(
            f"zone {name}",
            "zone: Australia/Darwin",
            f"zone: {name}",
            refused=name not in ("GMT0", "australia/darwin", "right/UTC", "posixrules"),
        )
    rule = POLICY[POLICY.index("  - id: R1") : POLICY.index("  - id: R2")]
    many = "".join(rule.replace("R1", f"N{n}").replace("thing.begun", "thing.begn") for n in range(500))
    yield _put("five hundred rules with a fault each", POLICY + many)
    yield _put("a rule two thousand times", POLICY + rule * 2000)
    yield _with("the same alias everywhere", "documents: {d: A document}", "documents: &d {d: A document}\nzones: *d\noffices: *d")
    for word in (
        "__class__",
        "__init__",
        "model_config",
        "model_fields",
        "kind",
        "tests",
        "ready",
        "0",
        "true",
        "rules.0.id",
        "{x}",
        "%s",
        "$(id)",
    ):
        yield _with(f"attribute {word}", "where: {kind: a}", f"where: {{{word!r}: {{equals: a}}}}", refused=word != "kind")


def _folders() -> Iterator[Hostile]:
    for name in ("../../etc/passwd", "../trial.yaml", "/etc/passwd", "/dev/zero", "/proc/self/environ", "~/x.yaml", "file:///etc/passwd", "C:\\x.yaml",
                 "..\\x.yaml", "calendars/../../x.yaml", ".", "..", "tests", "catalogue.yaml/", "https://example.org/c.yaml", "-"):  # fmt: skip
        yield _with(f"catalogue {name}", "catalogue: catalogue.yaml", f"catalogue: '{name}'")
    for name in ("../catalogue", "../../etc/passwd", "/etc/passwd", "nobody", "a/b/c", ".", "here.yaml"):
        yield _with(f"calendar {name}", "calendar: here", f"calendar: '{name}'")
    yield _with("the policy as its own catalogue", "catalogue: catalogue.yaml", "catalogue: trial.yaml")

    def link(name: str, target: str) -> Callable[[Path], None]:
        def make(home: Path) -> None:
            (home / name).unlink()
            (home / name).symlink_to(target)

        return make

    def folder(name: str) -> Callable[[Path], None]:
        def make(home: Path) -> None:
            (home / name).unlink()
            (home / name).mkdir()

        return make

    def pipe(name: str) -> Callable[[Path], None]:
        def make(home: Path) -> None:
            (home / name).unlink()
            os.mkfifo(home / name)

        return make

    for name in ("catalogue.yaml", "calendars/here.yaml"):
        yield Hostile(f"{name} is a folder", folder(name))
        yield Hostile(f"{name} is a pipe", pipe(name))
        yield Hostile(f"{name} is not there", lambda home, name=name: (home / name).unlink())
        yield Hostile(f"{name} is a link to itself", link(name, Path(name).name))
        yield Hostile(f"{name} is a link to a device", link(name, "/dev/zero"))
        yield Hostile(f"{name} is a link to nowhere", link(name, "nowhere"))
    yield Hostile("tests/t.yaml is a pipe", pipe("tests/t.yaml"), refused=False)
    yield Hostile("tests/t.yaml is a folder", folder("tests/t.yaml"), refused=False)


def _others() -> Iterator[Hostile]:
    """Catalogues, calendars and tests."""
    for name, old, new in (
        ("course", "event: thing.closed, reason", "event: thing.close, reason"), ("reason", "reason: why", "reason: whi"),
        ("roster", "list: members", "list: member"), ("roster role", "role: role", "role: rol"), ("program", "program: program", "program: programme"),
        ("kind", "done: flag", "done: flog"), ("key", "types:", "tipes:"), ("course key", "closes:", "closed:"), ("reserved", "count: int", "data: int"),
        ("name", "thing.begun:", "Thing Begun:"), ("list", "people: [person]", "people: [person, id]"), ("built in", "thing.begun:", "event.voided:"),
        ("deep", "count: int", "count: " + "[" * 60 + "int" + "]" * 60), ("course list", "course:\n", "course: []\nx:\n"), ("version", '"1"', "1"),
        ("values", "values: {kind: [a, b]}", "values: {kynd: [a]}"), ("values type", "values: {kind: [a, b]}", "values: {kind: a}"),
    ):  # fmt: skip
        assert old in CATALOGUE, old
        yield _put(f"catalogue {name}", CATALOGUE.replace(old, new, 1), file="catalogue.yaml")
    for text in ("", "[]", "x", "{}", "holidays:", "holidays: []", "holidays: {2020-02-30: x}", "holidays: {x: y}", "holidays: {2020-01-01: }", "holiday: {}",
                 "holidays: {2020-01-01: {a: b}}", "zone: Mars\nholidays: {}", "\0", "holidays: {20200101: x}", "holidays: {2020-1-1: x}"):  # fmt: skip
        yield _put(f"calendar {text!r}", text, file="calendars/here.yaml")
    for text in ("", "[]", "{}", "x", "- x", "- {}", "- {name: a, policy: trial, events: [], checks: []}", "\0", "- {name: 1}", "[" * 100):
        yield _put(f"tests {text[:60]!r}", text, file="tests/t.yaml")
    for old, new in (
        ("type: thing.begun", "type: thing.begn"),
        ("R1: not", "R9: not"),
        ("program: home", "programme: home"),
        ("2020-03-02", "2020-02-30"),
    ):
        yield _put(f"tests with {new}", TESTS.replace(old, new), file="tests/t.yaml")


def _noise() -> Iterator[Hostile]:
    """The good policy with a few characters changed at random."""
    letters = "{}[]:,&*!|>'\"%@`#-? \n\t~$\u00a0\u2028\u00e9x0"
    for seed in range(40):
        chance = random.Random(1000 + seed)
        text = list(POLICY)
        for _ in range(1 + seed % 6):
            text[chance.randrange(len(text))] = chance.choice(letters)
        yield _put(f"noise {seed}", "".join(text), refused=False)
