"""SSIM in torch against scikit-image."""

import numpy as np
import pytest
import torch

from echo.measures import images, ssim
from echo.measures.ssim import Ssim, ssim_on


@pytest.mark.parametrize("size", [(7, 7), (24, 32), (33, 20)])
def test_it_is_scikit_images_measure(size, monkeypatch):
    monkeypatch.setattr(ssim, "BATCH_BYTES", 3 * 8 * 3 * size[0] * size[1])  # three frames a batch
    draw = np.random.default_rng(0)
    a = draw.integers(0, 256, (5, *size, 3), dtype=np.uint8)
    noise = draw.normal(0, [[[[2]]], [[[10]]], [[[40]]], [[[90]]], [[[0]]]], a.shape)
    b = np.clip(a + noise, 0, 255).astype(np.uint8)
    np.testing.assert_allclose(Ssim(torch.device("cpu"))(a, b), images.ssim(a, b), rtol=0, atol=1e-9)


def test_a_processor_keeps_scikit_images_own():
    assert ssim_on(torch.device("cpu")) is images.ssim and isinstance(ssim_on(torch.device("cuda")), Ssim)


def test_no_frames_have_no_measure():
    assert Ssim(torch.device("cpu"))(np.zeros((0, 8, 8, 3), np.uint8), np.zeros((0, 8, 8, 3), np.uint8)).shape == (0,)
