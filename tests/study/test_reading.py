"""Configuration files become plain values, or one line that says where they do not."""

import math
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from echo.study.errors import ConfigError
from echo.study.reading import check_plain, parse_text, read_mapping, with_types

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x7E), max_size=20),
)  # fmt: skip
NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
PLAIN = st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(SCALARS), st.dictionaries(NAMES, SCALARS)))


@given(PLAIN)
def test_plain_values_are_read_as_they_were_written(data):
    assert parse_text(yaml.safe_dump(data), "file") == data
    check_plain(data, "file")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: 2\na: 3\n", 3), ("a: {b: 1,\n  b: 2}\n", 2), ("a:\n  - {x: 1, x: 1}\n", 2), ('{"a": 1, "a": 2}', 1)],
)
def test_a_key_that_stands_twice_is_an_error(text, line):
    with pytest.raises(ConfigError, match=f"file, line {line}: key '[abx]' stands twice in one mapping"):
        parse_text(text, "file")


def test_merged_anchors_are_no_repeated_keys():
    assert parse_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n", "file")["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.inf, "finite"), (-math.inf, "finite"), (math.nan, "finite"), (10**30, "at most"), (-(10**30), "at most"),
        ("a\0b", "control"), ("a\nb", "line breaks"), ("\u2028", "line breaks"), ("\ud800", "Unicode"),
        ("x" * 2001, "2000 characters"), (date(2020, 1, 1), "no date"), (b"x", "no bytes"), ({1, 2}, "no set"),
        ({5: 1}, "keys are text"), ({None: 1}, "keys are text"), ({"a\nb": 1}, "line breaks"),
    ],
)  # fmt: skip
def test_what_no_key_can_hold_is_named(value, reason):
    with pytest.raises(ConfigError, match=reason) as error:
        check_plain({"train": {"steps": [1, value]}}, "study.yaml")
    assert error.value.key.startswith("train.steps.1") and error.value.file == "study.yaml"
    assert "\n" not in str(error.value)


def test_anchors_that_stand_for_billions_of_values_are_refused():
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{x}: &{x} [{', '.join(['*' + y] * 10)}]" for y, x in zip("abcdef", "bcdefg", strict=True)]
    with pytest.raises(ConfigError, match="more than 20000 values; anchors"):
        check_plain(parse_text("\n".join(lines), "file"), "file")


def test_an_anchor_inside_itself_is_refused():
    with pytest.raises(ConfigError, match="nested more than 8 deep"):
        check_plain(parse_text("a: &a {b: *a}", "file"), "file")


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"a: [", b"\t- a", b"!!python/object/apply:os.system ['true']", b"a: " + b"[" * 3000,
     b"a: 2020-13-45", b"5", b"", b"a: 'x", b"\x00"],
)  # fmt: skip
def test_damaged_files_are_one_line_with_the_files_name(tmp_path, content):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        read_mapping(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_huge_files_and_folders_are_not_read(tmp_path):
    (tmp_path / "huge.yaml").write_bytes(b"#" * 4_000_001)
    with pytest.raises(ConfigError, match="4000001 bytes"):
        read_mapping(tmp_path / "huge.yaml")
    for path in (tmp_path, tmp_path / "absent.yaml"):
        with pytest.raises(ConfigError, match="no such configuration file"):
            read_mapping(path)
    with pytest.raises(ConfigError):
        read_mapping("a\0b")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "study.yaml").write_bytes(b"\xef\xbb\xbfstudy: mini\n")
    assert read_mapping(tmp_path / "study.yaml") == {"study": "mini"}


def test_text_is_typed_where_it_was_overridden_and_nowhere_else():
    data = {"a": {"b": "3", "c": "4"}, "d": ["1", "x"], "e": "5", "f": "null"}
    typed = with_types(data, {"a": {"b": "3"}, "d": ["1", "x"], "f": "null"})
    assert typed == {"a": {"b": 3, "c": "4"}, "d": [1, "x"], "e": "5", "f": None}
