"""EfficientNet-Lite0 (Tan and Le, arXiv:1905.11946) from timm, ImageNet weights: features on a grid and of frames.

The Lite variant has no squeeze-and-excitation, ReLU6 instead of swish, and a stem and head that are not scaled.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import timm
import torch
from jaxtyping import Float32, UInt8
from timm.models.efficientnet import EfficientNet
from torch import Tensor
from torch.nn import functional

from echo.io.weights import load_weights

WIDTH = 1280  # length of a whole frame's feature vector
STRIDES = (2, 4, 8, 16, 32)  # of the network's five feature levels
CENTRE, SCALE = 127.0, 128.0  # grey levels; the Lite variants' input normalisation
CHUNK = 8  # frames per pass: more exceed the CPU's caches and are slower


class EfficientNetLite0:
    """The network with its weights; ``network`` is timm's model, for class logits of prepared frames."""

    def __init__(self, weights: Path) -> None:
        """weights: the folder that holds ``efficientnet_lite0.safetensors``."""
        tensors = load_weights(weights, "efficientnet_lite0")
        with torch.random.fork_rng(devices=[]):  # leave the global stream as it was
            network = cast("EfficientNet", timm.create_model("tf_efficientnet_lite0", pretrained=False))
        network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()}, strict=True)
        # Channels-last is twice as fast on a CPU for these thin convolutions.
        self.network = network.eval().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def maps(
        self, frames: UInt8[np.ndarray, "frames height width 3"], size: int, strides: tuple[int, ...]
    ) -> list[Float32[Tensor, "frames _ _ _"]]:
        """Features (frames, C, size / stride, size / stride) at ``strides``, of frames resized to ``size``.

        They are the outputs of the last block at each stride, one of ``STRIDES``.
        """
        levels = [STRIDES.index(stride) for stride in strides]
        passes = []
        for start in range(0, len(frames), CHUNK):
            prepared = prepare(frames[start : start + CHUNK], size)
            features = self.network.forward_intermediates(
                prepared, indices=levels, stop_early=True, intermediates_only=True
            )
            passes.append([level.contiguous() for level in cast("list[Tensor]", features)])
        return [torch.cat(maps) for maps in zip(*passes, strict=True)]

    @torch.inference_mode()
    def embed(
        self, frames: UInt8[np.ndarray, "frames height width 3"], size: int
    ) -> Float32[np.ndarray, "frames features"]:
        """The classifier's input for frames resized to ``size``: the last features, averaged over the whole frame."""
        passes = []
        for start in range(0, len(frames), CHUNK):
            features = self.network.forward_features(prepare(frames[start : start + CHUNK], size))
            passes.append(self.network.forward_head(features, pre_logits=True))
        return torch.cat(passes).numpy()


def prepare(frames: UInt8[np.ndarray, "frames height width 3"], size: int) -> Float32[Tensor, "frames 3 size size"]:
    """Frames as the network's input, resized to ``size``; frames that are not square are stretched."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames: expected uint8 (F, H, W, 3), got {frames.dtype} {frames.shape}")
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    if x.shape[2:] != (size, size):
        x = functional.interpolate(x, (size, size), mode="bicubic", antialias=True, align_corners=False)
    return ((x - CENTRE) / SCALE).contiguous(memory_format=torch.channels_last)
