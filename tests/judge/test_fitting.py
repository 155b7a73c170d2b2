"""Fitted maps rise everywhere, find what was put in, and are measured on rooms they have not seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.judge.calibration import auroc
from echo.judge.edits import AMOUNTS
from echo.judge.fitting import METHODS, errors, fit_maps, held_out_errors, isotonic, logistic, with_targets
from echo.judge.maps import SCORES, Map, scores_of
from echo.judge.targets import target

HAND = {name: Map((0.0, 1.0), (0.0, 5.0)) for name in SCORES}
ONES = np.ones(400)


def drawn(curve, seed=0, noise=0.3):
    """Agreements and the noisy scores that a curve gives of them."""
    draw = np.random.default_rng(seed)
    raw = draw.uniform(0.1, 0.95, 400)
    return raw, np.clip(curve(raw) + noise * draw.normal(size=400), 0, 5)


def lines(rooms=8, spoilt=0.0, seed=0):
    """Raw agreements of views: right scores squeezed into 0.3 to 0.9, with noise."""
    draw = np.random.default_rng(seed)
    found = []
    for room in range(rooms):
        for edit, amounts in AMOUNTS.items():
            for amount in amounts:
                right = {name: np.nan_to_num(value, nan=2.5) for name, value in target(edit, amount).items()}
                raw = {name: 0.3 + 0.12 * value + 0.02 * draw.normal() for name, value in right.items()}
                found.append({"room": room, "edit": edit, "amount": float(amount), **raw})
    return pd.DataFrame(found)


@pytest.mark.parametrize("curve", [lambda x: 5 * x, lambda x: 5 * np.sqrt(x)])
def test_isotonic_finds_a_curve_that_rises_fast_enough(curve):
    raw, targets = drawn(curve)
    np.testing.assert_allclose(isotonic(raw, targets, ONES)(raw), curve(raw), atol=0.45)


@pytest.mark.parametrize("fit", [isotonic, logistic])
def test_a_step_becomes_half_a_step_and_half_a_line(fit):
    raw, targets = drawn(lambda x: 5 * (x > 0.5), noise=0)
    found = fit(raw, targets, ONES)(np.array([0.12, 0.4, 0.6, 0.92]))
    assert found[1] - found[0] > 0.3 and found[3] - found[2] > 0.5 and found[2] - found[1] > 2.5
    assert found[0] < 0.3 and found[3] > 4.7


def test_logistic_finds_a_logistic_curve():
    raw, targets = drawn(lambda x: 5 / (1 + np.exp(-10 * (x - 0.5))), noise=0.1)
    line = 5 * (raw - 0.12) / 0.82
    expected = (5 / (1 + np.exp(-10 * (raw - 0.5))) + line) / 2
    assert np.abs(logistic(raw, targets, ONES)(raw) - expected).max() < 0.35


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(["step", "none", "falls"]))
def test_an_isotonic_map_rises_everywhere_so_that_no_two_agreements_are_tied(seed, kind):
    curve = {"step": lambda x: 5.0 * (x > 0.6), "none": lambda x: 0 * x + 3, "falls": lambda x: 4 - 3 * x}[kind]
    raw, targets = drawn(curve, seed, 1.0)
    found = isotonic(raw, targets, ONES)
    middle = np.linspace(found.raw[0], 1 - 1e-6, 50)
    rises = np.diff(found(middle))
    above = found(middle)[:-1] > 0  # at 0 it can fall no further
    assert (rises >= -1e-9).all() and (rises[above] > 0).all()
    assert found(np.ones(1))[0] == 5


def test_order_is_kept_where_a_plain_isotonic_fit_would_tie():
    draw = np.random.default_rng(0)
    clean, faulty = draw.normal(0.8, 0.05, 200), draw.normal(0.7, 0.05, 200)
    raw = np.concatenate([clean, faulty]).clip(0, 0.99)
    found = isotonic(raw, np.full(400, 5.0), ONES)  # both are right: one step
    assert auroc(found(raw[:200]), found(raw[200:])) == pytest.approx(auroc(raw[:200], raw[200:]), abs=1e-9)


def test_weights_count_lines_as_often():
    raw, targets = drawn(lambda x: 5 * x)
    none = np.where(raw < 0.5, 0.0, 1.0)
    kept = raw >= 0.5
    other = isotonic(raw[kept], targets[kept], ONES[kept])
    found = isotonic(raw, np.where(kept, targets, 5 - targets), none)
    np.testing.assert_allclose(found(raw[kept]), other(raw[kept]), atol=0.6)


def test_lines_get_their_targets_and_views_before_the_codec_are_left_out():
    found = with_targets(lines(2))
    assert "identical" not in set(found["edit"]) and len(found) == 2 * (sum(map(len, AMOUNTS.values())) - 1)
    removed = found[found["edit"] == "removed"]
    assert (removed["presence_target"] == 0).all() and (removed["view_target"] == 5).all()
    assert found.loc[found["edit"] == "moved", "appearance_target"].isna().all()


@pytest.mark.parametrize("method", list(METHODS))
def test_fitted_maps_are_nearer_to_the_targets_than_a_straight_line(method):
    table = with_targets(lines())
    maps = fit_maps(table, dict.fromkeys(SCORES, method), HAND)
    assert (errors(table, maps) < errors(table, HAND)).all() and errors(table, maps).max() < 0.6
    found = scores_of({name: table[name].to_numpy() for name in SCORES}, maps)
    assert found["presence"][table["edit"] == "unrelated"].max() < 1


def test_what_was_set_by_hand_is_kept_where_it_is_named():
    maps = fit_maps(with_targets(lines()), {**dict.fromkeys(SCORES, "isotonic"), "view": "hand"}, HAND)
    assert maps["view"] is HAND["view"] and maps["scene"] is not HAND["scene"]


def test_a_rooms_error_is_that_of_maps_fitted_without_it(monkeypatch):
    """With two folds each method sees the other rooms alone."""
    seen = []
    monkeypatch.setattr("echo.judge.fitting.FOLDS", 2)
    fit = METHODS["isotonic"]
    monkeypatch.setitem(METHODS, "isotonic", lambda raw, *rest: seen.append(set(raw)) or fit(raw, *rest))
    table = with_targets(lines(6))
    held_out = held_out_errors(table, HAND)
    assert list(held_out.index) == ["hand", "isotonic", "logistic"] and list(held_out) == list(SCORES)
    assert (held_out.loc["hand"] - errors(table, HAND)).abs().max() < 0.05
    rooms = [set(table.loc[table["view"].isin(values), "room"]) for values in seen if values & set(table["view"])]
    assert len(rooms) == 2 and not rooms[0] & rooms[1] and rooms[0] | rooms[1] == set(range(6))
