"""Talking to the provider of single sign-on: OpenID Connect Core 1.0, authorisation code flow with PKCE (RFC 7636).

One ``Provider`` a process.  It learns the provider's addresses and keys from its metadata and asks for the keys again when a token
names one that it does not know.  Nothing that the provider says is believed before signature, issuer, audience, times and nonce have
been checked; no token outlives the sign-in here, and no error or log line holds one.  Imports httpx, joserfc and service/.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote_plus, urlencode

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from service.errors import SettingsError, SignOnFailed
from service.logs import get
from service.oidcweb import ProviderAway, ask
from service.rolemap import RoleMap, load
from service.settings import Settings
from service.signonsettings import safe_address

SKEW = 60
"""Seconds that the provider's clock may differ from ours."""
KEPT = 3_600_000
"""ms for which metadata and keys are believed."""
PAUSE = 5_000
"""ms between two tries where the provider is away, and between two looks for a key that it does not show."""
WAIT = 2.0
"""Seconds for which a thread waits while another asks the provider: a slow provider must not take all threads."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures with a public key only: no secret that we share could be taken for one, and none is no signature."""

_log = get("sign_on")


class _Registry(JWSRegistry):
    max_header_length = 8192  # some providers put their certificates in


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in on its way: where the browser is sent, and what has to be known when it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says has signed in.  ``token`` is for signing out at the provider only."""

    subject: str
    name: str
    email: str | None
    groups: frozenset[str]
    token: str


class Provider:
    """The provider that the settings name.  ``now`` gives ms.  Safe to use from several threads."""

    def __init__(self, settings: Settings, now: Callable[[], int]) -> None:
        assert settings.oidc_issuer is not None
        if settings.oidc_client_id is None:
            raise SettingsError("OIDC_CLIENT_ID must be set where OIDC_ISSUER is")
        if settings.oidc_role_map is None:
            raise SettingsError("OIDC_ROLE_MAP must be set where OIDC_ISSUER is: without it nobody may do anything")
        self.issuer: str = settings.oidc_issuer
        self.client: str = settings.oidc_client_id
        self.roles: RoleMap = load(settings.oidc_role_map)
        self._secret = _secret(settings)
        self._scopes, self._claim, self._now = settings.oidc_scopes, settings.oidc_groups_claim, now
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._learned = self._failed = self._looked = -KEPT

    def start(self, *, back: str, again: bool = False) -> Started:
        """Begin a sign-in that comes back to ``back``.  ``again``: ask for the password even where the browser is signed in.

        Raises ProviderAway.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": back,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if again:
            asked["prompt"] = "login"
        return Started(_with(self._address("authorization_endpoint"), asked), state, nonce, verifier)

    def finish(self, answer: Mapping[str, str], *, state: str, nonce: str, verifier: str, back: str) -> Person:
        """Who has signed in, by what the browser brought back.  Raises SignOnFailed and ProviderAway."""
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise SignOnFailed("state")
        issuer = answer.get("iss")  # RFC 9207: against an answer of another provider
        if issuer != self.issuer and (issuer is not None or self._learn().get("authorization_response_iss_parameter_supported") is True):
            raise SignOnFailed("issuer")
        if "error" in answer:
            raise SignOnFailed("cancelled" if answer["error"] == "access_denied" else "provider")
        if not answer.get("code"):
            raise SignOnFailed("code")
        given = self._exchange(answer["code"], verifier=verifier, back=back)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise SignOnFailed("token")
        claims = self._checked(token, nonce)
        claims = self._more(claims, given.get("access_token"))
        name = next((text for key in ("preferred_username", "name", "email") if (text := _text(claims.get(key)))), claims["sub"])
        return Person(claims["sub"], name, _text(claims.get("email")), _groups(claims, self._claim), token)

    def sign_out(self, *, back: str, token: str | None) -> str | None:
        """Where a browser ends its session at the provider, and then comes back; None where the provider has no such place or is away."""
        try:
            address = self._learn().get("end_session_endpoint")
        except ProviderAway:
            return None
        if not isinstance(address, str) or not safe_address(address):
            return None
        asked = {"client_id": self.client, "post_logout_redirect_uri": back}
        return _with(address, asked | ({"id_token_hint": token} if token else {}))

    # --- what the provider tells -------------------------------------------------------------------------------------

    def _exchange(self, code: str, *, verifier: str, back: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        headers = {}
        methods = self._learn().get("token_endpoint_auth_methods_supported")
        if self._secret is None:
            form["client_id"] = self.client
        elif isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods:
            form |= {"client_id": self.client, "client_secret": self._secret}
        else:
            pair = f"{quote_plus(self.client)}:{quote_plus(self._secret)}"  # RFC 6749, 2.3.1
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return ask(self._address("token_endpoint"), form=form, headers=headers, refused="code")

    def _more(self, claims: dict[str, Any], access: object) -> dict[str, Any]:
        """The claims, with what the provider tells at its userinfo address only."""
        address = self._learn().get("userinfo_endpoint")
        if _inside(claims, self._claim) is not None or not isinstance(access, str) or not isinstance(address, str):
            return claims
        told = ask(self._address("userinfo_endpoint"), headers={"Authorization": f"Bearer {access}"}, refused="token")
        if told.get("sub") != claims["sub"]:
            raise SignOnFailed("subject")
        return told | claims

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core, 3.1.3.7).  Raises SignOnFailed."""
        registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            try:
                claims = jwt.decode(token, self._key_set(), registry=registry).claims
            except (InvalidKeyIdError, BadSignatureError):
                claims = jwt.decode(token, self._key_set(anew=True), registry=registry).claims
            times = jwt.JWTClaimsRegistry(now=self._now() // 1000, leeway=SKEW, exp={"essential": True}, iat={"essential": True})
            times.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise SignOnFailed("expired" if getattr(error, "error", "") == "expired_token" else "token") from None
        if claims.get("iss") != self.issuer:
            raise SignOnFailed("issuer")
        audience = claims.get("aud")
        everyone = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp")
        if self.client not in everyone or (party is None and len(everyone) > 1) or party not in {None, self.client}:
            raise SignOnFailed("audience")
        if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
            raise SignOnFailed("nonce")
        if not _text(claims.get("sub")) or len(claims["sub"]) > 255:
            raise SignOnFailed("subject")
        return claims

    def _address(self, name: str) -> str:
        address = self._learn().get(name)
        if not isinstance(address, str) or not safe_address(address):
            _log.error("provider_metadata", missing=name)
            raise ProviderAway
        return address

    def _learn(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0).  Raises ProviderAway; then nobody asks again for ``PAUSE``."""
        if self._metadata and self._now() - self._learned < KEPT:
            return self._metadata
        with self._alone(0.0 if self._metadata else WAIT) as alone:
            now = self._now()
            fresh = bool(self._metadata) and now - self._learned < KEPT
            if alone and not fresh and now - self._failed >= PAUSE:
                self._ask_metadata(now)
            if not self._metadata:
                raise ProviderAway
            return self._metadata

    def _ask_metadata(self, now: int) -> None:
        """Learn it anew; where that fails, what was known before is believed a while longer."""
        try:
            told = ask(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        except ProviderAway:
            self._failed = now
            return
        if told.get("issuer") != self.issuer:
            _log.error("provider_metadata", wrong="issuer")
            self._failed = now
            return
        self._metadata, self._learned, self._keys = told, now, None

    def _key_set(self, *, anew: bool = False) -> KeySet:
        address = self._address("jwks_uri")
        with self._alone(WAIT) as alone:
            now = self._now()
            if self._keys is not None and (not anew or now - self._looked < PAUSE):
                return self._keys
            if not alone:
                raise ProviderAway
            if anew:
                self._looked = now
            try:
                told: Any = ask(address)
                self._keys = KeySet.import_key_set({"keys": [key for key in told["keys"] if key.get("use", "sig") == "sig"]})
            except (JoseError, ValueError, KeyError, TypeError, AttributeError):
                _log.error("provider_keys")
                raise ProviderAway from None
            return self._keys

    @contextmanager
    def _alone(self, seconds: float) -> Iterator[bool]:
        """Whether no other thread asks the provider meanwhile; those that cannot wait so long go on without."""
        alone = self._lock.acquire(timeout=seconds) if seconds else self._lock.acquire(blocking=False)
        try:
            yield alone
        finally:
            if alone:
                self._lock.release()


def _secret(settings: Settings) -> str | None:
    given, path = settings.oidc_client_secret, settings.oidc_client_secret_file
    if given is not None and path is not None:
        raise SettingsError("set OIDC_CLIENT_SECRET or OIDC_CLIENT_SECRET_FILE, not both")
    if path is None:
        return given.get_secret_value() if given is not None else None
    try:
        kept = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError("OIDC_CLIENT_SECRET_FILE cannot be read") from None
    if not kept:
        raise SettingsError("OIDC_CLIENT_SECRET_FILE is empty")
    return kept


def _with(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def _text(value: object) -> str | None:
    """A text that can be shown in a line; None for anything else."""
    return value.strip() if isinstance(value, str) and value.strip() and value.isprintable() else None


def _inside(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or else by the way into one: ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    found: object = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    found = _inside(claims, name)
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(group for group in listed if isinstance(group, str))
