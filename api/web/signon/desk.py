"""What the pages of single sign-on ask of the product.  Imports service.oidc for its plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.oidc import Started


class SignOnDesk(Protocol):
    """See ``api.web.desk.Desk``."""

    def single_sign_on(self) -> str:
        """``also`` beside accounts here, ``only`` but for emergencies, or an empty text: it is not set up."""
        ...

    def return_address(self) -> str:
        """Where the provider sends people back to, as the settings say; an empty text: where they came from."""
        ...

    def start_sign_on(self, *, back: str, again: bool) -> Started:
        """Raises ProviderAway."""
        ...

    def finish_sign_on(self, answer: Mapping[str, str], *, state: str, nonce: str, verifier: str, back: str) -> tuple[str, str]:
        """The user's id, and the token for signing out.  Raises SignOnFailed, ProviderAway and NotLetIn."""
        ...

    def end_sign_on(self, *, back: str, token: str | None) -> str | None:
        """Where the browser signs out at the provider; None: nowhere."""
        ...
