"""Judges are found by their modules' names."""

import shutil
import subprocess
import sys

import pytest

import echo.judge
from echo.io.weights import WeightsError
from echo.judge import JudgeError, build_judge
from echo.study import judges as listed
from tests.conftest import ROOT

CONSTANT = '''
"""A judge that always says the same."""

from __future__ import annotations

from pathlib import Path

from echo.judge.rubric import Scores


class ConstantJudge:
    def judge(self, case):
        return Scores(1, 2, 3, 4)


def build(weights: Path) -> ConstantJudge:
    return ConstantJudge()
'''


def test_the_embedded_judge_is_built_by_its_name(weights):
    assert "embedded" in listed.judge_names()
    assert type(build_judge("embedded", weights)).__name__ == "EmbeddedJudge"


def test_a_judge_says_which_weights_it_needs(tmp_path, monkeypatch):
    """Those are what it loads; a judge that says nothing needs none."""
    assert listed.judge_weights("embedded") == ("efficientnet_lite0",)
    with pytest.raises(WeightsError, match="efficientnet_lite0.safetensors: no such file"):
        build_judge("embedded", tmp_path)
    (tmp_path / "constant.py").write_text(CONSTANT)
    monkeypatch.setattr(listed, "FOLDER", tmp_path)
    assert listed.judge_weights("constant") == ()


def test_an_unknown_judge_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(
        JudgeError, match="evaluate.judge = 'nobody': expected one of .*embedded.*, modules of .*judges"
    ):
        build_judge("nobody", tmp_path)
    for name in ("__init__", "../base", ""):
        with pytest.raises(JudgeError, match="evaluate.judge = "):
            build_judge(name, tmp_path)


def test_a_judge_is_one_module_in_a_copy_of_the_code(tmp_path):
    """One module and its name in ``evaluate.judge``: it is found, used and counted among what the stage depends on."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "echo", tmp_path / "echo", ignore=ignored)
    judges = tmp_path / "echo" / "judge" / "judges"
    (judges / "constant.py").write_text(CONSTANT)
    (judges / "_shared.py").write_text("raise SystemExit('a helper of judges is no judge')")
    code = (
        "import sys; from pathlib import Path\n"
        "from echo.judge import build_judge; from echo.study.judges import judge_names\n"
        "assert {'constant', 'embedded'} <= set(judge_names()) and '_shared' not in judge_names(), judge_names()\n"
        "assert not {'numpy', 'torch'} & set(sys.modules), 'listing judges imports them'\n"
        "import numpy as np; from echo.judge.base import Case, judge_many; from echo.judge.rubric import overall\n"
        "judge = build_judge('constant', Path('x'))\n"
        "frame, mask = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool)\n"
        "print(overall(judge_many(judge, [Case(frame, frame, mask, None)])[0]))\n"
        "assert 'echo.judge.judges.embedded' not in sys.modules\n"
        "from echo.study.config import load_rows, parse_study; from echo.study.provenance import stage_modules\n"
        f"rows = load_rows(Path({str(ROOT / 'config' / 'rows.yaml')!r}))\n"
        "study = parse_study({'study': 'x', 'rows': ['i2v'], 'evaluate': {'judge': 'constant'}}, rows)\n"
        "modules = stage_modules(study, 'judge')\n"
        "assert 'echo.judge.judges.constant' in modules and 'echo.judge.judges.embedded' not in modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) == pytest.approx(20 * (0.45 * 1 + 0.25 * 2 + 0.2 * 3 + 0.1 * 4))


def test_a_module_without_build_is_named(tmp_path, monkeypatch):
    (tmp_path / "empty.py").touch()
    monkeypatch.setattr(listed, "FOLDER", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(echo.judge, "import_module", lambda name: __import__("empty"))
    with pytest.raises(JudgeError, match=r"empty.py: has no function build\(weights\)"):
        build_judge("empty", tmp_path)
