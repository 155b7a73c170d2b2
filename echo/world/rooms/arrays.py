"""Array files of a rendered pool: their paths, and the only code that reads and checks them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from echo.io.tensors import TensorFileError, open_tensors
from echo.world.errors import PoolError
from echo.world.untrusted import first_line

# dtype and number of dimensions of each array; the first dimension is frames.
KINDS = {"rgb": ("uint8", 4), "depth": ("float16", 3), "ids": ("uint8", 3), "masks": ("uint8", 3),
         "overlapping": ("uint8", 2)}  # fmt: skip
REMAKE = "make it again: snakemake --cores all --forcerun pool (with the study's --configfile)"


def packed_file(folder: Path, video: str) -> Path:
    """rgb, depth, ids and overlap labels of one video in one file."""
    return folder / "packed" / f"{video}.safetensors"


def depth_file(folder: Path, video: str) -> Path:
    """Depth of one video that is not packed."""
    return folder / "depth" / f"{video}.safetensors"


def masks_file(folder: Path, video: str) -> Path:
    """Object ids of one video that is not packed."""
    return folder / "masks" / f"{video}.safetensors"


def pose_file(folder: Path, video: str) -> Path:
    """Poses of one video."""
    return folder / "jsons" / f"{video}.json"


def read_arrays(path: Path, names: tuple[str, ...], video: str) -> dict[str, np.ndarray]:
    """The arrays ``names`` from one video's file; raises PoolError if it is missing, damaged or lacks one of them."""
    if not path.is_file():
        raise PoolError(f"{path}: {', '.join(names)} of {video} is missing; {REMAKE}")
    try:
        with open_tensors(path, "np", REMAKE) as file:
            arrays = {name: file.get_tensor(name) for name in names}
    except TensorFileError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise PoolError(f"{path}: arrays of {video} are damaged ({reason})") from None
    except (SafetensorError, OSError) as error:
        raise PoolError(f"{path}: arrays of {video} are damaged ({first_line(error)}); {REMAKE}") from None
    for name, array in arrays.items():
        if (str(array.dtype), array.ndim) != KINDS[name]:
            raise PoolError(f"{path}: {name} of {video}: expected {KINDS[name][1]} dimensions of {KINDS[name][0]}, got "
                            f"{array.ndim} of {array.dtype}; {REMAKE}")  # fmt: skip
    return arrays
