"""A whole made-up agency: families of both programs over two years.  Imports the demo's own modules only.

``population`` is pure: the same seed, size and end give the same events, byte for byte.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace

from service.demo import cfss, strengthening
from service.demo.flaws import FLAWS, QUIET_TURN, RETURN_TURN, TURNS, Flaw
from service.demo.journal import CLIENT, OUTREACH, PARTNER, CloudEvent, Journal, workday
from service.demo.people import CFSS, STRENGTHENING, ZONES, Family, family, grown

DEFAULT_SEED = 20
DEFAULT_FAMILIES = 320
SPAN = 730
"""Days before the end in which referrals arrive."""
QUIET = dt.timedelta(days=24)
"""How long before the end the outreach app was last heard of."""

RETURNS = 4
"""How many families come back after their case was closed."""
LARGE_TURN, MERGED_TURN = "large", "merged"

_DAY = dt.timedelta(days=1)


def population(*, until: dt.datetime, seed: int = DEFAULT_SEED, families: int = DEFAULT_FAMILIES) -> Iterator[CloudEvent]:
    """CloudEvents of made-up cases up to ``until`` (aware), ordered by when they were recorded.

    What would happen or be recorded after ``until`` is left out, so every case stands where it stands on that day.
    """
    if until.tzinfo is None:
        raise ValueError("until needs a zone")
    events: list[CloudEvent] = []
    for member in households(until=until, seed=seed, families=families):
        for journal in _journals(member, seed):
            events.extend(event for event in journal.events if _known(event, until))
    events.extend(_heartbeats(until))
    events.sort(key=lambda event: (_instant(event["recordedtime"]), event["source"], event["id"]))
    return iter(events)


def households(*, until: dt.datetime, seed: int = DEFAULT_SEED, families: int = DEFAULT_FAMILIES) -> list[Family]:
    """The families behind a population: three in five in CFSS; about one in four with something wrong on purpose."""
    rng = _generator("families", seed)
    today = until.astimezone(ZONES[CFSS]).date()
    members = [
        family(number, rng=rng, program=CFSS if number % 5 in (0, 1, 3) else STRENGTHENING, until=today, span=SPAN)
        for number in range(1, families + 1)
    ]
    wanted = max(families // 4, min(len(FLAWS), families))
    for index in range(wanted):
        _deal(members, FLAWS[index % len(FLAWS)], today, rng)
    plain = [index for index, member in enumerate(members) if not member.flaw]
    for number, index in enumerate(plain[::4]):
        members[index] = replace(members[index], turn=TURNS[number % len(TURNS)])
        if members[index].turn == LARGE_TURN:
            members[index] = grown(members[index])
    for index in [at for at in plain if _may_return(members[at], today)][:RETURNS]:
        members[index] = replace(members[index], turn=RETURN_TURN)
    for index in plain:
        if members[index].program == CFSS and 45 <= (today - members[index].begins).days <= 95:
            members[index] = replace(members[index], turn=QUIET_TURN if index % 3 else "")
    return members


def _may_return(member: Family, today: dt.date) -> bool:
    whole = member.program == CFSS and not member.turn and member.ending == "other"
    return whole and (today - member.begins).days > member.lasts + 160


def _deal(members: list[Family], flaw: Flaw, today: dt.date, rng: random.Random) -> None:
    """Gives the flaw to a family in which it can show by today; where there is none left, to nobody."""
    fitting = [index for index, member in enumerate(members) if not member.flaw and _can_show(member, flaw, today)]
    if fitting:
        index = rng.choice(fitting)
        members[index] = replace(members[index], flaw=flaw.name)


def _can_show(member: Family, flaw: Flaw, today: dt.date) -> bool:
    age = (today - member.begins).days
    if flaw.program not in (None, member.program):
        return False
    if flaw.days is None:
        whole = member.ending in ("safety_achieved", "other")
        return whole and age > member.lasts + 25
    return age > flaw.days + 10 and member.lasts > flaw.days + 40


def _journals(member: Family, seed: int) -> list[Journal]:
    rng = _generator("story", seed, member.number)
    journal = Journal(case=member.case, zone=member.zone, rng=rng)
    if member.program == CFSS:
        cfss.tell(member, journal)
        return [journal, *doubled(member, seed)]
    protection = Journal(case=f"{member.case}-cp", zone=member.zone, rng=_generator("protection", seed, member.number))
    strengthening.tell(member, journal, protection)
    return [journal, protection, *doubled(member, seed)]


def doubled(member: Family, seed: int) -> list[Journal]:
    """Where a family was taken down twice: the other case, which is merged into its own once somebody noticed."""
    if member.turn != MERGED_TURN:
        return []
    other = Journal(case=f"{member.case}-b", zone=member.zone, rng=_generator("double", seed, member.number), source=PARTNER)
    referred = {"source": "school", "reason": "isolation", "children": list(member.children[:1]), "received_by": "pathways"}
    other.note("referral.received", member.begins + _DAY, referred)
    tried = {"status": "attempted", "mode": "in_person", "seen": [], "topics": [], "covers": [], "performer": member.practitioner}
    other.note("visit.held", workday(member.begins + 2 * _DAY), tried)
    other.note("case.merged", workday(member.begins + 45 * _DAY), {"into": member.case})
    return [other]


def _heartbeats(until: dt.datetime) -> Iterator[CloudEvent]:
    """One a night from each system that sends them, and one at the end: none has gone quiet then but the outreach app, weeks before."""
    zone = ZONES[CFSS]
    end = until.astimezone(zone).replace(microsecond=0)
    last = end.replace(hour=2, minute=0, second=0)
    nights = [last - back * _DAY for back in range(SPAN + 30, -1, -1)]
    for source, stops in ((CLIENT, end), (PARTNER, end), (OUTREACH, end - QUIET)):
        told = [night for night in nights if night < stops]
        for night in told if source == OUTREACH else [*told, end]:
            yield {
                "specversion": "1.0",
                "id": f"demo-heartbeat-{night:%Y-%m-%d-%H%M}",
                "source": source,
                "type": "source.heartbeat",
                "subject": "-",
                "time": night.isoformat(),
                "recordedtime": night.isoformat(),
                "datacontenttype": "application/json",
                "data": {"complete_until": night.isoformat()},
            }


def _known(event: CloudEvent, until: dt.datetime) -> bool:
    stops = until - QUIET if event["source"] == OUTREACH else until
    return _instant(event["time"]) <= until and _instant(event["recordedtime"]) <= stops


def _generator(*parts: str | int) -> random.Random:
    return random.Random(" ".join(map(str, parts)))  # noqa: S311 (made-up data; nothing rests on its being unguessable)


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
