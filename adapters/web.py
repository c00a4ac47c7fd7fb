"""Asking client systems over HTTP without trusting them.  Imports httpx, httpcore, tenacity, rules.strictjson.

Only the host that the source's file names is asked, over TLS that is always verified; addresses inside private networks only
where the file allows it, and the address that was looked at is the one that is connected to.  No redirect is followed.  Answers
are read up to a size, as sent and as decompressed.  Time-outs, 429 and 502 to 504 are tried again with growing, jittered pauses
or as Retry-After (RFC 9110, 10.2.3) asks; no other 4xx is.
"""

from __future__ import annotations

import email.utils
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
import tenacity
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.base import AdapterError
from rules.errors import EventRefused
from rules.strictjson import loads

AGAIN = frozenset({429, 502, 503, 504})
AGENT = "duecare"


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
    """Seconds that all tries of one request may take; longer pauses that the system asks for are left to the next pull."""
    max_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, le=1024**3)
    """Bytes of one answer, after decompression."""

    @field_validator("base")
    @classmethod
    def _address(cls, base: str) -> str:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is no address such as https://host/path/")
        if parts.username or parts.password:
            raise ValueError("holds a user or password: name secrets under auth")
        return base if base.endswith("/") else base + "/"

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if self.base.startswith("http://") and not self.allow_private:
            raise ValueError("base: plain http is for one's own network only: use https, or set allow_private")
        return self


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    params: dict[str, Any] | None = None
    body: dict[str, Any] = field(default_factory=dict)
    named: bool = True


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
    ) -> None:
        self.limits = limits
        self._headers, self._renew, self._sleep = headers, renew, sleep
        self._client = httpx.Client(
            transport=_Transport(limits), timeout=limits.timeout, follow_redirects=False, headers={"User-Agent": AGENT}
        )

    def close(self) -> None:
        self._client.close()

    def get(self, where: str, params: Mapping[str, Any] | None = None, *, missing: Sequence[int] = ()) -> Answer | None:
        """What is at a path below ``base``, or at a link that the system gave; None for the statuses in ``missing``.

        Raises AdapterError.
        """
        return self._asked(_Request("GET", self._absolute(where), dict(params) if params else None), missing)

    def post(self, where: str, body: Mapping[str, Any], *, form: bool = False, named: bool = True) -> Answer:
        """Sign-in and the like; nothing that changes a record.  ``named``: with our headers.  Raises AdapterError."""
        found = self._asked(_Request("POST", self._absolute(where), None, {"data" if form else "json": dict(body)}, named), ())
        assert found is not None
        return found

    def _absolute(self, where: str) -> str:
        """A link, if it leads to the same origin.  Raises AdapterError."""
        url = urljoin(self.limits.base, where)
        base, other = urlsplit(self.limits.base), urlsplit(url)
        if (other.scheme, other.hostname, _port(other)) != (base.scheme, base.hostname, _port(base)):
            raise AdapterError(f"the system points to another place ({other.scheme}://{other.hostname}), which is not followed")
        return url

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
                raise AdapterError(_refusal(answer))
            return answer

    def _persistently(self, request: _Request) -> Answer:
        limits = self.limits
        retrying = tenacity.Retrying(
            stop=lambda state: state.attempt_number >= limits.tries or _would_exceed(state, limits.patience),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(_Again),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, request)
        except _Again as error:
            raise AdapterError(str(error), retry_after=error.after) from None

    def _once(self, request: _Request) -> Answer:
        headers = {"Accept": "application/json", **(self._headers() if request.named else {})}
        try:
            with self._client.stream(request.method, request.url, params=request.params, headers=headers, **request.body) as response:
                if response.status_code in AGAIN:
                    raise _Again(f"the system answers {response.status_code}", _retry_after(response))
                return Answer(response.status_code, response.headers, _body(response, self.limits.max_bytes))
        except httpx.TimeoutException:
            raise _Again("the system did not answer in time", None) from None
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise AdapterError("the system's certificate cannot be verified; `ca` names the authority where it is one's own") from None
            raise _Again("the system cannot be reached, or broke off", None) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AdapterError(f"the system's answer cannot be read: {type(error).__name__}") from None


class Answer:
    """An answer that was read whole."""

    def __init__(self, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.status, self.headers, self._raw = status, headers, body

    def json(self) -> Any:
        """Its body.  Raises AdapterError where that is no JSON, or nested too deeply."""
        try:
            return loads(self._raw, max_bytes=len(self._raw) + 1)
        except EventRefused as refused:
            raise AdapterError(f"the system's answer is no JSON that can be read: {refused.problems[0].message}") from None

    @property
    def sent(self) -> int | None:
        """The system's own clock (UTC ms, whole seconds), where it tells it (the Date header)."""
        try:
            return int(email.utils.parsedate_to_datetime(self.headers["date"]).timestamp() * 1000)
        except (KeyError, ValueError, TypeError):
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


def _would_exceed(state: tenacity.RetryCallState, patience: float) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    pause = (error.after or 0.0) if isinstance(error, _Again) else 0.0
    return (state.seconds_since_start or 0.0) + pause > patience


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, whether given as a number or as a date."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(min(int(given), 86_400))
    try:
        until = email.utils.parsedate_to_datetime(given)
        sent = email.utils.parsedate_to_datetime(response.headers["date"])
        return max(0.0, min((until - sent).total_seconds(), 86_400.0))
    except (KeyError, ValueError, TypeError):
        return None


def _body(response: httpx.Response, limit: int) -> bytes:
    """Read as it comes, so that neither a long answer nor one that grows when it is decompressed fills the memory."""
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise AdapterError(f"the system's answer is larger than {limit:,} bytes: ask for smaller pages")
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes(65_536):
        size += len(part)
        if size > limit:
            raise AdapterError(f"the system's answer is larger than {limit:,} bytes: ask for smaller pages")
        parts.append(part)
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


def _port(parts: Any) -> int:
    return int(parts.port or (443 if parts.scheme == "https" else 80))


class _Guarded(httpcore.NetworkBackend):
    """Looks at an address before it connects, and connects to that address and no other."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise httpcore.ConnectError("the host's name cannot be resolved") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self._allow_private or ipaddress.ip_address(address.partition("%")[0]).is_global]
        if not allowed:
            raise AdapterError("the host stands in a private network; set allow_private if that is right")
        failed: Exception | None = None
        for address in allowed:
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")


class _Transport(httpx.HTTPTransport):
    """httpx's own transport with a guarded way to the network."""

    def __init__(self, limits: Limits) -> None:
        context = ssl.create_default_context()
        if limits.ca is not None:
            try:
                context = ssl.create_default_context(cafile=str(Path(limits.ca)))
            except (OSError, ssl.SSLError):
                raise AdapterError("the file that `ca` names holds no certificates that can be read") from None
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=4, keepalive_expiry=15.0, network_backend=_Guarded(allow_private=limits.allow_private)
        )
