"""Others are told: at least once, in order, signed, by one sender at a time; and what they never take can be seen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from email import message_from_string
from pathlib import Path

import pytest
from sqlalchemy import select

from service import users
from service.access import Access
from service.errors import Forbidden, NotFound
from service.notify import passing, sending, upkeep
from service.notify.sending import LEASE_MS, PAUSES, send_due
from service.notify.webhook import NotTaken
from service.signatures import verify
from service.standing import troubles
from store import notices, outbox
from store.models import NoticeRow
from store.outbox import Message
from tests.support.notifying import PASSWORD, SECRET, USER, MailServer, webhook, write
from tests.support.service_kit import kit, three_visits
from tests.support.webworld import Authority, Say, Site

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place():
    with Site() as site:
        yield site


@pytest.fixture
def house(store_url, tmp_path, monkeypatch, place):
    monkeypatch.setenv("NOTIFY_SECRET", SECRET)
    path = tmp_path / "notify.yaml"
    write(path, webhooks=[webhook(place.base + "hook?for=us")])
    with kit(store_url, tmp_path, now="2026-03-24T09:00", notify=path) as made:
        yield made


def owe(house, *messages: tuple[str, str], topic: str = "breach.opened", **told: str) -> None:
    """Messages by (id, case), in order."""
    now = house.clock.ms
    with house.svc.writing() as session:
        body = {"at": "2026-03-24T00:00:00Z", "breach": {"rule": "C08", "team": "north", **told}}
        outbox.put(session, [Message(one, topic, case, body, now) for one, case in messages], now=now)


def states(house) -> dict[str, str]:
    with house.svc.reading() as session:
        return {row.message_id: row.state for row in session.execute(select(NoticeRow.message_id, NoticeRow.state).order_by(NoticeRow.id))}


def ids(place) -> list[str]:
    return [ask.headers["webhook-id"] for ask in place.asked]


def test_a_breach_that_opens_is_told_with_a_signature_that_holds(house, place):
    house.take(*three_visits())
    house.settle()
    house.sweeper.sweep()
    send_due(house.svc, "partner")
    (ask,) = (one for one in place.asked if json.loads(one.body)["type"] == "breach.opened" and b"C08" in one.body)
    assert (ask.method, ask.path, ask.params) == ("POST", "/hook", {"for": "us"})
    message = verify(SECRET, ask.headers, ask.body, now=house.clock.ms, tolerance=60)
    body = json.loads(ask.body)
    assert set(body) == {"type", "timestamp", "data"}
    assert body["data"]["breach"]["case"] == "k1"
    assert states(house)[message] == "sent"
    assert not {"worker", "name", "narrative", "explanation"} & set(body["data"]["breach"])


def test_a_sender_that_dies_between_sending_and_marking_sends_again_with_the_same_id(house, place, monkeypatch):
    owe(house, ("m1", "k1"), ("m2", "k1"))
    passing.pass_on(house.svc)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(notices, "arrived", die)
        broken.setattr(notices, "end", die)  # nor does it give its turn back
        with pytest.raises(SystemExit):
            send_due(house.svc, "partner")
    assert send_due(house.svc, "partner") is None, "the lease of the dead one still runs"
    house.clock.advance(milliseconds=LEASE_MS)
    send_due(house.svc, "partner")
    assert ids(place) == ["m1", "m1", "m2"]


DYING = """
import os, signal, sys
from pathlib import Path
from service.bootstrap import build
from service.notify.sending import send_due
from service.settings import Settings
from store import notices

url, home, now, dies = sys.argv[1:]
if dies == "dies":
    notices.arrived = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
