"""The learning curve: longer studies on the study's own rig, and a figure of them."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from bench import learning_curve
from echo.io.errors import UserError
from echo.study.config import ConfigError, parse_study
from echo.study.provenance import stage_digest
from echo.study.reading import read_mapping
from tests.conftest import ROOT, ROWS

CONFIG = read_mapping(ROOT / "config" / "config.yaml")


def summary(config: dict) -> pd.DataFrame:
    study = parse_study(config, ROWS)
    cells = itertools.product(study.rows, study.evaluate.branches, ("psnr", "ssim", "lpips", "judge"))
    return pd.DataFrame([
        {"row_name": row, "label": row, "branch": branch, "measure": measure, "value": 0.001 * config["train"]["steps"],
         "low": 0.0, "high": 9.0, "cases": 64, "train_seeds": 1}
        for row, branch, measure in cells
    ])  # fmt: skip


def test_a_longer_study_differs_in_training_alone():
    study = parse_study(CONFIG, ROWS)
    longer = parse_study(learning_curve.longer(CONFIG, ("i2v", "context_k5"), 8), ROWS)
    assert longer.train.steps == 8 * study.train.steps and longer.rig == study.study
    assert longer.rows == ("i2v", "context_k5")
    for stage in ("pool", "codec", "latents", "text"):
        assert stage_digest(longer, stage) == stage_digest(study, stage)
    assert stage_digest(longer, "train", "i2v") != stage_digest(study, "train", "i2v")


def test_once_the_steps_are_the_studys_published_cases_of_its_training_seeds(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = learning_curve.published(CONFIG, ("i2v", "ssm_blockwise")).set_index(["row_name", "branch", "measure"])
    cases = pd.read_csv("results/mini/tables/cases.csv.gz").query("row_name == 'i2v' and branch == 'recall'")
    assert set(cases["train_seed"]) == {0, 1, 2}  # of which the study that is run has the first
    line = found.loc[("i2v", "recall", "psnr")]
    assert line["value"] == pytest.approx(cases.query("train_seed == 0")["psnr"].mean())
    assert (line["steps"], line["factor"], line["train_seeds"]) == (CONFIG["train"]["steps"], 1, 1)
    with pytest.raises(UserError, match=r"nothing of row telepathy with training seeds"):
        learning_curve.published(CONFIG, ("i2v", "telepathy"))
    with pytest.raises(UserError, match=r"of 880 training steps, expected 5; run the study first"):
        learning_curve.published({**CONFIG, "train": {"steps": 5}}, ("i2v",))
    with pytest.raises(UserError, match=r"results/other/tables: no tables there; run the study first"):
        learning_curve.published({**CONFIG, "study": "other"}, ("i2v",))


def test_the_table_has_every_factor_row_and_branch_and_can_be_drawn(monkeypatch):
    monkeypatch.setattr(learning_curve, "summary_of", lambda config, name, cores: summary(config))
    table = learning_curve.curve(CONFIG, ("i2v", "context_k5"), (2, 4), 1)
    assert list(table.columns) == learning_curve.COLUMNS
    assert len(table) == 2 * 2 * (1 + len(learning_curve.BRANCHES)) * 3
    assert (table.value / table.steps).round(6).eq(0.001).all()
    figure = learning_curve.draw(table)
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["i2v", "context_k5"]
    assert list(lines[0].get_xdata()) == sorted(set(table.steps))


def test_a_row_that_is_not_there_is_refused_before_anything_is_run(monkeypatch):
    monkeypatch.setattr(learning_curve, "summary_of", lambda *_: pytest.fail("was run"))
    with pytest.raises(ConfigError, match="telepathy"):
        learning_curve.curve(CONFIG, ("i2v", "telepathy"), (1, 2), 1)
