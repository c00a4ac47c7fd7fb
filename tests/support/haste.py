"""What makes a test run faster without changing what is tested: weak password hashes, policies and pages read once, statements compiled
once for all databases of a kind, and no program written that builds an address before one is asked for.  Imports argon2, flask,
SQLAlchemy, werkzeug, rules.policy, service.users and store.engine.

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
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from rules import policy
from rules.policyloader import Read, read_texts
from service import users
from store import engine


class _Compiled(BytecodeCache):
    """Templates that were compiled for another application of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


class _Statements(LRUCache[Any, Any]):
    """Statements that were compiled for another database of the same kind.  SQLAlchemy's key begins with the engine's own dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


@cache
def hasten() -> None:
    """From now on, in this process.  A second call does nothing."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    users._hasher = lambda: weak  # type: ignore[assignment]
    policy.read_texts = _read_texts  # type: ignore[attr-defined]
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}
    Rule._compile_builder = _builder_when_asked  # type: ignore[assignment]
    engine.create_engine = _engine  # type: ignore[attr-defined]


_create_engine = engine.create_engine  # type: ignore[attr-defined]
_statements = _Statements(2_000)


def _engine(*given: Any, **more: Any) -> Engine:
    made: Engine = _create_engine(*given, **more)
    made._compiled_cache = _statements
    return made


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
