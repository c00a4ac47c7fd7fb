"""The source files on the pages about Primero and FHIR are ones that duecare takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.policy import load_policy
from service.sources import read_file

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("page", "adapter"), [("connect-primero", "primero"), ("connect-fhir", "fhir")])
def test_the_source_file_on_the_page_can_be_used_as_it_stands(page: str, adapter: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "how-to" / f"{page}.md").read_text(), re.DOTALL)
    path = tmp_path / "source.yaml"
    path.write_text(block)
    found = read_file(path, load_policy(ROOT / "rules" / "policies" / "cfss.yaml").catalogue)
    assert (found.kind.name, found.mapping.name) == (adapter, adapter)
