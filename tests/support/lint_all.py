"""Lints every policy file that its standard input names, each through the command line, and writes what came of it as JSON.

It runs as a process of its own, with little memory and an alarm for each file, so that what crashes, hangs or grows is seen from outside.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import signal
import sys
import time

MEMORY = 1_000_000_000
"""Bytes of address space that the process may have."""
SECONDS = 20
"""After so many of the processor's own a file is said to hang.  Each takes under two."""
LONGEST = 120
"""The same by the clock: it waits for something."""


class Hangs(BaseException):
    """A file took too long.  Not an Exception: nothing may catch it on its way."""


def _alarm(*_: object) -> None:
    raise Hangs


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _alarm)
    signal.signal(signal.SIGPROF, _alarm)
    from cli.main import run

    found = []
    for path in sys.stdin.read().splitlines():
        out, err = io.StringIO(), io.StringIO()
        signal.alarm(LONGEST)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        begun = time.perf_counter()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(["policy", "lint", path])
        except Hangs:
            code = -1
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
        found.append({"code": code, "out": out.getvalue(), "err": err.getvalue(), "seconds": round(time.perf_counter() - begun, 2)})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"files": found, "kilobytes": peak}, sys.stdout)


if __name__ == "__main__":
    main()
