"""The network behind LPIPS (Zhang et al. 2018, arXiv:1801.03924): version 0.1 on AlexNet, by the package ``lpips``.

Decoders are trained on it and frames are measured with it. The network and the channel weights are the package's;
AlexNet's own weights are those of ``echo.io.weights``, so that nothing is downloaded here.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import cast

import lpips
import torch

from echo.io.conversions import ALEXNET_LAYERS
from echo.io.errors import UserError
from echo.io.files import sha256
from echo.io.weights import load_weights

SMALLEST = 31  # pixels along a side of the smallest frame; below, a pooled map of AlexNet is empty
CHANNEL_WEIGHTS = Path(cast(str, lpips.__file__)).parent / "weights" / "v0.1" / "alex.pth"
CHANNEL_WEIGHTS_SHA256 = "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"


class LpipsError(UserError):
    """The installed package lpips is not the one whose distances are meant."""


def lpips_network(weights: Path) -> lpips.LPIPS:
    """The package's network, which takes signals in -1 .. 1; nothing of it is left as drawn.

    weights: the folder of ``alexnet.safetensors``. Raises LpipsError for another package, WeightsError for weights that
    are missing or others.
    """
    digest = sha256(CHANNEL_WEIGHTS)
    if digest != CHANNEL_WEIGHTS_SHA256:
        raise LpipsError(
            f"{CHANNEL_WEIGHTS}: sha256 is {digest}, expected {CHANNEL_WEIGHTS_SHA256}; install lpips==0.1.4 again"
        )
    alexnet = load_weights(weights, "alexnet")
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
