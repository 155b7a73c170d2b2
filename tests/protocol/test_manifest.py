"""Files of a set, read as files that others wrote."""

from __future__ import annotations

import json

import pytest

from echo.protocol.errors import ProtocolError
from echo.protocol.manifest import CaseSet, read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "echo-cases-9"}, "format: "),
        ({"size": [0, 64]}, "size.0: "),
        ({"cases": []}, "cases: "),
        ({"more": 1}, "more: "),
        ({"frames_per_second": None}, "frames_per_second: "),
    ],
)
def test_another_set_is_one_line(exported, tmp_path, change, message):
    held = json.loads((exported[0] / "set.json").read_text()) | change
    (tmp_path / "set.json").write_text(json.dumps(held))
    with pytest.raises(ProtocolError) as caught:
        read(CaseSet, tmp_path, "set.json")
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".a", "a\\b", "a" * 300])
def test_a_name_that_leaves_its_folder_is_refused(exported, tmp_path, name):
    held = json.loads((exported[0] / "set.json").read_text())
    held["cases"][0]["name"] = name
    (tmp_path / "set.json").write_text(json.dumps(held))
    with pytest.raises(ProtocolError, match="cases.0.name"):
        read(CaseSet, tmp_path, "set.json")


def test_a_case_is_found_by_its_name(exported):
    made = exported[1]
    assert made.entry("return_45_001").room == "open_domain_001" and made.branches == ["return_45", "revisit_near"]
    with pytest.raises(ProtocolError, match="nobody: no such case in Echo-1; it has 4"):
        made.entry("nobody")
