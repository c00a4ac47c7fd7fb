"""Who may do what.  Imports base only."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json


class ApiKeyRow(Base):
    """A machine's key: ``id`` is its public prefix, ``hash`` an HMAC of the secret part.  NULL teams or offices: all.

    ``secret_id`` tells which secret key the HMAC was made with (store.tombstones.key_id); NULL: not noted yet.
    """

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str]
    scopes: Mapped[Json]
    teams: Mapped[Json | None]
    offices: Mapped[Json | None]
    created: Mapped[int]
    expires: Mapped[int | None]
    revoked: Mapped[int | None]
    last_used: Mapped[int | None]
    secret_id: Mapped[str | None]


class UserRow(Base):
    """A person's account.  ``subject`` is who they are at the single sign-on provider; NULL teams or offices: all."""

    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None]
    subject: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    roles: Mapped[Json]
    teams: Mapped[Json | None]
    offices: Mapped[Json | None]
    must_change: Mapped[bool] = mapped_column(default=False)
    failed: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[int | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    sessions_after: Mapped[int] = mapped_column(default=0)
    """Sessions begun before this instant are over: set when the password or the roles change."""
    created: Mapped[int]
    last_login: Mapped[int | None]
