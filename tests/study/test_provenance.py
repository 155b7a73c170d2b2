"""Digests change with what a stage depends on and with nothing else; records say what a run was."""

import shutil

import pytest

from echo.study import provenance
from echo.study.provenance import STAGES, code_digest, read_record, recorded, stage_digest
from tests.conftest import ROOT, tiny_study


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The package's sources in a folder that a test may edit."""
    shutil.copytree(provenance.PACKAGE, tmp_path / "echo", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "echo")
    code_digest.cache_clear()
    yield tmp_path / "echo"
    code_digest.cache_clear()


def digests(study=None) -> dict:
    code_digest.cache_clear()
    study = study or tiny_study()
    rows = {(stage, row): stage_digest(study, stage, row) for stage in ("train", "rollout", "probe")
            for row in study.rows}  # fmt: skip
    return {**{stage: stage_digest(study, stage) for stage in STAGES}, **rows}


def changed(before: dict, after: dict) -> set:
    return {key for key in before if before[key] != after[key]}


def test_a_memorys_code_reruns_its_own_rows_alone(copied):
    before = digests()
    module = copied / "memory" / "spatial.py"
    module.write_text(module.read_text() + "\nNEW = 1\n")
    found = changed(before, digests())
    rows = {row for row in tiny_study().rows if row.startswith("spatial")}
    assert found == {(stage, row) for stage in ("train", "rollout", "probe") for row in rows}


def test_comments_docstrings_and_layout_rerun_nothing(copied):
    before = digests()
    for module in copied.rglob("*.py"):
        source = module.read_text()
        module.write_text(
            source.replace('"""\n\nfrom __future__', ' Another docstring."""\n\n# why\n\nfrom __future__', 1)
        )
    assert changed(before, digests()) == set()


def test_a_setting_reruns_what_reads_it():
    before = digests()
    found = {key if isinstance(key, str) else key[0] for key in
             changed(before, digests(tiny_study(evaluate={"probe_cases": 3})))}  # fmt: skip
    assert found == {"probe", "tables"}
    assert "pool" in changed(before, digests(tiny_study(seed=1)))


def test_a_record_says_what_ran(tmp_path):
    study = tiny_study()
    with recorded(tmp_path / "record.json", study, "train", "i2v") as record:
        record["final_loss"] = 0.5
    found = read_record(tmp_path / "record.json")
    assert found["digest"] == stage_digest(study, "train", "i2v") and found["final_loss"] == 0.5
    assert not any(str(ROOT) in part for part in found["command"])
    assert found["seconds"] >= 0 and found["peak_mb"] > 1
    assert set(found["libraries"]) >= {"torch", "diffusers"} and found["config"]["study"] == "tiny"


def test_a_failed_run_leaves_no_record(tmp_path):
    with pytest.raises(KeyError), recorded(tmp_path / "record.json", tiny_study(), "train", "i2v"):
        raise KeyError
    assert not (tmp_path / "record.json").exists()
