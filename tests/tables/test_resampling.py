"""Intervals over rooms and training seeds: coverage with known variances, and what one seed leaves of them."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.tables.resampling import Nested, expansion, limits, room_weights, seed_share
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


@pytest.mark.parametrize("seeds", [1, 3, 5])
@pytest.mark.parametrize(
    "variances",
    [(0, 1, 0.2, 0.3), (0, 0.1, 0.5, 1), (0.02, 1, 0.3, 0.3), (0.1, 1, 0.3, 0.3), (1, 1, 0.3, 0.3)],
    ids=["no seed effect", "noise alone", "small", "as large as rooms'", "seeds alone"],
)
def test_the_interval_covers_the_truth_in_about_95_of_100_studies(seeds, variances):
    """One seed cannot cover what other seeds would do, so there its effect is left out."""
    draw, hits, studies = generator(0, "coverage", seeds, *map(str, variances)), 0, 400
    variances = variances if seeds > 1 else (0, *variances[1:])
    for _ in range(studies):
        values, rooms, of_seed = nested_values(draw, seeds, *variances)
        _, low, high = interval(values, rooms, 400, draw, of_seed)
        hits += low <= 0 <= high
    assert 0.91 <= hits / studies <= 0.985


def test_rooms_alone_would_cover_far_too_little_where_seeds_differ():
    draw, hits = generator(1, "coverage"), 0
    for _ in range(200):
        values, rooms, _ = nested_values(draw, 3, 1, 1, 0.3, 0.3)
        _, low, high = interval(values, rooms, 200, draw)
        hits += low <= 0 <= high
    assert hits / 200 < 0.6


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


def test_seeds_alone_give_about_students_interval():
    """Every room has the seed's own value: what is left is three numbers."""
    of_seed = np.array([1.0, 2.0, 4.0])
    values, rooms, seeds = np.repeat(of_seed, ROOMS), np.tile(np.arange(ROOMS), 3), np.repeat([5, 6, 7], ROOMS)
    mean, low, high = interval(values, rooms, 20_000, generator(0, "a"), seeds)
    half = scipy.stats.t.ppf(0.975, 2) * of_seed.std(ddof=1) / 3**0.5
    assert mean == pytest.approx(of_seed.mean())
    assert high - low == pytest.approx(2 * half, rel=0.25)
    assert expansion(3) == pytest.approx(1.5**0.5 * 4.303 / 1.960, rel=1e-3)


def test_resampled_means_are_those_of_a_slow_loop_over_cases():
    """Unequal rooms and seeds: every resample written out as a list of cases, its seeds' deviations by hand."""
    draw = generator(4, "values")
    seeds, rooms = draw.integers(0, 3, 60), draw.integers(0, 7, 60)
    values = draw.normal(size=60) + seeds
    found = Nested.of(values, rooms, seeds).resampled(50, generator(0, "rooms"), generator(0, "seeds"))
    weights = room_weights(7, 50, generator(0, "rooms"))
    picked = generator(0, "seeds").multinomial(3, [1 / 3] * 3, 50)
    totals = [int((seeds == s).sum()) for s in range(3)]
    means = [values[seeds == s].mean() for s in range(3)]
    noise = np.array([[(values[(seeds == s) & (rooms == r)] - means[s]).sum() / totals[s] for r in range(7)]
                      for s in range(3)])  # fmt: skip
    share = seed_share(np.array(means), noise)
    for i in range(50):
        own = []
        for s in range(3):
            cases = [
                v for v, r, q in zip(values, rooms, seeds, strict=True) if q == s for _ in range(int(weights[i, r]))
            ]
            own.append(sum(cases) / len(cases) if cases else means[s])
        mean = sum(n * m for n, m in zip(totals, own, strict=True)) / 60
        moved = sum((picked[i, s] - 1) * totals[s] / 60 * (own[s] - mean) for s in range(3))
        assert found[i] == pytest.approx(mean + expansion(3) * share**0.5 * moved)


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
