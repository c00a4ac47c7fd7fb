"""Mappings that come with the product, for systems that are much alike wherever they run.  A source's file names one of them.

They are a start: field names differ between installations, and a copy of one beside the source's file can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def ready() -> Mapping[str, Path]:
    """By name, the files."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}
