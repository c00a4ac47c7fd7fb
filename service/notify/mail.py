"""A digest as an e-mail: the words, and the way to the mail server.  Imports smtplib and this package."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from adapters.base import AdapterError
from service.notify.config import Digest, Smtp
from service.notify.webhook import NotTaken

Titles = Mapping[tuple[str, str], str]
SHOWN = 10
TIMEOUT = 15.0
"""Seconds that each step of talking to the mail server may take."""


def compose(
    digest: Digest,
    told: Mapping[str, Any],
    *,
    message_id: str,
    to: str,
    sender: str,
    pages: str | None,
    titles: Titles,
) -> EmailMessage:
    """The mail that a digest's numbers make.  ``titles`` of rules by (policy, rule)."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = f"Duecare: {told['new']} new, {told['due']} due soon, {told['stale']} going stale"
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    mail["Date"] = dt.datetime.fromtimestamp(told["until"] / 1000, dt.UTC)
    mail["Auto-Submitted"] = "auto-generated"
    zone = ZoneInfo(told["zone"])
    since, until = (f"{dt.datetime.fromtimestamp(told[name] / 1000, zone):%a %-d %B %Y, %H:%M}" for name in ("after", "until"))
    last = f"{dt.date.fromisoformat(told['due_until']):%a %-d %B %Y}"
    lines = [f"Between {since} and {until} ({told['zone']} time), {_whose(told)}."]
    lines += _part(f"New open breaches: {told['new']}", told["new_by_rule"], titles)
    lines += _link(pages, "breaches", {"condition": "open", "review": "new"}, told) if told["new"] else []
    lines += _part(f"Falling due up to {last}: {told['due']}", told["due_by_rule"], titles)
    lines += _link(pages, "due-soon", {}, told) if told["due"] else []
    lines += _part(f"Not reviewed for more than {told['stale_days']} days: {told['stale']}", told["stale_by_rule"], titles)
    lines += _link(pages, "breaches", {"condition": "open", "review": "new"}, told) if told["stale"] else []
    lines += ["", f"This mail names no case and no person. It is sent as {digest.called}; whoever runs duecare can change it."]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send(smtp: Smtp, mail: EmailMessage) -> None:
    """Hand it to the mail server.  Raises NotTaken."""
    try:
        context = ssl.create_default_context()
        password = smtp.password.value() if smtp.password is not None else None
        if smtp.tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT)
        with server:
            if smtp.tls == "starttls":
                server.starttls(context=context)
            if smtp.user is not None and password is not None:
                server.login(smtp.user, password)
            server.send_message(mail)
    except AdapterError as error:
        raise NotTaken(str(error), silent=True) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise NotTaken(f"the mail server does not take mail for this address ({', '.join(map(str, codes))})") from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotTaken(f"the mail server does not take our password ({error.smtp_code})", silent=True) from None
    except smtplib.SMTPNotSupportedError:
        raise NotTaken("the mail server offers no STARTTLS, or no sign-in", silent=True) from None
    except smtplib.SMTPResponseException as error:
        raise NotTaken(f"the mail server answers {error.smtp_code}", silent=True) from None
    except ssl.SSLError:
        raise NotTaken("the mail server's certificate cannot be verified, or it speaks no TLS here", silent=True) from None
    except (OSError, smtplib.SMTPException):
        raise NotTaken("the mail server cannot be reached, or broke off", silent=True) from None


def _part(heading: str, rules: Sequence[Sequence[Any]], titles: Titles) -> list[str]:
    lines = ["", heading]
    for policy, rule, severity, number in rules[:SHOWN]:
        title = titles.get((policy, rule), "")
        lines.append(f"  {number:>5}  {rule}" + (f" {title}" if title else "") + (f" ({severity})" if severity else ""))
    if len(rules) > SHOWN:
        lines.append(f"         and {sum(one[3] for one in rules[SHOWN:])} under {len(rules) - SHOWN} more rules")
    return lines


def _whose(told: Mapping[str, Any]) -> str:
    limits = [(name, told[f"{name}s"]) for name in ("team", "office")]
    parts = [f"{name if len(codes) == 1 else name + 's'} {', '.join(codes)}" for name, codes in limits if codes is not None]
    return " and ".join(parts) if parts else "all teams"


def _link(pages: str | None, path: str, query: Mapping[str, str], told: Mapping[str, Any]) -> list[str]:
    if pages is None:
        return []
    pairs = [*query.items(), *(("team", team) for team in told["teams"] or ()), *(("office", office) for office in told["offices"] or ())]
    return [f"  {pages}{path}" + (f"?{urlencode(pairs)}" if pairs else "")]
