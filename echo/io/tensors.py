"""Safetensors files: written atomically, the same tensors and header giving the same bytes in every process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from echo.io.errors import UserError
from echo.io.files import atomic_path

KEY = "echo"  # safetensors writes several header entries in an order that changes from process to process


class TensorFileError(UserError):
    """A file that safetensors cannot read."""


def save_tensors(path: str | Path, tensors: dict, header: dict | None = None) -> None:
    """Write arrays, all of numpy or all of torch, with ``header`` (JSON-able) as one entry of the file's metadata.

    Safetensors stores memory as it lies, so a transposed view would come back scrambled: all are made contiguous.
    """
    metadata = {KEY: json.dumps(header, sort_keys=True)} if header else None
    if all(isinstance(value, np.ndarray) for value in tensors.values()):
        from safetensors.numpy import save_file

        tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    else:
        from safetensors.torch import save_file

        tensors = {name: value.contiguous() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata)


def read_header(path: str | Path) -> dict:
    """The header that ``save_tensors`` wrote; empty without one. Raises TensorFileError for a damaged file."""
    try:
        with safe_open(path, "np") as file:
            return json.loads((file.metadata() or {}).get(KEY, "{}"))
    except SafetensorError as error:
        raise TensorFileError(f"{path}: truncated or not a safetensors file ({error})") from None
