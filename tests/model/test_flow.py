import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from echo.model import flow


def test_path_ends_are_data_and_noise():
    clean, noise = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    assert torch.equal(flow.interpolate(clean, noise, torch.zeros(3)), clean)
    assert torch.equal(flow.interpolate(clean, noise, torch.ones(3)), noise)


def test_velocity_is_the_paths_derivative():
    clean, noise = (torch.randn(2, 5, dtype=torch.float64) for _ in range(2))
    t = torch.tensor([0.3, 0.7], dtype=torch.float64)
    step = 1e-6
    slope = (flow.interpolate(clean, noise, t + step) - flow.interpolate(clean, noise, t - step)) / (2 * step)
    torch.testing.assert_close(slope, flow.velocity(clean, noise), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_sampler_with_the_true_velocity_returns_the_data(steps):
    clean, noise = torch.randn(2, 4, 3), torch.randn(2, 4, 3)
    out = flow.sample(lambda x, t: flow.velocity(clean, noise), noise, steps, 3.0)
    torch.testing.assert_close(out, clean, rtol=1e-5, atol=1e-5)


def test_sampler_visits_the_levels():
    seen = []
    flow.sample(lambda x, t: seen.append(t) or torch.zeros_like(x), torch.zeros(2, 1), 4, 2.0)
    torch.testing.assert_close(torch.stack(seen)[:, 0], flow.levels(4, 2.0)[:-1])


@given(st.floats(0, 1), st.floats(0.2, 20))
def test_shift_keeps_the_ends_and_the_order(t, amount):
    ends = flow.shift(torch.tensor([0.0, 1.0]), amount)
    torch.testing.assert_close(ends, torch.tensor([0.0, 1.0]))
    pair = flow.shift(torch.tensor([t * 0.5, t * 0.5 + 0.5], dtype=torch.float64), amount)
    assert pair[0] <= pair[1]


def test_loss_is_zero_for_the_true_velocity_only():
    clean, noise = torch.randn(2, 3), torch.randn(2, 3)
    assert flow.loss(noise - clean, clean, noise) == 0
    assert flow.loss(noise - clean + 1, clean, noise) == pytest.approx(1)


@pytest.mark.parametrize("amount", [1.0, 5.0, 15.0])
def test_the_bell_is_the_releases_table_of_weights(amount):
    """Its scheduler's lines, as a table of 1000 levels of which the nearest one's weight is taken."""
    sigmas = [1 - (1 - 0.003 / 1.002) * i / 999 for i in range(1000)]
    steps = [1000 * amount * sigma / (1 + (amount - 1) * sigma) for sigma in sigmas]
    heights = [2.718281828459045 ** (-2 * ((step - 500) / 1000) ** 2) for step in steps]
    total = sum(height - min(heights) for height in heights)
    weights = [(height - min(heights)) * 1000 / total for height in heights]
    for t in (0.31, 0.5, 0.77, 0.999, 1.0):
        nearest = min(range(1000), key=lambda i: abs(steps[i] - 1000 * t))
        assert flow.bell(torch.tensor([t]), amount).item() == pytest.approx(weights[nearest], abs=0.02)
    levels = torch.tensor(steps, dtype=torch.float64) / 1000
    torch.testing.assert_close(flow.bell(levels, amount), torch.tensor(weights, dtype=torch.float64))
    assert flow.bell(torch.tensor([0.0, 1.0]), amount).abs().max() < 1e-6  # pure noise, and no noise at all


def test_a_weighted_loss_is_the_mean_of_each_samples_own():
    predicted, clean, noise = (torch.randn(3, 2, 4) for _ in range(3))
    weight = torch.tensor([0.0, 1.0, 2.5])
    each = [flow.loss(predicted[i : i + 1], clean[i : i + 1], noise[i : i + 1]) for i in range(3)]
    expected = sum(w * one for w, one in zip(weight, each, strict=True)) / 3
    torch.testing.assert_close(flow.loss(predicted, clean, noise, weight), expected)
