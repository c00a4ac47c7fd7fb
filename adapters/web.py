"""Asking client systems over HTTP without trusting them.  Imports adapters.guard, httpx, tenacity, rules.strictjson.

Only the host that the source's file names is asked, over TLS that is always verified, at addresses that may be asked (see
adapters.guard).  No redirect is followed, no cookie kept.  Answers are read up to a size, as sent and as decompressed, and up to a
time, however slowly they drip.  Time-outs, 429 and 502 to 504 are tried again with growing, jittered pauses or as Retry-After
(RFC 9110, 10.2.3) asks; no other 4xx is.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import logging
import ssl
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import unquote

import httpcore
import httpx
import tenacity
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.base import AdapterError, Withheld
from adapters.guard import Guarded
from rules.errors import EventRefused
from rules.strictjson import loads

AGAIN = frozenset({429, 502, 503, 504})
AGENT = "duecare"
LONGEST_PAUSE = 86_400.0
MOST_BOXES = 2_000_000
"""Objects and lists of one answer: small ones take some twenty times more memory than they take on the wire."""

for _name in ("httpx", "httpcore"):  # they log addresses and headers
    logging.getLogger(_name).setLevel(logging.WARNING)


class Limits(BaseModel):
    """What every source that is asked over HTTP may say about its connection."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base: str
    """Where the system's interface begins: https://host/path/."""
    allow_private: bool = False
    """The system stands in our own network: allow private and local addresses, and plain http there."""
    ca: str | None = None
    """A file with the certificate authority of the system, where it is one's own."""
    timeout: float = Field(default=30.0, gt=0, le=600, strict=False)
    """Seconds without a byte after which a request counts as failed."""
    tries: int = Field(default=4, ge=1, le=10)
    patience: float = Field(default=120.0, gt=0, le=3_600, strict=False)
    """Seconds that one request may take in all, its answer and further tries included; longer pauses are left to the next pull."""
    max_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, le=1024**3)
    """Bytes of one answer, after decompression."""

    @field_validator("base")
    @classmethod
    def _address(cls, base: str) -> str:
        try:
            url = httpx.URL(base)
        except httpx.InvalidURL:
            raise ValueError("is no address such as https://host/path/") from None
        if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
            raise ValueError("is no address such as https://host/path/")
        if url.userinfo:
            raise ValueError("holds a user or password: name secrets under auth")
        return base if base.endswith("/") else base + "/"

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if httpx.URL(self.base).scheme == "http" and not self.allow_private:
            raise ValueError("base: plain http is for one's own network only: use https, or set allow_private")
        return self


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    params: dict[str, Any] | None = None
    body: dict[str, Any] = field(default_factory=dict)
    named: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    read: bool = True
    """Whether the answer's body is wanted."""


Auth = Callable[[], Mapping[str, str]]
"""Headers that say who we are."""


