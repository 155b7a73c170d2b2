"""Means and drift against slow, independent computations from the cases."""

import numpy as np
import pandas as pd
import pytest

from echo.tables.summary import cell as cell_of


def records(path):
    """Rows as dictionaries, without pandas' grouping or arithmetic."""
    return pd.read_csv(path).to_dict("records")


def test_summary_means_equal_a_loop_over_the_case_lines(built):
    cases = records(built / "cases.csv.xz")
    summary = records(built / "summary.csv")
    assert len(summary) == 15 * (2 * 4 + 3 * 12)
    for cell in summary[::7]:
        total, count, scenes = 0.0, 0, set()
        for case in cases:
            if case["row_name"] == cell["row_name"] and case["branch"] == cell["branch"]:
                total, count = total + case[cell["measure"]], count + 1
                scenes.add(case["scene"])
        assert count == 16 == cell["cases"] * cell["train_seeds"]
        assert cell["value"] == pytest.approx(total / count, rel=1e-5)
        assert cell["scenes"] == len(scenes)
        assert cell["low"] < cell["value"] < cell["high"]


def test_interval_of_one_seed_is_that_of_a_plain_cluster_bootstrap(built):
    here = pd.read_csv(built / "cases.csv.xz").query("row_name == 'spatial' and branch == 'loop' and train_seed == 0")
    by_scene = [group["psnr"].to_numpy() for _, group in here.groupby("scene")]
    draw = np.random.default_rng(1)
    means = [
        np.concatenate([by_scene[i] for i in draw.integers(0, len(by_scene), len(by_scene))]).mean()
        for _ in range(2000)
    ]
    found = cell_of(here, "psnr", 2000, 0, "loop", "psnr")
    width = np.quantile(means, 0.975) - np.quantile(means, 0.025)
    assert found["low"] == pytest.approx(np.quantile(means, 0.025), abs=0.1 * width)
    assert found["high"] == pytest.approx(np.quantile(means, 0.975), abs=0.1 * width)


def test_drift_is_the_mean_over_cases_of_each_frame(built):
    frames = pd.read_parquet(built / "frames.parquet")
    drift = pd.read_csv(built / "drift.csv")
    assert len(drift) == 15 * 2 * 24
    for line in drift.iloc[::37].itertuples():
        rest = frames[
            (frames.row_name == line.row_name) & (frames.branch == line.branch) & (frames.frame == line.frame)
        ]
        assert line.value == pytest.approx(rest["psnr"].sum() / 16, rel=1e-5)
        assert set(rest["segment"]) == {line.segment}


def test_shares_of_seen_pixels_count_each_case_once(beside):
    cases = pd.read_csv(beside / "cases.csv.xz")
    table = pd.read_csv(beside / "seen.csv").set_index(["branch", "frames"])
    assert len(table) == 5 * 2
    for branch, here in cases[cases["row_name"] == "copy_best"].groupby("branch"):
        line = table.loc[branch, "given"]
        assert line["value"] == pytest.approx(here["seen_given"].mean(), rel=1e-4) and line["cases"] == 8
        assert line["low"] < line["value"] < line["high"] < table.loc[branch, "past"]["value"]


def test_quality_on_seen_and_unseen_pixels_is_summarised_where_it_was_measured(beside, built):
    summary = pd.read_csv(beside / "summary.csv").set_index(["row_name", "branch", "measure"])
    cases = pd.read_csv(beside / "cases.csv.xz").query("row_name == 'ridge' and branch == 'recall'")
    line = summary.loc["ridge", "recall", "psnr_unseen"]
    assert line["value"] == pytest.approx(cases["psnr_unseen"].mean(), rel=1e-4)
    assert line["cases"] == cases["psnr_unseen"].notna().sum() < 8
    assert pd.read_csv(built / "seen.csv").empty and "psnr_seen" not in set(
        pd.read_csv(built / "summary.csv")["measure"]
    )
