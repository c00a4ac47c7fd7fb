"""Who may still use a password where people sign in with their organisation's account.  Imports service/ only."""

from __future__ import annotations

from service import users
from service.bootstrap import Service
from service.logs import get
from service.users import User

_log = get("sign_on")


def may_use_password(svc: Service, name: str) -> bool:
    """Whether the account of this name may sign in with a password of its own here."""
    return not svc.settings.oidc_only or name in svc.settings.break_glass


def holds(svc: Service, user: User) -> bool:
    """Whether sessions of this account count, as single sign-on is set up now."""
    return svc.provider is not None if user.single else may_use_password(svc, user.name)


def sign_in(svc: Service, *, name: str, password: str) -> User:
    """As ``users.sign_in``, for those who may.  All others are answered like unknown names."""
    if not may_use_password(svc, name):
        return users.sign_in(svc, name="", password=password)
    user = users.sign_in(svc, name=name, password=password)
    if svc.settings.oidc_only:
        _log.warning("break_glass_used", user=user.id)
    return user
