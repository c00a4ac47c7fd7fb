"""A disk of a few megabytes that can be filled to its last byte and emptied again.  Needs the right to mount (root, or a container's)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self


class NoSmallDisk(RuntimeError):
    """This machine lets nobody mount; the message says what it said."""


class SmallDisk:
    """``with SmallDisk(folder, megabytes=20) as disk``: a file system of its own at ``folder``."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder, self.megabytes = folder, megabytes
        self._filler = folder / "filler"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "none", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoSmallDisk(done.stderr.strip())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def fill(self) -> None:
        """Nothing more can be written to it, also where somebody gives room back meanwhile."""
        handle = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while self.free:
                for size in (1 << 20, 4096):
                    try:
                        while os.write(handle, b"\0" * size):
                            pass
                    except OSError:
                        continue
        finally:
            os.close(handle)

    def make_room(self) -> None:
        """There is space again."""
        self._filler.unlink()

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize
