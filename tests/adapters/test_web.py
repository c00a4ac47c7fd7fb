"""Asking client systems over HTTP: each promise of safety attacked, and what is tried again."""

from __future__ import annotations

import email.utils
import gzip
import logging
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters import web as web_module
from adapters.base import AdapterError
from adapters.guard import public
from adapters.web import Limits, Web
from tests.support.overseen import until
from tests.support.webworld import Ask, Authority, Say, Site, bomb, drip, ms

SECRET = "s3cret-that-nobody-may-see"


class Slept:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture
def time() -> Slept:
    return Slept()


@pytest.fixture
def asks(site: Site, time: Slept) -> Iterator[Callable[..., Web]]:
    made: list[Web] = []

    def ask(**settings: Any) -> Web:
        headers = settings.pop("headers", {})
        limits = Limits.model_validate({"base": site.base, "allow_private": True, "timeout": 60, **settings})
        made.append(Web(limits, headers=lambda: headers, sleep=time.sleep, clock=time))
        return made[-1]

    yield ask
    for one in made:
        one.close()


def got(web: Web, where: str = "x") -> Any:
    answer = web.get(where)
    assert answer is not None
    return answer.json()


# --- where it goes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(site: Site, asks: Callable[..., Web], status: int) -> None:
    site.answer = lambda _: Say({}, status, {"Location": "/elsewhere"})
    with pytest.raises(AdapterError, match="redirect"):
        asks().get("x")
    assert [ask.path for ask in site.asked] == ["/x"]


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/",
        "//evil.example/x",
        "http://127.0.0.1:1/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://127.0.0.1@evil.example/",
        "http://evil.example\\@127.0.0.1/",
        "http://localhost/",
        "http://[",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:99999999/",
        "javascript:alert(1)",
    ],
)
def test_a_link_to_another_place_is_not_followed(site: Site, asks: Callable[..., Web], link: str) -> None:
    with pytest.raises(AdapterError, match=r"another place|link that is none"):
        asks().get(link)
    assert site.asked == []


def test_a_link_to_the_same_host_with_another_user_is_not_followed(site: Site, asks: Callable[..., Web]) -> None:
    with pytest.raises(AdapterError, match="another place"):
        asks().get(site.base.replace("://", "://other:password@"))
    assert site.asked == []


def test_a_link_to_the_same_place_is_followed(site: Site, asks: Callable[..., Web]) -> None:
    web = asks(base=site.base + "api")
    for where in ("cases", "/other", site.base + "api/cases?page=2", "?a=1"):
        got(web, where)
    assert [(ask.path, ask.params) for ask in site.asked] == [
        ("/api/cases", {}),
        ("/other", {}),
        ("/api/cases", {"page": "2"}),
        ("/api/", {"a": "1"}),
    ]


