"""The settings of single sign-on, apart from the others: none of them counts unless OIDC_ISSUER is set.  Imports pydantic only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

RETURN_PATH = "/sign-in/return"
"""Where the provider sends people back to; an address of it is registered there."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _blank_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


OptionalPath = Annotated[Path | None, BeforeValidator(_blank_is_unset)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_unset)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)]


def safe_address(address: str) -> bool:
    """Whether an address is https, or http on this machine itself, and holds neither a user nor a fragment."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


class SignOnSettings(BaseSettings):
    """How people sign in at their organisation's provider (OpenID Connect)."""

    oidc_issuer: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_ISSUER"),
        description="Address of the provider for single sign-on, exactly as it calls itself. Unset: people have accounts here only.",
    )
    oidc_client_id: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_CLIENT_ID"),
        description="What duecare is called at the provider.",
    )
    oidc_client_secret: OptionalSecret = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_CLIENT_SECRET"),
        description="Secret that duecare has with the provider. Unset: a public client, which PKCE alone protects.",
    )
    oidc_client_secret_file: OptionalPath = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_CLIENT_SECRET_FILE"),
        description="File that holds this secret, instead of OIDC_CLIENT_SECRET.",
    )
    oidc_scopes: str = Field(
        default="openid profile email",
        validation_alias=AliasChoices("OIDC_SCOPES"),
        description="What the provider is asked to tell, parted by spaces. Some tell the groups only for a scope such as `groups`.",
    )
    oidc_groups_claim: str = Field(
        default="groups",
        min_length=1,
        validation_alias=AliasChoices("OIDC_GROUPS_CLAIM"),
        description="Claim that lists a person's groups; a dot leads into a claim, as in `realm_access.roles`.",
    )
    oidc_role_map: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_ROLE_MAP"),
        description="YAML file (or the same as JSON, in the variable itself) that says which group has which roles, teams and offices.",
    )
    oidc_only: bool = Field(
        default=False,
        validation_alias=AliasChoices("OIDC_ONLY"),
        description="Whether passwords of accounts here are refused, but for the accounts of OIDC_BREAK_GLASS.",
    )
    oidc_break_glass: str = Field(
        default="admin",
        validation_alias=AliasChoices("OIDC_BREAK_GLASS"),
        description="Names of the accounts, parted by commas, that may sign in with a password although OIDC_ONLY is set.",
    )
    oidc_redirect_uri: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("OIDC_REDIRECT_URI"),
        description=f"Address that the provider sends people back to; it ends in `{RETURN_PATH}`. Unset: made from the address people use.",
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        if value is not None and (not safe_address(value) or "?" in value):
            raise ValueError("must be an https address without a query")
        return value

    @field_validator("oidc_redirect_uri")
    @classmethod
    def _redirect(cls, value: str | None) -> str | None:
        if value is not None and (not safe_address(value) or not value.endswith(RETURN_PATH)):
            raise ValueError(f"must be an https address that ends in {RETURN_PATH}")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _scopes(cls, value: str) -> str:
        scopes = value.split()
        if "openid" not in scopes:
            raise ValueError("must hold openid")
        return " ".join(scopes)

    @property
    def break_glass(self) -> frozenset[str]:
        """The names of the accounts that may always sign in with a password."""
        return frozenset(name.strip() for name in self.oidc_break_glass.split(",") if name.strip())
