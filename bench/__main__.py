"""`./dev bench`: all benchmarks, one after another, each within its time.

`./dev bench NAME [options]`: one of them, with its own options.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SECONDS = 600.0
"""What one benchmark may take."""
ALL: dict[str, tuple[str, ...]] = {
    "judge": ("--cases", "200", "--rounds", "5", "--memory", "3000"),
    "deciders_fuzz": ("--items", "100000"),
    "cases_fuzz": ("--cases", "2000"),
    "ingest": ("--import", "50000", "--posts", "10000", "--single", "200"),
    "online": ("--cases", "120"),
    "latency": ("--events", "300"),
    "backtest": ("--cases", "1000"),
    "bulk": ("--cases", "10000", "--sample", "200", "--orders", "clustered"),
    "audit": ("--cases", "600", "--families", "60"),
    "pressure": ("--seconds", "15"),
    "notices": ("--messages", "1000"),
    "pages": ("--cases", "20000", "--breaches", "5000", "--families", "60", "--rounds", "5"),
    "pulling": ("--changes", "5000", "--kills", "20", "--import", "50000", "--seconds", "60"),
}
"""By name, the options with which it is short enough for everyday use."""
ALSO = ("load", "deciders_worlds", "mutants", "policy_mutants", "rehearsal")
"""What runs only when it is named; it takes the time that it needs."""


def run(name: str, options: Sequence[str]) -> bool:
    """Whether the benchmark ``name`` ended well."""
    print(f"== {name} {' '.join(options)} ==", flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", *options],
            cwd=Path(__file__).resolve().parents[1],
            timeout=None if name in ALSO else SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{name} was not done within {SECONDS:.0f} s", file=sys.stderr)
        return False
    print(flush=True)
    return done.returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Run what ``arguments`` name. Exit code 1: one of them failed; 2: there is none of that name."""
    if not arguments:
        return 0 if all([run(name, options) for name, options in ALL.items()]) else 1  # noqa: C419 - the rest still runs
    name, *options = arguments
    if name in ("-h", "--help"):
        print(__doc__)
        print(f"Names: {', '.join((*ALL, *ALSO))}. `./dev bench NAME --help` tells the options of one.")
        return 0
    if name not in ALL and name not in ALSO:
        print(f"no benchmark is called {name!r}; there are {', '.join((*ALL, *ALSO))}", file=sys.stderr)
        return 2
    return 0 if run(name, options) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
