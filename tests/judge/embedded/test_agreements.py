"""Agreements of any features: 1 for identical views, each of its own part of the picture."""

import numpy as np
import pytest

from echo.judge.base import Case, Truth
from echo.judge.comparisons import resize
from echo.judge.embedded.agreements import COARSE, FINE, FeatureAgreements
from echo.judge.maps import SCORES
from tests.photographs import ball, painted

MASK = ball()


def colours(frames):
    """Features that are the colours themselves, fine and coarse."""
    x = frames.transpose(0, 3, 1, 2).astype(np.float32) / 255
    fine, coarse = (np.ascontiguousarray(resize(x, size).transpose(0, 2, 3, 1)) for size in (FINE, COARSE))
    return fine, coarse


def agreements(first, *lasts, mask=MASK):
    return FeatureAgreements(colours)([Case(first, np.stack(lasts), mask, None)])


@pytest.fixture(scope="module")
def frame(photos):
    return painted(photos["coffee"], (230, 190, 40))


def test_identical_views_agree_wholly(frame):
    for value in agreements(frame, frame).values():
        assert value == pytest.approx(1, abs=1e-5)


def test_there_is_one_agreement_for_each_returned_frame_of_each_case(frame, photos):
    cases = [Case(frame, np.stack([frame, photos["rocket"]]), MASK, None), Case(photos["rocket"], frame, MASK, None)]
    found = FeatureAgreements(colours)(cases)
    assert tuple(found) == SCORES and all(value.shape == (3,) for value in found.values())
    alone = FeatureAgreements(colours)(cases[1:])
    for name in SCORES:
        assert found[name][0] > 0.99 > found[name][1] and found[name][2] == pytest.approx(alone[name][0], abs=1e-6)


def test_each_agreement_sees_its_own_part(frame, photos):
    gone, elsewhere = photos["coffee"], painted(photos["rocket"], (230, 190, 40))
    found = agreements(frame, gone, elsewhere)
    assert found["view"][0] > 0.95 and found["scene"][0] > 0.9
    assert found["appearance"][0] < 0.6 and found["presence"][0] < 0.6
    assert found["appearance"][1] > found["appearance"][0] and found["view"][1] < 0.4


def test_nothing_masked_leaves_the_anchors_agreements_missing_and_all_masked_the_others(frame):
    nowhere, everywhere = (agreements(frame, frame, mask=np.full((64, 64), value)) for value in (False, True))
    missing = {name: (bool(np.isnan(nowhere[name][0])), bool(np.isnan(everywhere[name][0]))) for name in SCORES}
    assert missing == {
        "appearance": (True, False), "presence": (True, False), "view": (False, True), "scene": (False, True),
    }  # fmt: skip


def test_the_truth_of_a_case_is_not_looked_at(frame, photos):
    truth = Truth(photos["rocket"][None], MASK[None])
    with_truth = FeatureAgreements(colours)([Case(frame, frame, MASK, "duck", truth)])
    for name, value in agreements(frame, frame).items():
        assert value == with_truth[name]
