"""`duecare adapters lint` and `schema`: every fault at once with its place, and a schema that agrees with what is read."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from adapters.base import kinds
from adapters.ready import ready
from cli.main import run
from service.sources.schema import source_schema
from tests.support.feeds import Folder

ROOT = Path(__file__).resolve().parents[2]
FAULTY = """source: Bad Name
adapter: filez
every: 5 parsecs
quiet_after: 3
colour: red
push: {secret: in plain sight}
mapping:
  mapping: m
  version: "1"
  source: urn:x
  typo: 1
"""
SETTINGS = """source: good
adapter: files
settings: {foldr: x, settle: many}
mapping:
  mapping: m
  version: "1"
  source: urn:x
  case: a
  id: b
  time: c
  type: {constant: visit.hold}
"""


@pytest.fixture
def said(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DUECARE_SOURCES", raising=False)

    def call(*args):
        code = run(["adapters", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_every_fault_of_a_file_is_told_at_once_in_its_order(said, tmp_path):
    file = tmp_path / "faulty.yaml"
    file.write_text(FAULTY)
    code, out, err = said("lint", file)
    assert code == 1
    told = [(line.split(":")[1], line.split()[1]) for line in out.splitlines()]
    assert told == [
        ("1", "source"),
        ("2", "unknown-adapter"),
        ("3", "period"),
        ("4", "source"),
        ("5", "unknown-key"),
        ("6", "source"),
        ("11", "unknown-key"),
    ]
    assert "in plain sight" not in out + err
    assert "0 sources can be used; 7 faults." in err


def test_settings_and_mapping_are_looked_at_together(said, tmp_path):
    file = tmp_path / "faulty.yaml"
    file.write_text(SETTINGS)
    code, out, _ = said("lint", "--format", "json", file)
    assert code == 1
    assert [(one["line"], one["code"]) for one in json.loads(out)] == [
        (3, "source"),
        (3, "unknown-key"),
        (3, "source"),
        (11, "unknown-type"),
    ]
    _, out, _ = said("lint", "--format", "github", file)
    assert out.startswith(f"::error file={file},line=3,col=1::settings.folder: is missing [source]")


def test_a_folder_is_linted_and_a_good_one_is_good(said, tmp_path, monkeypatch):
    folder = Folder(tmp_path / "sources")
    folder.add()
    folder.add("again")
    code, out, _ = said("lint", folder.path)
    assert code == 1
    assert "taken" in out
    (folder.path / "again.yaml").unlink()
    monkeypatch.setenv("DUECARE_SOURCES", str(folder.path))
    code, out, err = said("lint")
    assert (code, out) == (0, "")
    assert "1 source can be used; 0 faults." in err


def test_nothing_to_look_at_is_a_wrong_call(said, tmp_path):
    assert said("lint")[0] == 2
    code, out, _ = said("lint", tmp_path / "nowhere.yaml")
    assert code == 1
    assert "nowhere.yaml" in out


def test_the_schema_takes_what_is_good_and_refuses_what_is_not(said):
    code, out, _ = said("schema")
    assert code == 0
    schema = json.loads(out)
    assert schema == json.loads(json.dumps(source_schema()))
    check = jsonschema_rs.validator_for(schema)
    for file in sorted((ROOT / "docs" / "examples").glob("*/source.yaml")):
        assert [str(error) for error in check.iter_errors(yaml.safe_load(file.read_text("utf-8")))] == [], file
    for name, file in ready().items():
        made = {"source": "x", "adapter": "files", "settings": {"folder": "x"}, "mapping": yaml.safe_load(file.read_text("utf-8"))}
        assert [str(error) for error in check.iter_errors(made)] == [], name
    for text in (FAULTY, SETTINGS):
        assert not check.is_valid(yaml.safe_load(text))
    wrong = {"source": "x", "adapter": "files", "settings": {"folder": "x", "settle": "many"}, "mapping": "standard"}
    assert not check.is_valid(wrong), "settings are those of the adapter"
    assert check.is_valid(wrong | {"settings": {"folder": "x"}})


def test_every_setting_of_every_adapter_stands_in_the_schema_and_on_the_page():
    page = (ROOT / "docs" / "reference" / "sources.md").read_text("utf-8")
    schema = source_schema()
    for name, kind in kinds().items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert kind.about in section
        for field in kind.settings.model_fields:
            assert field in schema["$defs"][f"{name}_Settings"]["properties"]
            assert f"| `{field}` |" in section, f"{name}: {field}"
    assert all(f"| `{name}` |" in page for name in ready())
