"""``python -m echo plan``: what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "echo", "plan", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_prints_json_and_fails_in_one_line(tmp_path):
    smoke = str(ROOT / "config" / "smoke.yaml")
    done = run("--config", smoke, "--rows", "i2v", "--json", "--strict")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [row["row"] for row in record["rows"]] == ["i2v"]
    assert record["total"]["train_hours"] > 0
    missing = run("--config", str(tmp_path / "absent.yaml"))
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "row" in run("--config", smoke, "--rows", "telepathy").stderr
