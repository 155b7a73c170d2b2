"""Agreement of two judges against scipy and the package ``krippendorff``, on the cases of each draw."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from echo.tables.resampling import room_weights
from echo.tables.two_judges import Pairs

ROOMS, ROWS, TOP = 7, 5, 5.0


def made(seed, cases=120, step=0.25, noise=1.0):
    """Scores with many ties, whose rows and rooms differ."""
    draw = np.random.default_rng(seed)
    room, row = draw.integers(0, ROOMS, cases), draw.integers(0, ROWS, cases)
    room[:ROOMS], row[:ROWS] = np.arange(ROOMS), np.arange(ROWS)
    level = 1 + 0.5 * row + 0.2 * room
    one, two = (np.clip(level + noise * draw.normal(size=cases), 0, TOP) for _ in range(2))
    return Pairs(*(np.round(score / step) * step for score in (one, two)), room, row, TOP)


def slowly(pairs, drawn):
    """Each statistic of the cases in which each room stands as often as it was drawn."""
    at = np.repeat(np.arange(len(pairs.one)), drawn.astype(int)[pairs.room])
    one, two, row = pairs.one[at], pairs.two[at], pairs.row[at]
    means = [[score[row == number].mean() for number in range(ROWS)] for score in (one, two)]
    halves = np.round(2 * np.stack([one, two]) * 5 / pairs.top)
    return {
        "difference": np.abs(one - two).mean(),
        "pearson": pearsonr(one, two).statistic,
        "spearman": spearmanr(one, two).statistic,
        "alpha": krippendorff.alpha(halves, level_of_measurement="ordinal"),
        "rows": kendalltau(*means).statistic,
    }


@pytest.mark.parametrize("seed", range(3))
def test_each_draw_is_that_of_the_cases_drawn(seed):
    pairs = made(seed)
    weights = np.vstack([np.ones(ROOMS), room_weights(ROOMS, 40, np.random.default_rng(seed))])
    found = pairs.agreement(weights)
    for number, drawn in enumerate(weights):
        if all(np.isin(range(ROWS), pairs.row[drawn[pairs.room] > 0])):
            expected = slowly(pairs, drawn)
            assert {name: values[number] for name, values in found.items()} == pytest.approx(expected, abs=1e-9)


def test_more_draws_than_are_held_at_a_time_are_all_there():
    pairs, weights = made(1), room_weights(ROOMS, 300, np.random.default_rng(0))
    whole = pairs.spearman(weights)
    assert len(whole) == 300
    np.testing.assert_allclose(whole[280:], pairs.spearman(weights[280:]), atol=1e-12)


def test_alpha_is_one_less_observed_over_expected_disagreement():
    """Its definition, of six cases, in squared distances of mean ranks over all twelve values."""
    one, two = np.array([0.0, 1, 1, 2, 4, 4]), np.array([0.0, 1, 2, 2, 4, 3])
    found = Pairs(one, two, np.zeros(6, int), np.zeros(6, int), TOP).alpha(np.ones((1, 1)))[0]
    values = np.concatenate([one, two])
    rank = {value: (values < value).sum() + (values == value).sum() / 2 for value in values}
    observed = np.mean([(rank[a] - rank[b]) ** 2 for a, b in zip(one, two, strict=True)])
    expected = np.sum([(rank[a] - rank[b]) ** 2 for a in values for b in values]) / (12 * 11)
    assert found == pytest.approx(1 - observed / expected)


def test_a_judge_agrees_with_itself():
    pairs = made(3)
    same = Pairs(pairs.one, pairs.one, pairs.room, pairs.row, TOP).agreement(np.ones((1, ROOMS)))
    assert {name: float(value[0]) for name, value in same.items()} == pytest.approx(
        {"difference": 0, "pearson": 1, "spearman": 1, "alpha": 1, "rows": 1}
    )


def test_judges_that_draw_lots_agree_by_chance():
    draw = np.random.default_rng(0)
    one, two = (draw.uniform(0, TOP, 4000) for _ in range(2))
    pairs = Pairs(one, two, draw.integers(0, ROOMS, 4000), draw.integers(0, ROWS, 4000), TOP)
    found = pairs.agreement(np.ones((1, ROOMS)))
    assert all(abs(found[name][0]) < 0.05 for name in ("pearson", "spearman", "alpha"))
    assert found["difference"][0] == pytest.approx(TOP / 3, abs=0.1)


def test_what_is_not_defined_is_missing_and_not_0():
    """A judge that always says the same has no correlation; nor have two rows a ranking."""
    pairs = made(2)
    flat = Pairs(np.full_like(pairs.one, 3), np.full_like(pairs.one, 3), pairs.room, pairs.row, TOP)
    found = flat.agreement(np.ones((1, ROOMS)))
    assert found["difference"][0] == 0 and all(np.isnan(found[name][0]) for name in found if name != "difference")
    two_rows = Pairs(pairs.one, pairs.two, pairs.room, np.minimum(pairs.row, 1), TOP)
    assert np.isnan(two_rows.rows(np.ones((1, ROOMS)))[0])
    nothing = Pairs(np.zeros(0), np.zeros(0), np.zeros(0, int), np.zeros(0, int), TOP)
    assert all(np.isnan(values).all() for values in nothing.agreement(np.ones((2, ROOMS))).values())


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.floats(0.05, 3), st.floats(-2, 2))
def test_neither_order_nor_unit_matters(seed, noise, shift):
    """Judges change places; a total of 100 in place of one of 5; ranks do not change by a monotone map."""
    pairs, weights = made(seed, noise=noise), room_weights(ROOMS, 3, np.random.default_rng(seed))
    found = pairs.agreement(weights)
    turned = Pairs(pairs.two, pairs.one, pairs.room, pairs.row, TOP).agreement(weights)
    totals = Pairs(20 * pairs.one, 20 * pairs.two, pairs.room, pairs.row, 20 * TOP).agreement(weights)
    for name, values in found.items():
        np.testing.assert_allclose(turned[name], values, atol=1e-9)
        np.testing.assert_allclose(totals[name], 20 * values if name == "difference" else values, atol=1e-9)
    bent = Pairs(np.exp(pairs.one + shift), pairs.two, pairs.room, pairs.row, TOP)
    np.testing.assert_allclose(bent.spearman(weights), found["spearman"], atol=1e-9)
    for name in ("pearson", "spearman", "rows"):
        assert (np.isnan(found[name]) | (np.abs(found[name]) <= 1 + 1e-9)).all()
