"""Contrasts against slow pairings, and what could have been seen against simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t, ttest_1samp

from echo.io.seeding import generator
from echo.tables.contrasts import COLUMNS, contrasts, detectable, needed
from echo.tables.statistics import holm

NAMED = [("context_k5", "i2v"), ("spatial", "context_k5")]


@pytest.fixture(scope="module")
def cases(built):
    return pd.read_csv(built / "cases.csv.xz", dtype={"case": str})


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


def seed_means(cases, line):
    """The difference of a line for each training seed alone; every seed has the same cases."""
    here = cases[cases["branch"] == line["branch"]].groupby(["row_name", "train_seed"])[line["measure"]].mean()
    return here[line["row_name"]] - here[line["other"]]


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
        trainings = seed_means(cases, line)
        error = trainings.std(ddof=1) / len(trainings) ** 0.5
        expected = detectable(rooms.std(ddof=1), len(rooms), error, len(trainings))
        assert line["detectable"] == pytest.approx(expected, rel=1e-6, nan_ok=True)


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


@pytest.mark.parametrize(("of_trainings", "seeds"), [(0.3, 3), (1.5, 3), (0.3, 2)])
def test_with_several_seeds_it_is_found_about_as_often_by_the_same_test_over_both(of_trainings, seeds):
    """Rooms and trainings vary by known amounts; the test is that of Satterthwaite's degrees of freedom."""
    spread, rooms, studies = 2.0, 20, 4000
    true = detectable(spread, rooms, of_trainings, seeds)
    assert true > detectable(spread, rooms)
    draw = generator(0, "detectable", str(of_trainings), seeds)
    of_rooms = spread**2 * draw.chisquare(rooms - 1, studies) / (rooms - 1) / rooms
    of_seeds = of_trainings**2 * draw.chisquare(seeds - 1, studies) / (seeds - 1)
    error = (of_rooms + of_seeds) ** 0.5
    freedom = error**4 / (of_rooms**2 / (rooms - 1) + of_seeds**2 / (seeds - 1))
    found = draw.normal(true, (spread**2 / rooms + of_trainings**2) ** 0.5, studies)
    assert (t.sf(abs(found / error), freedom) < 0.025).mean() == pytest.approx(0.8, abs=0.12)


def test_what_a_difference_needs_is_what_detects_it():
    for difference in (0.3, 1.0, 4.0, 6.0):
        rooms = needed(2.0, difference)
        assert detectable(2.0, int(rooms)) <= difference < detectable(2.0, int(rooms) - 1)
    assert needed(2.0, -1.0) == needed(2.0, 1.0)


def test_what_cannot_be_said_is_missing():
    assert np.isnan([detectable(np.nan, 9), detectable(0.0, 9), detectable(1.0, 2)]).all()
    assert np.isnan([needed(np.nan, 1.0), needed(1.0, np.nan)]).all()
    assert needed(1.0, 0.0) == np.inf and needed(1.0, 1e9) == 2 and needed(1.0, 8.0) == 3
