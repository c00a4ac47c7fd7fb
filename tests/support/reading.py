"""What tests of adapters for one system share: a source's file, a pull that goes well, and what is then in the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rules.model import Event
from service.sources import pull as pulling
from service.sources.definitions import Configured, read_file
from service.sources.taking import Pulled
from store.cases import load_case
from tests.support.service_kit import Kit


def configured(kit: Kit, folder: Path, adapter: str, settings: dict[str, Any], *, zone: str = "Australia/Adelaide") -> Configured:
    """A source's file with the mapping that ships, as it is read."""
    path = folder / f"{adapter}.yaml"
    path.write_text(json.dumps({"source": adapter, "adapter": adapter, "zone": zone, "mapping": adapter, "settings": settings}))
    return read_file(path, kit.svc.policies.all_types)


def pull(kit: Kit, source: Configured) -> Pulled:
    """A pull; fails where it does not end well."""
    done = pulling.pull(kit.svc, source)
    assert done.error is None
    return done


def stored(kit: Kit, case: str) -> list[Event]:
    """All events of a case, the oldest first."""
    with kit.svc.reading() as session:
        return sorted(load_case(session, case).file.events, key=lambda event: (event.time, event.type, event.id))


def told(kit: Kit, case: str) -> list[tuple[str, int]]:
    """What happened and when (ms)."""
    return [(event.type, event.time) for event in stored(kit, case)]


def standing(kit: Kit, case: str) -> dict[str, Event]:
    """The events of a case that were not taken back, by id."""
    events = stored(kit, case)
    voided = {event.data["target"] for event in events if event.type == "event.voided"}
    return {event.id: event for event in events if event.id not in voided and event.type != "event.voided"}
