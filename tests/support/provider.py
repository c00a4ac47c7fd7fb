"""A provider of single sign-on for tests: OpenID Connect over real HTTP on loopback, real RSA keys, and ways to misbehave.

It keeps to what the standard asks of a provider where a client could get it wrong: a code is good once, for the address, the client and
the PKCE challenge that it was given for.  ``wrong`` changes the claims of the ID tokens that it gives next,
``unsigned`` and ``secretly`` how they are signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "duecare", "a secret: with / signs"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def new_key(kid: str, which: int = 0) -> RSAKey:
    """A key; the same for the same arguments."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Given:
    """What a code was given for."""

    asked: dict[str, str]
    claims: dict[str, Any]
    used: bool = False


@dataclass
class Provider:
    """The provider as tests see it.  ``person``: who is signed in there, as claims; None: nobody, who then refuses."""

    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    issuer: str = ""
    person: dict[str, Any] | None = None
    key: RSAKey = field(default_factory=lambda: new_key("k1"))
    shown: list[RSAKey] | None = None
    wrong: dict[str, Any] = field(default_factory=dict)
    unsigned: bool = False
    secretly: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    down: bool = False
    codes: dict[str, Given] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ended: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def rotate(self, kid: str) -> None:
        """Sign with another key from now on, and show it alone."""
        self.key = new_key(kid)

    def authorise(self, address: str) -> str:
        """What a browser does at the provider: the address it is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        back = {"state": asked["state"], "iss": self.issuer}
        if self.person is None:
            return asked["redirect_uri"] + "?" + urlencode({**back, "error": "access_denied"})
        code = secrets.token_urlsafe(16)
        self.codes[code] = Given(asked, dict(self.person))
        return asked["redirect_uri"] + "?" + urlencode({**back, "code": code})

    # --- its addresses -----------------------------------------------------------------------------------------------

    def configuration(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "end_session_endpoint": self.issuer + "/logout",
            "authorization_response_iss_parameter_supported": True,
        }
        if self.userinfo is not None:
            told["userinfo_endpoint"] = self.issuer + "/userinfo"
        return told | self.metadata

    def keys(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in (self.shown if self.shown is not None else [self.key])]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(client), unquote_plus(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        given = self.codes.get(form.get("code", ""))
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if given is None or given.used or form.get("redirect_uri") != given.asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if challenge != given.asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        given.used = True
        now = self.now() // 1000
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": given.asked["nonce"]}
        claims = {name: value for name, value in {**claims, **given.claims, **self.wrong}.items() if value is not None}
        made = self.sign(claims)
        access = secrets.token_urlsafe(16)
        self.tokens += [made, access]
        return 200, {"id_token": made, "access_token": access, "token_type": "Bearer", "expires_in": 300}

    def sign(self, claims: dict[str, Any]) -> str:
        if self.unsigned or self.secretly:
            header = {"alg": "HS256" if self.secretly else "none", "kid": self.key.kid}
            text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
            public = self.key.as_pem(private=False)
            return f"{text}.{_base64(hmac.new(public, text.encode(), hashlib.sha256).digest()) if self.secretly else ''}"
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            provider.asked.append(path.path)
            if provider.down:
                self._tell(503, {})
            elif path.path == "/.well-known/openid-configuration":
                self._tell(200, provider.configuration())
            elif path.path == "/keys":
                self._tell(200, provider.keys())
            elif path.path == "/userinfo" and self.headers["Authorization"].removeprefix("Bearer ") in provider.tokens:
                self._tell(200, provider.userinfo or {})
            elif path.path == "/authorize":
                self._go(provider.authorise(self.path))
            elif path.path == "/logout":
                given = {name: values[0] for name, values in parse_qs(path.query).items()}
                provider.ended.append(given)
                self._go(given["post_logout_redirect_uri"])
            else:
                self._tell(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            self._tell(*provider.token(form, self.headers.get("Authorization", "")))

        def _tell(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _go(self, address: str) -> None:
            self.send_response(302)
            self.send_header("Location", address)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    return Handler


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a free port of this machine."""
    provider = Provider()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider)) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
