"""Looks whether what was sealed is still as it was, and names what is not.  Imports store.sealed, store.seals,
store.removals and store.breaches.

A line that was changed, taken away, put in or exchanged with another no longer agrees with its seal, unless the certificate of a
removal names exactly that line and what became of it; a seal that was made to agree no
longer agrees with the seals after it, nor with those that somebody keeps elsewhere.  Lines that have no seal yet are looked at as far
as histories go, which carry a chain of their own within each breach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from store import removals
from store.breaches import altered_lines
from store.sealed import NAMED, NUMBERED, WORDS
from store.seals import FIRST_HASH, Seal, lines_of, root_of, with_lines

MOST_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was.  ``what``: changed, missing, added or moved; ``line``: a number or name, None for a seal."""

    what: str
    kind: str
    line: str | None
    seal: int | None
    words: str


@dataclass(slots=True)
class Check:
    """What a look at the whole store came to.  ``flaws`` holds the first ``MOST_TOLD``; ``count`` is of all."""

    seals: int = 0
    last: Seal | None = None
    sealed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))
    """Lines that were compared with their seal, by kind."""
    unsealed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))
    removed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))
    """Sealed lines that are gone or changed as a certificate says, by kind."""
    certificates: int = 0
    """Certificates of removals that are as they were made."""
    held: int = 0
    """Seals kept elsewhere that were found again here."""
    count: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    def tell(self, flaw: Flaw) -> None:
        """Note a flaw."""
        self.count += 1
        if len(self.flaws) < MOST_TOLD:
            self.flaws.append(flaw)


def check(session: Session, held: Mapping[int, Seal] | None = None, *, secret: bytes | None = None) -> Check:
    """Looks at every seal and every line.  ``held``: seals that somebody has kept elsewhere, by number.  Wants one snapshot.

    ``secret``: of this installation, by which certificates of removals are told from made-up ones.
    """
    found = Check()
    good = _certificates(session, found, secret)
    here = {name: _Table(session, found, name, kind.lines(session, after=0), good) for name, kind in NUMBERED.items()}
    named: dict[str, dict[str, tuple[str, int]]] = {name: {} for name in NAMED}
    missing = dict(held or {})
    before = FIRST_HASH
    for seal, lines in with_lines(session):
        _look_at(found, seal, lines, before)
        kept = missing.pop(seal.number, None)
        if kept is not None:
            found.held += 1
            if kept != seal:
                found.tell(_of_seal("changed", seal.number, "is not the seal of this number that was kept elsewhere"))
        before, found.last, found.seals = seal.hash, seal, found.seals + 1
        if seal.kind in here:
            here[seal.kind].compare(seal, {int(name): digest for digest, name in lines_of(lines) if name.isdecimal()})
        elif seal.kind in named:
            for digest, name in lines_of(lines):
                named[seal.kind].setdefault(name, (digest, seal.number))
    for number in sorted(missing):
        found.tell(_of_seal("missing", number, "was kept elsewhere and is not here"))
    for name, lines_named in named.items():
        _compare_named(session, found, name, lines_named, good)
    for table in here.values():
        table.rest()
    _own_chain(session, found, here["breach_history"].reached)
    return found


