"""Judges are found by their modules, without importing them."""

import subprocess
import sys

from echo.study import judges
from tests.conftest import ROOT


def test_judges_are_the_modules_of_their_folder(tmp_path, monkeypatch):
    assert "embedded" in judges.judge_names() and judges.judge_weights("embedded") == ("efficientnet_lite0",)
    for name in ("embedded", "panel", "_shared", "__init__"):
        (tmp_path / f"{name}.py").write_text("raise AssertionError\nWEIGHTS = ('one', 'two')\nNEEDS = ('mask',)\n")
    (tmp_path / "plain.py").touch()
    monkeypatch.setattr(judges, "FOLDER", tmp_path)
    assert judges.judge_names() == ("embedded", "panel", "plain")
    assert judges.judge_weights("panel") == ("one", "two") and judges.judge_weights("plain") == ()
    assert judges.judge_needs("panel") == ("mask",) and judges.judge_needs("plain") == ()


def test_what_judges_need_are_parts_of_a_case_that_may_be_missing():
    from echo.judge.base import Case

    assert judges.judge_needs("embedded") == ("mask",)
    optional = {name for name, kind in Case.__annotations__.items() if "None" in str(kind)} - {"identity"}
    assert all(set(judges.judge_needs(name)) <= optional for name in judges.judge_names())


def test_settings_are_a_module_of_the_judges_name_and_free_of_torch():
    code = (
        "import sys; from echo.study.judges import settings_of\n"
        "assert settings_of('vision_language').model_fields and not settings_of('embedded').model_fields\n"
        "assert not {'torch', 'numpy', 'httpx', 'transformers'} & set(sys.modules), sorted(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_an_entry_names_its_module_or_is_called_like_it():
    entries = {"qwen": {"kind": "vision_language"}, "embedded": {}}
    kinds = [judges.kind_of(name, entries) for name in ("qwen", "embedded", "panel")]
    assert kinds == ["vision_language", "embedded", "panel"]
