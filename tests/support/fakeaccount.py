"""The part of the made-up desk that knows of people's sessions: in memory, over when the product's would be."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from api.web.account.views import AccountPage, SessionLine
from service import websessions
from service.access import Access
from service.errors import Flaw, Invalid, LockedOut, NotFound, Unauthorised
from service.websessions import Begun, Cookie, SignedIn

ZONE = "Australia/Adelaide"


@dataclass(frozen=True)
class Session:
    user: str
    how: str
    device: str
    made: int
    seen: int
    ends: int


class FakeAccount:
    """See ``api.web.account.desk.AccountDesk``.  ``over``: people whose sessions an administrator has ended."""

    must_change: bool
    password: str

    def __init__(self) -> None:
        self.over: set[str] = set()
        self.sessions: dict[str, Session] = {}

    def now(self) -> int:
        raise NotImplementedError

    def _access(self, user: str) -> Access:
        raise NotImplementedError

    def sign_in(self, name: str, password: str) -> tuple[str, Access]:
        if name == "locked":
            raise LockedOut(301)
        if name not in {"kim", "robin"} or password != self.password:
            raise Unauthorised
        return name, self._access(name)

    def change_password(self, user: str, *, old: str, new: str) -> None:
        if old != self.password:
            raise Unauthorised
        if len(new) < 12:
            raise Invalid(Flaw("password", "short", "use at least 12 characters"))
        self.password = new
        self.must_change = False
        self.sessions.clear()

    def begin_session(self, user: str, *, how: str, device: str) -> Begun:
        now, key = self.now(), secrets.token_hex(8)
        self.sessions[key] = Session(user, how, device, now, now, now + websessions.LONGEST)
        return Begun(key, now)

    def session(self, cookie: Cookie, *, device: str) -> SignedIn | None:
        found = self.sessions.get(cookie.key or "")
        if found is None or found.user in self.over or cookie.key is None:
            return None
        if websessions.over(began=found.made, seen=found.seen, ends=found.ends, now=self.now()):
            return None
        return SignedIn(self._access(found.user), cookie.key, cookie.key, found.seen, found.ends)

    def keep_session(self, session: str) -> None:
        self.sessions[session] = replace(self.sessions[session], seen=self.now())

    def end_session(self, user: str, session: str) -> None:
        if session not in self.sessions or self.sessions[session].user != user:
            raise NotFound
        del self.sessions[session]

    def end_other_sessions(self, user: str, session: str) -> Begun:
        here = self.sessions[session]
        self.sessions = {"renewed": replace(here, made=self.now(), seen=self.now())}
        return Begun("renewed", self.now())

    def own_account(self, user: str, session: str) -> AccountPage:
        lines = [
            SessionLine(key, one.device, one.ends - websessions.LONGEST, one.seen, one.how, key == session)
            for key, one in self.sessions.items()
            if one.user == user
        ]
        return AccountPage(self.now(), ZONE, sorted(lines, key=lambda line: not line.here), False)
