"""The files that other people made: exactly those of the manifest, with their licence, and nothing of GOV.UK's identity."""

from __future__ import annotations

import hashlib
import json
import re

from api.web.rendering import STATIC

VENDOR = STATIC / "vendor"
SETTINGS = STATIC.parent / "assets" / "govuk.scss"


def test_the_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path.name != "manifest.json"}
    assert there == manifest["sha256"]
    assert manifest["compiled_with"]["settings_sha256"] == hashlib.sha256(SETTINGS.read_bytes()).hexdigest()


def test_the_licence_is_there() -> None:
    assert "Permission is hereby granted" in (VENDOR / "LICENCE-govuk-frontend.txt").read_text()


def test_our_own_font_and_no_crown() -> None:
    style = (VENDOR / "govuk-frontend.min.css").read_text()
    assert "GDS Transport" not in style
    assert "@font-face" not in style
    assert "crown" not in style.lower()
    assert "system-ui" in style


def test_no_style_or_script_reaches_another_host() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in {".css", ".js", ".svg"}:
            text = path.read_text()
            addresses = set(re.findall(r"https?://[^\s\"'`)<>\\]+", text)) - {"http://www.w3.org/2000/svg"}
            assert not addresses, f"{path.name}: {addresses}"
            assert not re.search(r"url\((?!['\"]?(data:|#))", text), path.name
