"""EfficientNet-Lite0: ImageNet features and classes, in plain torch.

Tan and Le, EfficientNet (arXiv:1905.11946), in its Lite variant: no squeeze-and-excitation, ReLU6 for swish, stem and
head not scaled. Convolutions are padded as TensorFlow does (``SAME``: the odd pixel goes to the right and below),
because the weights were trained so. Batch normalisation is folded into the weights (echo.measures.weights).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo.measures.weights import load_weights

# One entry a block: kernel and stride of its depthwise convolution.
BLOCKS = (
    (3, 1),
    *((3, 2), (3, 1)),
    *((5, 2), (5, 1)),
    *((3, 2), (3, 1), (3, 1)),
    *((5, 1), (5, 1), (5, 1)),
    *((5, 2), (5, 1), (5, 1), (5, 1)),
    (3, 1),
)
CENTRE, SCALE = 127.0, 128.0  # grey levels; the Lite variants' input normalisation
CHUNK = 8  # frames a pass: more no longer fit the processor's caches and are slower


class EfficientNetLite0:
    """The network with its ImageNet weights; call it for class logits, or ``maps`` for features on a grid."""

    def __init__(self, weights: Path):
        """weights: the folder of ``efficientnet_lite0.safetensors``."""
        loaded = load_weights(weights, "efficientnet_lite0")
        # Channels-last is twice as fast on a CPU for these thin convolutions.
        self.tensors = {
            key: torch.from_numpy(value).contiguous(
                memory_format=torch.channels_last if value.ndim == 4 else torch.contiguous_format
            )
            for key, value in loaded.items()
        }

    @torch.inference_mode()
    def __call__(self, frames: np.ndarray, size: int = 224) -> Tensor:
        """Logits (F, 1000) of frames (F, H, W, 3) uint8, resized to ``size``."""
        x = self._blocks(prepare(frames, size), len(BLOCKS))[-1]
        x = functional.relu6(self._convolve(x, "head", 1))
        return functional.linear(x.mean((2, 3)), self.tensors["classifier.weight"], self.tensors["classifier.bias"])

    @torch.inference_mode()
    def maps(self, frames: np.ndarray, size: int, blocks: tuple[int, ...]) -> list[Tensor]:
        """Outputs (F, C, h, w) of the named blocks for frames (F, H, W, 3) uint8, resized to ``size``."""
        found = []
        for start in range(0, len(frames), CHUNK):
            outputs = self._blocks(prepare(frames[start : start + CHUNK], size), max(blocks) + 1)
            found.append([outputs[i].contiguous() for i in blocks])
        return [torch.cat(maps) for maps in zip(*found, strict=True)]

    def _blocks(self, x: Tensor, count: int) -> list[Tensor]:
        x = functional.relu6(self._convolve(x, "stem", 2))
        outputs = []
        for i, (_, stride) in enumerate(BLOCKS[:count]):
            y = x
            if f"blocks.{i}.expand.weight" in self.tensors:
                y = functional.relu6(self._convolve(y, f"blocks.{i}.expand", 1))
            y = functional.relu6(self._convolve(y, f"blocks.{i}.depthwise", stride))
            y = self._convolve(y, f"blocks.{i}.project", 1)
            x = x + y if stride == 1 and x.shape == y.shape else y
            outputs.append(x)
        return outputs

    def _convolve(self, x: Tensor, name: str, stride: int) -> Tensor:
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        kernel, groups = weight.shape[-1], x.shape[1] // weight.shape[1]  # depthwise: one input channel a filter
        if kernel > 1:
            down, right = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:])
            x = functional.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
        return functional.conv2d(x, weight, bias, stride, groups=groups)


def prepare(frames: np.ndarray, size: int) -> Tensor:
    """Frames (F, H, W, 3) uint8 to the network's input (F, 3, size, size); stretched if not square."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames: expected uint8 (F, H, W, 3), got {frames.dtype} {frames.shape}")
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    if x.shape[2:] != (size, size):
        x = functional.interpolate(x, (size, size), mode="bicubic", antialias=True, align_corners=False)
    return ((x - CENTRE) / SCALE).contiguous(memory_format=torch.channels_last)
