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
from echo.study.words import UNTRAINED
from tests.conftest import ROOT, ROWS

CONFIG = read_mapping(ROOT / "config" / "config.yaml")
FOLDER = ROOT / "results" / "learning_curve"


def made(config: dict, added: float = 0.0) -> pd.DataFrame:
    """The cases that a study of this configuration would write: a thousandth of its steps, and a room's own part."""
    study = parse_study(config, ROWS)
    cells = itertools.product(study.rows, study.train_seeds, study.evaluate.branches, range(4))
    return pd.DataFrame([
        {"row_name": row, "train_seed": seed, "branch": branch, "split": "in_domain", "scene": f"in_{case}",
         "anchor": "barrel", "case": f"in_{case}__{branch}", "ssim": 0.5, "lpips": 0.5,
         "psnr": 0.001 * config["train"]["steps"] + case + added * (row != "i2v")}
        for row, seed, branch, case in cells
    ])  # fmt: skip


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Studies are made at once; returns what was run, a configuration each."""
    asked = []

    def run(config, name, cores):
        asked.append(config)
        tables = tmp_path / "runs" / config["study"] / "tables"
        tables.mkdir(parents=True, exist_ok=True)
        made(config, 0.25).to_csv(tables / "cases.csv.xz", index=False)
        (tables / "probes_table.csv").write_text(f"of {config['study']}")

    (tmp_path / "results").symlink_to(ROOT / "results")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(learning_curve, "summary_of", run)
    return asked


def test_a_longer_study_differs_in_training_alone():
    study = parse_study(CONFIG, ROWS)
    longer = parse_study(learning_curve.longer(CONFIG, ("i2v", "context_k5"), 8), ROWS)
    assert longer.train.steps == 8 * study.train.steps and longer.rig == study.study
    assert longer.rows == ("i2v", "context_k5")
    for stage in ("pool", "codec", "latents", "text"):
        assert stage_digest(longer, stage) == stage_digest(study, stage)
    assert stage_digest(longer, "train", "i2v") != stage_digest(study, "train", "i2v")


def test_once_the_steps_are_the_studys_published_cases_of_all_its_trainings(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = learning_curve.published(CONFIG, ("i2v", "ssm_blockwise"))
    cases = pd.read_csv("results/mini/tables/cases.csv.xz").query("row_name == 'i2v'")
    assert set(found["train_seed"]) == {0, 1, 2} and set(found["row_name"]) == {"i2v", "ssm_blockwise"}
    assert len(found) == 2 * len(cases) and set(found["steps"]) == {CONFIG["train"]["steps"]}
    with pytest.raises(UserError, match=r"nothing of row telepathy; choose other --rows"):
        learning_curve.published(CONFIG, ("i2v", "telepathy"))
    with pytest.raises(UserError, match=r"of 880 training steps, expected 5; run the study first"):
        learning_curve.published({**CONFIG, "train": {"steps": 5}}, ("i2v",))
    with pytest.raises(UserError, match=r"results/other/tables: no tables there; run the study first"):
        learning_curve.published({**CONFIG, "study": "other"}, ("i2v",))


def test_the_tables_have_every_factor_row_and_branch_and_can_be_drawn(runs, tmp_path):
    rows, out = ("i2v", "context_k5"), tmp_path / "out"
    learning_curve.measured_cases(CONFIG, rows, (1, 2, 4), 1, out)
    curve, gain, above = learning_curve.tables(CONFIG, rows, out).values()
    assert (out / "probes_x4.csv").read_text() == "of mini_x4"
    assert list(curve.columns) == list(gain.columns) == learning_curve.COLUMNS
    assert len(curve) == 3 * 2 * (1 + len(learning_curve.BRANCHES)) * 3 and len(gain) == len(curve) / 2
    longer = curve.query("factor > 1 and measure == 'psnr' and row_name == 'i2v'")
    assert longer["value"].to_numpy() == pytest.approx(0.001 * longer["steps"].to_numpy() + 1.5)
    assert set(gain["row_name"]) == {"context_k5"}
    assert gain.query("factor > 1 and measure == 'psnr'")[["value", "low", "high"]].to_numpy() == pytest.approx(0.25)
    copied = learning_curve.copies(CONFIG)
    assert set(copied["row_name"]) == {learning_curve.COPY} and set(copied["train_seed"]) == {UNTRAINED}
    assert (
        set(above["row_name"]) == set(rows) and len(above.dropna(subset="value")) == 2 * 5 * 3
    )  # published ones alone
    figure = learning_curve.draw(curve, gain, copied)
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["I2V", "Context K=5", "copy of the best past frame"]
    assert lines[2].get_ydata()[0] == pytest.approx(copied.query("branch == 'recall'")["psnr"].mean())
    assert list(lines[0].get_xdata()) == sorted(set(curve["steps"]))


def test_what_has_its_cases_is_not_run_again_and_rows_join_those_that_are_there(runs, tmp_path):
    learning_curve.measured_cases(CONFIG, ("i2v",), (2,), 1, tmp_path / "out")
    learning_curve.measured_cases(CONFIG, ("i2v", "ssm_blockwise", "context_k5"), (1, 2), 1, tmp_path / "out")
    learning_curve.measured_cases(CONFIG, ("context_k5", "i2v"), (2,), 1, tmp_path / "out")
    assert [config["rows"] for config in runs] == [["i2v"], ["ssm_blockwise", "context_k5"]]
    assert list(learning_curve.kept(CONFIG, 2, tmp_path / "out")["row_name"].unique()) == [
        "i2v", "ssm_blockwise", "context_k5"
    ]  # fmt: skip


def test_further_trainings_join_those_that_are_there(runs, tmp_path):
    out = tmp_path / "out"
    learning_curve.measured_cases(CONFIG, ("i2v", "context_k5"), (2,), 1, out)
    learning_curve.measured_cases(CONFIG, ("i2v", "context_k20", "context_k5"), (2,), 1, out, (0, 1, 2))
    learning_curve.measured_cases(CONFIG, ("context_k5", "context_k20"), (2,), 1, out, (2, 1))
    assert [(config["rows"], config["train_seeds"]) for config in runs] == [
        (["i2v", "context_k5"], [0]), (["context_k20"], [0, 1, 2]), (["i2v", "context_k5"], [1, 2])
    ]  # fmt: skip
    cases = learning_curve.kept(CONFIG, 2, out)
    assert not cases.duplicated(["row_name", "train_seed", "case"]).any()
    assert cases.groupby(["row_name", "train_seed"]).ngroups == 9
    curve, gain, _ = learning_curve.tables(CONFIG, ("i2v", "context_k5", "context_k20"), out).values()
    assert set(curve["train_seeds"]) == {3} and set(gain["train_seeds"]) == {3}


def test_a_gain_is_of_the_trainings_that_both_rows_have(runs, tmp_path):
    learning_curve.measured_cases(CONFIG, ("i2v", "context_k5"), (2,), 1, tmp_path / "out")
    learning_curve.measured_cases(CONFIG, ("context_k5",), (2,), 1, tmp_path / "out", (1,))
    curve, gain, _ = learning_curve.tables(CONFIG, ("i2v", "context_k5"), tmp_path / "out").values()
    assert set(curve.query("factor == 2 and row_name == 'context_k5'")["train_seeds"]) == {2}
    assert set(gain.query("factor == 2")["train_seeds"]) == {1}


def test_cases_of_other_steps_are_refused_before_anything_is_run(runs, tmp_path):
    learning_curve.measured_cases(CONFIG, ("i2v",), (2,), 1, tmp_path / "out")
    other = {**CONFIG, "train": {**CONFIG["train"], "steps": 7}}
    with pytest.raises(UserError, match=r"cases_x2.csv.xz: of training steps \{1760\}, expected 14; move it away"):
        learning_curve.measured_cases(other, ("i2v",), (2, 4), 1, tmp_path / "out")
    assert len(runs) == 1


def test_a_row_that_is_not_there_is_refused_before_anything_is_run(runs, tmp_path):
    with pytest.raises(ConfigError, match="telepathy"):
        learning_curve.measured_cases(CONFIG, ("i2v", "telepathy"), (2, 4), 1, tmp_path / "out")
    assert not runs


def test_the_committed_tables_are_those_of_the_committed_cases(monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, table in learning_curve.tables(CONFIG, learning_curve.ROWS, FOLDER).items():
        committed = pd.read_csv(FOLDER / f"{name}.csv")
        keys = ["factor", "row_name", "branch", "measure"]
        both = committed.merge(table, on=keys, suffixes=("", "_again"))
        assert len(both) == len(committed) == len(table)
        assert both["value"].to_numpy() == pytest.approx(both["value_again"].to_numpy(), rel=1e-5)
