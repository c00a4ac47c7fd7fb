"""Fixtures that several integration tests share."""

from tests.support.stores import store, stored

__all__ = ["store", "stored"]
