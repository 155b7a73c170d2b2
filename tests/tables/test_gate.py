"""Gated scores against a loop over the cases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.tables.gate import GATED, gated, with_gated


def some_cases(departed, row="i2v"):
    count = len(departed)
    scores = {score: np.arange(count) + 10.0 * place for place, score in enumerate(GATED)}
    return pd.DataFrame({"row_name": row, "branch": "return_45", "departed": departed, **scores})


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=12))
def test_a_gated_score_is_that_of_the_departed_cases_or_of_none(departed):
    cases = some_cases(departed)
    found = with_gated(cases)
    enough = 2 * sum(departed) >= len(departed)
    for score in GATED:
        for before, after, left in zip(cases[score], found[gated(score)], departed, strict=True):
            assert after == before if left and enough else np.isnan(after)
        assert found[score].tolist() == cases[score].tolist()


def test_each_row_and_branch_is_gated_on_its_own():
    cases = pd.concat([some_cases([1.0, 1.0]), some_cases([0.0, 0.0], "still"), some_cases([1.0, 0.0], "half")])
    counts = with_gated(cases).groupby("row_name")[gated("psnr")].count()
    assert counts.to_dict() == {"i2v": 2, "still": 0, "half": 1}


def test_tables_from_before_departure_was_measured_have_no_gated_score():
    found = with_gated(some_cases([1.0, 1.0]).drop(columns="departed"))
    assert found[[*map(gated, GATED), "departed", "departure_share"]].isna().all(axis=None)


def test_the_summary_has_the_mean_over_the_departed_cases(beside):
    cases, summary = pd.read_csv(beside / "cases.csv.xz"), pd.read_csv(beside / "summary.csv")
    cells = summary.set_index(["row_name", "branch", "measure"])
    for branch in ("return_45", "recall", "loop"):
        here = cases[(cases["row_name"] == "spatial") & (cases["branch"] == branch)]
        left = here[here["departure_share"] >= 0.5]
        assert 0.5 * len(here) <= len(left) < len(here)
        assert cells.loc["spatial", branch, "gated_psnr"]["value"] == pytest.approx(left["psnr"].mean(), rel=1e-5)
        assert cells.loc["spatial", branch, "departed"]["value"] == pytest.approx(len(left) / len(here))
        assert cells.loc["spatial", branch, "departure_share"]["value"] == pytest.approx(here["departure_share"].mean())
    assert cells.loc["spatial", "recall", "gated_judge"]["cases"] < cells.loc["spatial", "recall", "judge"]["cases"]


def test_a_row_that_never_leaves_keeps_its_scores_and_loses_the_gated_ones(beside):
    cells = pd.read_csv(beside / "summary.csv").set_index(["row_name", "branch", "measure"])["value"]
    for branch in ("return_45", "return_strict", "recall"):
        assert np.isfinite(cells["copy_best", branch, "first_psnr"])
        assert np.isnan(cells["copy_best", branch, "gated_first_psnr"])
        assert cells["copy_best", branch, "departed"] == 0


def test_where_all_cases_departed_gated_scores_and_intervals_are_the_plain_ones(beside):
    cells = pd.read_csv(beside / "summary.csv").set_index(["row_name", "branch", "measure"])
    cells = cells[["value", "low", "high", "cases"]]
    for score in ("psnr", "lpips", "first_psnr", "judge"):
        pd.testing.assert_series_equal(
            cells.loc["context_k5", "recall", gated(score)], cells.loc["context_k5", "recall", score], check_names=False
        )
