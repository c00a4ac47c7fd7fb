"""Ways to say who we are to a client system: each a few lines of a source's file, with its secrets by reference.

Imports adapters.secrets and adapters.web.  Tokens are kept in memory only, renewed before they run out, and once more when the system
says that it does not know us.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self
from urllib.parse import quote_plus

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from adapters.base import AdapterError
from adapters.mapping_schema import look_up
from adapters.secrets import Secret
from adapters.web import Limits, Web

EARLY = 60.0
"""Seconds before its end from which a token is no longer used."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Basic(_Model):
    """User and password with each request (RFC 7617)."""

    user: str
    password: Secret

    @field_validator("user")
    @classmethod
    def _no_colon(cls, user: str) -> str:
        if ":" in user:
            raise ValueError("holds a colon, which ends a user's name")
        return user


class Header(_Model):
    """A header with each request, such as ``Authorization: ApiKey user:key``; ``prefix`` stands before the secret."""

    name: str = "Authorization"
    prefix: str = ""
    value: Secret


class OAuth2(_Model):
    """A token by client credentials (RFC 6749, 4.4).  ``token_url``: below the base, or an address of its own with https://.

    ``send``: client and secret in the body of the request, or as its Basic header.
    """

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str | None = None
    send: Literal["body", "basic"] = "body"


class Login(_Model):
    """A token by user and password: ``path`` takes them as ``body``, the answer holds the token at ``token_at``."""

    path: str
    user: str
    password: Secret
    body: dict[str, Any] = Field(default_factory=lambda: {"user": "{user}", "password": "{password}"})
    token_at: str = "token"  # noqa: S105 - a place, no secret
    prefix: str = "Bearer "
    lifetime: int = Field(default=3_600, ge=60, le=31_536_000)
    """Seconds that a token is good for."""


class Who(_Model):
    """One of the ways, or none of them for a system that asks nobody."""

    bearer: Secret | None = None
    basic: Basic | None = None
    header: Header | None = None
    oauth2: OAuth2 | None = None
    login: Login | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) > 1:
            raise ValueError("give one of bearer, basic, header, oauth2, login")
        return self


def signed_in(limits: Limits, who: Who, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> Web:
    """The system's interface, with our identity on each request.  Raises AdapterError."""
    if who.oauth2 is None and who.login is None:
        return Web(limits, headers=lambda: _fixed(who), sleep=sleep, clock=clock)
    tokens = _Tokens(who, clock)
    web = Web(limits, headers=tokens.headers, renew=tokens.renew, sleep=sleep, clock=clock)
    tokens.web = web
    if who.oauth2 is not None and "://" in who.oauth2.token_url:
        web.also_close(tokens.elsewhere(limits, sleep))
    return web


def _fixed(who: Who) -> Mapping[str, str]:
    if who.bearer is not None:
        return {"Authorization": f"Bearer {who.bearer.value()}"}
    if who.header is not None:
        return {who.header.name: who.header.prefix + who.header.value.value()}
    if who.basic is not None:
        return _basic(who.basic.user, who.basic.password.value())
    return {}


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


class _Tokens:
    """A token and until when it is used (seconds of ``clock``).  ``web``: where it is asked for."""

    web: Web

    def __init__(self, who: Who, clock: Callable[[], float]) -> None:
        self._who, self._clock = who, clock
        self._token = ""
        self._until = 0.0

    def elsewhere(self, limits: Limits, sleep: Callable[[float], None]) -> Web:
        """Ask another host for tokens: the one that the source's file names."""
        assert self._who.oauth2 is not None
        given = {name: getattr(limits, name) for name in Limits.model_fields}
        try:
            place = str(httpx.URL(self._who.oauth2.token_url).join("/"))
            self.web = Web(Limits.model_validate({**given, "base": place}), sleep=sleep, clock=self._clock)
        except (ValidationError, httpx.InvalidURL):
            raise AdapterError("auth.oauth2.token_url: is no address such as https://host/path") from None
        return self.web

    def headers(self) -> Mapping[str, str]:
        if not self._token or self._clock() >= self._until:
            self._fetch()
        prefix = self._who.login.prefix if self._who.login is not None else "Bearer "
        return {"Authorization": prefix + self._token}

    def renew(self) -> bool:
        """A new token, although the old one should still be good."""
        self._fetch()
        return True

    def _fetch(self) -> None:
        lifetime: float
        if self._who.oauth2 is not None:
            asked = self._who.oauth2
            form, secret = {"grant_type": "client_credentials"}, asked.client_secret.value()
            if asked.scope is not None:
                form["scope"] = asked.scope
            if asked.send == "basic":
                own = _basic(quote_plus(asked.client_id), quote_plus(secret))
            else:
                own = {}
                form |= {"client_id": asked.client_id, "client_secret": secret}
            answer = self.web.post(asked.token_url, form, form=True, named=False, headers=own).json()
            token, lifetime = look_up(_object(answer), "access_token"), _seconds(answer.get("expires_in"))
        else:
            login = self._who.login
            assert login is not None
            words = {"{user}": login.user, "{password}": login.password.value()}
            answer = self.web.post(login.path, _filled(login.body, words), named=False).json()
            token, lifetime = look_up(_object(answer), login.token_at), float(login.lifetime)
        if not isinstance(token, str) or not token:
            raise AdapterError("the system gives no token at sign-in where one was expected")
        self._token = token
        self._until = self._clock() + max(lifetime - EARLY, lifetime / 2)


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise AdapterError("the system answers a sign-in with something else than a JSON object")
    return answer


def _seconds(given: Any) -> float:
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = float(given)
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) and given > 0 else 300.0


def _filled(body: Any, words: Mapping[str, str]) -> Any:
    """The body with user and password in their places."""
    if isinstance(body, dict):
        return {key: _filled(value, words) for key, value in body.items()}
    return words.get(body, body) if isinstance(body, str) else body
