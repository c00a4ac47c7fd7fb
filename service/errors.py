"""Everything that a use case raises on purpose, in one hierarchy.  Imports nothing of the project.

``code`` is stable and machine-readable; api/ turns each into an RFC 9457 problem, cli/ into a line and an exit code.
No message holds a name, a narrative or a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class ServiceError(Exception):
    """Root of the hierarchy."""

    code: ClassVar[str] = "internal_error"


class SettingsError(ServiceError):
    """A setting that is missing, contradicts another one, or is not safe."""

    code = "settings"


class NotFound(ServiceError):
    """It does not exist, or lies outside the teams and offices that the caller may read: the two look the same."""

    code = "not_found"


class Unauthorised(ServiceError):
    """No key or password, a wrong one, or one that no longer holds."""

    code = "unauthorized"


class LockedOut(Unauthorised):
    """Too many wrong passwords; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many wrong passwords; try again later")
        self.retry_after = retry_after


class SignOnFailed(Unauthorised):
    """Single sign-on did not come to an end that can be believed; ``reason`` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__("signing in at the provider failed")
        self.reason = reason


class ProviderAway(ServiceError):
    """The provider of single sign-on cannot be reached, or says nothing that can be used."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("the provider of single sign-on cannot be reached")


class Forbidden(ServiceError):
    """The caller is known, but lacks what this asks for."""

    code = "forbidden"


class NotLetIn(Forbidden):
    """Somebody has signed in at the provider, but may use nothing here; ``why``: ``groups`` or ``off``."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__("none of the groups that the provider names may use this service")
        self.name, self.why = name, why


class StaleVersion(ServiceError):
    """Somebody else changed it first; ``current`` is the version now."""

    code = "stale_version"

    def __init__(self, current: int) -> None:
        super().__init__(f"it has been changed since it was read; its version is now {current}")
        self.current = current


class NotPossible(ServiceError):
    """What is asked does not fit the present state."""

    code = "not_possible"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One fault of an argument; ``field`` names it."""

    field: str
    code: str
    message: str


class Invalid(ServiceError):
    """Arguments that cannot be used, all of them at once."""

    code = "unprocessable"

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(f"{flaw.field}: {flaw.message}" for flaw in flaws))
        self.flaws = flaws


class TooMuch(ServiceError):
    """More than is taken at once."""

    code = "too_large"


class Overloaded(ServiceError):
    """Too much of what was accepted waits to be judged; nothing of this was taken in.  ``retry_after`` is in seconds."""

    code = "overloaded"

    def __init__(self, retry_after: int, limit: int) -> None:
        super().__init__(f"{limit:,} cases wait to be judged: nothing of this was taken in, send the same again later")
        self.retry_after = retry_after


class LeaseLost(ServiceError):
    """Another worker has taken the case over; nothing was written, and nothing is lost."""

    code = "lease_lost"
