"""Values that are made by the hundred for every case: frozen to the type checker, and plain dataclasses with slots when they run.

A frozen dataclass sets each field through ``object.__setattr__`` and takes eight times as long to make.  Imports nothing of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def lean(cls: type[T]) -> type[T]:
    """The class as a dataclass with slots, compared and hashed by its fields; assigning to one is an error of typing."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
