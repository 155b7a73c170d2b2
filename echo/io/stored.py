"""Arrays that stay in their file: only what is asked for is read, so that a file may be larger than memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from echo.io.tensors import read_head

TYPES = {"U8": np.uint8, "I64": np.int64, "F32": np.float32, "F64": np.float64}  # safetensors' names


class StoredArray:
    """A tensor of a safetensors file, indexed like an array; every answer is a copy, and nothing is held."""

    def __init__(self, path: Path, name: str) -> None:
        """Read the file's header alone; the caller has verified its contents (``verify_tensors``)."""
        self.path = Path(path)
        with self.path.open("rb") as file:
            length, head = read_head(file)
        entry = json.loads(head)[name]
        self.shape, self.dtype = tuple(entry["shape"]), np.dtype(TYPES[entry["dtype"]])
        self._start = len(length) + len(head) + entry["data_offsets"][0]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """The entries in turn, each read when it is reached."""
        return (self[place] for place in range(len(self)))

    def __getitem__(self, key: Any) -> np.ndarray:
        """What numpy's indexing gives."""
        return np.array(np.memmap(self.path, self.dtype, "r", self._start, self.shape)[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)
