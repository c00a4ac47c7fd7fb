"""Trying a source out: its first records and what the mapping makes of them.  Stores nothing; imports adapters/ and service/."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.base import AdapterError
from adapters.interpret import Interpreted, interpret
from service.bootstrap import Service
from service.errors import NotPossible
from service.sources.definitions import Configured

MOST_PAGES = 200


def trial(svc: Service, source: Configured, *, limit: int = 20, kind: str | None = None, pages: int = MOST_PAGES) -> Iterator[Interpreted]:
    """What becomes of the first ``limit`` records (of a kind), looked for on so many ``pages``.

    Raises NotPossible where the source cannot be read.
    """
    left = limit
    try:
        adapter = source.adapter()
        try:
            cursor = None
            for _ in range(pages):
                page = adapter.pull(cursor)
                for record in page.records:
                    if left and (kind is None or record.kind == kind):
                        left -= 1
                        yield interpret(source.mapping, record, received=svc.now())
                if not left or not page.more:
                    return
                cursor = page.cursor
        finally:
            adapter.close()
    except AdapterError as error:
        raise NotPossible(str(error)) from error
