"""What commands share: a stage runs once its files are there, and paths are told apart by split."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from echo.study.config import ConfigError
from echo.study.options import by_split, checked_study, known_split, run_stage
from tests.conftest import ROOT, ROWS, tiny_study


def test_a_path_for_each_split_in_their_order():
    study, paths = tiny_study(), [Path("a"), Path("b")]
    assert by_split(study, "--pool", paths) == {"in_domain": Path("a"), "open_domain": Path("b")}
    with pytest.raises(ConfigError, match=r"--pool: expected 2 paths \(in_domain, open_domain\), got 1"):
        by_split(study, "--pool", paths[:1])


def test_a_study_builds_what_is_reported_or_what_is_chosen_on():
    assert known_split(tiny_study(), "open_domain") == "open_domain"
    with pytest.raises(ConfigError, match="--split choosing: expected one of train, in_domain, open_domain"):
        known_split(tiny_study(), "choosing")


def test_a_stage_is_not_imported_before_its_files_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr("echo.study.options.import_module", lambda name: pytest.fail(f"{name} was imported"))
    with pytest.raises(ConfigError, match=r"gone: no such file or folder \(--pool\); run the stage that makes"):
        run_stage("text", pool=tmp_path / "gone", out=tmp_path / "text.safetensors")
    with pytest.raises(ConfigError, match=r"gone: no such file or folder \(--pools\)"):
        run_stage("seen", pools={"in_domain": tmp_path, "open_domain": tmp_path / "gone"}, out=tmp_path / "x")


def test_a_study_of_no_such_row_is_refused(tmp_path):
    (tmp_path / "study.json").write_text(tiny_study(world={"size": 32}).model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    with pytest.raises(ConfigError, match="--row telepathy: .* has "):
        checked_study(tmp_path / "study.json", "train", "telepathy")


def test_jobs_ask_for_the_same_bits_without_torchs_compiler():
    code = (
        "import sys, torch; from echo.study.options import prepare; prepare(2)\n"
        "assert torch.are_deterministic_algorithms_enabled() and torch.get_num_threads() == 2\n"
        "assert torch.is_deterministic_algorithms_warn_only_enabled() and 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
