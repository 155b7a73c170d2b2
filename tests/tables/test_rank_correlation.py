"""Rank correlation over rows against scipy's, and its interval where the answer is known."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from echo.io.seeding import generator
from echo.tables.rank_correlation import rank_correlation, spearman

ROWS = [f"row_{i}" for i in range(8)]


def study(back, noise=0.5, seeds=(0,), of_seed=0.0, scenes=12):
    """Cases of a replay whose rows rise by 1 dB and of a return with the means ``back``; and rows.csv."""
    lines = []
    for i, row in enumerate(ROWS):
        for seed in seeds:
            moved = generator(0, "seed", row, seed).normal(0, of_seed, 2)
            for branch, level, shift in (("replay", 20.0 + i, moved[0]), ("return_45", back[i], moved[1])):
                for scene in range(scenes):
                    draw = generator(0, "case", branch, row, seed, scene)
                    name, psnr = f"{branch}{scene}", level + shift + draw.normal(0, noise)
                    lines.append((row, seed, branch, name, name, psnr))
    cases = pd.DataFrame(lines, columns=["row_name", "train_seed", "branch", "scene", "case", "psnr"])
    cases["judge"] = np.where(cases["branch"] == "return_45", cases["psnr"] * 2, np.nan)
    cases["lpips"] = 1 - cases["psnr"] / 50
    return cases, pd.DataFrame({"row_name": ROWS, "family": "context"})


def line(cases, rows, measure="psnr", seed=0):
    return rank_correlation(cases, rows, 400, seed).set_index(["branch", "measure"]).loc["return_45", measure]


def test_value_is_scipys_spearman_of_the_rows_means():
    cases, rows = study(back=[10, 14, 11, 17, 15, 12, 18, 16])
    means = cases.groupby(["branch", "row_name"])["psnr"].mean()
    expected = scipy.stats.spearmanr(means["replay"], means["return_45"]).statistic
    found = line(cases, rows)
    assert found["value"] == pytest.approx(expected) and 0 < found["value"] < 0.95
    assert found["low"] <= found["value"] <= found["high"] and found["rows"] == 8
    assert line(cases, rows, "judge")["value"] == pytest.approx(expected)
    assert line(cases, rows, "lpips")["value"] == pytest.approx(expected)  # smaller is better


def test_rows_far_apart_leave_no_doubt_and_equal_rows_leave_much():
    sure = line(*study(back=range(8), noise=0.05))
    assert (sure["low"], sure["value"], sure["high"]) == pytest.approx((1, 1, 1))
    unsure = line(*study(back=[15] * 8, noise=2.0))
    assert unsure["low"] < 0 < unsure["high"] and unsure["high"] - unsure["low"] > 0.5


def test_seeds_that_differ_widen_the_interval():
    back = [10, 14, 11, 17, 15, 12, 18, 16]
    alike, differing = (line(*study(back, noise=0.2, seeds=(0, 1, 2), of_seed=s)) for s in (0.0, 2.0))
    assert alike["train_seeds"] == differing["train_seeds"] == 3
    assert differing["high"] - differing["low"] > 2 * (alike["high"] - alike["low"])


def test_reference_rows_and_rows_without_both_numbers_are_left_out():
    cases, rows = study(back=range(8))
    rows.loc[0, "family"] = "reference"
    cases = cases[~((cases["row_name"] == "row_1") & (cases["branch"] == "replay"))]
    assert line(cases, rows)["rows"] == 6
    few = cases[cases["row_name"].isin(["row_2", "row_3"])]
    found = line(few, rows)
    assert found["rows"] == 2 and np.isnan(found["value"]) and np.isnan(found["low"])


def test_returns_that_are_all_alike_have_no_rank_correlation():
    cases, rows = study(back=range(8))
    cases.loc[cases["branch"] == "return_45", "judge"] = 0.0
    found = line(cases, rows, "judge")
    assert found["rows"] == 8 and np.isnan([found["value"], found["low"], found["high"]]).all()


def test_the_papers_own_is_that_of_its_table():
    table = pd.read_csv("echo/tables/reference/paper_tables.csv")
    both = table[["replay_psnr", "opendomain_vlm"]].dropna()
    found = line(*study(back=range(8)), "judge")
    assert found["paper"] == pytest.approx(scipy.stats.spearmanr(*both.to_numpy().T).statistic)
    assert found["paper_rows"] == len(both) and abs(found["paper"]) < 0.3
    assert np.isnan(line(*study(back=range(8)))["paper"])


def test_spearman_shares_ranks_among_ties_and_has_none_of_constants():
    a, b = np.array([[1.0, 2, 2, 3], [1, 1, 1, 1]]), np.array([[2.0, 1, 4, 4], [1, 2, 3, 4]])
    found = spearman(a, b)
    assert found[0] == pytest.approx(scipy.stats.spearmanr(a[0], b[0]).statistic) and np.isnan(found[1])
