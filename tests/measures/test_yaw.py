"""The yaw that frames show against that of the cameras which rendered them, and against slow loops."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from echo.io.seeding import generator
from echo.measures.yaw import REACH, cylinder_gradients, overlap_energy, turns, yaw_path
from tests.measures.turned import FOV, clip, poses_of

START = np.zeros(1)
PAN = np.concatenate([np.linspace(0, 90, 12), np.linspace(90, 0, 7)[1:]])


@pytest.fixture(scope="module")
def pan() -> np.ndarray:
    return clip(PAN)


def noisy(frames, levels):
    return np.clip(frames + generator(0, "noise").normal(0, levels, frames.shape), 0, 255).astype(np.uint8)


def blurred(frames, pixels):
    return gaussian_filter(frames.astype(float), (0, pixels, pixels, 0)).astype(np.uint8)


def test_a_pan_is_followed_out_and_back(pan):
    assert np.abs(yaw_path(pan, START, FOV) - PAN).max() < 1.5


def test_a_mirrored_clip_turns_the_other_way(pan):
    mirrored = yaw_path(np.ascontiguousarray(pan[:, :, ::-1]), START, FOV)
    np.testing.assert_allclose(mirrored, -yaw_path(pan, START, FOV), atol=0.5)


@pytest.mark.parametrize(("pixels", "levels"), [(1, 0), (2, 0), (0, 10), (1, 10)])
def test_blur_and_noise_cost_little(pan, pixels, levels):
    assert np.abs(yaw_path(noisy(blurred(pan, pixels), levels), START, FOV) - PAN).max() < 5


def test_brightness_and_contrast_do_not_turn_a_camera(pan):
    darker = (40 + 0.5 * pan).astype(np.uint8)
    np.testing.assert_allclose(yaw_path(darker, START, FOV), yaw_path(pan, START, FOV), atol=0.3)


def test_errors_do_not_add_up_in_a_slow_turn():
    slow = np.linspace(0, 20, 61)
    assert np.abs(yaw_path(clip(slow), START, FOV) - slow).max() < 0.7


def test_a_camera_that_walks_straight_on_hardly_turns():
    ahead = clip(np.zeros(9), walked=np.linspace(0, 0.4, 9)[:, None] * _forward())
    assert np.abs(yaw_path(ahead, START, FOV)).max() < 5


def _forward() -> np.ndarray:
    yaw = np.deg2rad(poses_of([0.0])[0, 5])
    return np.array([np.cos(yaw), np.sin(yaw)])


@pytest.mark.parametrize("levels", [0, 10])
def test_a_still_clip_stays_at_its_yaw(pan, levels):
    still = noisy(np.repeat(pan[3:4], 20, 0), levels)
    np.testing.assert_allclose(yaw_path(still, np.array([30.0]), FOV), 30, atol=0.3)


def test_given_yaw_is_kept_and_gone_on_from(pan):
    known = PAN[:5] + 7
    found = yaw_path(pan, known, FOV)
    np.testing.assert_array_equal(found[:5], known)
    assert np.abs(found - PAN - 7).max() < 1.5


def test_frames_that_show_nothing_or_another_room_are_not_followed(pan):
    grey = np.full_like(pan, 120)
    grey[0] = pan[0]
    assert np.isnan(yaw_path(grey, START, FOV)[1:]).all()
    other = clip(PAN, room=2)
    other[0] = pan[0]
    assert np.isnan(yaw_path(other, START, FOV)[1:]).mean() > 0.8
    assert np.isnan(yaw_path(np.full_like(pan, 120), START, FOV)[1:]).all()


def test_a_camera_is_found_again_after_frames_that_cannot_be_followed(pan):
    spoilt = pan.copy()
    spoilt[4:6] = generator(1, "spoilt").integers(0, 256, spoilt[4:6].shape)
    found = yaw_path(spoilt, START, FOV)
    assert np.isnan(found[4:6]).all() and np.abs(found - PAN)[np.r_[:4, 6:18]].max() < 1.5


def test_a_cut_back_to_an_earlier_view_is_recognised(pan):
    found = yaw_path(np.concatenate([pan[:12], pan[:2]]), START, FOV)
    np.testing.assert_allclose(found[12:], PAN[:2], atol=1.5)


@pytest.mark.parametrize("height", [64, 36])
def test_frames_of_other_shapes_and_sizes_are_followed(height):
    frames = clip(PAN[:6], size=96)[:, (96 - height) // 2 : (96 + height) // 2]
    assert np.abs(yaw_path(frames, START, FOV) - PAN[:6]).max() < 1


def slow_turn(before, after, reach):
    """Shift by shift, the cosine between the columns that both show; its best whole shift and its value."""
    best = (0, -2.0)
    for shift in range(-reach, reach + 1):
        pairs = [(column + shift, column) for column in range(len(before)) if 0 <= column + shift < len(before)]
        one = np.stack([before[column] for column, _ in pairs]).astype(float)
        other = np.stack([after[column] for _, column in pairs]).astype(float)
        cosine = (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())
        best = max(best, (shift, cosine), key=lambda found: found[1])
    return best


def test_turns_are_those_of_a_loop_over_shifts(pan):
    gradients = cylinder_gradients(pan, FOV)
    reach = int(REACH * gradients.shape[1])
    shifts, agreements = turns(gradients[:6], gradients[3])
    assert (agreements > 0.6).sum() >= 4
    for before, shift, agreement in zip(gradients[:6], shifts, agreements, strict=True):
        expected = slow_turn(before, gradients[3], reach)
        if abs(expected[0]) == reach:  # the end of what is looked for is no peak
            assert agreement == -1
        else:
            assert abs(shift - expected[0]) <= 0.5 and agreement == pytest.approx(expected[1], abs=1e-4)


def test_the_energy_in_view_is_a_sum_over_columns():
    gradients = generator(0, "gradients").normal(0, 1, (3, 7, 4)).astype(np.float32)
    found = overlap_energy(gradients, np.array([-2, 0, 3]))
    for one, energies in zip(gradients, found, strict=True):
        expected = [np.square(part).sum() for part in (one[:5], one, one[3:])]
        np.testing.assert_allclose(energies, expected, rtol=1e-5)
