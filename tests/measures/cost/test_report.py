"""The documented table is what the plan prints."""

from __future__ import annotations

from echo.measures.cost.report import markdown, text
from echo.measures.cost.study import plan
from echo.study.config import load_study
from tests.conftest import ROOT

PAPER = ROOT / "config" / "paper.yaml"
DOCUMENTED = ["i2v", "spatial"]  # rows whose lines of docs/scale.md are rebuilt


def test_the_documented_table_is_what_the_command_prints():
    document = (ROOT / "docs" / "scale.md").read_text()
    found = plan(load_study(PAPER), DOCUMENTED)
    lines = [line for line in markdown(found).splitlines() if line.split(" ")[1:2] and line.split(" ")[1] in DOCUMENTED]
    assert len(lines) == 3 * len(DOCUMENTED)
    missing = [line for line in lines if line not in document]
    assert not missing, "docs/scale.md is outdated; python -m echo plan --config config/paper.yaml --markdown prints it"
    assert "activations" in text(found)
