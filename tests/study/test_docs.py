"""config/README.md describes every key and is up to date."""

from echo.study.docs import render
from echo.study.profile import families, settings_of
from echo.study.study import Study
from tests.conftest import ROOT


def test_the_document_is_up_to_date():
    assert render() == (ROOT / "config" / "README.md").read_text(), "python -m echo config-docs > config/README.md"


def test_every_key_is_described():
    lines = [line for line in render().splitlines() if line.startswith("| `")]
    assert len(lines) > 80
    for line in lines:
        assert line.rstrip(" |").rsplit(" | ", 1)[1].strip(), line


def test_every_section_and_family_has_its_table():
    text = render()
    for name in set(Study.model_fields) - {
        "profiles",
        "study",
        "rig",
        "chosen_in",
        "seed",
        "train_seeds",
        "rows",
        "row_options",
        "reference",
    }:
        assert f"## `{name}`" in text
    for family in families():
        assert f"### Family `{family}`" in text
        assert all(f"| `{key}` |" in text for key in settings_of(family).model_fields if key != "name")


def test_bounds_and_choices_are_shown_in_plain_words():
    text = render()
    assert "| `steps` | `440` | whole number, ≥ 1, ≤ 100000000 | optimizer steps per row |" in text
    assert "| `rule` | `fov_cover` | one of fov_mid, fov_cover, uniform, recent |" in text