class Web:
    """One system's interface.  ``headers`` are asked for before each request; ``renew`` (after a 401) may make them valid again."""

    def __init__(
        self,
        limits: Limits,
        *,
        headers: Auth = dict,
        renew: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._base = httpx.URL(limits.base)
        self._headers, self._renew, self._sleep, self._clock = headers, renew, sleep, clock
        self._secrets: frozenset[str] = frozenset()
        self._others: list[Web] = []
        self._guard = Guarded(allow_private=limits.allow_private, plain=self._base.scheme == "http", clock=clock)
        self._client = httpx.Client(
            transport=_Transport(limits, self._guard),
            timeout=limits.timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": AGENT, "Accept-Encoding": "gzip"},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    def also_close(self, other: Web) -> None:
        """Another one that ends with this one."""
        self._others.append(other)

    def close(self) -> None:
        self._client.close()
        for other in self._others:
            other.close()

    def get(self, where: str, params: Mapping[str, Any] | None = None, *, missing: Sequence[int] = ()) -> Answer | None:
        """What is at a path below ``base``, or at a link that the system gave; None for the statuses in ``missing``.

        Raises AdapterError.
        """
        return self._asked(_Request("GET", self._absolute(where), dict(params) if params else None), missing)

    def post(
        self, where: str, body: Mapping[str, Any], *, form: bool = False, named: bool = True, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sign-in and the like; nothing that changes a record.  ``named``: with our own headers.  Raises AdapterError."""
        given = {"data" if form else "json": dict(body)}
        found = self._asked(_Request("POST", self._absolute(where), None, given, named, headers or {}), ())
        assert found is not None
        return found

    def deliver(self, where: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Hands a message over, once, with these headers alone; the status that it is answered with, the answer itself left unread.

        Raises AdapterError where there is no answer, and for those statuses after which another try is worth while.
        """
        request = _Request("POST", self._absolute(where), None, {"content": body}, False, headers, read=False)
        try:
            return self._once(request, self._clock() + self.limits.patience).status
        except _Again as error:
            raise AdapterError(str(error), retry_after=error.after) from None

    def reveals(self, text: str) -> bool:
        """Whether a text, such as a link that is to be remembered, holds what we signed in with."""
        plain = unquote(text)
        return any(secret in text or secret in plain for secret in self._secrets)

    def _absolute(self, where: str) -> str:
        """A link, if it leads to the same origin, as it will be asked.  Raises AdapterError."""
        try:
            url = self._base.join(where)
        except (httpx.InvalidURL, ValueError):
            raise AdapterError("the system gives a link that is none") from None
        if (url.scheme, url.host, _port(url)) != (self._base.scheme, self._base.host, _port(self._base)) or url.userinfo:
            raise AdapterError("the system points to another place than `base`, which is not followed")
        return str(url)

    def _asked(self, request: _Request, missing: Sequence[int]) -> Answer | None:
        renewed = False
        while True:
            answer = self._persistently(request)
            if answer.status == 401 and request.named and not renewed and self._renew():
                renewed = True
                continue
            if answer.status in missing:
                return None
            if not 200 <= answer.status < 300:
                raise (Withheld if answer.status == 403 else AdapterError)(_refusal(answer))
            return answer

    def _persistently(self, request: _Request) -> Answer:
        limits = self.limits
        began = self._clock()

        def enough(state: tenacity.RetryCallState) -> bool:
            spent = max(self._clock() - began, state.idle_for)
            return state.attempt_number >= limits.tries or spent + state.upcoming_sleep > limits.patience

        retrying = tenacity.Retrying(
            stop=enough, wait=_wait, retry=tenacity.retry_if_exception_type(_Again), sleep=self._sleep, reraise=True
        )
        try:
            return retrying(self._once, request, began + limits.patience)
        except _Again as error:
            raise AdapterError(str(error), retry_after=error.after) from None

    def _once(self, request: _Request, until: float) -> Answer:
        own = self._headers() if request.named else request.headers
        if request.named:
            self._secrets = frozenset(part for value in own.values() for part in _telling(value) if len(part) >= 8)
        headers = [(b"Accept", b"application/json"), *((name.encode(), value.encode()) for name, value in own.items())]
        self._guard.until = until
        try:
            with self._client.stream(request.method, request.url, params=request.params, headers=headers, **request.body) as response:
                if response.status_code in AGAIN:
                    raise _Again(f"the system answers {response.status_code}", _retry_after(response))
                return Answer(response.status_code, response.headers, _body(response, self.limits.max_bytes) if request.read else b"")
        except httpx.TimeoutException:
            raise _Again("the system did not answer in time", None) from None
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise AdapterError("the system's certificate cannot be verified; `ca` names the authority where it is one's own") from None
            raise _Again("the system cannot be reached, or broke off", None) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise AdapterError(f"the system cannot be asked, or its answer not be read: {type(error).__name__}") from None


class Answer:
    """An answer that was read whole."""

    def __init__(self, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.status, self.headers, self._raw = status, headers, body

    def json(self) -> Any:
        """Its body.  Raises AdapterError where that is no JSON, or nested too deeply."""
        if self._raw.count(b"{") + self._raw.count(b"[") > MOST_BOXES:
            raise AdapterError(f"the system's answer holds more than {MOST_BOXES:,} objects and lists: ask for smaller pages")
        try:
            return loads(self._raw, max_bytes=len(self._raw), max_size=len(self._raw))
        except EventRefused as refused:
            raise AdapterError(f"the system's answer is no JSON that can be read: {refused.problems[0].message}") from None

    @property
    def sent(self) -> int | None:
        """The system's own clock (UTC ms, whole seconds), where it tells it (the Date header)."""
        try:
            return int(email.utils.parsedate_to_datetime(self.headers["date"]).timestamp() * 1000)
        except (KeyError, ValueError, TypeError, OverflowError):
            return None

    @property
    def next(self) -> str | None:
        """The Link header's next page (RFC 8288)."""
        found = httpx.Response(200, headers=self.headers).links.get("next")
        return found.get("url") if found else None


class _Again(Exception):
    """Worth another try, after so many seconds where the system said when."""

    def __init__(self, message: str, after: float | None) -> None:
        super().__init__(message)
        self.after = after


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.after if isinstance(error, _Again) else None
    return asked if asked is not None else tenacity.wait_random_exponential(multiplier=0.5, max=30)(state)


def _telling(value: str) -> tuple[str, str]:
    """What is secret in a header such as ``ApiKey user:key``: its last word, and what stands there behind a colon."""
    word = value.rsplit(maxsplit=1)[-1] if value.split() else ""
    return word, word.rpartition(":")[2]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, whether given as a number or as a date; a date is held against the system's own clock where it tells that."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given), LONGEST_PAUSE)
    try:
        until = email.utils.parsedate_to_datetime(given)
        sent = email.utils.parsedate_to_datetime(response.headers["date"]) if "date" in response.headers else dt.datetime.now(dt.UTC)
        return max(0.0, min((until - sent).total_seconds(), LONGEST_PAUSE))
    except (ValueError, TypeError, OverflowError):
        return None


def _body(response: httpx.Response, limit: int) -> bytes:
    """Read as it comes, so that neither a long answer nor one that grows when it is decompressed fills the memory."""
    coding = response.headers.get("content-encoding", "").strip().lower() or "identity"
    if coding not in ("gzip", "x-gzip", "identity"):
        raise AdapterError("the system's answer is compressed in a way that it was not asked for")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if coding != "identity" else None
    too_large = AdapterError(f"the system's answer is larger than {limit:,} bytes: ask for smaller pages")
    declared = response.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and float(declared) > limit:
        raise too_large
    parts: list[bytes] = []
    read = size = 0
    for part in response.iter_raw():
        read += len(part)
        try:
            made = part if inflate is None else inflate.decompress(part, limit - size + 1)
        except zlib.error:
            raise AdapterError("the system's answer is no gzip, though it says so") from None
        size += len(made)
        if max(read, size) > limit:
            raise too_large
        parts.append(made)
    if inflate is not None and read and not inflate.eof:
        raise _Again("the system cannot be reached, or broke off", None)
    return b"".join(parts)


_MEANING = {
    400: "it does not understand the request",
    401: "it does not know us",
    403: "we may not read this",
    404: "there is no such path",
}


def _refusal(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"the system answers {answer.status}, a redirect, which is not followed: give the address that it leads to"
    said = _MEANING.get(answer.status)
    return f"the system answers {answer.status}" + (f": {said}" if said else "")


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


class _Transport(httpx.HTTPTransport):
    """httpx's own transport with a guarded way to the network."""

    def __init__(self, limits: Limits, guard: Guarded) -> None:
        context = ssl.create_default_context()
        if limits.ca is not None:
            try:
                context = ssl.create_default_context(cafile=limits.ca)
            except (OSError, ssl.SSLError):
                raise AdapterError("the file that `ca` names holds no certificates that can be read") from None
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=context, max_connections=4, keepalive_expiry=15.0, network_backend=guard)
