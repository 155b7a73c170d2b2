"""Patterns that fit nothing of a memory are refused before any job, as training would refuse them."""

import subprocess
import sys

import pytest

from echo.memory.parameters import check_trainable, memory_parameters
from echo.model.row import Row
from echo.study.config import ConfigError
from echo.training.optimizers import TrainableError, freeze
from tests.conftest import ROOT, tiny_study

STUDY = tiny_study()


@pytest.mark.parametrize("row", STUDY.rows)
def test_the_names_are_the_models(row):
    names = [name for name, _ in Row(STUDY, STUDY.profiles[row]).named_parameters() if name.startswith("memory.")]
    assert sorted(memory_parameters(STUDY, row)) == sorted(names)


@pytest.mark.parametrize("row", ["context_k5", "spatial", "ssm_hybrid"])
@pytest.mark.parametrize("pattern", ["memory.*", "memory.nope", "memory.[a-z]*", "memory.cells*", "memory.reader*"])
def test_what_is_refused_is_what_training_refuses(row, pattern):
    study = tiny_study(rows=["i2v", row], train={"trainable": ["backbone.*", pattern]})
    try:
        freeze(Row(study, study.profiles[row]), study.train.trainable)
    except TrainableError:
        with pytest.raises(ConfigError, match=rf"`train.trainable` = .*: fits no parameter of {row}'s memory"):
            check_trainable(study)
    else:
        check_trainable(study)


def test_a_study_without_such_patterns_needs_no_torch():
    code = (
        "import sys; from pathlib import Path; from echo.memory.parameters import check_trainable\n"
        "from echo.study.config import load_study; check_trainable(load_study(Path('config/config.yaml')))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
