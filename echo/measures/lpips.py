"""LPIPS (Zhang et al. 2018, arXiv:1801.03924): version 0.1 on AlexNet, by the package ``lpips``.

The network and the channel weights are the package's; AlexNet's own weights are those of ``echo.measures.weights``, so
that nothing is downloaded here.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import cast

import lpips
import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from echo.io.errors import UserError
from echo.io.files import sha256
from echo.measures.conversions import ALEXNET_LAYERS
from echo.measures.images import Frames, PerFrame, check_frames
from echo.measures.weights import load_weights

SMALLEST = 31  # pixels along a side of the smallest frame; below, a pooled map of AlexNet is empty
CHANNEL_WEIGHTS = Path(cast(str, lpips.__file__)).parent / "weights" / "v0.1" / "alex.pth"
CHANNEL_WEIGHTS_SHA256 = "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"


class LpipsError(UserError):
    """The installed package lpips is not the one whose distances are meant."""


class Lpips:
    """Distance of frames: 0 for identical ones, more is further.

    d = sum over layers l of the mean over positions of w_l . (u_l - v_l)^2, where u_l, v_l are the outputs of AlexNet's
    l-th ReLU, scaled to unit length at each position, and w_l the published channel weights. Frames are compared at
    their own size: like the published measure, this one never resizes, so distances at other sizes are other numbers.
    """

    def __init__(self, weights: Path, batch: int = 32) -> None:
        """weights: the folder of ``alexnet.safetensors``; batch: pairs in one pass."""
        self.network = _network(load_weights(weights, "alexnet"))
        self.batch = batch

    def __call__(self, a: Frames, b: Frames) -> PerFrame:
        """Distances of pairs of frames. Raises ValueError for frames of less than 31 x 31 pixels."""
        check_frames(a, b)
        if min(a.shape[1:3]) < SMALLEST:
            raise ValueError(
                f"LPIPS needs frames of at least {SMALLEST}x{SMALLEST} pixels, got {a.shape[1]}x{a.shape[2]}"
            )
        passes = [slice(start, start + self.batch) for start in range(0, len(a), self.batch)]
        with torch.inference_mode():
            distances = [self.network(_scaled(a[pairs]), _scaled(b[pairs]))[:, 0, 0, 0] for pairs in passes]
        return torch.cat(distances).double().numpy() if distances else np.zeros(0)


def _scaled(frames: Frames) -> Float32[Tensor, "frames 3 height width"]:
    """Frames as the network takes them: in -1 .. 1."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _network(alexnet: dict[str, np.ndarray]) -> lpips.LPIPS:
    """The package's network with AlexNet's weights and the package's own channel weights; nothing is left as drawn."""
    digest = sha256(CHANNEL_WEIGHTS)
    if digest != CHANNEL_WEIGHTS_SHA256:
        raise LpipsError(
            f"{CHANNEL_WEIGHTS}: sha256 is {digest}, expected {CHANNEL_WEIGHTS_SHA256}; install lpips==0.1.4 again"
        )
    # The package draws weights first and, by old arguments, makes torchvision warn; neither is to be seen from outside.
    with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):
        network = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
    trunk = {
        f"slice{i}.{layer}.{part}": torch.from_numpy(alexnet[f"features.{layer}.{part}"])
        for i, layer in enumerate(ALEXNET_LAYERS, start=1)
        for part in ("weight", "bias")
    }
    network.net.load_state_dict(trunk, strict=True)
    channels = torch.load(CHANNEL_WEIGHTS, map_location="cpu", weights_only=True)
    channels = {name.removeprefix("lin"): value for name, value in channels.items()}
    torch.nn.ModuleList(network.lins).load_state_dict(channels, strict=True)
    return network.eval()
