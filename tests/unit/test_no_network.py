"""Unit tests are cut off from the network: what they prove must not hang on what else runs on the machine."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_is_refused_inside_a_unit_test():
    with socket.socket() as probe, pytest.raises(AssertionError, match="opens a network connection"):
        probe.connect(("127.0.0.1", 9))


def test_a_name_is_not_looked_up_inside_a_unit_test():
    with pytest.raises(AssertionError, match="opens a network connection"):
        socket.getaddrinfo("localhost", 80)
