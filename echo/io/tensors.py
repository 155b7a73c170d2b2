"""Safetensors files that carry the hash of their own contents: written atomically, verified when read.

The same tensors and header give the same bytes in every process. Our header and the hash are one entry of the file's
metadata, because safetensors writes several entries in an order that changes from process to process. The hash is the
sha256 of the whole file with the hash's own 64 digits set to zero, so it covers names, shapes, header and data alike.
Hashing costs 0.7 s a GB where the CPU has instructions for SHA-256, and 2 to 3 s a GB elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias, Union, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from echo.io.errors import UserError
from echo.io.files import atomic_path

ENTRY = "echo"  # of the file's metadata: our header as JSON
HASH = "_sha256"  # key of the hash in our header
ZEROS = "0" * 64  # in the hash's place while the file is hashed
HASH_PATTERN = re.compile(rb'\\"_sha256\\": \\"([0-9a-f]{64})\\"')
CHUNK = 2**24  # bytes hashed at once

if TYPE_CHECKING:  # renderers use this module, and do without torch
    from torch import Tensor

Array: TypeAlias = Union[np.ndarray, "Tensor"]


class TensorFileError(UserError):
    """A file that is no safetensors file of ours, or whose contents are not those that were written."""


class NotFiniteError(UserError):
    """Tensors with NaN or infinite values where only numbers are of use."""


def save_tensors(
    path: str | Path, tensors: Mapping[str, Array], header: Mapping[str, Any] | None = None, finite: bool = False
) -> None:
    """Write arrays, all of numpy or all of torch, with ``header`` (JSON-able) and the hash of it all; atomic.

    ``finite``: refuse NaN and infinities with NotFiniteError; nothing is written then.
    Safetensors stores memory as it lies, so a transposed view would come back scrambled: all are made contiguous.
    """
    if header and HASH in header:
        raise ValueError(f"{HASH!r} is the key of the file's own hash")
    if finite:
        require_finite(tensors, str(path))
    metadata = {ENTRY: json.dumps({**(header or {}), HASH: ZEROS}, sort_keys=True)}
    with atomic_path(path) as temporary:
        if all(isinstance(value, np.ndarray) for value in tensors.values()):
            from safetensors.numpy import save_file

            save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, temporary, metadata)
        else:
            from safetensors.torch import save_file

            of_torch = cast("Mapping[str, Tensor]", tensors)
            save_file({name: value.contiguous() for name, value in of_torch.items()}, temporary, metadata)
        _, computed, position = _hashes(temporary)
        with open(temporary, "r+b") as file:
            file.seek(position)
            file.write(computed.encode())


def read_header(path: str | Path) -> dict[str, Any]:
    """The header that was given to ``save_tensors``; empty without one. Raises TensorFileError for a cut file.

    It is cheap, and does not verify the contents.
    """
    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get(ENTRY, "{}"))
    except (SafetensorError, ValueError) as error:
        raise TensorFileError(f"{path}: truncated or not a safetensors file ({error})") from None
    header.pop(HASH, None)
    return header


def verify_tensors(path: str | Path, remedy: str = "") -> str:
    """Check a file that ``save_tensors`` wrote against its own hash, and return the hash.

    Raises TensorFileError, which ends with ``remedy`` (by default: remove the file and run the workflow again), where
    the file is cut, was changed, or carries no hash.
    """
    remedy = remedy or mending(path)
    try:
        stored, computed, _ = _hashes(Path(path))
    except (SafetensorError, ValueError) as error:
        raise TensorFileError(f"{path}: truncated or not one of the study's files ({error}); {remedy}") from None
    if stored != computed:
        raise TensorFileError(
            f"{path}: damaged: its contents have sha256 {computed[:12]}..., expected {stored[:12]}...; {remedy}"
        )
    return stored


def stored_hash(path: str | Path) -> str:
    """The hash that a file carries, without a look at its contents; raises TensorFileError where it carries none."""
    try:
        with open(path, "rb") as file:
            return _find_hash(read_head(file)[1])[0]
    except ValueError as error:
        raise TensorFileError(f"{path}: truncated or not one of the study's files ({error}); {mending(path)}") from None


def mending(path: str | Path) -> str:
    """What to do about a damaged file that the workflow makes."""
    return f"remove it (rm '{path}') and run the same snakemake command again"


def open_tensors(path: str | Path, framework: Literal["pt", "np"] = "pt", remedy: str = "") -> safe_open:
    """A verified file, to be read tensor by tensor (``keys()``, ``get_tensor(name)``); errors as ``verify_tensors``."""
    verify_tensors(path, remedy)
    return safe_open(path, framework)


def load_tensors(path: str | Path, framework: Literal["pt", "np"] = "pt", remedy: str = "") -> dict[str, Any]:
    """All tensors of a verified file, of torch (``pt``) or numpy (``np``); errors as ``verify_tensors``."""
    with open_tensors(path, framework, remedy) as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def first_not_finite(tensors: Mapping[str, Array]) -> str | None:
    """The name of the first tensor with a NaN or an infinity; None where there is none."""
    return next((name for name, value in tensors.items() if _is_float(value) and not bool(_finite(value).all())), None)


def _is_float(value: Array) -> bool:
    return np.issubdtype(value.dtype, np.floating) if isinstance(value, np.ndarray) else value.is_floating_point()


def _finite(value: Array) -> Array:
    """Where a floating-point array has a number: booleans of its shape."""
    return np.isfinite(value) if isinstance(value, np.ndarray) else value.isfinite()


def require_finite(tensors: Mapping[str, Array], what: str, hint: str = "") -> None:
    """Raise NotFiniteError, naming the first tensor that has one, where ``tensors`` have NaN or infinite values."""
    name = first_not_finite(tensors)
    if name is not None:
        finite = _finite(tensors[name])
        count = math.prod(finite.shape)
        raise NotFiniteError(
            f"{what}: {count - int(finite.sum())} of {count} values of {name} are not finite (NaN or infinite)"
            f"{f'; {hint}' if hint else ''}"
        )


def _hashes(path: Path) -> tuple[str, str, int]:
    """The hash that a file carries, the one that its contents have, and the position of the former in the file.

    Raises ValueError for a file that carries none.
    """
    with open(path, "rb") as file:
        length, head = read_head(file)
        stored, start = _find_hash(head)
        head = head[:start] + ZEROS.encode() + head[start + len(ZEROS) :]
        total = hashlib.sha256(length + head)
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return stored, total.hexdigest(), len(length) + start


def read_head(file: BinaryIO) -> tuple[bytes, bytes]:
    """The eight bytes that say how long safetensors' own header is, and that header."""
    length = file.read(8)
    size = int.from_bytes(length, "little")
    if len(length) < 8 or size > os.fstat(file.fileno()).st_size:
        raise ValueError("its header is cut")
    return length, file.read(size)


def _find_hash(head: bytes) -> tuple[str, int]:
    """The hash in a file's header, and its position there."""
    places = list(HASH_PATTERN.finditer(head))
    if len(places) != 1:
        raise ValueError("it carries no hash of its contents")
    return places[0].group(1).decode(), places[0].start(1)
