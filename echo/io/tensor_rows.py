"""One tensor of a safetensors file, read row by row with plain reads.

A mapped file counts as memory of the process that reads it, up to the file's whole size; what is read here is held by
the system's cache alone, which gives way. So a training may draw from files that are larger than its memory.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from echo.io.tensors import verify_tensors

TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64, "U8": np.uint8}


class TensorRows:
    """Rows of the tensor ``name`` of ``path``; a row is the tensor at one index of its first dimension."""

    def __init__(self, path: Path, name: str, remedy: str = "") -> None:
        """Open the file, once its contents are known to have the hash that it carries.

        Raises TensorFileError, which ends with ``remedy``, where they have not; KeyError for a name it does not hold.
        """
        self.hash = verify_tensors(path, remedy)
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  closed with this object
        size = int.from_bytes(self._file.read(8), "little")
        entry = json.loads(self._file.read(size))[name]
        self.shape = tuple(entry["shape"])
        self._type = np.dtype(TYPES[entry["dtype"]])
        self._first = 8 + size + entry["data_offsets"][0]

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, row: int, start: int, stop: int) -> np.ndarray:
        """Entries ``start`` to ``stop`` of a row's first dimension, as an array of its own.

        Raises IndexError for entries beyond the tensor, OSError where the file was cut since it was opened.
        """
        if not (0 <= row < self.shape[0] and 0 <= start <= stop <= self.shape[1]):
            raise IndexError(f"row {row}, entries {start} to {stop}, of a tensor of shape {self.shape}")
        entry = int(np.prod(self.shape[2:])) * self._type.itemsize
        out = np.empty((stop - start, *self.shape[2:]), self._type)
        offset = self._first + (row * self.shape[1] + start) * entry
        if os.preadv(self._file.fileno(), [out.data], offset) != out.nbytes:
            raise OSError(f"{self._file.name}: cut since it was opened")
        return out
