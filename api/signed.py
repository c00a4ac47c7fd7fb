"""Messages that carry a signature: which sources ask for one, and whether it is good.  Imports service/ and this package's access."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from adapters.base import AdapterError
from api.access import service
from api.problems import ApiProblem
from service.errors import Unauthorised
from service.logs import get
from service.signatures import verify
from service.sources.definitions import Configured

_log = get("signed")


def require_signatures(sources: Iterable[object], body: bytes) -> None:
    """Let a message pass in which events of these sources stand, if every one of them that asks for a signature has a good one.

    Raises ApiProblem (401, or 503 where the secret itself cannot be read).
    """
    given = set(sources)
    for source in service().feeds.current().items.values():
        if source.signed is not None and not given.isdisjoint(source.senders):
            require_signature(source, body)


def require_signature(source: Configured, body: bytes) -> None:
    """The same for one source that asks for a signature.  Raises ApiProblem."""
    assert source.signed is not None
    assert source.signed.secret is not None
    headers = {name.lower(): value for name, value in request.headers}
    try:
        verify(source.signed.secret.value(), headers, body, now=service().now(), tolerance=source.signed.tolerance)
    except Unauthorised as error:
        _log.warning("signature_refused", source=source.name, why=str(error))
        raise ApiProblem("unauthorized", detail=f"{error}.", headers={"WWW-Authenticate": 'Signature realm="duecare"'}) from None
    except AdapterError:
        _log.error("signing_secret_missing", source=source.name)
        raise ApiProblem("unavailable", detail="The secret of this source cannot be read here; its operator has to look.") from None
