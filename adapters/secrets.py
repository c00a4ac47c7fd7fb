"""Secrets by reference: a source's file names where a secret stands, and never holds one.  Imports pydantic."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from adapters.base import AdapterError

_LONGEST = 65_536


class Secret(BaseModel):
    """``{env: NAME}`` or ``{file: /path}``.  The value is read each time it is needed, so that it can be changed without a restart."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_value(cls, data: object) -> object:
        if isinstance(data, str):
            raise ValueError(  # noqa: TRY004 - pydantic reports ValueErrors
                "is a secret: name the environment variable ({env: NAME}) or the file ({file: /path}) that holds it"
            )
        return data

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) is (self.file is None):
            raise ValueError("give either env or file")
        return self

    @property
    def place(self) -> str:
        """Where it stands, in words; fit to be shown."""
        return f"the environment variable {self.env}" if self.env is not None else f"the file {self.file}"

    def value(self) -> str:
        """The secret itself: never print it.  Raises AdapterError where there is none."""
        if self.env is not None:
            found = os.environ.get(self.env, "")
        else:
            try:
                with Path(self.file or "").open("rb") as handle:
                    found = handle.read(_LONGEST).decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise AdapterError(f"{self.place} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None
        if not found.strip():
            raise AdapterError(f"{self.place} is not set or empty")
        return found.strip()
