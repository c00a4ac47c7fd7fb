"""The YAML reader: what values mean, where they stand, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import yamlsource
from rules.errors import PolicyError
from rules.yamlsource import parse, read, scalar


def faults(text: str | bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyError) as raised:
        parse(text, name="p.yaml")
    return [(fault.line, fault.col, fault.code) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("-2e3", -2000.0),
        (".5", 0.5),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("tRuE", "tRuE"),
        ("2026-03-24", "2026-03-24"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 30, "9" * 30),
        ("\u0661\u0662", "\u0661\u0662"),
        ("=", "="),
    ],
)
def test_a_plain_scalar_is_what_yaml_1_2_says_and_nothing_cleverer(text, value):
    data = parse(f"key: {text}\n", name="p.yaml").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)
    assert scalar(text) == value


@pytest.mark.parametrize("text", ['"12"', "'true'", "!!str 12", "|-\n  null", ">-\n  ~"])
def test_quoted_and_block_scalars_are_always_text(text):
    assert isinstance(parse(f"key: {text}\n", name="p.yaml").data["key"], str)


def test_keys_are_always_text():
    data = parse("on: 1\n1: 2\ntrue: 3\n2026-01-01: 4\nnull: 5\n", name="p").data
    assert data == {"on": 1, "1": 2, "true": 3, "2026-01-01": 4, "null": 5}


def test_a_scalar_is_marked_where_it_stands_and_a_container_where_its_key_stands():
    source = parse("rules:\n  - id: C08\n    within:\n      weeks: 6\n    roles: [a, b]\n", name="p.yaml")
    assert source.mark(("rules", 0, "id")) == (2, 9)
    assert source.mark(("rules", 0, "id"), key=True) == (2, 5)
    assert source.mark(("rules", 0, "within")) == (3, 5)
    assert source.mark(("rules", 0, "within", "weeks")) == (4, 14)
    assert source.mark(("rules", 0, "roles", 1)) == (5, 16)
    assert source.mark(("rules", 0, "missing", "deep")) == (2, 5)
    assert source.mark(()) == (1, 1)
    assert str(source.fault(("rules", 0, "within", "weeks"), "negative", "is negative")) == "p.yaml:4:14 negative is negative"


def test_an_alias_is_written_out_as_a_value_of_its_own():
    source = parse("a: &x {n: [1]}\nb: *x\n", name="p.yaml")
    assert source.data == {"a": {"n": [1]}, "b": {"n": [1]}}
    source.data["b"]["n"].append(2)
    assert source.data["a"] == {"n": [1]}
    assert source.mark(("b",)) == (2, 1)
    assert source.mark(("b", "n", 0)) == (1, 12)


def test_an_empty_file_holds_nothing():
    assert parse("", name="p.yaml").data is None
    assert parse("# only a comment\n", name="p.yaml").data is None
    assert parse("\ufeffa: 1\n", name="p.yaml").data == {"a": 1}


def test_several_faults_are_told_at_once():
    assert faults("a: 1\na: 2\nb: {c: 1, c: 2}\nd: *nothing\ne: !!int '3'\n<<: {}\n") == [
        (2, 1, "duplicate-key"),
        (3, 11, "duplicate-key"),
        (4, 4, "unknown-alias"),
        (5, 4, "tag"),
        (6, 1, "merge-key"),
    ]


def test_faults_before_a_syntax_error_are_not_lost():
    assert faults("a: 1\na: 2\nb: [1\nc: 2\n") == [(2, 1, "duplicate-key"), (4, 2, "yaml-syntax")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c\n", (1, 5, "yaml-syntax")),
        ("a:\n\t- b\n", (2, 1, "yaml-syntax")),
        ("a: &a [*a]\n", (1, 8, "recursive-alias")),
        ("? [a]\n: 1\n", (1, 3, "complex-key")),
        ("&a : 1\n", (1, 1, "empty-key")),
        ("--- 1\n--- 2\n", (2, 1, "second-document")),
        (b"a: 1\nb: \xff\n", (2, 4, "encoding")),
        ("a: 1\nb: x\x00\n", (2, 5, "control-character")),
        ("a: x\x1b[31m\n", (1, 5, "control-character")),
        ("a: !python/object:os.system x\n", (1, 4, "tag")),
        ("a: !x {b: 1}\n", (1, 4, "tag")),
    ],
)
def test_what_is_ambiguous_or_dangerous_is_refused_with_its_place(text, expected):
    assert faults(text) == [expected]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_and_exhausts_nothing(opening):
    assert [code for _, _, code in faults(opening * 20_000)] == ["too-deep"]


def test_nesting_through_aliases_counts_as_well():
    half = "[" * 30 + "]" * 30
    assert [code for _, _, code in faults(f"a: &a {half}\nb: {'[' * 25}*a{']' * 25}\n")] == ["too-deep"]
    assert parse(f"a: &a {half}\nb: [*a]\n", name="p").data["b"]


def test_aliases_that_explode_are_refused():
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert [code for _, _, code in faults("\n".join(lines))] == ["too-large"]


def test_a_large_file_is_refused_before_it_is_read():
    assert [code for _, _, code in faults(b"a" * (yamlsource.MAX_BYTES + 1))] == ["too-large"]


def test_faults_are_capped():
    text = "a: 1\n" * 1000
    assert len(faults(text)) == yamlsource.MAX_FAULTS


def test_a_file_that_cannot_be_opened_is_a_fault_too(tmp_path):
    with pytest.raises(PolicyError, match=r"missing\.yaml:0:0 unreadable"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(PolicyError, match="unreadable"):
        read(tmp_path)


def test_a_file_is_named_as_it_was_given(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\n", encoding="utf-8")
    assert read(file).name == str(file)


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="[]{}:,-&*!|>'\"%#?\n ab~1")))
def test_any_text_is_read_or_refused_never_anything_else(text):
    try:
        source = parse(text, name="p.yaml")
    except PolicyError as error:
        assert error.faults  # noqa: PT017 (either outcome is good)
    else:
        assert source.mark(("no", "such", 0)) >= (1, 1)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abcxyz", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_what_json_writes_is_read_back(value):
    import json

    assert parse(json.dumps(value), name="p.yaml").data == value
