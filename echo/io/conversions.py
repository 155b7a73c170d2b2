"""From weights as packages carry them to tensors with the names that torchvision and timm give them.

Pickles are read by unpicklers that know arrays only: numpy's here, torch's with ``weights_only``.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

from echo.io.packages import PackageError

ALEXNET_LAYERS = (0, 3, 6, 8, 10)  # positions of the convolutions in torchvision's ``AlexNet.features``

# EfficientNet-Lite0: the package numbers blocks throughout, timm within their stage.
BLOCKS_OF_STAGE = (1, 2, 2, 3, 3, 4, 1)
# The first stage does not expand its channels: timm calls its projection conv_pw, and counts norms from there.
FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
OTHER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}


def alexnet_of_flax(data: bytes) -> dict[str, np.ndarray]:
    """AlexNet of flax, kernels (height, width, in, out), to torchvision's (out, in, height, width)."""
    network = read_arrays(data)["AlexNet_0"]
    tensors = {}
    for i, layer in enumerate(ALEXNET_LAYERS):
        convolution = network[f"Conv_{i}"]
        tensors[f"features.{layer}.weight"] = convolution["kernel"].transpose(3, 2, 0, 1).astype(np.float32)
        tensors[f"features.{layer}.bias"] = convolution["bias"].astype(np.float32)
    return tensors


def alexnet_of_torchvision() -> dict[str, np.ndarray]:
    """The convolutions of torchvision's AlexNet, from torch hub's cache or downloaded to it.

    Raises PackageError if they are in neither place, or damaged.
    """
    from torchvision.models import AlexNet_Weights

    weights = AlexNet_Weights.IMAGENET1K_V1
    try:
        state = weights.get_state_dict(progress=False, check_hash=True, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch raises whatever it stumbles over
        raise PackageError(f"{weights.url}: could not be read ({type(error).__name__}: {error})") from error
    return {name: tensor.numpy() for name, tensor in state.items() if name.startswith("features.")}


def efficientnet_of_package(data: bytes) -> dict[str, np.ndarray]:
    """The package's state dictionary with timm's names; torch's own restricted unpickler reads it."""
    import torch

    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    batches = "num_batches_tracked"  # counts of training, no weights
    return {timm_name(name): tensor.numpy() for name, tensor in state.items() if not name.endswith(batches)}


def timm_name(name: str) -> str:
    """Name in timm of a tensor of the package: ``_blocks.4._bn0.bias`` is ``blocks.2.1.bn1.bias``."""
    module, _, rest = name.partition(".")
    if module != "_blocks":
        return f"{OUTSIDE_BLOCKS[module]}.{rest}"
    number, layer, tensor = rest.split(".")
    stage, block = 0, int(number)
    while block >= BLOCKS_OF_STAGE[stage]:
        block -= BLOCKS_OF_STAGE[stage]
        stage += 1
    return f"blocks.{stage}.{block}.{(OTHER_STAGES if stage else FIRST_STAGE)[layer]}.{tensor}"


def read_arrays(data: bytes) -> Mapping[str, Any]:
    """Unpickle nested dictionaries of numpy arrays; anything else in the pickle is refused before it is made."""
    return _ArraysOnly(io.BytesIO(data)).load()


class _ArraysOnly(pickle.Unpickler):
    """Knows the three globals that a pickled array of numbers needs."""

    ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that the pickle asks for; raises PackageError for any but the three."""
        # numpy 2 moved numpy.core to numpy._core; pickles made before name the old place.
        short = "multiarray" if module in ("numpy.core.multiarray", "numpy._core.multiarray") else module
        if (short, name) not in self.ALLOWED:
            raise PackageError(f"the pickle asks for {module}.{name}; only numpy arrays are allowed")
        if short == "multiarray":
            return _empty_array
        return getattr(np, name)


def _empty_array(kind: type, shape: tuple[int, ...], letter: bytes) -> np.ndarray:
    """What numpy's ``_reconstruct`` does for plain arrays: an empty one, filled by the pickle's next instruction."""
    if kind is not np.ndarray:
        raise PackageError(f"the pickle asks for an array of class {kind!r}; only numpy.ndarray is allowed")
    return np.ndarray(shape, np.dtype(letter.decode()))
