import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.tables.statistics import holm, interval, paired_difference, sign_flip


def test_interval_agrees_with_scipys_bootstrap_where_each_case_is_a_cluster():
    values = generator(0, "values").normal(3, 2, 60)
    mean, low, high = interval(values, np.arange(60), 20_000, generator(0, "a"))
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1)
    assert mean == pytest.approx(values.mean())
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.03)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.03)


def test_interval_agrees_with_a_slow_cluster_bootstrap():
    draw = generator(1, "values")
    clusters = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 8])
    values = draw.normal(0, 1, 36) + draw.normal(0, 2, 8)[clusters]
    _, low, high = interval(values, clusters, 20_000, generator(0, "a"))
    means = []
    for _ in range(5000):
        picked = np.concatenate([values[clusters == c] for c in draw.integers(0, 8, 8)])
        means.append(picked.mean())
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.1)


def test_interval_is_wider_over_clusters_than_over_their_cases():
    draw = generator(2, "values")
    clusters = np.repeat(np.arange(10), 20)
    values = draw.normal(0, 0.1, 200) + draw.normal(0, 1, 10)[clusters]
    by_scene = interval(values, clusters, 2000, generator(0, "a"))
    by_case = interval(values, np.arange(200), 2000, generator(0, "a"))
    assert by_scene[2] - by_scene[1] > 3 * (by_case[2] - by_case[1])


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    draw, hits = generator(3, "values"), 0
    for _ in range(300):
        clusters = np.repeat(np.arange(20), 3)
        values = draw.normal(0, 1, 60) + draw.normal(0, 1, 20)[clusters]
        _, low, high = interval(values, clusters, 500, draw)
        hits += low <= 0 <= high
    assert 0.88 <= hits / 300 <= 0.98


def test_missing_values_are_left_out():
    values = np.array([1.0, np.nan, 3.0, 5.0, np.nan])
    clusters = ["a", "a", "b", "c", "d"]
    assert interval(values, clusters, 100, generator(0, "a"))[0] == 3.0
    assert all(np.isnan(interval([np.nan], ["a"], 10, generator(0, "a"))))


def test_one_cluster_has_no_interval():
    mean, low, high = interval([1.0, 2.0], ["a", "a"], 10, generator(0, "a"))
    assert mean == 1.5 and np.isnan(low) and np.isnan(high)
    assert np.isnan(sign_flip([1.0, 2.0], ["a", "a"], 10, generator(0, "a")))


