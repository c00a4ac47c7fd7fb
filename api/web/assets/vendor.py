"""Brings GOV.UK Frontend into static/vendor, compiled with our settings, and writes the manifest of what was brought.

Run by hand when the version is raised (`python api/web/assets/vendor.py`); it needs npm.  Nothing at run time or in the
tests does: the compiled files are committed, and a test compares them with the manifest.  Imports the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

GOVUK = "6.6.0"
SASS = "1.108.2"
HERE = Path(__file__).parent
TARGET = HERE.parent / "static" / "vendor"

LICENCE = """The MIT License (MIT)

Copyright (C) 2017 Crown Copyright (Government Digital Service)

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
of the Software, and to permit persons to whom the Software is furnished to do
so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def npm(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["npm", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout  # noqa: S603, S607


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        npm("init", "--yes", cwd=work)
        npm("install", "--no-audit", "--no-fund", "--ignore-scripts", f"govuk-frontend@{GOVUK}", f"sass@{SASS}", cwd=work)
        package = work / "node_modules" / "govuk-frontend" / "dist"
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        compiler = [
            "node",
            str(work / "node_modules" / "sass" / "sass.js"),
            f"--load-path={package}",
            "--style=compressed",
            "--no-source-map",
            str(HERE / "govuk.scss"),
            str(TARGET / "govuk-frontend.min.css"),
        ]
        subprocess.run(compiler, check=True)  # noqa: S603
        shutil.copyfile(package / "govuk" / "govuk-frontend.min.js", TARGET / "govuk-frontend.min.js")
    (TARGET / "LICENCE-govuk-frontend.txt").write_text(LICENCE, encoding="utf-8")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(TARGET.iterdir())}
    settings = hashlib.sha256((HERE / "govuk.scss").read_bytes()).hexdigest()
    manifest = {
        "packages": {"govuk-frontend": {"version": GOVUK, "licence": "MIT"}},
        "compiled_with": {"sass": SASS, "settings_sha256": settings},
        "sha256": files,
    }
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
