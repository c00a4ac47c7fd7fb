"""`python -m bench.rehearsal make|traffic|again|compare`: made-up traffic for an installation that runs, and the comparison afterwards.

`docs/how-to/rehearse.md` walks through it.  Nothing here starts or ends a process: an operator breaks the installation meanwhile.

1. ``make``: events of made-up families as two files: what is on record beforehand (`duecare events import`), and what is sent.
2. ``traffic``: sends and reads on a clock, with a key and as a person; writes down each event that was accepted, and sends again what was
   not answered, as client systems do.  Tells each minute what was answered, how long it took, and what /metrics says.  Begun again, it
   goes on with what has not been accepted yet.
3. ``again``: sends again what was accepted from an instant on, as after a restore.
4. ``compare``: holds the database (``DATABASE_URL``) against what was accepted, and a sample of cases against `duecare check`.

Imports service.demo; secrets come from the environment (``REHEARSAL_KEY``, ``REHEARSAL_METRICS_KEY``, ``REHEARSAL_PASSWORD``).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from service.demo import population

Event = dict[str, Any]
BATCH = "application/cloudevents-batch+json"
MIX = (("event", 45), ("batch", 3), ("breaches", 12), ("case", 12), ("verdicts", 6), ("due", 6), ("page", 16))
"""What is asked, of 100 requests.  A batch brings 20 events."""
PAGES = ("/", "/breaches", "/due-soon", "/cases", "/statistics")
TOLD = ("duecare_dirty_cases", "duecare_dirty_oldest_seconds", "duecare_outbox_waiting", "duecare_quarantined_cases")
FIELDS = ("verdict", "reason", "severity", "status", "activated_on", "due_on", "satisfied_on", "days_late", "team", "office")


def make(folder: Path, families: int, sent: int) -> int:
    """Two files in ``folder``: before.jsonl, and during.jsonl with the ``sent`` events that were recorded last."""
    events = list(population(until=dt.datetime.now(dt.UTC), families=families))
    for name, part in (("before", events[:-sent]), ("during", events[-sent:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(event) + "\n" for event in part), "utf-8")
        print(f"{name}.jsonl holds {len(part):,} events")
    return 0


class Traffic:
    """Requests by a seeded choice.  What was not answered waits in ``unsent`` and goes first, until it is."""

    def __init__(self, base: str, events: Sequence[Event], cases: Sequence[str], kept: Path) -> None:
        self._base, self._kept = base, kept.open("a", encoding="utf-8")
        self._unsent, self._cases, self._luck = deque(events), list(cases), random.Random(7)
        self.accepted = 0
        self.answers, self.took = Counter[str](), list[float]()

    async def run(self, rate: float, minutes: float) -> None:
        """Send ``rate`` requests a second; a line a minute tells what came back."""
        headers = {"Authorization": f"Bearer {os.environ['REHEARSAL_KEY']}"}
        async with (
            httpx.AsyncClient(base_url=self._base, headers=headers, timeout=30) as api,
            httpx.AsyncClient(base_url=self._base, timeout=30) as person,
        ):
            await self._sign_in(person)
            began, tasks, number = time.perf_counter(), set[asyncio.Task[None]](), 0
            while (due := began + number / rate) < began + 60 * minutes:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                task = asyncio.create_task(self._one(due, api, person))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
                if number % round(60 * rate) == 0:
                    await self._tell(api)
            await asyncio.gather(*tasks)
            await self._tell(api)

    async def _sign_in(self, person: httpx.AsyncClient) -> None:
        [token] = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', (await person.get("/sign-in")).text)[:1]
        form = {"csrf_token": token, "name": "rehearsal", "password": os.environ["REHEARSAL_PASSWORD"]}
        if (await person.post("/sign-in", data=form)).status_code not in (302, 303):
            raise SystemExit("the account rehearsal cannot sign in with REHEARSAL_PASSWORD")

    async def _one(self, due: float, api: httpx.AsyncClient, person: httpx.AsyncClient) -> None:
        [kind] = self._luck.choices([name for name, _ in MIX], [weight for _, weight in MIX])
        case = self._luck.choice(self._cases)
        try:
            match kind:
                case "event" | "batch":
                    answer = await self._send(api, 1 if kind == "event" else 20)
                case "page":
                    answer = await person.get(self._luck.choice(PAGES))
                case "breaches" | "due":
                    answer = await api.get("/v1/breaches?condition=open&limit=50" if kind == "breaches" else "/v1/due-soon?limit=50")
                case _:
                    answer = await api.get(f"/v1/cases/{case}" + ("/verdicts" if kind == "verdicts" else ""))
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
        else:
            self.answers[str(answer.status_code)] += 1
        self.took.append(time.perf_counter() - due)

    async def _send(self, api: httpx.AsyncClient, many: int) -> httpx.Response:
        events = [self._unsent.popleft() for _ in range(min(many, len(self._unsent)))]
        try:
            answer = await api.post("/v1/events", content=json.dumps(events), headers={"Content-Type": BATCH})
        except httpx.TransportError:
            self._unsent.extendleft(reversed(events))
            raise
        if answer.status_code != 202:
            self._unsent.extendleft(reversed(events))
            return answer
        for event, result in zip(events, answer.json()["results"], strict=True):
            self.answers[result["status"]] += 1
            if result["status"] in ("accepted", "duplicate"):
                self._kept.write(json.dumps({"at": dt.datetime.now(dt.UTC).isoformat(), "event": event}) + "\n")
                self.accepted += 1
        self._kept.flush()
        return answer

    async def _tell(self, api: httpx.AsyncClient) -> None:
        try:
            key = {"Authorization": f"Bearer {os.environ['REHEARSAL_METRICS_KEY']}"}
            lines = (await api.get("/metrics", headers=key)).text.splitlines()
            said = {name: value for name, _, value in (line.partition(" ") for line in lines) if name in TOLD}
        except httpx.TransportError as error:
            said = {"metrics": type(error).__name__}
        took = sorted(self.took) or [0.0]
        answers = " ".join(f"{code}:{number}" for code, number in sorted(self.answers.items()))
        figures = " ".join(f"{name.removeprefix('duecare_')}={value}" for name, value in said.items())
        p50, p99 = (1000 * took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
        print(
            f"{dt.datetime.now(dt.UTC):%H:%M:%S}  p50 {p50:.0f} ms p99 {p99:.0f} ms  {answers}  {figures}  accepted {self.accepted}",
            flush=True,
        )
        self.answers, self.took = Counter(), []


def again(base: str, kept: Path, since: str) -> int:
    """Send what was accepted at ``since`` or later again, a thousand at a time, and tell what became of it."""
    results, events = Counter[str](), [line["event"] for line in _lines(kept) if line["at"] >= since]
    with httpx.Client(base_url=base, timeout=60, headers={"Authorization": f"Bearer {os.environ['REHEARSAL_KEY']}"}) as api:
        for start in range(0, len(events), 1000):
            answer = api.post("/v1/events", content=json.dumps(events[start : start + 1000]), headers={"Content-Type": BATCH})
            results.update(result["status"] for result in answer.raise_for_status().json()["results"])
    print(f"{len(events)} events sent again: {dict(results)}")
    return 0


def compare(kept: Path, before: Path, sample: int, without: frozenset[str]) -> int:
    """Whether every accepted event is there and judged, no breach is there twice, and a sample has the verdicts of `duecare check`.

    What is out of a rule's scope is not stored.  ``without``: rules whose numbers were changed meanwhile, of which `check` knows nothing.
    """
    accepted, earlier = [line["event"] for line in _lines(kept)], _lines(before)
    with psycopg.connect(os.environ["DATABASE_URL"].replace("+psycopg", "")) as store:
        stored = {(row[0], row[1]) for row in store.execute("SELECT source, id FROM event")}
        waiting, unjudged, stale, double, faults = (_count(store, query) for query in QUERIES)
        lost = sum((event["source"], event["id"]) not in stored for event in accepted if event["type"] != "source.heartbeat")
        cases = sorted({event["subject"] for event in accepted if event["subject"] != "-"})
        chosen = random.Random(3).sample(cases, min(sample, len(cases)))
        told = store.execute(
            f"SELECT case_id, episode, policy, rule, obligation, {', '.join(FIELDS)} FROM verdict WHERE case_id = ANY(%s)", [chosen]
        )
        ours = {tuple(map(str, row[:5])): [_plain(value) for value in row[5:]] for row in told}
    checked = _checked([*earlier, *accepted], chosen)
    differ = {
        key: (ours.get(key), checked.get(key))
        for key in ours.keys() | checked.keys()
        if key[3] not in without and ours.get(key) != checked.get(key)
    }
    print(f"{len(accepted):,} events accepted: {lost} not in the store")
    print(f"{unjudged} cases never judged, {stale} with later events, {waiting} waiting, {faults} set aside; {double} breaches there twice")
    print(f"{len(chosen)} cases held against check: {len(differ)} of {len(checked):,} verdicts differ")
    for key, (kept_there, said) in sorted(differ.items())[:10]:
        print(f"  {' '.join(key)}: stored {kept_there}, check says {said}")
    return 1 if lost or unjudged or stale or waiting or double or faults or differ else 0


QUERIES = (
    "SELECT count(*) FROM dirty WHERE NOT quarantined",
    "SELECT count(DISTINCT event.case_id) FROM event LEFT JOIN case_state USING (case_id) WHERE case_state.case_id IS NULL",
    (
        "SELECT count(*) FROM (SELECT case_id, max(position) AS last FROM event GROUP BY case_id) AS newest"
        " JOIN case_state USING (case_id) WHERE case_state.position < last"
    ),
    "SELECT count(*) - count(DISTINCT (case_id, episode, policy, rule, obligation)) FROM breach",
    "SELECT count(*) FROM dirty WHERE quarantined",
)
"""What must be 0: cases that wait, were never judged, have later events; breaches that are there twice; cases set aside."""


def _checked(events: Sequence[Event], cases: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """What `duecare check` says now of ``cases``; those that name one another are judged together, so all events are given."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "events.jsonl")
        file.write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")
        now = dt.datetime.now(dt.UTC).isoformat()
        words = [str(Path(sys.executable).with_name("duecare")), "check", "--as-of", now, "--format", "json", str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    wanted = set(cases)
    return {
        tuple(str(one[name]) for name in ("case", "episode", "policy", "rule", "obligation")): [_plain(one[name]) for name in FIELDS]
        for one in json.loads(done.stdout)
        if one["case"] in wanted and one["reason"] != "out_of_scope"
    }


def _count(store: psycopg.Connection[Any], query: LiteralString) -> int:
    row = store.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "traffic", "again", "compare"])
    parser.add_argument("--folder", type=Path, default=Path(), help="where before.jsonl, during.jsonl and accepted.jsonl are")
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="address of the installation")
    parser.add_argument("--families", type=int, default=600, help="make: of how many families there are events")
    parser.add_argument("--sent", type=int, default=8_000, help="make: how many of the events are sent, not imported")
    parser.add_argument("--rate", type=float, default=2.0, help="traffic: requests a second")
    parser.add_argument("--minutes", type=float, default=60.0, help="traffic: how long")
    parser.add_argument("--since", default="", help="again: from which instant on (UTC, as in 2026-05-01T02:15)")
    parser.add_argument("--sample", type=int, default=50, help="compare: how many cases are held against check")
    parser.add_argument("--without", action="append", default=[], metavar="RULE", help="compare: a rule to leave out (again for more)")
    given = parser.parse_args(arguments)
    before, during, kept = (given.folder / f"{name}.jsonl" for name in ("before", "during", "accepted"))
    if given.what == "make":
        return make(given.folder, given.families, given.sent)
    if given.what == "again":
        return again(given.base, kept, given.since)
    if given.what == "compare":
        return compare(kept, before, given.sample, frozenset(given.without))
    done = {line["event"]["id"] + line["event"]["source"] for line in (_lines(kept) if kept.exists() else [])}
    events = [event for event in _lines(during) if event["id"] + event["source"] not in done]
    cases = sorted({event["subject"] for event in _lines(before) if event["subject"] != "-"})
    asyncio.run(Traffic(given.base, events, cases, kept).run(given.rate, given.minutes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
