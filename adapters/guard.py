"""The way to the network for asking client systems: which addresses may be asked, and until when.  Imports httpcore.

The address that was looked at is the one that is connected to, so that a name whose answer changes meanwhile leads nowhere else.
Every read and write ends when the time for the whole request has run out, not only when nothing comes for a while.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from adapters.base import AdapterError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def public(address: str) -> bool:
    """Whether an address stands on the open internet; one that carries an IPv4 address inside counts as that one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and (found in _NAT64 or found in _COMPATIBLE):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
        if found.is_site_local or found.teredo is not None:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback)


class Guarded(httpcore.NetworkBackend):
    """``plain``: without TLS, for which only private addresses will do.  ``until``: when a request must be over, by ``clock``."""

    def __init__(self, *, allow_private: bool, plain: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._allow_private, self._plain, self._clock = allow_private, plain, clock
        self._inner = httpcore.SyncBackend()
        self.until = float("inf")

    def left(self, timeout: float | None) -> float | None:
        """Seconds that one step may still take.  Raises TimeoutError where there are none."""
        left = self.until - self._clock()
        if left <= 0:
            raise TimeoutError
        return left if timeout is None else min(timeout, left)

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
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the host's name cannot be resolved") from None
        failed: Exception | None = None
        for address in self._allowed(list(dict.fromkeys(str(entry[4][0]) for entry in found))):
            try:
                return _Timed(self._inner.connect_tcp(address, port, self.left(timeout), local_address, socket_options), self)
            except TimeoutError:
                raise httpcore.ConnectTimeout("the time for the request has run out") from None
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")

    def _allowed(self, addresses: list[str]) -> list[str]:
        if self._plain:
            allowed = [address for address in addresses if not public(address)]
            if not allowed:
                raise AdapterError("plain http is for one's own network only, and the host stands outside of it: use https")
            return allowed
        allowed = [address for address in addresses if self._allow_private or public(address)]
        if not allowed:
            raise AdapterError("the host stands in a private network; set allow_private if that is right")
        return allowed


class _Timed(httpcore.NetworkStream):
    """A connection whose every step ends with the time for the request."""

    def __init__(self, inner: httpcore.NetworkStream, guard: Guarded) -> None:
        self._inner, self._guard = inner, guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, self._guard.left(timeout))
        except TimeoutError:
            raise httpcore.ReadTimeout("the time for the request has run out") from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._inner.write(buffer, self._guard.left(timeout))
        except TimeoutError:
            raise httpcore.WriteTimeout("the time for the request has run out") from None

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            return _Timed(self._inner.start_tls(ssl_context, server_hostname, self._guard.left(timeout)), self._guard)
        except TimeoutError:
            raise httpcore.ConnectTimeout("the time for the request has run out") from None

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
