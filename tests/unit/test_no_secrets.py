"""No secret stands in the repository: every file that is kept is looked through for what keys, tokens and passwords look like."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOKS_LIKE = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of duecare": r"\bdk_[a-z0-9]{12}_[0-9a-f]{64}\b",
    "a webhook's secret": r"\bwhsec_[A-Za-z0-9+/]{24,}={0,2}",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a cloud's key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b",
    "a forge's token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,}|pypi-AgE[\w-]{50,}|npm_[A-Za-z0-9]{36})\b",
    "a chat's token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an address with a password": r"\b[a-z][a-z0-9+]*://[^\s/:@\"'{}<>$]*:(?!PASSWORD|\.\.\.|\$|\{)[^\s/:@\"'{}<>]{3,}@[\w.-]+",
    "a value for a secret": r"(?i)\b(?:secret_key|client_secret|api_key|token|password|passwd)\s*=\s*[\"'][A-Za-z0-9+/=_-]{20,}[\"']",
}
ELSEWHERE = ("requirements/", "api/web/static/", "docs/images/")
"""Hashes of packages, what others have written, and pictures."""
MADE_UP = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaA==")
"""The example of the Standard Webhooks specification, and what says in base64 that it is none."""
OF_TESTS = {"an address with a password", "a value for a secret"}
"""What tests make up for servers on loopback and people who do not exist."""


def kept() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a checkout")
    return [name for name in done.stdout.decode().split("\0") if name and not name.startswith(ELSEWHERE)]


def found(name: str, text: str) -> list[str]:
    """What in a text looks like a secret: where, and as what."""
    hits = []
    for what, pattern in LOOKS_LIKE.items():
        if name.startswith("tests/") and what in OF_TESTS:
            continue
        told = (hit for hit in re.finditer(pattern, text) if hit[0] not in MADE_UP)
        hits += [f"{name}:{text[: hit.start()].count(chr(10)) + 1}: {what}" for hit in told]
    return hits


def test_no_file_holds_what_looks_like_a_secret():
    hits = []
    for name in kept():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            hits += found(name, path.read_text("utf-8", errors="replace"))
    assert hits == []


def test_what_is_looked_for_would_be_found():
    parts = {
        "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
        "a key of duecare": "dk_" + "a" * 12 + "_" + "0" * 64,
        "a webhook's secret": "whsec_" + "bm90" * 8,
        "a signed token": ".".join(("eyJ" + "a" * 12, "eyJ" + "b" * 12, "c" * 12)),
        "a cloud's key": "AKIA" + "A" * 16,
        "a forge's token": "ghp_" + "a" * 36,
        "a chat's token": "xoxb-" + "1" * 12,
        "an address with a password": "postgresql://duecare:" + "hunter22@db.example.org/x",
        "a value for a secret": 'SECRET_KEY = "' + "a1" * 12 + '"',
    }
    assert {hit.partition(": ")[2] for text in parts.values() for hit in found("x", text)} == set(LOOKS_LIKE) == set(parts)
