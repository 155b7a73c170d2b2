"""AlexNet's five convolutions as LPIPS reads them. A plain module, so that neither torchvision nor lpips is needed."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

# out channels, kernel, stride, padding; a 3 x 3 max pool of stride 2 stands before the second and the third.
LAYERS = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
POOL_BEFORE = (1, 2)
# LPIPS's own scaling of an input in [-1, 1] (its ScalingLayer).
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


class AlexNetFeatures(nn.Module):
    """The five rectified feature maps of a batch (F, 3, H, W) in [-1, 1]."""

    def __init__(self):
        super().__init__()
        channels = 3
        self.convolutions = nn.ModuleList()
        for out, kernel, stride, padding in LAYERS:
            self.convolutions.append(nn.Conv2d(channels, out, kernel, stride, padding))
            channels = out
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        x, features = (images - self.shift) / self.scale, []
        for index, convolution in enumerate(self.convolutions):
            if index in POOL_BEFORE:
                x = functional.max_pool2d(x, 3, 2)
            x = convolution(x).relu()
            features.append(x)
        return features


def load_alexnet(folder: Path) -> tuple[AlexNetFeatures, list[Tensor]]:
    """The network and LPIPS's linear weights (C,) a layer; raises FileNotFoundError naming what is missing."""
    for name in ("alexnet.safetensors", "lpips_alex.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name}: no such file; python -m echo weights fetches it")
    network = AlexNetFeatures()
    stored = load_file(folder / "alexnet.safetensors")
    network.load_state_dict({f"convolutions.{name[4:]}": value for name, value in stored.items()})
    linear = load_file(folder / "lpips_alex.safetensors")
    return network.eval(), [linear[f"linear{i}"] for i in range(len(LAYERS))]
