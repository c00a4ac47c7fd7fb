"""The command `duecare`: which commands there are, and how any failure reaches the person at the terminal.

Imports click and rules.errors; commands are imported only when they are asked for.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

import click

from cli.common import EXIT_FAILED, EXIT_USAGE, complain
from rules.errors import EngineError, PolicyError, RulesError

# Pydantic would look through every installed package for plugins, at each start; there are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

COMMANDS = {
    "adapters": "cli.adapters:adapters",
    "audit": "cli.audits:audit",
    "cases": "cli.cases:cases",
    "check": "cli.check:check",
    "db": "cli.db:db",
    "demo": "cli.demo:demo",
    "docs": "cli.docs:docs",
    "events": "cli.events:events",
    "explain": "cli.explain:explain",
    "holds": "cli.holds:holds",
    "keys": "cli.keys:keys",
    "notify": "cli.notify:notify",
    "policy": "cli.policy:policy",
    "retention": "cli.retention:retention",
    "serve": "cli.serve:serve",
    "users": "cli.users:users",
    "worker": "cli.worker:worker",
}


class ReaderGone(Exception):
    """Whoever read our output (`| head`) has closed it.  Not an OSError: click would end the program with exit code 1, "breached"."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderGone from error
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Like every group's, with the command that was probably meant: click knows only those that have been imported."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            meant = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"There is no command '{args[0]}'." + (f" Did you mean '{meant[0]}'?" if meant else ""))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="duecare", prog_name="duecare")
@click.pass_context
def app(context: click.Context) -> None:
    """Duecare finds, in the events of a case, where policy was not followed, and explains why.

    Judge files without a server with `duecare check`; start the whole product with `duecare serve`.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 good, 1 breaches found, 2 wrong usage or refused input, 3 a failure of duecare itself."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.  No stack trace unless DUECARE_LOG_LEVEL is ``debug``."""
    try:
        result = app.main(args=None if argv is None else list(argv), prog_name="duecare", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("Stopped.")
        return 130
    except ReaderGone:
        # What is still buffered has nowhere to go, and the interpreter would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except PolicyError as error:
        for fault in error.faults:
            complain(str(fault))
        return EXIT_USAGE
    except EngineError as error:
        return _failed(error)
    except RulesError as error:
        complain(f"Error: {error}")
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 (whatever it is, a person at a terminal gets a sentence)
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: Exception) -> int:
    if os.environ.get("DUECARE_LOG_LEVEL", "").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    else:
        first = (str(error).splitlines() or [""])[0]
        complain(f"Error: {type(error).__name__}: {first}" if first else f"Error: {type(error).__name__}")
        complain("This is a failure of duecare, not of your input. DUECARE_LOG_LEVEL=debug shows where.")
    return EXIT_FAILED


if __name__ == "__main__":
    main()
