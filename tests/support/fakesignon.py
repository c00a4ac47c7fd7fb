"""The part of the made-up desk that knows of single sign-on: there is none, unless ``offered`` says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from service.errors import ProviderAway

if TYPE_CHECKING:
    from service.oidc import Started


class FakeSignOn:
    """See ``api.web.signon.desk.SignOnDesk``."""

    offered = ""

    def single_sign_on(self) -> str:
        return self.offered

    def return_address(self) -> str:
        return ""

    def start_sign_on(self, *, back: str, again: bool) -> Started:
        raise ProviderAway

    def finish_sign_on(self, answer: Mapping[str, str], *, state: str, nonce: str, verifier: str, back: str) -> tuple[str, str]:
        raise ProviderAway

    def end_sign_on(self, *, back: str, token: str | None) -> str | None:
        return None
