import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from echo.io.seeding import generator
from echo.measures.images import Lpips, psnr, ssim
from echo.measures.weights import fetch_weights, load_weights
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def weights():
    return fetch_weights(ROOT / "resources" / "weights")


@pytest.fixture(scope="module")
def lpips(weights):
    return Lpips(weights)


def photos(size: int = 64) -> np.ndarray:
    """Three photographs (3, size, size, 3), thinned."""
    return np.stack([x[: 4 * size : 4, : 4 * size : 4] for x in (data.chelsea(), data.coffee(), data.astronaut())])


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


frames = arrays(np.uint8, (2, 8, 8, 3))


@settings(deadline=None, max_examples=30)
@given(frames, frames)
def test_psnr_and_ssim_are_symmetric_and_psnr_is_infinite_for_identical_frames_only(a, b):
    np.testing.assert_allclose(psnr(a, b), psnr(b, a))
    np.testing.assert_allclose(ssim(a, b), ssim(b, a))
    np.testing.assert_array_equal(np.isinf(psnr(a, b)), (a == b).all((1, 2, 3)))
    assert np.isinf(psnr(a, a)).all()
    np.testing.assert_allclose(ssim(a, a), 1)


def test_all_measures_fall_with_noise(lpips):
    near_to_far = [noisy(photos(), spread) for spread in (4, 12, 36, 108)]
    for measure, sign in ((psnr, -1), (ssim, -1), (lpips, 1)):
        values = np.stack([measure(photos(), b) for b in near_to_far])
        assert (sign * np.diff(values, axis=0) > 0).all()


def test_lpips_is_zero_for_identical_frames_and_symmetric(lpips):
    a, b = photos(), noisy(photos(), 40)
    np.testing.assert_array_equal(lpips(a, a), 0)
    np.testing.assert_allclose(lpips(a, b), lpips(b, a), rtol=1e-5)
    assert lpips(a, b).shape == (3,) and lpips(a, b).dtype == np.float64


def test_lpips_gives_the_published_distances(lpips):
    """The expected numbers are those of the package lpips 0.1.4, net="alex", on the same frames."""
    cat = data.chelsea()[None]
    other = np.stack([data.astronaut()[:512:8, :512:8], data.coffee()[:384:6, :384:6]])
    assert lpips(cat, 255 - cat)[0] == pytest.approx(0.519329, abs=2e-5)
    assert lpips(cat, cat[:, :, ::-1])[0] == pytest.approx(0.616986, abs=2e-5)
    assert lpips(other[:1], other[1:])[0] == pytest.approx(0.507906, abs=2e-5)


def slow_convolution(x, kernel, bias, stride, padding):
    """x (C, H, W), kernel (O, C, k, k): one output position at a time, no torch."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    k = kernel.shape[-1]
    side = (x.shape[1] - k) // stride + 1
    out = np.zeros((len(kernel), side, side))
    for i in range(side):
        for j in range(side):
            window = x[:, i * stride : i * stride + k, j * stride : j * stride + k]
            out[:, i, j] = (kernel * window).sum((1, 2, 3)) + bias
    return out


def slow_lpips(a, b, network, channels):
    """The formula of Zhang et al. 2018 for two frames (H, W, 3), in numpy loops."""
    total, maps = 0.0, []
    for frame in (a, b):
        x = frame.transpose(2, 0, 1) / 127.5 - 1
        x = (x - np.array([-0.030, -0.088, -0.188])[:, None, None]) / np.array([0.458, 0.448, 0.450])[:, None, None]
        layers = []
        for i, (stride, padding) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]):
            if i in (1, 2):
                side = (x.shape[1] - 3) // 2 + 1
                x = np.array(
                    [[x[:, 2 * r : 2 * r + 3, 2 * c : 2 * c + 3].max((1, 2)) for c in range(side)] for r in range(side)]
                ).transpose(2, 0, 1)
            x = np.maximum(
                slow_convolution(x, network[f"conv{i}.weight"], network[f"conv{i}.bias"], stride, padding), 0
            )
            layers.append(x / (np.sqrt((x**2).sum(0)) + 1e-10))
        maps.append(layers)
    for i, (u, v) in enumerate(zip(*maps, strict=True)):
        total += ((u - v) ** 2 * channels[f"linear{i}"][:, None, None]).sum(0).mean()
    return total


def test_lpips_agrees_with_the_formula_in_plain_numpy(lpips, weights):
    a, b = photos(40)[:2]
    slow = slow_lpips(a, b, load_weights(weights, "alexnet"), load_weights(weights, "lpips_alex"))
    assert lpips(a[None], b[None])[0] == pytest.approx(slow, rel=1e-4)


def test_lpips_of_a_batch_is_that_of_each_pair(weights):
    a, b = np.tile(photos(32), (3, 1, 1, 1)), noisy(np.tile(photos(32), (3, 1, 1, 1)), 30)
    lpips = Lpips(weights, batch=4)  # 9 pairs: two whole batches and a rest
    alone = [lpips(a[i : i + 1], b[i : i + 1])[0] for i in range(9)]
    np.testing.assert_allclose(lpips(a, b), alone, rtol=1e-4)
    assert lpips(a[:0], b[:0]).shape == (0,)


def test_bad_frames_are_refused(lpips):
    good = photos()
    for measure in (psnr, ssim, lpips):
        with pytest.raises(ValueError, match="expected uint8 frames"):
            measure(good, good.astype(np.float32))
        with pytest.raises(ValueError, match="expected uint8 frames"):
            measure(good[0], good[0])
        with pytest.raises(ValueError, match="one shape"):
            measure(good, good[:2])
    with pytest.raises(ValueError, match="at least 31x31 pixels, got 16x16"):
        lpips(good[:, :16, :16], good[:, :16, :16])
    with pytest.raises(ValueError, match="at least 7x7 pixels, got 6x6"):
        ssim(good[:, :6, :6], good[:, :6, :6])
