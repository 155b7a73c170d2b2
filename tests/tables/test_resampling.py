"""Intervals over rooms and training seeds: what one seed leaves of them, and slow references.

``test_coverage.py`` simulates whole studies.
"""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.tables.resampling import Nested, limits, luck, moved_by_seeds, room_weights
from echo.tables.statistics import interval

ROOMS = 40


def nested_values(draw, seeds, of_seed, of_room, of_both, of_case, cases=2):
    """Values, rooms and seeds of cases whose mean is 0: variances between seeds, rooms, rooms of a seed, and cases."""
    shape = (seeds, ROOMS, cases)
    values = (
        draw.normal(0, of_seed**0.5, (seeds, 1, 1))
        + draw.normal(0, of_room**0.5, (1, ROOMS, 1))
        + draw.normal(0, of_both**0.5, (seeds, ROOMS, 1))
        + draw.normal(0, of_case**0.5, shape)
    )
    seed, room, _ = np.indices(shape)
    return values.ravel(), room.ravel(), seed.ravel()


def test_one_seed_gives_scipys_bootstrap_over_rooms_to_the_last_digits():
    values, rooms, seeds = nested_values(generator(2, "values"), 1, 0, 1, 0, 1)
    sums, counts = (np.bincount(rooms, weights) for weights in (values, np.ones(len(values))))
    theirs = scipy.stats.bootstrap(
        (sums, counts), lambda s, c, axis: s.sum(axis) / c.sum(axis), paired=True, vectorized=True, n_resamples=500,
        method="percentile", rng=generator(0, "a"),
    )  # fmt: skip
    for given_seeds in (None, seeds):
        mean, low, high = interval(values, rooms, 500, generator(0, "a"), given_seeds)
        assert mean == pytest.approx(values.mean())
        assert (low, high) == pytest.approx(tuple(theirs.confidence_interval))


def test_seeds_that_agree_exactly_add_nothing():
    values, rooms, _ = nested_values(generator(3, "values"), 1, 0, 1, 0, 1)
    once = interval(values, rooms, 300, generator(0, "a"))
    three = interval(np.tile(values, 3), np.tile(rooms, 3), 300, generator(0, "a"), np.repeat([0, 1, 2], len(values)))
    assert three == pytest.approx(once)


@pytest.mark.parametrize("of_seed", [[1.0, 2.0], [1.0, 2.0, 4.0]])
def test_seeds_alone_give_students_interval(of_seed):
    """Every room has the seed's own value: what is left is two or three numbers."""
    of_seed = np.array(of_seed)
    count = len(of_seed)
    values, rooms = np.repeat(of_seed, ROOMS), np.tile(np.arange(ROOMS), count)
    mean, low, high = interval(values, rooms, 40_000, generator(0, "a"), np.repeat(np.arange(5, 5 + count), ROOMS))
    expected = scipy.stats.t.interval(0.95, count - 1, of_seed.mean(), scipy.stats.sem(of_seed))
    assert mean == pytest.approx(of_seed.mean())
    assert (low, high) == pytest.approx(expected, rel=0.1)


def test_resampled_means_are_those_of_a_slow_loop_over_cases():
    """Unequal rooms and seeds: every resample written out as a list of cases, the luck of trainings by hand."""
    draw = generator(4, "values")
    seeds, rooms = draw.integers(0, 3, 60), draw.integers(0, 7, 60)
    values = draw.normal(size=60) + seeds
    found = Nested.of(values, rooms, seeds).resampled(50, generator(0, "rooms"), generator(0, "seeds"))
    weights, luckily = room_weights(7, 50, generator(0, "rooms")), generator(0, "seeds")
    normal, squares = luckily.normal(size=(50, 3)), luckily.chisquare(2, 50)
    totals = [int((seeds == s).sum()) for s in range(3)]
    means = [values[seeds == s].mean() for s in range(3)]
    for i in range(50):
        own = []
        for s in range(3):
            cases = [
                v for v, r, q in zip(values, rooms, seeds, strict=True) if q == s for _ in range(int(weights[i, r]))
            ]
            own.append(sum(cases) / len(cases) if cases else means[s])
        mean = sum(n * m for n, m in zip(totals, own, strict=True)) / 60
        moved = sum(normal[i, s] * totals[s] / 60 * (means[s] - values.mean()) for s in range(3))
        assert found[i] == pytest.approx(mean + moved * (3 / 2) ** 0.5 * (2 / squares[i]) ** 0.5)


def test_the_luck_of_trainings_is_students_t_of_their_standard_error():
    estimates = np.array([1.0, 2.0, 4.0])
    moved = moved_by_seeds(estimates, np.full(3, 1 / 3))
    assert (moved**2).sum() ** 0.5 == pytest.approx(scipy.stats.sem(estimates))
    drawn = luck(moved, 20_000, generator(0, "a")) / scipy.stats.sem(estimates)
    assert scipy.stats.kstest(drawn, scipy.stats.t(2).cdf).pvalue > 0.01
    assert not luck(moved_by_seeds(np.ones(1), np.ones(1)), 5, generator(0, "a")).any()


def test_two_measures_of_the_same_models_are_lucky_together():
    one, other = np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 0.0])
    drawn = [luck(moved_by_seeds(side, np.full(3, 1 / 3)), 100, generator(0, "a")) for side in (one, 2 * one, -one)]
    np.testing.assert_allclose(drawn[1], 2 * drawn[0])
    np.testing.assert_allclose(drawn[2], -drawn[0])
    np.testing.assert_allclose(drawn[2], luck(moved_by_seeds(other, np.full(3, 1 / 3)), 100, generator(0, "a")))


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 5), st.integers(0, 1000))
def test_the_order_of_cases_and_the_names_of_seeds_do_not_matter(seeds, number):
    values, rooms, of_seed = nested_values(generator(number, "values"), seeds, 0.5, 1, 0.3, 0.3)
    order = generator(number, "order").permutation(len(values))
    first = interval(values, rooms, 100, generator(0, "a"), of_seed)
    second = interval(values[order], rooms[order], 100, generator(0, "a"), 10 * of_seed[order])
    assert second == pytest.approx(first)
    assert first[1] <= first[2]


def test_missing_values_of_one_seed_leave_the_others():
    values, rooms, seeds = nested_values(generator(5, "values"), 3, 0.5, 1, 0.3, 0.3)
    gone = (seeds == 1) | ((seeds == 2) & (rooms < 30))
    mean, low, high = interval(np.where(gone, np.nan, values), rooms, 200, generator(0, "a"), seeds)
    assert mean == pytest.approx(values[~gone].mean()) and np.isfinite([low, high]).all()


def test_drawn_rooms_are_as_many_as_there_are():
    weights = room_weights(5, 300, generator(0, "a"))
    assert (weights.sum(1) == 5).all() and weights.shape == (300, 5)
    assert weights.var() == pytest.approx(1 - 1 / 5, rel=0.15)  # binomial


def test_limits_are_percentiles():
    assert limits(np.arange(1001.0)) == pytest.approx((25.0, 975.0))
