"""JSON schemas: up to date, and they accept the studies that are valid and refuse keys and types that are not."""

import copy
import json

import jsonschema
import pytest
import yaml

from echo.study.schema import FILES, render
from tests.conftest import ROOT

STUDIES = ["config", "quick", "smoke", "paper"]


def valid(which: str, data: object) -> bool:
    schema = json.loads(render(which))
    return jsonschema.Draft202012Validator(schema).is_valid(data)


@pytest.mark.parametrize("name", FILES)
def test_the_schemas_are_up_to_date_and_schemas(name):
    text = (ROOT / "config" / name).read_text()
    option = {"study": "", "rows": " --rows"}[FILES[name]]
    assert text == render(FILES[name]), f"make it again: python -m echo config-schema{option} > config/{name}"
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("name", STUDIES)
def test_valid_studies_are_valid_by_the_schema(name):
    assert valid("study", yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))


def test_the_rows_are_valid_by_the_schema():
    assert valid("rows", yaml.safe_load((ROOT / "config" / "rows.yaml").read_text()))


@pytest.mark.parametrize(
    ("section", "values"),
    [("train", {"stepz": 3}), ("train", {"steps": 0}), ("train", {"steps": "3"}), ("evaluate", {"branches": []}),
     ("evidence", {"rule": "best"}), ("profiles", {}), ("evidence", {"drop": 1.5})],
)  # fmt: skip
def test_wrong_studies_are_not(section, values):
    data = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    data[section] = {**data.get(section, {}), **values}
    assert not valid("study", data)


def test_wrong_rows_are_not():
    rows = yaml.safe_load((ROOT / "config" / "rows.yaml").read_text())
    for entry in ({"frames": 0}, {"colour": 1}, {"family": "telepathy"}, {"name": "x"}):
        other = copy.deepcopy(rows)
        other["context_k5"] |= entry
        assert not valid("rows", other)


def test_editors_find_the_schemas():
    for name in STUDIES:
        assert (
            (ROOT / "config" / f"{name}.yaml").read_text().startswith("# yaml-language-server: $schema=schema.json\n")
        )
    assert (ROOT / "config/rows.yaml").read_text().startswith("# yaml-language-server: $schema=rows.schema.json\n")
