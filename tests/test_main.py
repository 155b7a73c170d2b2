"""The command line: what a user can mend is one line on stderr and exit code 1."""

import json
import subprocess
import sys

import pytest

from echo.__main__ import main
from echo.model.row import Row
from tests.conftest import ROOT, ROWS, tiny_study


@pytest.fixture
def study_file(tmp_path):
    """A study and its rows, as Snakemake hands them to the stages."""
    (tmp_path / "study.json").write_text(tiny_study().model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    return tmp_path / "study.json"


def complaint(capsys, *arguments) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def train(study_file, folder, row="i2v"):
    base, text, evidence, out = (folder / f"{name}.safetensors" for name in ("base", "text", "evidence", "m"))
    return ("train", "--study", study_file, "--row", row, "--seed", 0, "--latents", folder, "--text", text,
            "--evidence", evidence, "--base", base, "--out", out)  # fmt: skip


def test_a_study_that_is_not_there(capsys, tmp_path):
    line = complaint(capsys, "index", "--study", tmp_path / "absent.yaml", "--out", tmp_path)
    assert line.startswith("echo index: ") and line.endswith("absent.yaml: no such configuration file")


def test_a_row_that_the_study_has_not(capsys, study_file, tmp_path):
    assert "--row telepathy: " in complaint(capsys, *train(study_file, tmp_path, "telepathy"))


def test_a_pool_that_is_not_there(capsys, study_file, tmp_path):
    line = complaint(capsys, "codec", "--study", study_file, "--pool", tmp_path / "pool", "--out", tmp_path / "c")
    assert "no pool there (captions.txt is missing)" in line


def test_a_truncated_base(capsys, study_file, tmp_path):
    base = tmp_path / "base.safetensors"
    Row(tiny_study(), tiny_study().profiles["i2v"]).save(base)
    base.write_bytes(base.read_bytes()[:-100])
    assert "base.safetensors: truncated or not a safetensors file" in complaint(capsys, *train(study_file, tmp_path))
    assert not (tmp_path / "m.safetensors").exists()


def test_the_base_of_another_row(capsys, study_file, tmp_path):
    Row(tiny_study(), tiny_study().profiles["context_k5"]).save(tmp_path / "base.safetensors")
    assert "the checkpoint's profile has" in complaint(capsys, *train(study_file, tmp_path))


def test_a_wrong_argument_names_what_is_allowed():
    done = subprocess.run([sys.executable, "-m", "echo", "pool", "--split", "mars"], cwd=ROOT, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 2 and "invalid choice: 'mars'" in done.stderr and "open_domain" in done.stderr