@pytest.mark.parametrize("count", [6, 11])
def test_sign_flips_agree_with_scipys_permutation_test(count):
    values = generator(4, "values", count).normal(0.6, 1, count)
    ours = sign_flip(values, np.arange(count), 10, generator(0, "a"))
    theirs = scipy.stats.permutation_test(
        (values, np.zeros(count)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert ours == pytest.approx(theirs.pvalue)


def test_drawn_sign_flips_come_near_the_exact_ones():
    values = generator(5, "values").normal(0.4, 1, 14)
    drawn = sign_flip(values, np.arange(14), 40_000, generator(0, "a"))
    exact = np.mean([
        abs(np.dot(signs, values)) >= abs(values.sum()) - 1e-12 for signs in itertools.product([1, -1], repeat=14)
    ])  # fmt: skip
    assert drawn == pytest.approx(exact, abs=0.01)


def test_only_pairs_measured_on_both_sides_count():
    ours, theirs = (
        [[3.0, 4.0, 5.0, np.nan], [3.0, np.nan, np.nan, np.nan]],
        [[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0]],
    )
    found = paired_difference(ours, theirs, [0, 1], ["a", "a", "b", "c"], 200, generator(0, "a"))
    assert found.mean == 2.5
    assert (found.pairs, found.cases, found.scenes, found.seeds) == (4, 3, 2, 2)
    none = paired_difference([[np.nan, 1.0]], [[1.0, np.nan]], [0], ["a", "b"], 200, generator(0, "a"))
    assert np.isnan([none.mean, none.low, none.high, none.p]).all() and (none.pairs, none.seeds) == (0, 0)


@pytest.mark.parametrize("call", [interval, sign_flip])
def test_an_infinite_or_unaligned_value_is_refused(call):
    with pytest.raises(ValueError, match="infinite"):
        call([1.0, np.inf], ["a", "b"], 10, generator(0, "a"))
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\)"):
        call([1.0, 2.0, 3.0], ["a", "b"], 10, generator(0, "a"))


def pairs_of_scenes(seeds):
    """Two rows, (seeds, 8 cases) of four scenes, the last case not measured for the last seed."""
    draw = generator(6, "values", seeds)
    ours, theirs = draw.normal(0.5, 1, (seeds, 8)), draw.normal(0, 1, (seeds, 8))
    theirs[-1, 7] = np.nan
    differences = ours - theirs
    sums = np.nansum(differences.reshape(seeds, 4, 2), axis=(0, 2))
    flips = [np.dot(signs, sums) for signs in itertools.product([1, -1], repeat=4)]
    return ours, theirs, differences, np.array(flips)


def test_the_paired_p_of_one_seed_agrees_with_enumerated_flips_of_whole_scenes():
    ours, theirs, differences, flips = pairs_of_scenes(1)
    found = paired_difference(ours, theirs, [3], list("aabbccdd"), 500, generator(0, "a"))
    assert (found.pairs, found.cases, found.scenes, found.seeds) == (7, 7, 4, 1)
    assert found.mean == pytest.approx(np.nanmean(differences))
    assert found.p == pytest.approx(np.mean(abs(flips) >= abs(np.nansum(differences)) - 1e-12))


def test_the_paired_p_of_two_seeds_adds_students_t_of_their_difference():
    """Every flip with every value of Student's t, by its distribution function."""
    ours, theirs, differences, flips = pairs_of_scenes(2)
    found = paired_difference(ours, theirs, [3, 5], list("aabbccdd"), 20_000, generator(0, "a"))
    assert (found.pairs, found.cases, found.scenes, found.seeds) == (15, 8, 4, 2)
    mean, (first, second) = np.nanmean(differences), np.nanmean(differences, axis=1)
    error = 2**0.5 * np.hypot(8 / 15 * (first - mean), 7 / 15 * (second - mean))
    far = [scipy.stats.t.sf((abs(mean) - flip / 15) / error, 1) + scipy.stats.t.cdf((-abs(mean) - flip / 15) / error, 1)
           for flip in flips]  # fmt: skip
    assert found.p == pytest.approx(np.mean(far), abs=0.015)


def test_which_row_comes_first_and_whether_it_is_tested_change_no_interval():
    ours, theirs, _, _ = pairs_of_scenes(2)
    scenes = list("aabbccdd")
    found = paired_difference(ours, theirs, [3, 5], scenes, 500, generator(0, "a"))
    swapped = paired_difference(theirs, ours, [3, 5], scenes, 500, generator(0, "a"))
    assert (swapped.mean, swapped.p) == pytest.approx((-found.mean, found.p))
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))
    untested = paired_difference(ours, theirs, [3, 5], scenes, 500, generator(0, "a"), tested=False)
    assert np.isnan(untested.p) and (untested.low, untested.high) == (found.low, found.high)


def test_bad_pairs_are_refused_with_what_is_wrong():
    with pytest.raises(ValueError, match=r"\(1 seeds, 2 cases\), got \(1, 2\) and \(2, 1\)"):
        paired_difference([[1.0, 2.0]], [[1.0], [2.0]], [0], ["a", "b"], 10, generator(0, "a"))
    with pytest.raises(ValueError, match="infinite"):
        paired_difference([[1.0, np.inf]], [[1.0, np.inf]], [0], ["a", "b"], 10, generator(0, "a"))


def test_holm_leaves_missing_p_values_out_of_the_count():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.03]), [0.02, np.nan, 0.03])
    with pytest.raises(ValueError, match="0..1"):
        holm([0.5, 1.5])


@settings(deadline=None, max_examples=15)  # statsmodels takes 60 ms per call
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_never_below_the_raw_p_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert all(c >= p - 1e-12 for c, p in zip(corrected, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= -1e-12).all()
    running, expected = 0.0, np.empty(len(p_values))
    for step, place in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - step) * p_values[place]))
        expected[place] = running
    np.testing.assert_allclose(corrected, expected)
