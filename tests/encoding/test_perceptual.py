"""The network of LPIPS: the published one or none; its distances are tested in ``tests/measures/test_lpips.py``."""

import pytest
import torch

from echo.encoding import perceptual
from echo.encoding.perceptual import CHANNEL_WEIGHTS, SMALLEST, LpipsError, lpips_network
from echo.io.weights import WeightsError
from echo.study import checks


def test_another_package_than_expected_is_refused(weights, monkeypatch):
    monkeypatch.setattr(perceptual, "CHANNEL_WEIGHTS", CHANNEL_WEIGHTS.parents[1] / "v0.0" / "alex.pth")
    with pytest.raises(LpipsError, match=r"v0.0/alex.pth: sha256 is \w+, expected \w+; install lpips==0.1.4 again"):
        lpips_network(weights)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(WeightsError, match="alexnet.safetensors: no such file; fetch"):
        lpips_network(tmp_path)


def test_the_smallest_frame_is_the_one_that_the_configuration_allows(weights):
    network = lpips_network(weights)
    assert checks.SMALLEST == SMALLEST
    frames = torch.rand(2, 1, 3, SMALLEST, SMALLEST, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert float(network(*frames).sum().detach()) > 0
    with pytest.raises(RuntimeError):
        network(*frames[..., 1:])


def test_steps_along_its_gradient_bring_frames_closer(weights):
    network = lpips_network(weights).requires_grad_(False)
    made, true = torch.rand(2, 1, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made.requires_grad_()
    before = network(made, true).sum()
    (gradient,) = torch.autograd.grad(before, made)
    after = network(made - 1e-3 * gradient / gradient.abs().mean(), true).sum()
    assert 0 < after.item() < before.item()
