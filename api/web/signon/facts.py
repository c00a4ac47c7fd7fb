"""How single sign-on is set up, in words for administrators: no secret, and no name of a group's members.  Imports service/."""

from __future__ import annotations

from flask import url_for

from api.web import words
from service.access import ROLES
from service.bootstrap import Service
from service.rolemap import Grant

MOST = 50
"""Groups that are told one by one."""


def sign_on_facts(svc: Service) -> list[tuple[str, str]]:
    """Name and value of each fact."""
    provider, settings = svc.provider, svc.settings
    if provider is None:
        return [("State", "not set up: people sign in with accounts of their own here")]
    state = "set up beside accounts of this service"
    if settings.oidc_only:
        names = ", ".join(sorted(settings.break_glass)) or "nobody"
        state = f"the only way in; in an emergency these may use a password: {names}"
    secret = "given; never shown" if settings.oidc_client_secret or settings.oidc_client_secret_file else "none: PKCE alone protects"
    facts = [
        ("State", state),
        ("Provider", f"the one at {provider.issuer}"),
        ("Called there", f"“{provider.client}”"),
        ("Secret", secret),
        ("Sends people back to", f"the address {settings.oidc_redirect_uri or url_for('web.single_return', _external=True)}"),
        ("Asks for", f"the scopes {settings.oidc_scopes}"),
        ("Groups are read from", f"the claim {settings.oidc_groups_claim}"),
    ]
    grants = list(provider.roles.grants.items())
    facts += [(f"Group {group}", _told(grant)) for group, grant in grants[:MOST]]
    return facts if len(grants) <= MOST else [*facts, ("More groups", str(len(grants) - MOST))]


def _told(grant: Grant) -> str:
    roles = ", ".join(words.word("role", role) for role in ROLES if role in grant.roles)
    limits = [
        f"{name} {', '.join(sorted(given))}" for name, given in (("teams", grant.teams), ("offices", grant.offices)) if given is not None
    ]
    return f"{roles}; {'; '.join(limits) or 'all teams and offices'}"
