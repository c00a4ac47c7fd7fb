"""Single sign-on over the real product: asks service/.  No decisions here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from service.bootstrap import Service
from service.errors import NotFound

if TYPE_CHECKING:
    from service.oidc import Provider, Started


class SignOnServiceDesk:
    """See ``api.web.signon.desk.SignOnDesk``."""

    service: Service

    def single_sign_on(self) -> str:
        return "" if self.service.provider is None else "only" if self.service.settings.oidc_only else "also"

    def return_address(self) -> str:
        return self.service.settings.oidc_redirect_uri or ""

    def start_sign_on(self, *, back: str, again: bool) -> Started:
        return self._provider().start(back=back, again=again)

    def finish_sign_on(self, answer: Mapping[str, str], *, state: str, nonce: str, verifier: str, back: str) -> tuple[str, str]:
        from service import signon

        person = self._provider().finish(answer, state=state, nonce=nonce, verifier=verifier, back=back)
        return signon.enter(self.service, person).id, person.token

    def end_sign_on(self, *, back: str, token: str | None) -> str | None:
        return None if self.service.provider is None else self.service.provider.sign_out(back=back, token=token)

    def _provider(self) -> Provider:
        if self.service.provider is None:
            raise NotFound("single sign-on is not set up")
        return self.service.provider
