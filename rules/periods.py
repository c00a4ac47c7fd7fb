"""Periods as policies write them: a number of days, weeks, months or business days, or a named parameter instead of the number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from rules.clock import Span
from rules.conditions import Model

Count = Annotated[int, Field(ge=0, le=36_500, strict=True)] | Annotated[str, Field(pattern=r"^\$[a-z][a-z0-9_]*$")]
_UNITS = ("days", "weeks", "months", "business_days")


class Period(Model):
    """Exactly one unit with its count; ``$name`` takes the count from a parameter.

    ``roll: forward`` moves the end to the next business day.
    """

    days: Count | None = None
    weeks: Count | None = None
    months: Count | None = None
    business_days: Count | None = None
    roll: str | None = Field(default=None, pattern="^forward$")

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(getattr(self, unit) is not None for unit in _UNITS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_UNITS)}")
        return self

    @property
    def unit(self) -> str:
        return next(unit for unit in _UNITS if getattr(self, unit) is not None)

    @property
    def count(self) -> int | str:
        found: int | str = getattr(self, self.unit)
        return found

    @property
    def parameter(self) -> str | None:
        """Name of the parameter that gives the count, if one does."""
        count = self.count
        return count[1:] if isinstance(count, str) else None

    def span(self, parameters: Mapping[str, int | None]) -> Span | None:
        """The period with its number; None where the parameter is not set.  Raises KeyError for a parameter that does not exist."""
        count = self.count
        number = parameters[count[1:]] if isinstance(count, str) else count
        return None if number is None else Span(self.unit, number, self.roll)
