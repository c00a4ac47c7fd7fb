"""Makes the reference pages of sources and of measurements.  Imports adapters.*, service.* and cli.pagetables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cli.pagetables import fields, table, ticks

_LEAD = """A source is a client system that is asked for its records, or one that sends events and signs them. Each has a YAML file;
`DUECARE_SOURCES` names the file, or the folder of them. Files are read again when they change. `duecare adapters lint` tells every
fault with file, line and column, `duecare adapters schema` prints all of this as a JSON Schema for editors, and
`duecare adapters try NAME` shows what becomes of the first records before anything is stored.

```yaml
source: register
title: The case register
adapter: sql
zone: Australia/Adelaide
every: 5m
settings:
  url: {env: REGISTER_URL}
  tables:
    - {table: visit, id: id, updated: changed_at}
mapping: register-mapping.yaml
push: {secret: {file: /run/secrets/register}}
```

A secret never stands in the file: `{env: NAME}` names an environment variable that holds it, `{file: /path}` a file. It is read each
time it is needed. What [a mapping](mapping.md) may say has a page of its own.
"""


def sources_page() -> str:
    """A source's file, every kind of client system with its settings, and the mappings that ship."""
    from adapters.base import kinds
    from adapters.ready import ready
    from service.sources.file import Push, SourceFile
    from service.sources.schema import documented, settings_schema

    known = kinds()
    parts = ["# Sources\n", _LEAD, "## The file\n", fields(documented(SourceFile))]
    parts += ["### push\n", _about(Push), fields(documented(Push))]
    parts += [
        "### secret\n",
        "Where a secret stands: one of the two.\n",
        table(["field", "takes"], [["`env`", "text"], ["`file`", "text"]]),
    ]
    parts += [
        "## Kinds of client system\n",
        table(["adapter", "for"], [[f"[{name}](#{name})", kind.about] for name, kind in known.items()]),
    ]
    for name, kind in known.items():
        parts += [f"## {name}\n", kind.about + "\n", _about(kind.settings), *_settings(name, settings_schema(kind))]
    rows = [[f"`{name}`", _first_words(path.read_text("utf-8"))] for name, path in sorted(ready().items())]
    lead = "`mapping: NAME` takes one as it is. Fields and words differ from installation to installation: copy it and change it.\n"
    parts += ["## Mappings that come with duecare\n", lead, table(["name", "for"], rows)]
    return "\n".join(part for part in parts if part)


def metrics_page() -> str:
    """Every measurement that `/metrics` gives."""
    from service.metrics import documented

    lead = (
        "`GET /metrics` gives these in Prometheus' text format, to a key with the scope `metrics`. Counters are those of the process"
        " that answers, the others are read from the store; workers and schedulers tell their counters where `DUECARE_METRICS_PORT` is"
        " set. [Watch duecare](../how-to/watch-duecare.md) says which of them should call somebody.\n"
    )
    return "\n".join(["# Measurements\n", lead, table(["name", "means"], [[f"`{name}`", words] for name, words in documented()])])


def _settings(adapter: str, schema: Mapping[str, Any]) -> Iterable[str]:
    """The table of the settings, then one for each part of them; parts are named after the adapter, as several have parts of one name."""
    parts = {name: part for name, part in schema.get("$defs", {}).items() if name not in {"Secret", "Layout"}}
    yield _linked(adapter, parts, fields(schema))
    for name, part in sorted(parts.items()):
        yield f"### {adapter} {name.lower()}\n"
        if part.get("description"):
            yield ticks(part["description"]) + "\n"
        yield _linked(adapter, parts, fields(part))


def _linked(adapter: str, parts: Iterable[str], text: str) -> str:
    for name in parts:
        text = text.replace(f"(#{name.lower()})", f"(#{adapter}-{name.lower()})")
    return text


def _about(model: type) -> str:
    text = ticks(inspect.cleandoc(model.__doc__ or "")).removeprefix("What a source of this kind needs to know.").strip()
    return text + "\n" if text else ""


def _first_words(text: str) -> str:
    """The first sentence of the comment at the head of a file."""
    head = " ".join(line.lstrip("# ").strip() for line in text.splitlines()[: _length(text)])
    return re.split(r"(?<=[.:])\s", head, maxsplit=1)[0].rstrip(".:")


def _length(text: str) -> int:
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
