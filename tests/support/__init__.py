"""Helpers that several test folders share, importable as ``tests.support.<name>``."""
