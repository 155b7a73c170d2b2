"""VGG16 (Simonyan and Zisserman, arXiv:1409.1556) from torchvision, ImageNet weights, up to relu4_3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional
from torchvision.models import vgg16

from echo.io.vgg16 import load_vgg16
from echo.judge.comparisons import GRID
from echo.judge.embedded.agreements import Pair

RELU3_3, RELU4_3 = 15, 22  # places in torchvision's ``VGG16.features``
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours in 0..1, as torchvision has them
CHUNK = 8  # frames per pass


class Vgg16:
    """Features of frames; the network's weights are never trained."""

    def __init__(self, weights: Path) -> None:
        """weights: the folder of ``vgg16.safetensors``; raises WeightsError where it holds no such file."""
        tensors = load_vgg16(weights)
        with torch.device("meta"):  # nothing is drawn
            network = vgg16().features[: RELU4_3 + 1]
        state = {name.removeprefix("features."): torch.from_numpy(value) for name, value in tensors.items()}
        network.load_state_dict(state, strict=True, assign=True)
        self.lower, self.upper = network[: RELU3_3 + 1].eval(), network[RELU3_3 + 1 :].eval()

    @torch.inference_mode()
    def __call__(self, frames: UInt8[np.ndarray, "images height width 3"]) -> Pair:
        """relu3_3 (images, 16, 16, 256) and relu4_3 (images, 8, 8, 512) of frames resized to 64 x 64 pixels."""
        fine, coarse = [], []
        for start in range(0, len(frames), CHUNK):
            fine.append(self.lower(_prepared(frames[start : start + CHUNK])))
            coarse.append(self.upper(fine[-1]))
        lower, upper = (torch.cat(maps).permute(0, 2, 3, 1).numpy() for maps in (fine, coarse))
        return lower, upper


def _prepared(frames: UInt8[np.ndarray, "images height width 3"]) -> Float32[Tensor, "images 3 64 64"]:
    """Frames as the network's input; frames that are not square are stretched."""
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
    if x.shape[2:] != (GRID, GRID):
        x = functional.interpolate(x, (GRID, GRID), mode="bicubic", antialias=True, align_corners=False)
    mean, spread = (torch.tensor(value)[:, None, None] for value in (MEAN, SPREAD))
    return (x - mean) / spread
