"""Backups and their return, as whoever runs the machine needs them: a file that is whole or not there, and what is missing afterwards.

Imports store/ and service/.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from service.bootstrap import Service
from service.errors import NotPossible
from store import websessions
from store.backup import Manifest, SourceThen, write_backup
from store.restore import free_all, read_backup, read_manifest


def write(svc: Service, file: Path) -> Manifest:
    """The whole store as of now in ``file``, readable for its owner alone.

    Raises NotPossible where it is there already or its folder is not, and OSError.
    """
    draft = file.with_name(f".{file.name}.part")
    if file.exists():
        raise NotPossible(f"{file} exists already")
    if not file.parent.is_dir():
        raise NotPossible(f"{file.parent} is no folder: make it first")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            made = write_backup(svc.engine, out, now=svc.now(), program=program(), key=mark(svc))
            out.flush()
            os.fsync(out.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return made


def look(file: Path) -> Manifest:
    """What a file holds, each line of it compared with its digest.  Raises store.backup.BackupError and OSError."""
    with file.open("rb") as source:
        return read_manifest(source)


def restore(svc: Service, file: Path) -> Manifest:
    """Fill the empty database, all or nothing; nobody stays signed in.  Raises store.backup.BackupError and OSError."""
    with file.open("rb") as source:
        manifest = read_backup(svc.engine, source)
    with svc.writing() as session:
        free_all(session)
        websessions.end_everybodys(session, now=svc.now())
    return manifest


def aftermath(svc: Service, manifest: Manifest) -> list[str]:
    """What came after the backup and is to be made good, in sentences; the first names the instant."""
    pulled, pushing = ([one for one in manifest.sources if one.pulled is asked] for asked in (True, False))
    told = ["Nothing that came after that instant is in it."]
    if pulled:
        told.append(f"Asked again from where they had been read to then: {_names(pulled)}.")
    if pushing:
        told.append(f"Must send again what they sent since, which does no harm where it is there already: {_names(pushing)}.")
    told.append(
        "Reviews, waivers, decisions on policies and audits made since must be made again;"
        " accounts and keys are as they were then: whatever was revoked since must be revoked again,"
        " and what was removed since to keep to retention must be removed again."
    )
    if manifest.key and not hmac.compare_digest(manifest.key, mark(svc)):
        told.append("DUECARE_SECRET_KEY is not that of the backup: with this one, API keys, subscribed calendars and sessions are void.")
    return told


def program() -> str:
    """The version of duecare."""
    try:
        return version("duecare")
    except PackageNotFoundError:
        return "?"


def mark(svc: Service) -> str:
    """By what the secret key is known again, without being known."""
    return hmac.new(svc.settings.secret, b"duecare backup", hashlib.sha256).hexdigest()[:16]


def _names(sources: list[SourceThen]) -> str:
    return ", ".join(one.source for one in sources)
