"""``python -m echo plan``: what it prints, and how it fails."""

from __future__ import annotations

import json

from echo.__main__ import main
from tests.conftest import ROOT

SMOKE = str(ROOT / "config" / "smoke.yaml")


def test_the_command_prints_json_and_fails_in_one_line(tmp_path, capsys):
    assert main(["plan", "--config", SMOKE, "--rows", "i2v", "--json", "--strict"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["row"] for row in record["rows"]] == ["i2v"]
    assert record["total"]["train_hours"] > 0
    assert main(["plan", "--config", str(tmp_path / "absent.yaml")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["plan", "--config", SMOKE, "--rows", "telepathy"]) == 1
    assert "row" in capsys.readouterr().err
