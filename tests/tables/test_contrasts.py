"""Contrasts against slow pairings, and what could have been seen against simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from echo.tables.contrasts import COLUMNS, contrasts, detectable, needed
from echo.tables.statistics import holm

NAMED = [("context_k5", "i2v"), ("spatial", "context_k5")]


@pytest.fixture(scope="module")
def cases(built):
    return pd.read_csv(built / "cases.csv.gz", dtype={"case": str})


@pytest.fixture(scope="module")
def table(cases):
    return contrasts(cases, NAMED, 200, 0)


def pairs(cases, line):
    """Differences of a line's pairs with their scenes, found case by case."""
    here = cases[cases["branch"] == line["branch"]].to_dict("records")
    return [
        (one["scene"], one[line["measure"]] - two[line["measure"]])
        for one in here for two in here
        if (one["row_name"], two["row_name"]) == (line["row_name"], line["other"])
        and (one["case"], one["train_seed"]) == (two["case"], two["train_seed"])
    ]  # fmt: skip


def test_each_line_against_a_slow_pairing(cases, table):
    assert tuple(table) == tuple(COLUMNS) and len(table) == 2 * (2 * 3 + 3 * 4)
    for line in table.to_dict("records")[::3]:
        found = pairs(cases, line)
        values = [value for _, value in found]
        assert line["difference"] == pytest.approx(np.mean(values))
        assert line["cases"] * line["train_seeds"] == len(values)
        sign = -1 if line["measure"] == "lpips" else 1
        better = [1.0 if sign * v > 0 else 0.5 if v == 0 else 0.0 for v in values]
        assert line["improvement"] == pytest.approx(np.mean(better))
        assert line["improvement_low"] <= line["improvement"] <= line["improvement_high"]
        rooms = pd.DataFrame(found, columns=["scene", "value"]).groupby("scene")["value"].mean()
        assert line["detectable"] == pytest.approx(detectable(rooms.std(ddof=1), len(rooms)), rel=1e-6, nan_ok=True)


def test_correction_is_over_the_named_contrasts_of_one_branch_and_measure_alone(table):
    for _, group in table.groupby(["branch", "measure"]):
        np.testing.assert_allclose(group["p_holm"], holm(group["p"]))
        assert len(group) == len(NAMED)


def test_the_papers_difference_stands_beside_where_it_has_one(table):
    by = table.set_index(["row_name", "branch", "measure"])
    assert by.loc[("context_k5", "replay", "psnr"), "paper"] == pytest.approx(paper("context_k5") - paper("i2v"))
    assert by.loc[("context_k5", "recall", "psnr"), ["paper", "needed"]].isna().all()


def paper(row):
    from echo.tables.paper import paper_number

    return paper_number(row, "replay", "psnr")


def test_rows_that_were_not_run_are_left_out(cases):
    assert contrasts(cases, [("context_k5", "nobody"), ("nobody", "i2v")], 100, 0).empty
    assert contrasts(cases, [], 100, 0).empty


def test_a_detectable_difference_is_found_four_times_of_five():
    spread, rooms = 2.0, 20
    true = detectable(spread, rooms)
    draw = np.random.default_rng(0).normal(true, spread, (4000, rooms))
    found = ttest_1samp(draw, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.025)


def test_what_a_difference_needs_is_what_detects_it():
    for difference in (0.3, 1.0, 4.0):
        rooms = needed(2.0, difference)
        assert detectable(2.0, int(rooms)) <= difference < detectable(2.0, int(rooms) - 1)
    assert needed(2.0, -1.0) == needed(2.0, 1.0)


def test_what_cannot_be_said_is_missing():
    assert np.isnan([detectable(np.nan, 9), detectable(0.0, 9), detectable(1.0, 2)]).all()
    assert np.isnan([needed(np.nan, 1.0), needed(1.0, np.nan)]).all()
    assert needed(1.0, 0.0) == np.inf and needed(1.0, 1e9) == 2
