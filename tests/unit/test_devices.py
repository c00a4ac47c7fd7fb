"""A browser is told by its family and that of its system, and by nothing else that it says of itself."""

from __future__ import annotations

import pytest

from api.web.account.devices import UNKNOWN, told

MOZILLA = "Mozilla/5.0 "
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{MOZILLA}(Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Windows"),
        (f"{MOZILLA}(Windows NT 10.0; Win64; x64) {WEBKIT}Chrome/131.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA}(Windows NT 10.0; Win64; x64) {WEBKIT}Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge on Windows"),
        (f"{MOZILLA}(Windows NT 10.0; Win64; x64) {WEBKIT}Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0", "Opera on Windows"),
        (f"{MOZILLA}(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15", "Safari on Mac"),
        (f"{MOZILLA}(iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{MOZILLA}(iPhone; CPU iPhone OS 18_1 like Mac OS X) CriOS/131.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{MOZILLA}(Linux; Android 10; K) {WEBKIT}Chrome/131.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA}(Linux; Android 14) {WEBKIT}SamsungBrowser/27.0 Chrome/125.0 Safari/537.36", "Samsung Internet on Android"),
        (f"{MOZILLA}(X11; CrOS x86_64 14541.0.0) {WEBKIT}Chrome/131.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA}(X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("curl/8.5.0", UNKNOWN),
        ("", UNKNOWN),
        (f"{MOZILLA}(Windows NT 10.0) Something/1.0", "A browser on Windows"),
        ("Firefox/1.0", "Firefox"),
    ],
)
def test_a_browser_is_told_by_its_family_and_its_systems(agent: str, words: str) -> None:
    assert told(agent) == words


def test_nothing_of_what_is_sent_comes_through_as_it_is() -> None:
    assert told("<script>Firefox/ Windows kim@example.org") == "Firefox on Windows"
