import warnings

import numpy as np
import pytest
import torch
from skimage import data

from echo.encoding.perceptual import CHANNEL_WEIGHTS
from echo.io.seeding import generator
from echo.io.weights import load_weights
from echo.measures.lpips import Lpips


@pytest.fixture(scope="module")
def lpips(weights):
    return Lpips(weights)


def photos(size: int = 64) -> np.ndarray:
    """Three photographs (3, size, size, 3), thinned."""
    return np.stack([x[: 4 * size : 4, : 4 * size : 4] for x in (data.chelsea(), data.coffee(), data.astronaut())])


def noisy(frames: np.ndarray, spread: float) -> np.ndarray:
    noise = generator(0, "noise").normal(0, spread, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_it_rises_with_noise(lpips):
    values = np.stack([lpips(photos(), noisy(photos(), spread)) for spread in (4, 12, 36, 108)])
    assert (np.diff(values, axis=0) > 0).all()


def test_it_is_zero_for_identical_frames_and_symmetric(lpips):
    a, b = photos(), noisy(photos(), 40)
    np.testing.assert_array_equal(lpips(a, a), 0)
    np.testing.assert_allclose(lpips(a, b), lpips(b, a), rtol=1e-5)
    assert lpips(a, b).shape == (3,) and lpips(a, b).dtype == np.float64


def test_it_gives_the_published_distances(lpips):
    """The expected numbers are those of lpips 0.1.4 with the AlexNet that it downloads, on the same frames."""
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


def slow_lpips(a, b, alexnet, channels):
    """The formula of Zhang et al. 2018 for two frames (H, W, 3), in numpy loops."""
    total, maps = 0.0, []
    for frame in (a, b):
        x = frame.transpose(2, 0, 1) / 127.5 - 1
        x = (x - np.array([-0.030, -0.088, -0.188])[:, None, None]) / np.array([0.458, 0.448, 0.450])[:, None, None]
        layers = []
        for layer, stride, padding in [(0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)]:
            if layer in (3, 6):
                side = (x.shape[1] - 3) // 2 + 1
                x = np.array(
                    [[x[:, 2 * r : 2 * r + 3, 2 * c : 2 * c + 3].max((1, 2)) for c in range(side)] for r in range(side)]
                ).transpose(2, 0, 1)
            kernel, bias = (alexnet[f"features.{layer}.{part}"] for part in ("weight", "bias"))
            x = np.maximum(slow_convolution(x, kernel, bias, stride, padding), 0)
            layers.append(x / (np.sqrt((x**2).sum(0)) + 1e-10))
        maps.append(layers)
    for i, (u, v) in enumerate(zip(*maps, strict=True)):
        weight = channels[f"lin{i}.model.1.weight"].numpy().reshape(-1, 1, 1)
        total += ((u - v) ** 2 * weight).sum(0).mean()
    return total


def test_it_agrees_with_the_formula_in_plain_numpy(lpips, weights):
    a, b = photos(40)[:2]
    channels = torch.load(CHANNEL_WEIGHTS, map_location="cpu", weights_only=True)
    slow = slow_lpips(a, b, load_weights(weights, "alexnet"), channels)
    assert lpips(a[None], b[None])[0] == pytest.approx(slow, rel=1e-4)


def test_no_weight_of_the_network_is_left_as_drawn_and_none_is_negative(weights):
    """Two networks, whose weights were drawn from different states, are the same one."""
    torch.manual_seed(1)
    one = Lpips(weights).network.state_dict()
    torch.manual_seed(2)
    two = Lpips(weights).network.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert all((value >= 0).all() for name, value in one.items() if name.startswith("lin"))


def test_making_it_warns_of_nothing_and_draws_no_random_numbers(weights):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Lpips(weights)
    assert torch.equal(torch.get_rng_state(), before)


def test_of_a_batch_it_is_that_of_each_pair(weights):
    a, b = np.tile(photos(32), (3, 1, 1, 1)), noisy(np.tile(photos(32), (3, 1, 1, 1)), 30)
    lpips = Lpips(weights, batch=4)  # 9 pairs: two whole batches and a rest
    alone = [lpips(a[i : i + 1], b[i : i + 1])[0] for i in range(9)]
    np.testing.assert_allclose(lpips(a, b), alone, rtol=1e-4)
    assert lpips(a[:0], b[:0]).shape == (0,)


def test_frames_below_31_pixels_are_refused(lpips):
    small = photos()[:, :31, :31]
    assert np.isfinite(lpips(small, noisy(small, 20))).all()
    with pytest.raises(ValueError, match="at least 31x31 pixels, got 30x31"):
        lpips(small[:, :30], small[:, :30])
