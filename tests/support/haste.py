"""What makes a test run faster without changing what is tested: weak password hashes, policies and pages read once, and no program
written that builds an address before one is asked for.  Imports argon2, flask, werkzeug, rules.policy and service.users.

Only the process of the tests is hastened; the servers and commands that tests start are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from rules import policy
from rules.policyloader import Read, read_texts
from service import users


class _Compiled(BytecodeCache):
    """Templates that were compiled for another application of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@cache
def hasten() -> None:
    """From now on, in this process.  A second call does nothing."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    users._hasher = lambda: weak  # type: ignore[assignment]
    policy.read_texts = _read_texts  # type: ignore[attr-defined]
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}
    Rule._compile_builder = _builder_when_asked  # type: ignore[assignment]


_compile_builder = Rule._compile_builder


def _builder_when_asked(rule: Rule, append_unknown: bool = True) -> Any:
    """Werkzeug compiles two functions a route of each application, hundreds in all, of which a test calls few."""
    made: Any = None

    def build(of: Rule, /, **values: Any) -> tuple[str, str]:
        nonlocal made
        made = made or _compile_builder(rule, append_unknown)
        return made(of, **values)

    return build


def _read_texts(files: Mapping[str, str], main: str) -> Read:
    return _read(tuple(sorted(files.items())), main)


@lru_cache(maxsize=64)
def _read(files: tuple[tuple[str, str], ...], main: str) -> Read:
    return read_texts(dict(files), main)
