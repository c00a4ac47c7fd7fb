"""API keys: made once, shown once, kept as a hash.  Imports store/ and service/.

A key is ``dk_ID_SECRET``: the id is looked up, the secret (256 random bits) is held against its HMAC in constant time.  A
fast hash is enough for a secret that nobody can guess; passwords, which people choose, are another matter (service/users.py).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, update

from service.access import ROLE_GRANT, ROLES, Access, check_scopes
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound, NotPossible, Unauthorised
from store.models import ApiKeyRow
from store.tombstones import key_id as id_of_secret

_TOKEN = re.compile(r"dk_([a-z0-9]{12})_([0-9a-f]{64})", re.ASCII)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
LAST_USED_EVERY = 60_000
"""ms between two notes of a key's last use: a busy key must not write at every request."""
NAME_LIMIT = 200
State = Literal["good", "unproved", "void", "expired", "revoked"]
"""Void: made with another secret key, so that nobody can use it.  Unproved: nobody knows with which; its next use shows."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown: everything but its secret.  Instants in ms."""

    id: str
    name: str
    scopes: frozenset[str]
    teams: frozenset[str] | None
    offices: frozenset[str] | None
    created: int
    expires: int | None
    revoked: int | None
    last_used: int | None
    fits: bool | None
    """Whether it was made with the secret key that this installation has; None: by an earlier version, and not used since."""

    def state(self, now: int) -> State:
        """How it stands at ``now`` (ms)."""
        if self.revoked is not None:
            return "revoked"
        if self.expires is not None and self.expires <= now:
            return "expired"
        if self.fits is None:
            return "unproved"
        return "good" if self.fits else "void"


def create(
    svc: Service,
    *,
    name: str,
    scopes: Collection[str],
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
    expires: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and its token, which nobody can be shown again.  ``teams`` or ``offices`` of None: all.  Raises Invalid."""
    now = svc.now()
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise Invalid(Flaw("name", "wrong_value", f"give a name of 1 to {NAME_LIMIT} printable characters"))
    if expires is not None and expires <= now:
        raise Invalid(Flaw("expires", "wrong_value", "lies in the past"))
    granted = check_scopes(scopes)
    identity = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_hex(32)
    row = ApiKeyRow(
        id=identity,
        name=name.strip(),
        hash=_hash(svc, identity, secret),
        scopes=sorted(granted),
        teams=_listed(teams, "teams"),
        offices=_listed(offices, "offices"),
        created=now,
        expires=expires,
        secret_id=id_of_secret(svc.settings.secret),
    )
    with svc.writing() as session:
        session.add(row)
        session.flush()
        made = _shown(svc, row)
    return made, f"dk_{identity}_{secret}"


def listed(svc: Service) -> list[ApiKey]:
    """All keys, the revoked ones included, in the order of their making."""
    with svc.reading() as session:
        return [_shown(svc, row) for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created, ApiKeyRow.id))]


def revoke(svc: Service, key_id: str) -> ApiKey:
    """The key is of no use from now on.  Doing it twice changes nothing.  Raises NotFound."""
    with svc.writing() as session:
        row = session.get(ApiKeyRow, key_id)
        if row is None:
            raise NotFound("there is no such key")
        if row.revoked is None:
            row.revoked = svc.now()
        return _shown(svc, row)


def rotate(svc: Service, key_id: str, *, overlap: int) -> tuple[ApiKey, str]:
    """A new key in place of this one, with the same name, scopes, limits and expiry; the old one holds for ``overlap`` ms more.

    One that is void is revoked at once.  Raises NotFound, and NotPossible for a key that holds no longer.
    """
    now = svc.now()
    with svc.reading() as session:
        row = session.get(ApiKeyRow, key_id)
        if row is None:
            raise NotFound("there is no such key")
        old = _shown(svc, row)
    if old.state(now) in {"revoked", "expired"}:
        raise NotPossible("this key holds no longer: make a new one")
    made, token = create(svc, name=old.name, scopes=old.scopes, teams=old.teams, offices=old.offices, expires=old.expires)
    if overlap <= 0 or old.state(now) == "void":
        revoke(svc, key_id)
    else:
        with svc.writing() as session:
            until = now + overlap if old.expires is None else min(old.expires, now + overlap)
            session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(expires=until))
    return made, token


def get(svc: Service, key_id: str) -> ApiKey:
    """The key.  Raises NotFound."""
    with svc.reading() as session:
        row = session.get(ApiKeyRow, key_id)
        if row is None:
            raise NotFound("there is no such key")
        return _shown(svc, row)


def authenticate(svc: Service, token: str) -> Access:
    """Who holds this token.  Raises Unauthorised, without a word on what was wrong with it."""
    found = _TOKEN.fullmatch(token)
    identity, secret = found.groups() if found else ("", "")
    now = svc.now()
    with svc.reading() as session:
        row = session.get(ApiKeyRow, identity)
        good = hmac.compare_digest(row.hash if row is not None else "0" * 64, _hash(svc, identity, secret))
        if row is None or not good or row.revoked is not None or (row.expires is not None and row.expires <= now):
            raise Unauthorised("no valid key")
        key = _shown(svc, row)
    if key.last_used is None or now - key.last_used >= LAST_USED_EVERY or not key.fits:
        _note_use(svc, identity, now)
    return access_of(key)


def access_of(key: ApiKey) -> Access:
    """What the holder of a key may see and do."""
    roles = frozenset(scope.removeprefix(ROLE_GRANT) for scope in key.scopes if scope.startswith(ROLE_GRANT)) & frozenset(ROLES)
    scopes = frozenset(scope for scope in key.scopes if not scope.startswith(ROLE_GRANT))
    return Access(actor=f"key:{key.id}", name=key.name, scopes=scopes, roles=roles, teams=key.teams, offices=key.offices)


def _note_use(svc: Service, identity: str, now: int) -> None:
    with svc.writing() as session:
        noted = {"last_used": now, "secret_id": id_of_secret(svc.settings.secret)}
        session.execute(update(ApiKeyRow).where(ApiKeyRow.id == identity).values(noted))


def _hash(svc: Service, identity: str, secret: str) -> str:
    return hmac.new(svc.settings.secret, f"api-key:{identity}:{secret}".encode(), hashlib.sha256).hexdigest()


def _listed(values: Collection[str] | None, name: str) -> list[str] | None:
    if values is None:
        return None
    if not values or any(not value or not value.isprintable() or len(value) > NAME_LIMIT for value in values):
        raise Invalid(Flaw(name, "wrong_value", "give at least one code, or leave it out for all"))
    return sorted(set(values))


def _shown(svc: Service, row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        teams=None if row.teams is None else frozenset(row.teams),
        offices=None if row.offices is None else frozenset(row.offices),
        created=row.created,
        expires=row.expires,
        revoked=row.revoked,
        last_used=row.last_used,
        fits=None if row.secret_id is None else row.secret_id == id_of_secret(svc.settings.secret),
    )