@pytest.mark.parametrize(
    "base",
    [
        "ftp://host/",
        "host/path",
        "https://",
        "https://user:password@host/",
        "https://host/?key=1",
        "https://host/#x",
        "http://host.example/",
        "HTTP://host.example/",
        "https://host:port/",
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused_before_anything_is_asked(base: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Limits.model_validate({"base": base})
    assert "password" not in caught.value.errors(include_input=False)[0]["msg"].replace("user or password", "")


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("::7f00:1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::1", False),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_stand_on_the_open_internet(address: str, *, open_: bool) -> None:
    assert public(address) is open_


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_a_private_address_is_not_asked_however_it_is_written(site: Site, host: str) -> None:
    web = Web(Limits(base=f"https://{host}:{site.port}/", tries=1))
    with pytest.raises(AdapterError, match=r"private network|cannot be reached"):
        web.get("x")
    web.close()
    assert site.asked == []


def test_a_name_whose_answer_changes_is_looked_up_once_and_that_address_connected_to(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """First a public address, for the check; then loopback, for the connection: the second answer is never asked for."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    looked_up: list[str] = []
    connected: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    web = Web(Limits(base=f"https://rebind.example:{site.port}/", tries=1))
    with pytest.raises(AdapterError, match="cannot be reached"):
        web.get("x")
    web.close()
    assert (looked_up, connected) == (["rebind.example"], ["93.184.216.34"])


def test_of_a_name_with_several_addresses_only_those_that_may_be_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["10.0.0.1", "93.184.216.34", "::1"]
    connected: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **__: [(0, 0, 0, "", (one, port)) for one in given])

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    web = Web(Limits(base="https://mixed.example/", tries=1))
    with pytest.raises(AdapterError):
        web.get("x")
    web.close()
    assert connected == ["93.184.216.34"]


def test_plain_http_goes_to_private_addresses_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **__: [(0, 0, 0, "", ("93.184.216.34", port))])
    web = Web(Limits(base="http://host.example/", allow_private=True, tries=1))
    with pytest.raises(AdapterError, match="plain http is for one's own network"):
        web.get("x")
    web.close()


def test_settings_of_the_environment_lead_nowhere_else(site: Site, asks: Callable[..., Web], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    got(asks())
    assert len(site.asked) == 1


def test_cookies_are_not_kept(site: Site, asks: Callable[..., Web]) -> None:
    site.answer = lambda _: Say({}, headers={"Set-Cookie": "session=1"})
    web = asks()
    got(web)
    got(web)
    assert "cookie" not in site.asked[1].headers


# --- how much ---------------------------------------------------------------------------------------------------------


def test_an_answer_that_says_that_it_is_too_large_is_not_read(site: Site, asks: Callable[..., Web]) -> None:
    site.answer = lambda _: Say(raw=lambda to: to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"))
    with pytest.raises(AdapterError, match="larger than"):
        asks(max_bytes=2048).get("x")


def test_an_answer_that_does_not_say_how_large_it_is_is_read_up_to_the_limit(site: Site, asks: Callable[..., Web]) -> None:
    sent = [0]

    def endless(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100_000):
            to.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
            sent[0] += 4096

    site.answer = lambda _: Say(raw=endless)
    with pytest.raises(AdapterError, match="larger than 10,000 bytes"):
        asks(max_bytes=10_000).get("x")
    assert sent[0] < 100_000 * 4096


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_bomb_is_unpacked_up_to_the_limit_and_no_further(
    site: Site, asks: Callable[..., Web], coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = [0]
    real = zlib.decompressobj

    class Counting:
        def __init__(self, *given: Any) -> None:
            self.inner = real(*given)

        def decompress(self, data: bytes, limit: int) -> bytes:
            made = self.inner.decompress(data, limit)
            most[0] = max(most[0], len(made))
            return made

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    site.answer = lambda _: Say(bomb(50_000_000), headers={"Content-Encoding": coding})
    with pytest.raises(AdapterError, match="larger than 100,000 bytes"):
        asks(max_bytes=100_000).get("x")
    assert 0 < most[0] <= 100_001


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "deflate", "unheard-of"])
def test_packed_in_another_way_or_twice_it_is_refused(site: Site, asks: Callable[..., Web], coding: str) -> None:
    site.answer = lambda _: Say(gzip.compress(bomb(1000)), headers={"Content-Encoding": coding})
    with pytest.raises(AdapterError, match="compressed in a way"):
        asks().get("x")
    assert site.asked[0].headers["accept-encoding"] == "gzip"


def test_a_packed_answer_is_unpacked(site: Site, asks: Callable[..., Web]) -> None:
    site.answer = lambda _: Say(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    assert got(asks()) == {"a": 1}


@pytest.mark.parametrize("cut", [5, 20])
def test_a_packed_answer_that_breaks_off_is_not_taken_for_a_whole_one(site: Site, asks: Callable[..., Web], cut: int) -> None:
    site.answer = lambda _: Say(gzip.compress(b'{"a": [1, 2, 3, 4, 5, 6]}')[:cut], headers={"Content-Encoding": "gzip"})
    with pytest.raises(AdapterError, match="broke off"):
        asks(tries=2).get("x")
    assert len(site.asked) == 2


def test_what_is_no_gzip_is_refused(site: Site, asks: Callable[..., Web]) -> None:
    site.answer = lambda _: Say(b"plain text", headers={"Content-Encoding": "gzip"})
    with pytest.raises(AdapterError, match="no gzip"):
        asks().get("x")


@pytest.mark.parametrize("depth", [40, 100_000])
def test_deep_json_is_refused(site: Site, asks: Callable[..., Web], depth: int) -> None:
    site.answer = lambda _: Say(b'{"a":' * depth + b"1" + b"}" * depth)
    with pytest.raises(AdapterError, match="deeper"):
        got(asks())


def test_many_small_objects_are_refused_before_they_fill_the_memory(
    site: Site, asks: Callable[..., Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_module, "MOST_BOXES", 1000)
    site.answer = lambda _: Say([[]] * 1000)
    with pytest.raises(AdapterError, match="more than 1,000 objects"):
        got(asks())


def test_a_page_larger_than_one_event_may_be_is_read(site: Site, asks: Callable[..., Web]) -> None:
    site.answer = lambda _: Say({"data": [{"id": n, "text": "x" * 1000} for n in range(3000)]})
    assert len(got(asks())["data"]) == 3000


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe", b'{"a": "\\ud800"}'])
def test_what_is_no_json_is_refused_without_repeating_it(site: Site, asks: Callable[..., Web], body: bytes) -> None:
    site.answer = lambda _: Say(body)
    with pytest.raises(AdapterError, match="no JSON that can be read"):
        got(asks())


# --- how long ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_an_answer_that_drips_for_ever_ends_with_the_time_for_the_request(
    site: Site, asks: Callable[..., Web], time: Slept, head: bytes
) -> None:
    def tick() -> None:
        time.now += 1.0

    site.answer = lambda _: Say(raw=drip(head, b"a", 50_000, tick))
    with pytest.raises(AdapterError, match="in time"):
        asks(patience=60).get("x")
    assert len(site.asked) == 1


def test_a_system_that_says_nothing_is_tried_again_a_few_times(site: Site, asks: Callable[..., Web], time: Slept) -> None:
    hold: list[socket.socket] = []

    def mute(to: socket.socket) -> None:
        hold.append(to)
        to.settimeout(2)
        to.recv(1)

    site.answer = lambda _: Say(raw=mute)
    with pytest.raises(AdapterError, match="did not answer in time"):
        asks(timeout=0.05, tries=3).get("x")
    until(lambda: len(site.asked) == 3)
    assert len(time.pauses) == 2


# --- trying again ----------------------------------------------------------------------------------------------------


def in_turn(*said: Say) -> Callable[[Ask], Say]:
    waiting = iter(said)
    return lambda _: next(waiting)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again_with_pauses(site: Site, asks: Callable[..., Web], time: Slept, status: int) -> None:
    site.answer = in_turn(Say({}, status), Say({}, status), Say({"a": 1}))
    assert got(asks()) == {"a": 1}
    assert len(time.pauses) == 2
    assert all(0 <= pause <= 30 for pause in time.pauses)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 408, 409, 410, 418, 422, 500, 501])
def test_nothing_else_is_tried_again(site: Site, asks: Callable[..., Web], status: int) -> None:
    site.answer = lambda _: Say({"detail": "Jane Doe"}, status)
    with pytest.raises(AdapterError, match=str(status)) as caught:
        asks().get("x")
    assert (len(site.asked), "Jane" in str(caught.value)) == (1, False)


def test_a_connection_that_breaks_off_is_tried_again(site: Site, asks: Callable[..., Web]) -> None:
    cut = Say(raw=lambda to: to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"))
    site.answer = in_turn(cut, Say(raw=lambda _: None), Say({"a": 1}))
    assert got(asks()) == {"a": 1}


def test_retry_after_in_seconds_is_waited_for(site: Site, asks: Callable[..., Web], time: Slept) -> None:
    site.answer = in_turn(Say({}, 429, {"Retry-After": "7"}), Say({}))
    got(asks())
    assert time.pauses == [7.0]


def test_retry_after_as_a_date_is_held_against_the_systems_own_clock(site: Site, asks: Callable[..., Web], time: Slept) -> None:
    now = ms("2031-01-01T00:00:00")
    site.now = lambda: now
    site.answer = in_turn(Say({}, 503, {"Retry-After": email.utils.formatdate(now / 1000 + 9, usegmt=True)}), Say({}))
    got(asks())
    assert time.pauses == [9.0]


@pytest.mark.parametrize("given", ["soon", "-5", "9" * 5000, "Thu, 32 Jan 2026 00:00:00 GMT", "1.5", ""])
def test_a_retry_after_that_makes_no_sense_does_no_harm(site: Site, asks: Callable[..., Web], time: Slept, given: str) -> None:
    site.answer = in_turn(Say({}, 503, {"Retry-After": given}), Say({}))
    if given.isdigit():  # longer than anybody lives: it is cut to a day, and left to the next pull
        with pytest.raises(AdapterError) as caught:
            got(asks())
        assert caught.value.retry_after == 86_400.0
    else:
        got(asks())
    assert sum(time.pauses) <= 120


def test_a_longer_pause_than_we_have_patience_is_left_to_the_next_pull(site: Site, asks: Callable[..., Web], time: Slept) -> None:
    site.answer = lambda _: Say({}, 429, {"Retry-After": "3600"})
    with pytest.raises(AdapterError) as caught:
        asks(patience=60).get("x")
    assert (caught.value.retry_after, time.pauses, len(site.asked)) == (3600.0, [], 1)


def test_all_tries_together_take_no_longer_than_the_patience(site: Site, asks: Callable[..., Web], time: Slept) -> None:
    site.answer = lambda _: Say({}, 503, {"Retry-After": "20"})
    with pytest.raises(AdapterError):
        asks(patience=70, tries=10).get("x")
    assert (time.pauses, len(site.asked)) == ([20.0, 20.0, 20.0], 4)


# --- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        Say({"detail": SECRET}, 400),
        Say({"detail": SECRET}, 503),
        Say(SECRET.encode()),
        Say({}, 302, {"Location": f"http://evil.example/?{SECRET}"}),
        Say({}, 200, {"Content-Encoding": SECRET}),
        Say(raw=lambda to: to.sendall(SECRET.encode() + b"\r\n\r\n")),
    ],
)
def test_what_the_system_answers_is_in_no_error_and_no_log(
    site: Site, asks: Callable[..., Web], caplog: pytest.LogCaptureFixture, said: Say
) -> None:
    caplog.set_level(logging.DEBUG)
    site.answer = lambda _: said
    with pytest.raises(AdapterError) as caught:
        got(asks(headers={"Authorization": f"Bearer {SECRET}"}), f"x?token={SECRET}")
    assert site.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(caught.value) + repr(caught.value.__cause__) + caplog.text


@pytest.mark.parametrize("secret", [f"{SECRET}\nX-Evil: 1", f"{SECRET}\x00"])
def test_a_secret_that_cannot_stand_in_a_header_is_not_told(site: Site, asks: Callable[..., Web], secret: str) -> None:
    with pytest.raises(AdapterError) as caught:
        asks(headers={"Authorization": secret}).get("x")
    assert SECRET not in str(caught.value)
    assert site.asked == []


def test_a_secret_beyond_ascii_is_sent_as_utf8(site: Site, asks: Callable[..., Web]) -> None:
    got(asks(headers={"X-Key": "schlüssel"}))
    assert site.asked[0].headers["x-key"].encode("latin-1").decode() == "schlüssel"


@pytest.mark.parametrize(
    ("header", "link"),
    [
        (f"Bearer {SECRET}", f"/x?access_token={SECRET}"),
        (f"ApiKey reader:{SECRET}", f"/x?key={SECRET}"),
        ("Token a/long+secret", "/x?key=a%2Flong%2Bsecret"),
    ],
)
def test_a_link_that_holds_the_secret_is_known(site: Site, asks: Callable[..., Web], header: str, link: str) -> None:
    web = asks(headers={"Authorization": header})
    got(web)
    assert web.reveals(link)
    assert not web.reveals("/x?page=2&reader=reader")


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    try:
        return Authority(tmp_path_factory.mktemp("authority"))
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


def test_a_system_with_an_authority_of_its_own_is_asked(authority: Authority) -> None:
    with Site(tls=authority.server("good", "IP:127.0.0.1")) as site:
        web = Web(Limits(base=site.base, allow_private=True, ca=authority.file, tries=1))
        assert got(web) == {}
        web.close()


@pytest.mark.parametrize("san", ["IP:127.0.0.2", "DNS:localhost"])
def test_a_certificate_of_another_name_is_refused(authority: Authority, san: str) -> None:
    with Site(tls=authority.server(san.partition(":")[2], san)) as site:
        web = Web(Limits(base=site.base, allow_private=True, ca=authority.file))
        with pytest.raises(AdapterError, match="certificate cannot be verified"):
            web.get("x")
        web.close()
        assert site.asked == []


def test_a_certificate_that_nobody_knows_is_refused(authority: Authority) -> None:
    with Site(tls=authority.server("unknown", "IP:127.0.0.1")) as site:
        web = Web(Limits(base=site.base, allow_private=True))
        with pytest.raises(AdapterError, match="certificate cannot be verified"):
            web.get("x")
        web.close()
        assert site.asked == []


def test_a_file_of_certificates_that_holds_none_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    for file in (str(empty), str(tmp_path / "missing.pem")):
        with pytest.raises(AdapterError, match="no certificates that can be read"):
            Web(Limits(base="https://host.example/", ca=file))


def test_a_system_that_speaks_no_tls_is_not_asked_without(site: Site) -> None:
    web = Web(Limits(base=site.base.replace("http:", "https:"), allow_private=True, tries=1))
    with pytest.raises(AdapterError, match="cannot be reached"):
        web.get("x")
    web.close()
