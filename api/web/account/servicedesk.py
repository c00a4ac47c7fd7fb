"""Sessions and one's own account over the real product: asks service/.  No decisions here."""

from __future__ import annotations

from api.web.account.views import AccountPage, SessionLine
from service import passwords, users, websessions
from service.access import Access
from service.bootstrap import Service
from service.websessions import Begun, Cookie, SignedIn


class AccountServiceDesk:
    """See ``api.web.account.desk.AccountDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def sign_in(self, name: str, password: str) -> tuple[str, Access]:
        user = passwords.sign_in(self.service, name=name, password=password)
        return user.id, users.access_of(user)

    def change_password(self, user: str, *, old: str, new: str) -> None:
        users.change_password(self.service, user_id=user, old=old, new=new)

    def begin_session(self, user: str, *, how: str, device: str) -> Begun:
        return websessions.begin(self.service, user_id=user, how=how, device=device)

    def session(self, cookie: Cookie, *, device: str) -> SignedIn | None:
        return websessions.find(self.service, cookie, device=device)

    def keep_session(self, session: str) -> None:
        websessions.keep(self.service, session)

    def end_session(self, user: str, session: str) -> None:
        websessions.end(self.service, user_id=user, session_id=session)

    def end_other_sessions(self, user: str, session: str) -> Begun:
        return websessions.end_others(self.service, user_id=user, session_id=session)

    def own_account(self, user: str, session: str) -> AccountPage:
        lines = [
            SessionLine(one.id, one.device, one.since, one.seen, one.how, here=one.id == session)
            for one in websessions.listed(self.service, user)
        ]
        here = [one for one in lines if one.here]
        single = any(one.how == "single" for one in here)
        return AccountPage(self.service.now(), self.zone, [*here, *(one for one in lines if not one.here)], single)
