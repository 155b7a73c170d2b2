"""Realism: the distance of a set of generated frames from the set of true ones, whatever each frame should have shown.

The distance is the kernel distance of Binkowski et al. (arXiv:1801.01401; KID): the squared maximum mean discrepancy
with the kernel (x . y / d + 1)^3 between whole-frame features of EfficientNet-Lite0, a network that is not used to
train anything in a study. It is unbiased, so its expected value does not depend on the number of frames; a study has
some 64 cases per branch, with two frames each. A Fréchet distance is not reported: it needs the covariance of 1,280
features, which is singular with so few frames, and at this sample size its bias (which falls with the number of frames)
would exceed the differences between rows.

Frames of one room look alike, whichever case they belong to. So the room is the unit: kernel values are averaged over
the frames of a pair of rooms, and pairs of a room with itself are left out, for generated and true frames alike
(Gretton et al. 2012, the U-statistic of paired samples, lemma 6). If a model's frames of a room have the distribution
of the true ones, its expected distance is 0. As each pair of rooms is reduced to one number, only two small matrices
are stored per branch, from which the tables resample rooms:

    h[a, b] = k(gen a, gen b) + k(true a, true b) - k(gen a, true b) - k(true a, gen b)
    t[a, b] = k(true a, true b)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64, Integer

from echo.io.tensors import load_tensors, read_header, save_tensors

FRAMES = 2  # per case: the middle and the last of its generated frames
SIZE = 128  # side of the network's input, pixels
ALL = "all"  # used as a branch name: the frames of all branches together

Features = Float[np.ndarray, "frames width"]
PairsOfRooms = Float[np.ndarray, "rooms rooms"]


def compared(index: Integer[np.ndarray, " generated"]) -> Integer[np.ndarray, " compared"]:
    """Positions of the compared frames among the generated frames with numbers ``index``."""
    parts = np.linspace(0, len(index), FRAMES + 1)[1:]
    return np.unique(np.ceil(parts).astype(int) - 1)


def kernel(
    a: Float[np.ndarray, "first width"], b: Float[np.ndarray, "second width"]
) -> Float64[np.ndarray, "first second"]:
    """KID's polynomial kernel between the rows of a and b."""
    return (a.astype(np.float64) @ b.T.astype(np.float64) / a.shape[1] + 1) ** 3


@dataclass(frozen=True)
class Distances:
    """The matrices of a branch: ``h`` and ``t`` of the module's docstring, over pairs of ``rooms``.

    ``frames``: number of generated frames behind them.
    """

    rooms: tuple[str, ...]
    h: PairsOfRooms
    t: PairsOfRooms
    frames: int

    @classmethod
    def of(cls, generated: Features, true: Features, rooms: Sequence[str]) -> Distances:
        """From features of the generated frames and of the true frames at the same numbers, and each frame's room."""
        names, room = np.unique(np.asarray(rooms), return_inverse=True)
        member = np.eye(len(names))[:, room]
        member /= member.sum(1, keepdims=True)
        gg, tt, gt = (
            member @ kernel(*pair) @ member.T for pair in ((generated, generated), (true, true), (generated, true))
        )
        h, t = (matrix.astype(np.float32) for matrix in (gg + tt - gt - gt.T, tt))
        return cls(tuple(map(str, names)), h, t, len(generated))

    def distance(self, weights: Float64[np.ndarray, "draws rooms"] | None = None) -> Float64[np.ndarray, " draws"]:
        """The kernel distance of each draw: of all rooms once, or of each room as often as ``weights`` says.

        NaN for a draw with fewer than two different rooms.
        """
        each = np.ones((1, len(self.rooms))) if weights is None else weights
        apart = self.h.astype(np.float64) * (1 - np.eye(len(self.rooms)))
        pairs = np.square(each.sum(1)) - np.square(each).sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return ((each @ apart) * each).sum(1) / pairs

    def floor(self, splits: int, generator: np.random.Generator) -> Float64[np.ndarray, " splits"]:
        """The kernel distance between true frames of two random halves of the rooms, for ``splits`` random splits.

        Its mean is 0, since both halves are true frames; its spread shows which distances can be resolved with this
        number of rooms. Each half must have two rooms: NaN with fewer than four.
        """
        count = len(self.rooms)
        if count < 4:
            return np.full(splits, np.nan)
        order = np.argsort(generator.random((splits, count)), axis=1)
        sides = np.where(order < count // 2, 1.0, 0.0)
        t = self.t.astype(np.float64)
        apart = t * (1 - np.eye(count))

        def within(side: np.ndarray) -> np.ndarray:
            size = side.sum(1)
            return ((side @ apart) * side).sum(1) / (size * (size - 1))

        across = ((sides @ t) * (1 - sides)).sum(1) / (sides.sum(1) * (1 - sides).sum(1))
        return within(sides) + within(1 - sides) - 2 * across


def save_distances(path: Path, found: dict[str, Distances], **header: object) -> None:
    """Write the distances by branch as safetensors, atomically; ``header``: further entries of the file's header."""
    arrays = {f"{branch}/{name}": getattr(one, name) for branch, one in found.items() for name in ("h", "t")}
    about = {branch: {"rooms": one.rooms, "frames": one.frames} for branch, one in found.items()}
    save_tensors(path, arrays, {"branches": about, **header}, finite=True)


def load_distances(path: Path) -> tuple[dict[str, Distances], dict[str, object]]:
    """Read what ``save_distances`` wrote, and the header. Raises TensorFileError for a truncated or altered file."""
    arrays, header = load_tensors(path, "np"), read_header(path)
    found = {
        branch: Distances(tuple(about["rooms"]), arrays[f"{branch}/h"], arrays[f"{branch}/t"], about["frames"])
        for branch, about in header.pop("branches").items()
    }
    return found, header
