import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from echo.io.seeding import generator
from echo.measures import images
from echo.measures.images import check_frames, gradient_energy, psnr, ssim


def photos() -> np.ndarray:
    """Three photographs (3, 64, 64, 3), thinned."""
    return np.stack([x[:256:4, :256:4] for x in (data.chelsea(), data.coffee(), data.astronaut())])


def noisy(frames: np.ndarray, spread: float) -> np.ndarray:
    noise = generator(0, "noise").normal(0, spread, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_psnr_and_ssim_are_those_of_scikit_image_frame_by_frame():
    a, b = photos(), noisy(photos(), 25)
    np.testing.assert_allclose(
        psnr(a, b), [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b, strict=True)]
    )
    theirs = [structural_similarity(x, y, channel_axis=-1, data_range=255) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ssim(a, b), theirs)
    assert psnr(a, b).dtype == ssim(a, b).dtype == np.float64


def test_psnr_agrees_with_its_formula():
    a, b = generator(0, "pair").integers(0, 256, (2, 3, 16, 16, 3)).astype(np.uint8)
    expected = [
        20 * np.log10(255) - 10 * np.log10(np.mean((x.astype(float) - y) ** 2)) for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(psnr(a, b), expected)
    assert (ssim(a, b) < 0.3).all()


frames = arrays(np.uint8, (2, 8, 8, 3))


@settings(deadline=None, max_examples=30)
@given(frames, frames)
def test_psnr_and_ssim_are_symmetric_and_psnr_is_infinite_for_identical_frames_only(a, b):
    np.testing.assert_allclose(psnr(a, b), psnr(b, a))
    np.testing.assert_allclose(ssim(a, b), ssim(b, a))
    np.testing.assert_array_equal(np.isinf(psnr(a, b)), (a == b).all((1, 2, 3)))
    assert np.isinf(psnr(a, a)).all()
    np.testing.assert_allclose(ssim(a, a), 1)


def test_both_fall_with_noise():
    near_to_far = [noisy(photos(), spread) for spread in (4, 12, 36, 108)]
    for measure in (psnr, ssim):
        values = np.stack([measure(photos(), b) for b in near_to_far])
        assert (np.diff(values, axis=0) < 0).all()


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (photos(), photos().astype(np.float32), "b: expected uint8 frames"),
        (photos()[0], photos(), "a: expected uint8 frames"),
        (photos()[..., :2], photos(), "a: expected uint8 frames"),
        (photos(), photos()[:2], "one shape"),
    ],
)
def test_bad_frames_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        check_frames(a, b)
    for measure in (psnr, ssim):
        with pytest.raises((ValueError, TypeError)):  # where annotations are checked, they refuse first
            measure(a, b)


def test_frames_below_ssims_window_are_refused():
    small = photos()[:, :6, :6]
    with pytest.raises(ValueError, match="at least 7x7 pixels, got 6x6"):
        ssim(small, small)


def test_measures_of_many_frames_are_computed_in_parts_to_the_same_bits(monkeypatch):
    a = np.tile(photos(), (3, 1, 1, 1))
    b = noisy(a, 20)
    whole = psnr(a, b), gradient_energy(a)
    for frames in (1, 2, 4):
        monkeypatch.setattr(images, "PART_BYTES", frames * a[0].nbytes)
        assert np.array_equal(psnr(a, b), whole[0]) and np.array_equal(gradient_energy(a), whole[1])
    assert psnr(a[:0], b[:0]).shape == gradient_energy(a[:0]).shape == (0,)


def test_gradient_energy_is_that_of_a_slow_loop_over_neighbours():
    frames = generator(0, "energy").integers(0, 256, (2, 5, 4, 3)).astype(np.uint8)
    for frame, found in zip(frames, gradient_energy(frames), strict=True):
        across = [(int(frame[y, x + 1, c]) - int(frame[y, x, c])) ** 2
                  for y in range(5) for x in range(3) for c in range(3)]  # fmt: skip
        down = [(int(frame[y + 1, x, c]) - int(frame[y, x, c])) ** 2
                for y in range(4) for x in range(4) for c in range(3)]  # fmt: skip
        assert found == pytest.approx(np.mean(across) + np.mean(down))


def test_blur_takes_gradient_energy_noise_brings_it_and_a_plain_frame_has_none():
    frame = np.kron(generator(0, "energy").integers(0, 256, (4, 4, 3)), np.ones((4, 4, 1)))[None]
    blurred = gaussian_filter(frame, (0, 1, 1, 0)).astype(np.uint8)
    noisy = np.clip(frame + generator(0, "noise").normal(0, 20, frame.shape), 0, 255).astype(np.uint8)
    less, plain, more = (gradient_energy(x.astype(np.uint8))[0] for x in (blurred, frame, noisy))
    assert less < 0.6 * plain and plain < more
    assert gradient_energy(np.full((1, 8, 8, 3), 7, np.uint8))[0] == 0
