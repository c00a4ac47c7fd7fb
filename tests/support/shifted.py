"""A process of the product on a machine whose clock can be set: ``python -m tests.support.shifted FILE MODULE [ARGUMENT...]``.

FILE holds the seconds by which the clock is ahead, and is read anew again and again.  The steady clock stays as it is.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

LOOK_EVERY = 0.02


def set_clock(file: Path, **ahead: float) -> None:
    """The clock of whoever looks at ``file`` is ahead by ``days`` and ``seconds``."""
    draft = file.with_suffix(".new")
    draft.write_text(str(ahead.get("days", 0.0) * 86_400 + ahead.get("seconds", 0.0)))
    draft.rename(file)


def main() -> None:
    file = Path(sys.argv[1])
    true_ns, steady = time.time_ns, time.monotonic
    known = [0.0, 0]

    def ahead_ns() -> int:
        if steady() >= known[0]:
            known[:] = [steady() + LOOK_EVERY, int(float(file.read_text()) * 1e9)]
        return int(known[1])

    time.time_ns = lambda: true_ns() + ahead_ns()
    time.time = lambda: (true_ns() + ahead_ns()) / 1e9
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
