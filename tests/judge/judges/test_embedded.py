"""Both embedded judges: what any judge of returned views owes, whatever its features."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from echo.io.seeding import generator
from echo.judge.base import Case, Truth, judge_many
from echo.judge.rubric import Scores, overall
from tests.photographs import ball, painted

MASK = ball()
YELLOW, BLUE = (230, 190, 40), (40, 70, 210)


def scores(judge, first, last, mask=MASK) -> Scores:
    return judge.judge(Case(first, last, mask, None))


def total(judge, first, last, mask=MASK) -> float:
    return overall(scores(judge, first, last, mask))


def blurred(frame, sigma):
    return np.round(gaussian_filter(frame.astype(float), (sigma, sigma, 0))).astype(np.uint8)


@pytest.fixture(scope="module")
def rooms(photos):
    """A yellow ball before each photograph."""
    return {name: painted(photo, YELLOW) for name, photo in photos.items()}


def test_identical_frames_score_exactly_100(embedded, rooms):
    for frame in rooms.values():
        assert astuple(scores(embedded, frame, frame)) == (5, 5, 5, 5)
        assert total(embedded, frame, frame) == pytest.approx(100)


def test_a_case_without_a_mask_is_refused(embedded, rooms):
    frame = rooms["coffee"]
    with pytest.raises(ValueError, match="this case has none"):
        scores(embedded, frame, frame, None)


def test_unrelated_frames_score_near_0(embedded, rooms, photos):
    noise = generator(0, "noise").integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for name, frame in rooms.items():
        for blank in (0, 127, 255):
            assert total(embedded, frame, np.full_like(frame, blank)) < 15
        assert total(embedded, frame, noise) < 15
        for other, photo in photos.items():
            if other != name:
                assert total(embedded, frame, photo) < 15


def test_the_total_falls_with_blur_and_with_noise(embedded, rooms):
    frame = rooms["coffee"]
    noise = generator(0, "noise").normal(0, 1, frame.shape)
    noisy = [np.clip(frame + spread * noise, 0, 255).astype(np.uint8) for spread in (10, 30, 90)]
    for worse in ([blurred(frame, sigma) for sigma in (1, 2, 4, 8)], noisy):
        totals = [total(embedded, frame, last) for last in [frame, *worse]]
        assert (np.diff(totals) < 0).all()
        assert totals[1] > 75


def test_each_score_sees_its_own_part(embedded, rooms, photos):
    first, background = rooms["coffee"], photos["coffee"]
    other = scores(embedded, first, painted(background, BLUE))
    assert other.appearance < 3 and other.presence > 3.5 and other.view > 4 and other.scene > 4
    gone = scores(embedded, first, background)
    assert gone.presence < other.presence and gone.appearance < 2.5 and gone.view > 4 and gone.scene > 4
    moved = scores(embedded, first, np.roll(first, 12, 1))
    assert moved.view < 1.5 and moved.appearance < 2.5
    elsewhere = scores(embedded, first, rooms["astronaut"])
    assert elsewhere.view < 1.5 and elsewhere.scene < 1.5 and elsewhere.appearance > gone.appearance


def test_view_does_not_depend_on_colour_or_contrast_but_scene_does(embedded, photos):
    frame = photos["astronaut"]
    dull = np.round(0.6 * frame + 40).astype(np.uint8)
    found = scores(embedded, frame, dull, np.zeros((64, 64), bool))
    assert found.view > 4.8 and found.scene < 4.5


def test_view_falls_as_the_camera_turns(embedded, rooms):
    frame = rooms["rocket"]
    views = [scores(embedded, frame, np.roll(frame, pixels, 1)).view for pixels in (0, 2, 5, 12)]
    assert (np.diff(views) < 0).all()


def test_missing_is_missing(embedded, rooms):
    frame = rooms["chelsea"]
    nowhere = scores(embedded, frame, frame, np.zeros((64, 64), bool))
    assert np.isnan([nowhere.appearance, nowhere.presence]).all() and (nowhere.view, nowhere.scene) == (5, 5)
    everywhere = scores(embedded, frame, frame, np.ones((64, 64), bool))
    assert np.isnan([everywhere.view, everywhere.scene]).all() and everywhere.appearance == 5
    assert np.isnan(overall(nowhere)) and np.isnan(overall(everywhere))


def test_a_batch_is_judged_as_each_case_and_several_frames_as_their_mean(embedded, rooms):
    frames = list(rooms.values())
    firsts = [frames[i % 4] for i in range(19)]  # more than one pass
    lasts = [blurred(frames[(i + i // 4) % 4], 1 + i % 3) for i in range(18)]
    lasts.append(np.stack([lasts[2], firsts[18]]))
    batch = judge_many(embedded, [Case(*views, MASK, None) for views in zip(firsts, lasts, strict=True)])
    for i in (0, 7, 17):
        assert astuple(batch[i]) == pytest.approx(astuple(scores(embedded, firsts[i], lasts[i])), abs=1e-3)
    each = [astuple(scores(embedded, firsts[18], last)) for last in lasts[18]]
    assert astuple(batch[18]) == pytest.approx(tuple(np.mean(each, 0)), abs=1e-3)


def test_the_truth_is_not_looked_at(embedded, rooms):
    first, last = rooms["coffee"], blurred(rooms["coffee"], 2)
    for view in (first, last, rooms["rocket"]):
        told = Case(first, last, MASK, None, Truth(view[None], ~MASK[None], np.ones((1, 64, 64), np.float32)))
        assert embedded.judge(told) == scores(embedded, first, last)


@pytest.mark.parametrize("size", [32, 64, 96, 128])
def test_frames_of_other_sizes_are_judged_alike(embedded, photos, size):
    big = {name: np.kron(photos[name], np.ones((2, 2, 1), np.uint8)) for name in ("coffee", "astronaut")}
    step = slice(0, size), slice(0, size)
    first, last = big["coffee"][step], big["astronaut"][step]
    mask = np.zeros((size, size), bool)
    mask[size // 3 : size // 2, size // 3 : size // 2] = True
    assert total(embedded, first, first, mask) == pytest.approx(100)
    assert total(embedded, first, last, mask) < 20


uint8_frames = arrays(np.uint8, (16, 16, 3))


@settings(deadline=None, max_examples=25)
@given(uint8_frames, uint8_frames, arrays(bool, (16, 16)))
def test_any_frames_give_scores_in_range_and_identical_ones_all_that_can_be_had(embedded, first, last, mask):
    found = np.array(astuple(scores(embedded, first, last, mask)))
    assert ((np.isnan(found)) | ((found >= 0) & (found <= 5))).all()
    same = np.array(astuple(scores(embedded, first, first, mask)))
    np.testing.assert_array_equal(same[~np.isnan(same)], 5)
    assert mask.any() != np.isnan(same[:2]).all()
