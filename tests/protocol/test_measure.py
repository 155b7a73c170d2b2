"""What is measured of one answer, and what departure says of cameras that leave, stand still, or drift."""

from __future__ import annotations

import numpy as np
import pytest

from echo.judge import build_judge
from echo.measures.departure import departure
from echo.measures.images import psnr
from echo.protocol.measure import TRUE_ANGLE, judged
from echo.protocol.rooms import DrawnRoom

TURN, WALK = "return_45_000", "revisit_near_000"


def of(cases, name):
    entry = cases.set.entry(name)
    return entry, cases.frames(name, range(entry.given, entry.frames))


def test_one_answer(meter, cases):
    """Half of the pixels spoilt: measures of the other half do not see it, and the way shows where it begins."""
    entry, truth = of(cases, WALK)
    found = meter.measure(entry, truth)
    values = found.values
    assert (values["psnr"], values["ssim"], values["lpips"], values["sharpness"]) == (100, 1, 0, 1)
    assert values["psnr_seen"] == 100 and values["ssim_seen"] == 1 and values["lpips_seen"] == 0
    assert np.array_equal(found.features, found.true_features) and found.segments == [100]
    given = cases.seen(WALK).given[0]
    spoilt = truth.copy()
    spoilt[-2:][given] = 255 - spoilt[-2:][given]
    changed = meter.measure(entry, spoilt)
    assert changed.values["psnr"] == pytest.approx(psnr(spoilt[-2:], truth[-2:]).mean())
    assert changed.values["psnr_seen"] < 15 and changed.values["lpips_seen"] > 0.3
    assert changed.segments[0] < 100


def test_departure_of_cameras_that_leave_stand_still_or_drift(cases, assets):
    """The study's own estimate, on the set's frames: true, frozen, noise, and a camera that drifts off by a fifth."""
    case = cases.of(TURN)
    _, truth = of(cases, TURN)
    room = DrawnRoom("open_domain", 0, 8, assets)
    drifting = case.poses.copy()
    drifting[:, 5] = case.poses[0, 5] + 0.8 * (case.poses[:, 5] - case.poses[0, 5])
    shown = {
        "true": truth,
        "frozen": np.repeat(case.last[None], 16, 0),
        "noise": np.random.default_rng(0).integers(0, 256, truth.shape).astype(np.uint8),
        "drifting": room._render(drifting[1:], (48, 64)).rgb,
    }
    found = {name: departure(case.given_frames, frames, case.poses, 75.0) for name, frames in shown.items()}
    assert abs(found["true"]["departure"] - 45) < 2 and found["true"]["departed"] == 1
    assert found["frozen"]["departure"] == 0 and found["frozen"]["departed"] == 0
    assert not found["noise"]["departed"]
    assert found["drifting"]["departure_share"] == pytest.approx(0.8, abs=0.05)


def test_the_true_angle_stands_beside_it_and_judges_judge_returns_alone(meter, cases, weights):
    entry, truth = of(cases, TURN)
    values = meter.measure(entry, truth).values
    assert values[TRUE_ANGLE] == pytest.approx(45) and abs(values["departure"] - 45) < 2
    judge = build_judge("oracle", weights)
    assert judged(cases, entry, truth, judge) > 95
    assert judged(cases, entry, np.zeros_like(truth), judge) < 50
    assert np.isnan(judged(cases, *of(cases, WALK), judge))
