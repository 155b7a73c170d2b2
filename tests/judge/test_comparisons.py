import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from echo.judge.comparisons import (
    as_lab,
    blur,
    carried_on,
    colour_agreement,
    cosine,
    gradients,
    resize,
    resized,
    stands_out,
    weighted_mean,
    without,
)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([1, 2, 4, 8]), st.integers(0, 9))
def test_a_resized_image_holds_the_means_of_its_squares(size, seed):
    x = draw(2, 3, 8, 8, seed=seed)
    side = 8 // size
    expected = x.reshape(2, 3, size, side, size, side).mean((3, 5))
    np.testing.assert_allclose(resize(x, size), expected, atol=1e-6)


def test_a_size_that_does_not_divide_keeps_the_mean():
    x = np.full((1, 1, 10, 10), 3.0, np.float32)
    assert resize(x, 7).shape == (1, 1, 7, 7)
    np.testing.assert_allclose(resize(x, 7), 3, rtol=1e-6)


def test_a_weighted_mean_counts_places_by_their_weight_and_is_missing_without_any():
    x, weight = draw(3, 4, 5), np.abs(draw(3, 4, 5, seed=1))
    weight[2] = 0
    means = weighted_mean(x, weight)
    for i in range(2):
        assert means[i] == pytest.approx(np.average(x[i], weights=weight[i]), rel=1e-5)
    assert np.isnan(means[2])


def test_the_cosine_is_that_of_the_weighted_vectors():
    a, b, weight = draw(2, 4, 4, 3), draw(2, 4, 4, 3, seed=1), np.abs(draw(2, 4, 4, seed=2))
    for i in range(2):
        u, v = (np.sqrt(weight[i])[..., None] * x[i] for x in (a, b))
        expected = (u * v).sum() / np.linalg.norm(u) / np.linalg.norm(v)
        assert cosine(a, b, weight)[i] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(cosine(a, 3 * a, weight), 1, rtol=1e-5)
    np.testing.assert_allclose(cosine(a, -a, weight), -1, rtol=1e-5)


def test_two_empty_maps_agree_and_an_empty_and_a_full_one_do_not():
    empty, full, weight = np.zeros((1, 4, 4, 2), np.float32), draw(1, 4, 4, 2), np.ones((1, 4, 4), np.float32)
    assert cosine(empty, empty, weight) == 1
    assert cosine(empty, full, weight) == cosine(full, empty, weight) == 0


def test_colour_agreement_falls_by_e_over_its_scale():
    a, weight = draw(1, 16, 16, 3), np.ones((1, 16, 16), np.float32)
    assert colour_agreement(a, a, 1.0, weight, 20.0) == 1
    shifted = a + np.array([0, 12, 16], np.float32)  # 20 units away everywhere
    assert colour_agreement(a, shifted, 1.0, weight, 20.0) == pytest.approx(np.exp(-1), rel=1e-4)


def test_a_blur_keeps_what_is_even_and_mixes_no_images_or_channels():
    x = np.stack([np.full((8, 8, 2), [1.0, 5.0]), np.full((8, 8, 2), [7.0, 9.0])])
    np.testing.assert_allclose(blur(x, 2.0), x)


def test_gradients_are_those_of_luminance_alone():
    rows = np.arange(32.0)[None, :, None, None]
    lab = np.concatenate([np.broadcast_to(2 * rows, (1, 32, 32, 1)), draw(1, 32, 32, 2)], -1)
    middle = gradients(lab, 1.0)[:, 12:20, 12:20]
    np.testing.assert_allclose(middle[..., 0], 2, atol=1e-3)
    np.testing.assert_allclose(middle[..., 1], 0, atol=1e-3)


def test_what_continues_its_surroundings_does_not_stand_out():
    inside = np.zeros((1, 32, 32), np.float32)
    inside[:, 12:20, 12:20] = 1
    wall = np.full((1, 32, 32, 3), 4.0, np.float32)
    assert stands_out(wall, inside, 1 - inside, 1.0, 12.0)[0] < 0.01
    marked = wall + 3 * inside[..., None]
    assert stands_out(marked, inside, 1 - inside, 1.0, 12.0)[0] == pytest.approx(3 * np.sqrt(3), rel=0.01)


def test_frames_are_compared_in_cielab_at_one_size():
    frame = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    np.testing.assert_allclose(as_lab(frame), rgb2lab(frame / 255), atol=1e-2)
    big = frame.repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(as_lab(big), as_lab(frame), atol=1e-2)


def test_a_mask_shrinks_by_its_share_of_each_square_and_grows_by_its_width():
    mask = np.zeros((1, 8, 8), np.float32)
    mask[0, 2:4, 2:4] = 1
    mask[0, 7, 7] = 1
    assert resized(mask, 4)[0, 1, 1] == 1 and resized(mask, 4)[0, 3, 3] == 0.25
    outside = without(mask, 3)
    assert (
        (outside[0, 1:5, 1:5] == 0).all() and outside[0, 0, 0] == 1 and outside[0, 6, 6] == 0 and outside[0, 5, 5] == 1
    )


def test_what_is_clear_is_carried_on_into_what_is_not():
    x = np.zeros((1, 32, 32, 1), np.float32)
    x[:, :, 10:22], x[:, :, 22:] = 50, 8  # an object that is not clear, and the wall right of it
    clear = np.ones((1, 32, 32), np.float32)
    clear[:, :, 10:22] = 0
    found = carried_on(x, clear, 1.0, 6.0)[0, 16, :, 0]
    assert found[10:22].max() < 8 and found[11] < 2 < 6 < found[20]
