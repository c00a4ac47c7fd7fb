"""Sources for tests: a folder into which a made-up client system lays rows, and the YAML files that name it."""

from __future__ import annotations

import os
from pathlib import Path

URI = "urn:test:client"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MAPPING = f"""
  mapping: made_up
  version: "1"
  source: {URI}
  format: {{zone: Australia/Adelaide}}
  case: family
  recorded: noted
  id: {{template: "visit-{{id}}"}}
  type: {{constant: visit.held}}
  time: held
  data:
    status: {{column: status, values: {{done: held, missed: attempted}}}}
    mode: {{constant: in_person}}
"""
HEAD = "id,family,held,noted,status,remarks\n"


class Folder:
    """A folder of sources; ``drop`` holds what the client system laid there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.drop = path / "drop"
        self.drop.mkdir(parents=True)

    def add(self, name: str = "visits", *, more: str = "", mapping: str = MAPPING, uri: str = URI) -> Path:
        """A source that reads the folder."""
        text = (
            f"source: {name}\ntitle: The {name} folder\nuri: {uri}\nadapter: files\n{more}settings: {{folder: drop, settle: 0}}\nmapping:"
            f"{mapping if mapping.startswith(chr(10)) else ' ' + mapping}\n"
        )
        file = self.path / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    def lay(self, name: str, *rows: str) -> None:
        """A file of rows: id, family, held, noted, status, remarks."""
        made = self.drop / name
        made.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        os.utime(made, (1_700_000_000, 1_700_000_000))


def signed_by(name: str) -> str:
    """What a source's file says that asks for signatures with the secret in this variable."""
    return f"push: {{secret: {{env: {name}}}}}\n"


GOOD = "1,F1,2026-05-04 10:00,2026-05-04 11:00,done,Anna was ill"
OTHER = "2,F2,2026-05-05 10:00,2026-05-05 11:00,missed,"
BAD = "3,F3,2026-05-06 10:00,2026-05-06 11:00,perhaps,Bert is away"