class _Table:
    """The lines of a numbered kind, gone through beside its seals."""

    def __init__(self, session: Session, found: Check, name: str, lines: Iterator[tuple[int, str]], good: Collection[str]) -> None:
        self._session = session
        self._good = good
        self._runs = removals.runs(session, name, good=good) if good else []
        self._found = found
        self._name = name
        self._lines = lines
        self._next = next(lines, None)
        self.reached = 0

    def compare(self, seal: Seal, sealed: Mapping[int, str]) -> None:
        after, upto = seal.after or 0, seal.upto or 0
        if after != self.reached:
            self._found.tell(
                _of_seal("moved", seal.number, f"begins after line {after:,}; the one before ended with line {self.reached:,}")
            )
        list(self._until(after))  # what a seal that is gone was over
        there = dict(self._until(upto))
        self.reached = max(self.reached, upto)
        self._found.sealed[self._name] += len(sealed)
        lines_by_digest = {digest: number for number, digest in sealed.items()}
        certified = self._certified(sealed, there, after, upto)
        self._found.removed[self._name] += len(certified)
        for number in sorted((sealed.keys() | there.keys()) - certified):
            if number not in there:
                self._tell("missing", number, seal, "was sealed and is gone")
            elif number not in sealed:
                self._tell("added", number, seal, "was put in after the lines around it were sealed")
            elif there[number] != sealed[number]:
                other = lines_by_digest.get(there[number])
                if other is None:
                    self._tell("changed", number, seal, "is not what was sealed")
                else:
                    self._tell("moved", number, seal, f"holds what line {other:,} held when it was sealed")

    def _certified(self, sealed: Mapping[int, str], there: Mapping[int, str], after: int, upto: int) -> set[int]:
        """The lines that are gone or changed exactly as certificates say."""
        differing = [number for number, digest in sealed.items() if there.get(number) != digest]
        if not differing or not self._good:
            return set()
        steps = removals.steps(self._session, self._name, after=after, upto=upto, good=self._good)
        return {
            number
            for number in differing
            if removals.followed(sealed[number], steps.get(number, ())) == there.get(number)
            or (number not in there and any(first <= number <= last for first, last in self._runs))
        }

    def rest(self) -> None:
        for _ in self._until(None):
            self._found.unsealed[self._name] += 1

    def _until(self, upto: int | None) -> Iterator[tuple[int, str]]:
        while self._next is not None and (upto is None or self._next[0] <= upto):
            yield self._next
            self._next = next(self._lines, None)

    def _tell(self, what: str, number: int, seal: Seal, words: str) -> None:
        line = f"Line {number:,} of {self._name} {words} (seal {seal.number:,})."
        self._found.tell(Flaw(what, self._name, str(number), seal.number, line))


def _look_at(found: Check, seal: Seal, lines: str, before: str) -> None:
    expected = 1 if found.last is None else found.last.number + 1
    if seal.number != expected:
        gone = f"{expected:,}" if seal.number == expected + 1 else f"{expected:,} to {seal.number - 1:,}"
        found.tell(Flaw("missing", "seal", None, expected, f"Seal {gone} is missing."))
    elif seal.prev_hash != before:
        found.tell(_of_seal("changed", seal.number, "does not follow the one before: one of them was exchanged"))
    if not seal.fits() or root_of(lines) != seal.root or seal.rows != lines.count("\n") + 1 or seal.kind not in WORDS:
        found.tell(_of_seal("changed", seal.number, "is not as it was made"))


def _certificates(session: Session, found: Check, secret: bytes | None) -> set[str]:
    """The removals whose record is as it was made."""
    good: set[str] = set()
    before: str | None = None
    while some := removals.listed(session, before=before):
        for one in some:
            words = removals.flaw_of(session, one, secret)
            if words is None:
                good.add(one.id)
            else:
                found.tell(Flaw("changed", "removal", one.id, None, f"The certificate of removal {one.id} does not hold: {words}."))
        before = some[-1].id
    found.certificates = len(good)
    return good


def _compare_named(session: Session, found: Check, kind: str, sealed: Mapping[str, tuple[str, int]], good: Collection[str]) -> None:
    there = NAMED[kind].digests(session, sorted(sealed))
    found.sealed[kind] = len(sealed)
    steps = removals.steps_named(session, kind, good=good) if good else {}
    for name, (digest, seal) in sealed.items():
        if there.get(name) != digest and removals.followed(digest, steps.get(name, ())) == there.get(name):
            found.removed[kind] += 1
        elif name not in there:
            found.tell(Flaw("missing", kind, name, seal, f"The {WORDS[kind]} {name} was sealed and is gone (seal {seal:,})."))
        elif there[name] != digest:
            found.tell(Flaw("changed", kind, name, seal, f"The {WORDS[kind]} {name} is not what was sealed (seal {seal:,})."))
    found.unsealed[kind] = len(set(NAMED[kind].names(session)) - sealed.keys())


def _own_chain(session: Session, found: Check, after: int) -> None:
    """Histories are chained within each breach, too: that tells of lines that have no seal yet."""
    further: int | None = after
    while further is not None:
        wrong, further = altered_lines(session, after=further)
        for number in wrong:
            words = f"Line {number:,} of breach_history does not follow its breach's line before: one of them was changed or is gone."
            found.tell(Flaw("changed", "breach_history", str(number), None, words))


def _of_seal(what: str, number: int, words: str) -> Flaw:
    return Flaw(what, "seal", None, number, f"Seal {number:,} {words}.")
