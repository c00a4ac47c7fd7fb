"""The product's settings: read once from the environment, typed, safe by default.  Imports pydantic and service/.

With no setting at all, duecare runs embedded: SQLite under the home folder, workers in the same process, a secret key of
its own.  As soon as PostgreSQL or Redis is named it is an installation of several processes: then the secret key must be given,
the same to each of them.
"""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from service.errors import SettingsError
from service.signonsettings import OptionalPath, OptionalSecret, OptionalText, SignOnSettings

LEAST_KEY = 32


def _default_home() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "duecare"


class Settings(SignOnSettings):
    """One field a setting; the environment variable is the field's alias.  Construct it by field name in tests."""

    # The prefix matters although every field has its alias: a field is also looked up by its own name, and HOME is somebody else's.
    model_config = SettingsConfigDict(
        env_prefix="DUECARE_", frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, env_ignore_empty=True
    )

    home: Path = Field(
        default_factory=_default_home,
        validation_alias=AliasChoices("DUECARE_HOME"),
        description="Folder for everything that an embedded installation keeps: the database, its secret key, backups.",
    )
    database_url: OptionalSecret = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL"),
        description="SQLAlchemy URL of the database (PostgreSQL or SQLite). Unset: a SQLite file under DUECARE_HOME.",
    )
    redis_url: OptionalSecret = Field(
        default=None,
        validation_alias=AliasChoices("REDIS_URL"),
        description="Redis that carries the hints to the workers. Unset: the workers run inside the serving process.",
    )
    policies: OptionalPath = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_POLICIES"),
        description="Folder with further policy packages. A policy with the id of a shipped one takes its place.",
    )
    sources: OptionalPath = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_SOURCES"),
        description="YAML file, or folder of YAML files, that say which client systems are asked for their records.",
    )
    notify: OptionalPath = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_NOTIFY"),
        description="YAML file that says who is told of breaches and audits, by webhook or e-mail. Unset: nobody.",
    )
    retention: OptionalPath = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_RETENTION"),
        description="YAML file that says for how long closed cases and the access log are kept. Unset: for ever, nothing is removed.",
    )
    secret_key: OptionalSecret = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_SECRET_KEY"),
        description=(
            "Key for sessions and for the hashes of API keys; at least 32 characters. Unset: made at first start and kept, readable by "
            "its owner only, under DUECARE_HOME. Required with PostgreSQL or Redis, where several processes must share it."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        validation_alias=AliasChoices("DUECARE_LOG_LEVEL"),
        description="Least level that is logged: debug, info, warning or error.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto",
        validation_alias=AliasChoices("DUECARE_LOG_FORMAT"),
        description="json, console, or auto: console on a terminal, else json.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        validation_alias=AliasChoices("DUECARE_METRICS_PORT"),
        description=(
            "Port on which each worker and scheduler tells Prometheus its counters, without a key: the first that is free from this one "
            "on, so that any number of them may run on a machine. Unset: none is told. The web tells its own at /metrics."
        ),
    )
    metrics_address: str = Field(
        default="127.0.0.1",
        min_length=1,
        validation_alias=AliasChoices("DUECARE_METRICS_ADDRESS"),
        description="Address of this machine on which they do so; 0.0.0.0 for every one.",
    )
    body_limit: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        le=1024**3,
        validation_alias=AliasChoices("DUECARE_BODY_LIMIT"),
        description="Bytes of the largest request body that is read.",
    )
    event_limit: int = Field(
        default=256 * 1024,
        ge=1024,
        le=64 * 1024**2,
        validation_alias=AliasChoices("DUECARE_EVENT_LIMIT"),
        description="Bytes of the largest single event that is taken in.",
    )
    batch_limit: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        validation_alias=AliasChoices("DUECARE_BATCH_LIMIT"),
        description="Most events in one batch.",
    )
    waiting_limit: int = Field(
        default=100_000,
        ge=0,
        le=100_000_000,
        validation_alias=AliasChoices("DUECARE_WAITING_LIMIT"),
        description=(
            "Cases that may wait to be judged. While more wait, events of further cases are answered 429 with Retry-After, and client "
            "systems are asked later; what was accepted is never given up. 0: no limit."
        ),
    )
    settle_hours: int = Field(
        default=24,
        ge=0,
        le=24 * 90,
        validation_alias=AliasChoices("DUECARE_SETTLE_HOURS"),
        description="Hours that a breach of an order rule must last before it is announced, since records arrive out of order.",
    )
    deadline_settle_hours: int = Field(
        default=0,
        ge=0,
        le=24 * 90,
        validation_alias=AliasChoices("DUECARE_DEADLINE_SETTLE_HOURS"),
        description="The same for passed deadlines.",
    )
    lease_seconds: int = Field(
        default=30,
        ge=2,
        le=3600,
        validation_alias=AliasChoices("DUECARE_LEASE_SECONDS"),
        description="How long a worker may keep a case to itself; a dead worker's cases are free again after that.",
    )
    sweep_seconds: float = Field(
        default=2.0,
        ge=0.05,
        le=3600,
        validation_alias=AliasChoices("DUECARE_SWEEP_SECONDS"),
        description="Seconds between two rounds of the sweeper, which finds what no hint has told the workers.",
    )
    probation_seconds: float = Field(
        default=3600.0,
        ge=0.1,
        le=30 * 86_400,
        validation_alias=AliasChoices("DUECARE_PROBATION_SECONDS"),
        description="Seconds until a case that is in quarantine only because its workers died is tried again.",
    )
    seal_seconds: float = Field(
        default=60.0,
        ge=0.05,
        le=86_400,
        validation_alias=AliasChoices("DUECARE_SEAL_SECONDS"),
        description=(
            "Seconds between two seals on histories, the access log, decisions and reports: `duecare db verify` finds what was changed "
            "after it was sealed."
        ),
    )
    worker_threads: int = Field(
        default=1,
        ge=1,
        le=64,
        validation_alias=AliasChoices("DUECARE_WORKER_THREADS"),
        description="Threads that judge cases in the embedded mode. The engine holds the interpreter's lock: more than one brings little.",
    )
    audit_workers: int = Field(
        default=4,
        ge=1,
        le=64,
        validation_alias=AliasChoices("DUECARE_AUDIT_WORKERS"),
        description="Most workers that take part in one audit at a time. Whatever their number, cases that wait to be judged come first.",
    )
    database_pool: int = Field(
        default=5,
        ge=1,
        le=200,
        validation_alias=AliasChoices("DUECARE_DATABASE_POOL"),
        description="Connections to PostgreSQL that each process keeps.",
    )
    rate_limit: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("DUECARE_RATE_LIMIT"),
        description=(
            "How often one caller may ask, such as `600 per minute`; more gets 429 with Retry-After. With Redis it is counted for all "
            "processes together, and in each by itself while Redis is away. Unset: as often as it likes."
        ),
    )

    @field_validator("home", "policies", "sources", "notify", "retention")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST_KEY:
            raise ValueError(f"must have at least {LEAST_KEY} characters")
        return value

    @property
    def database(self) -> str:
        """The database's URL, secrets included: never print it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'duecare.db'}"

    @property
    def redis(self) -> str | None:
        """Redis' URL, secrets included; None in the embedded mode."""
        return self.redis_url.get_secret_value() if self.redis_url is not None else None

    @property
    def embedded(self) -> bool:
        """One process does everything: the hints do not leave it."""
        return self.redis_url is None

    @property
    def shared(self) -> bool:
        """Several processes may serve this installation, so that none may invent a secret of its own."""
        return self.redis_url is not None or not self.database.startswith("sqlite")

    @cached_property
    def secret(self) -> bytes:
        """The secret key.  Makes and keeps one where that is safe; raises SettingsError where it must be given."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        if self.shared:
            raise SettingsError("DUECARE_SECRET_KEY must be set (32 characters or more) when PostgreSQL or Redis is used")
        return _kept_secret(self.prepare_home() / "secret_key")

    def prepare_home(self) -> Path:
        """The home folder, made if need be, closed to other accounts.  Raises SettingsError where that fails."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"DUECARE_HOME cannot be used: {error.strerror}: {self.home}") from error
        return self.home


def load() -> Settings:
    """The settings of this process's environment.  Raises SettingsError, naming every variable that is not usable and never its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors(include_url=False, include_input=False)]
        raise SettingsError("; ".join(faults)) from None


def _kept_secret(path: Path) -> bytes:
    """The secret in ``path``; the first caller makes it, all others read the same one."""
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48).encode())
        kept = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"the secret key cannot be kept: {error.strerror}: {path}") from error
    if len(kept) < LEAST_KEY:
        raise SettingsError(f"{path} does not hold a secret key; remove it to have a new one made (which ends all sessions and API keys)")
    return kept


def _write_once(path: Path, content: bytes) -> None:
    """Write a whole file that nobody else may read, or leave the one that another process has written meanwhile."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
