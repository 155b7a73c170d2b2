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
