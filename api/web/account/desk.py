"""What sessions and the page of one's own account ask of the product.  Imports service.access and service.websessions' plain values."""

from __future__ import annotations

from typing import Protocol

from api.web.account.views import AccountPage
from service.access import Access
from service.websessions import Begun, Cookie, SignedIn


class AccountDesk(Protocol):
    """See ``api.web.desk.Desk``."""

    def sign_in(self, name: str, password: str) -> tuple[str, Access]:
        """The user's id, and who that is.  Raises Unauthorised or LockedOut."""
        ...

    def change_password(self, user: str, *, old: str, new: str) -> None:
        """All sessions of this person are over.  Raises Unauthorised (the old one is wrong) or Invalid."""
        ...

    def begin_session(self, user: str, *, how: str, device: str) -> Begun:
        """A session of somebody who has shown who they are; ``how``: ``password`` or ``single``."""
        ...

    def session(self, cookie: Cookie, *, device: str) -> SignedIn | None:
        """Who is signed in with this cookie; None: the session is over."""
        ...

    def keep_session(self, session: str) -> None:
        """It is in use."""
        ...

    def end_session(self, user: str, session: str) -> None:
        """One session of this person is over.  Raises NotFound."""
        ...

    def end_other_sessions(self, user: str, session: str) -> Begun:
        """All sessions of this person but this one are over; it goes on with another cookie.  Raises NotPossible if it is over itself."""
        ...

    def own_account(self, user: str, session: str) -> AccountPage:
        """Where this person is signed in; ``session``: the one that asks."""
        ...
