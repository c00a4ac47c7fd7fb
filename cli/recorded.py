"""What of each command goes into the access log: who (the account on this machine), what, of which case or thing, and what came of it.

One place, so that a command cannot forget it: ``cli.stored.service`` has a line written when a command is done with the store.  What is
read is written down before it is shown, or is not shown; what was changed has happened, and a line that could not be written is told.
Imports click; service/ and store/ only inside functions.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cli.common import complain

if TYPE_CHECKING:
    from service.bootstrap import Service

ACTIONS: Mapping[str, str] = {
    "adapters confirm": "source.confirm",
    "adapters dismiss": "source.dismiss",
    "adapters pull": "source.pull",
    "adapters rejects": "source.read",
    "adapters replay": "source.replay",
    "adapters try": "source.try",
    "audit cancel": "audit.cancel",
    "audit compare": "audits.compare",
    "audit judge-again": "audit.judge_again",
    "audit list": "audits.list",
    "audit report": "audit.export",
    "audit resume": "audit.start",
    "audit run": "audit.start",
    "audit schedule add": "audit.schedule",
    "audit schedule list": "audits.list",
    "audit schedule pause": "audit.schedule",
    "audit schedule remove": "audit.schedule",
    "audit schedule resume": "audit.schedule",
    "audit show": "audit.read",
    "cases export": "case.export",
    "db backup": "store.backup",
    "db restore": "store.restore",
    "demo load": "events.send",
    "events import": "events.send",
    "explain": "case.judge",
    "holds lift": "hold.lift",
    "holds list": "retention.read",
    "holds set": "hold.set",
    "keys create": "key.make",
    "keys list": "keys.list",
    "keys revoke": "key.revoke",
    "notify dead": "notices.list",
    "notify dismiss": "notice.dismiss",
    "notify list": "notices.list",
    "notify retry": "notice.retry",
    "notify test": "notice.test",
    "policy approve": "policy.decide",
    "policy backtest": "backtest.start",
    "policy backtests": "backtests.list",
    "policy propose": "policy.propose",
    "policy reject": "policy.decide",
    "policy set": "policy.propose",
    "policy withdraw": "policy.decide",
    "retention certificates": "retention.read",
    "retention plan": "retention.read",
    "retention run": "retention.run",
    "retention show": "retention.read",
    "users change-password": "password.change",
    "users create": "account.make",
    "users disable": "account.change",
    "users list": "accounts.list",
    "users reset-password": "account.reset",
}
"""By command: the action, as ``service.accesslog`` knows it."""

NOT_RECORDED = frozenset(
    {
        "adapters check", "adapters lint", "adapters list", "adapters sample", "adapters schema", "check", "db check", "db downgrade",
        "db seal", "db seals", "db upgrade", "db verify", "demo generate", "docs", "policy changes", "policy diff",
        "policy history", "policy kinds", "policy lint", "policy new", "policy questions", "policy read", "policy schema", "policy test",
        "serve", "worker",
    }
)  # fmt: skip
"""Commands that show nothing of a case or a person and change nothing on record, and the processes that stay."""

_SAID, _NOTHING = "cli.recorded", "cli.recorded.nothing"


def note(*, case: str | None = None, thing: str | None = None, count: int | None = None, actor: str | None = None) -> None:
    """Say of the command at hand what only it knows; what is None leaves what was said before."""
    context = click.get_current_context(silent=True)
    if context is not None:
        said: dict[str, object] = context.find_root().meta.setdefault(_SAID, {})
        given = {"case": case, "thing": thing, "count": count, "actor": actor}
        said.update({name: value for name, value in given.items() if value is not None})


def leave_out() -> None:
    """Say that the command at hand neither shows nor changes anything on record, as it was called."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.find_root().meta[_NOTHING] = True


@contextmanager
def recording(svc: Service, *, schema: bool = True) -> Iterator[None]:
    """Write a line when the command that runs now is done, or has been refused.  Raises NotRecorded for what would be shown.

    ``schema``: the tables are there; else a line is written only if they are.
    """
    action = _action()
    if action is None:
        yield
        return
    try:
        yield
    except Exception as error:
        if schema or _ready(svc):
            _write(svc, action, _outcome(error))
        raise
    if schema or _ready(svc):
        _write(svc, action, "done")


def _action() -> str | None:
    context = click.get_current_context(silent=True)
    return None if context is None else ACTIONS.get(" ".join(context.command_path.split()[1:]))


def _ready(svc: Service) -> bool:
    from store import migrations

    if click.get_current_context().find_root().meta.get(_NOTHING):
        return False
    return migrations.current(svc.engine) == migrations.head()


def _outcome(error: Exception) -> str:
    from service.errors import Forbidden, NotFound, ServiceError, Unauthorised

    if isinstance(error, Forbidden | Unauthorised):
        return "refused"
    if isinstance(error, NotFound):
        return "not_found"
    return "not_done" if isinstance(error, ServiceError | click.ClickException | click.exceptions.Exit) else "failed"


def _write(svc: Service, action: str, outcome: str) -> None:
    from service import accesslog
    from store.accesslog import Entry

    said = click.get_current_context().find_root().meta.get(_SAID, {})
    told = {name: said.get(name) for name in ("case", "thing", "count")}
    entry = Entry(at=svc.now(), actor=said.get("actor") or account(), via="cli", action=action, outcome=outcome, **told)
    try:
        accesslog.record(svc, entry)
    except accesslog.NotRecorded:
        if outcome != "done":
            return
        if action in accesslog.READINGS:
            raise
        complain("It is done, but the access log could not be written.")


def account() -> str:
    """Who sits at this machine: ``os:NAME``."""
    try:
        return f"os:{getpass.getuser()}"
    except (KeyError, OSError):
        return "os:unknown"