svc = build(Settings(home=Path(home), database_url=url, notify=Path(home) / "notify.yaml"), now=lambda: int(now))
send_due(svc, "partner")
"""


def test_a_process_that_is_killed_between_sending_and_marking_loses_nothing(house, place, store_url, tmp_path):
    owe(house, ("m1", "k1"), ("m2", "k1"))
    passing.pass_on(house.svc)

    def another_process(how: str) -> int:
        given = [store_url, str(tmp_path), str(house.clock.ms), how]
        return subprocess.run([sys.executable, "-c", DYING, *given], cwd=ROOT, check=False, timeout=150).returncode

    assert another_process("dies") == -signal.SIGKILL
    assert states(house)["m1"] == "waiting"
    house.clock.advance(milliseconds=LEASE_MS)
    assert another_process("lives") == 0
    assert ids(place) == ["m1", "m1", "m2"]
    assert set(states(house).values()) == {"sent"}


def test_what_follows_in_the_same_case_waits_while_other_cases_go_on(house, place):
    owe(house, ("m1", "k1"), ("m2", "k2"), ("m3", "k1"), ("m4", "k2"))
    place.answer = lambda ask: Say({}, status=422 if ask.headers["webhook-id"] == "m1" else 204)
    passing.pass_on(house.svc)
    send_due(house.svc, "partner")
    assert ids(place) == ["m1", "m2", "m4"]
    place.answer = lambda _: Say({})
    house.clock.advance(seconds=PAUSES[0] * 1.2)
    send_due(house.svc, "partner")
    assert ids(place)[3:] == ["m1", "m3"]


def test_one_that_is_never_taken_is_given_up_seen_and_sent_again_or_dismissed(house, place):
    owe(house, ("m1", "k1"), ("m2", "k1"))
    place.answer = lambda ask: Say({}, status=422 if ask.headers["webhook-id"] == "m1" else 200)
    passing.pass_on(house.svc)
    for pause in (*PAUSES, 0):
        send_due(house.svc, "partner")
        house.clock.advance(seconds=pause * 1.2)
    assert ids(place) == ["m1"] * (len(PAUSES) + 1) + ["m2"]
    assert states(house) == {"m1": "dead", "m2": "sent"}
    assert b'duecare_notices_dead{receiver="partner"} 1.0' in house.svc.metrics.text()
    assert [one.code for one in troubles(house.svc)].count("dead_notices") == 1
    (dead,) = upkeep.overview(house.svc).dead
    assert (dead.attempts, dead.last_error) == (len(PAUSES) + 1, "it answers 422")
    assert upkeep.retry(house.svc, number=dead.id) == 1
    place.answer = lambda _: Say({})
    send_due(house.svc, "partner")
    assert states(house)["m1"] == "sent"
    with pytest.raises(NotFound):
        upkeep.dismiss(house.svc, number=dead.id)


def test_a_receiver_that_wants_no_more_is_not_asked_again(house, place):
    owe(house, ("m1", "k1"))
    place.answer = lambda _: Say({}, status=410)
    passing.pass_on(house.svc)
    send_due(house.svc, "partner")
    assert states(house) == {"m1": "dead"}
    assert upkeep.dismiss(house.svc, receiver="partner") == 1
    assert states(house) == {"m1": "dismissed"}


@pytest.mark.parametrize("answer", [Say({}, status=503, headers={"Retry-After": "120"}), Say({}, status=500)])
def test_a_receiver_that_does_not_answer_is_left_alone_for_a_while(house, place, answer):
    owe(house, ("m1", "k1"), ("m2", "k2"))
    place.answer = lambda _: answer
    passing.pass_on(house.svc)
    send_due(house.svc, "partner")
    assert len(place.asked) == 1
    assert send_due(house.svc, "partner") is None
    house.clock.advance(seconds=121)
    place.answer = lambda _: Say({})
    send_due(house.svc, "partner")
    assert sorted(ids(place)[1:]) == ["m1", "m2"] if answer.status == 503 else ids(place)[1:] == ["m2", "m1"]


def test_when_a_receiver_is_back_after_a_long_time_all_that_waits_goes_out_at_once(house, place):
    owe(house, ("m1", "k1"), ("m2", "k1"), ("m3", "k2"))
    place.answer = lambda _: Say({}, status=500)
    passing.pass_on(house.svc)
    for _ in range(12):
        send_due(house.svc, "partner")
        house.clock.advance(minutes=16)
    place.answer = lambda _: Say({})
    place.asked.clear()
    send_due(house.svc, "partner")
    assert sorted(ids(place)) == ["m1", "m2", "m3"]
    assert ids(place).index("m1") < ids(place).index("m2")


def test_what_a_receiver_that_is_away_for_days_did_not_take_is_given_up(house, place):
    owe(house, ("m1", "k1"))
    place.answer = lambda _: Say({}, status=500)
    passing.pass_on(house.svc)
    for _ in range(5):
        send_due(house.svc, "partner")
        assert states(house) == {"m1": "waiting"}
        house.clock.advance(hours=16)
    send_due(house.svc, "partner")
    assert states(house) == {"m1": "dead"}


def test_one_message_that_a_receiver_stumbles_over_holds_up_no_other_case_and_is_given_up(house, place):
    owe(house, ("m1", "k1"))
    place.answer = lambda ask: Say({}, status=500 if ask.headers["webhook-id"] == "m1" else 200)
    for number in range(5):
        owe(house, (f"n{number}", f"k{number + 2}"))
        passing.pass_on(house.svc)
        send_due(house.svc, "partner")
        house.clock.advance(seconds=20)
        send_due(house.svc, "partner")
        assert states(house)[f"n{number}"] == "sent"
        house.clock.advance(hours=20)
    assert states(house)["m1"] == "dead"


def test_a_redirect_is_not_followed(house, place):
    place.answer = lambda _: Say({}, status=307, headers={"Location": "/elsewhere"})
    with pytest.raises(NotTaken, match="redirect, which is not followed"):
        sending.try_out(house.svc, "partner")
    assert [ask.path for ask in place.asked] == ["/hook"]


def test_a_private_address_is_refused_unless_the_file_allows_it(house, place, tmp_path):
    url = place.base.replace("http:", "https:")
    write(tmp_path / "notify.yaml", webhooks=[webhook(url, allow_private=False)])
    with pytest.raises(NotTaken, match="private network"):
        sending.try_out(house.svc, "partner")
    assert place.asked == []


def test_each_is_told_what_they_asked_for(house, place, tmp_path):
    write(
        tmp_path / "notify.yaml",
        webhooks=[
            webhook(place.base + "north", "north", teams=["north"], topics=["breach.opened"]),
            webhook(place.base + "all", "all", old_secret={"env": "NOTIFY_SECRET"}),
        ],
    )
    owe(house, ("m1", "k1"))
    owe(house, ("m2", "k2"), team="south")
    owe(house, ("m3", "k3"), topic="breach.remedied")
    passing.pass_on(house.svc)
    for name in ("north", "all"):
        send_due(house.svc, name)
    assert [(ask.path, ask.headers["webhook-id"]) for ask in place.asked] == [
        ("/north", "m1"), ("/all", "m1"), ("/all", "m2"), ("/all", "m3"),
    ]  # fmt: skip
    assert len(place.asked[1].headers["webhook-signature"].split()) == 2


def test_in_quiet_hours_it_waits(house, place, tmp_path):
    quiet = {"from": "19:00", "to": "07:30", "zone": "Australia/Adelaide", "days": ["sun"]}
    write(tmp_path / "notify.yaml", webhooks=[webhook(place.base, quiet=quiet)])
    owe(house, ("m1", "k1"))
    passing.pass_on(house.svc)
    for moment in ("2026-03-24T19:00", "2026-03-25T07:29", "2026-03-29T12:00"):
        house.clock.set(moment)
        assert send_due(house.svc, "partner") is None
    house.clock.set("2026-03-25T07:30")
    send_due(house.svc, "partner")
    assert ids(place) == ["m1"]


def test_after_a_back_load_one_message_stands_for_a_storm(house, place, tmp_path):
    write(tmp_path / "notify.yaml", webhooks=[webhook(place.base, collapse=10)])
    owe(house, *((f"m{number}", f"k{number}") for number in range(12)))
    passing.pass_on(house.svc)
    send_due(house.svc, "partner")
    (ask,) = place.asked
    body = json.loads(ask.body)
    assert (body["type"], body["data"]["messages"]) == ("breach.collapsed", 12)
    assert body["data"]["groups"] == [{"type": "breach.opened", "policy": "", "rule": "C08", "team": "north", "office": "", "number": 12}]
    assert set(states(house).values()) == {"collapsed", "sent"}


def test_what_nobody_wants_is_done_with(house, tmp_path):
    write(tmp_path / "notify.yaml", webhooks=[])
    owe(house, ("m1", "k1"))
    assert passing.pass_on(house.svc) == 1
    assert upkeep.overview(house.svc).owed == 0
    assert states(house) == {}


def test_a_file_with_faults_is_named_and_what_is_owed_waits(house, tmp_path):
    write(tmp_path / "notify.yaml", webhooks=[webhook("https://example.org/", secret="plain", colour="red")])
    owe(house, ("m1", "k1"))
    assert passing.pass_on(house.svc) == 0
    found = upkeep.overview(house.svc)
    assert found.owed == 1
    said = " ".join(fault.message for fault in found.faults)
    assert "webhooks.0.secret: is a secret" in said
    assert "webhooks.0.colour: is unknown here" in said
    assert "notify_faults" in [one.code for one in troubles(house.svc)]


def test_two_senders_at_once_are_one(house, place):
    owe(house, ("m1", "k1"))
    passing.pass_on(house.svc)
    with house.svc.writing() as session:
        assert notices.begin(session, "partner", now=house.clock.ms, lease_ms=1_000) is not None
    assert send_due(house.svc, "partner") is None
    assert place.asked == []


def test_the_sweeper_has_sent_what_waits_and_forgets_what_arrived_long_ago(house, place):
    hinted: list[str] = []
    house.svc.hints = type("Hints", (type(house.svc.hints),), {"notify": lambda _, name: hinted.append(name)})()
    owe(house, ("m1", "k1"))
    house.sweeper.sweep()
    assert hinted == ["partner"]
    send_due(house.svc, "partner")
    house.clock.advance(days=31)
    assert upkeep.tidy(house.svc) == 2
    assert states(house) == {}


def test_administrators_with_limits_do_not_look_after_messages(house):
    limited = Access("user:u", "u", scopes=frozenset({"users:admin"}), teams=frozenset({"north"}))
    for access in (limited, Access("user:v", "v", scopes=frozenset({"breaches:read"}))):
        with pytest.raises(Forbidden):
            upkeep.overview(house.svc, access)


# --- digests ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def mails(house, tmp_path):
    with MailServer() as server:
        write(
            tmp_path / "notify.yaml",
            pages="https://duecare.example.org",
            smtp={"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "duecare@example.org"},
            digests=[{"name": "leaders", "role": "team_leader", "when": "30 7 * * *", "zone": "Australia/Adelaide", "due_within": 30}],
        )
        yield server


def leader(house, name: str, team: str) -> None:
    users.create(house.svc, name=name, roles=["team_leader"], email=f"{name}@example.org", teams=[team])


def test_a_team_leader_gets_one_mail_with_the_numbers_of_their_team_and_nothing_of_a_case(house, mails):
    leader(house, "kim", "north")
    leader(house, "robin", "somewhere_else")
    house.clock.set("2026-03-23T15:00")
    house.sweeper.sweep()
    house.take(*(event for number in range(3) for event in three_visits(f"FAM-{number}")))
    house.settle()
    house.clock.set("2026-03-24T07:29")
    house.settle()
    house.sweeper.sweep()
    send_due(house.svc, "leaders")
    assert mails.mails == []
    house.clock.set("2026-03-24T07:30")
    house.sweeper.sweep()
    house.sweeper.sweep()
    send_due(house.svc, "leaders")
    ((sender, to, text),) = mails.mails
    assert (sender, to) == ("duecare@example.org", "kim@example.org")
    words = message_from_string(text).get_payload(decode=True).decode()
    assert words.startswith("Between Mon 23 March 2026, 15:00 and Tue 24 March 2026, 07:30 (Australia/Adelaide time), team north.")
    assert "New open breaches: 3\n      3  C08 " in words
    assert "https://duecare.example.org/breaches?condition=open&review=new&team=north" in words
    assert "FAM-" not in text


def test_an_address_that_is_refused_holds_nobody_else_back(house, mails):
    leader(house, "refused", "north")
    leader(house, "kim", "north")
    told_of = {"after": 0, "until": house.clock.ms, "zone": "Australia/Adelaide", "due_until": "2026-04-01", "stale_days": 14}
    numbers = {"new": 1, "stale": 0, "due": 0, "new_by_rule": [["cfss", "C08", "high", 1]], "stale_by_rule": [], "due_by_rule": []}
    refs = [f"user:{one.id}" for one in users.listed(house.svc)]
    body = {**told_of, **numbers, "teams": None, "offices": None}
    with house.svc.writing() as session:
        notices.add(session, "leaders", [Message(f"d{n}", "digest", ref, body, 0) for n, ref in enumerate(refs)], now=house.clock.ms)
    done = send_due(house.svc, "leaders")
    assert done is not None
    assert (done.taken, done.failed) == (1, 1)
    assert [to for _, to, _ in mails.mails] == ["kim@example.org"]


def test_after_a_back_load_each_leader_gets_one_mail_and_a_webhook_one_message(house, mails, place, tmp_path):
    leader(house, "kim", "north")
    leader(house, "robin", "south")
    leader(house, "noor", "north")
    digests = [{"name": "leaders", "role": "team_leader", "when": "30 7 * * *", "zone": "Australia/Adelaide"}]
    smtp = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "from": "duecare@example.org"}
    write(tmp_path / "notify.yaml", smtp=smtp, digests=digests, webhooks=[webhook(place.base, collapse=50)])
    house.clock.set("2026-03-23T15:00")
    house.sweeper.sweep()
    house.take(*(event for number in range(60) for event in three_visits(f"FAM-{number}")))
    house.settle()
    house.clock.set("2026-03-24T07:29")
    house.settle()
    house.clock.set("2026-03-24T07:30")
    house.sweeper.sweep()
    for name in ("leaders", "partner"):
        while (done := send_due(house.svc, name)) is not None and done.taken:
            pass
    assert sorted(to for _, to, _ in mails.mails) == ["kim@example.org", "noor@example.org"]
    assert all("New open breaches: 60" in text and "FAM-" not in text for _, _, text in mails.mails)
    stands_for = [json.loads(ask.body) for ask in place.asked]
    assert [one["type"] for one in stands_for if one["type"].startswith("breach.")] == ["breach.collapsed"]
    assert "FAM-" not in str(stands_for)


def test_a_digest_waits_for_quiet_hours_to_end(house, mails, tmp_path):
    leader(house, "kim", "north")
    quiet = {"from": "06:00", "to": "09:00", "zone": "Australia/Adelaide"}
    digest = {"name": "leaders", "role": "team_leader", "when": "30 7 * * *", "zone": "Australia/Adelaide", "quiet": quiet}
    smtp = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "from": "duecare@example.org"}
    write(tmp_path / "notify.yaml", smtp=smtp, digests=[digest])
    house.clock.set("2026-03-23T15:00")
    house.sweeper.sweep()
    house.take(*three_visits())
    house.settle()
    house.clock.set("2026-03-24T07:29")
    house.settle()
    house.clock.set("2026-03-24T07:30")
    house.sweeper.sweep()
    assert send_due(house.svc, "leaders") is None
    house.clock.set("2026-03-24T09:00")
    send_due(house.svc, "leaders")
    ((_, to, _),) = mails.mails
    assert to == "kim@example.org"


def test_mail_goes_over_tls_with_a_password_to_a_server_whose_certificate_holds(house, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    leader(house, "kim", "north")
    digest = {"name": "leaders", "role": "team_leader", "when": "30 7 * * *", "zone": "Australia/Adelaide"}
    with MailServer(tls=authority.server("mail", "DNS:localhost")) as server:
        smtp = {"host": "localhost", "port": server.port, "user": USER, "password": {"env": "MAIL_PASSWORD"}, "from": "duecare@example.org"}
        write(tmp_path / "notify.yaml", smtp=smtp, digests=[digest])
        with pytest.raises(NotTaken, match="certificate cannot be verified"):
            sending.try_out(house.svc, "leaders")
        monkeypatch.setenv("SSL_CERT_FILE", authority.file)
        monkeypatch.setenv("MAIL_PASSWORD", "wrong")
        with pytest.raises(NotTaken, match="does not take our password"):
            sending.try_out(house.svc, "leaders")
        monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
        sending.try_out(house.svc, "leaders")
        assert [to for _, to, _ in server.mails] == ["kim@example.org"]
