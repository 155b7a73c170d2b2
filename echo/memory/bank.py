"""A bounded bank of past frames, filled from a stream and read by cameras that were not known then.

Design:
- An entry is the mean of r frames that followed each other; with r = 1 it is a raw frame. The newest frame of the
  stream is the anchor, which self-attention sees anyway: it waits, and is a candidate once a newer one has come. So
  does a group of fewer than r frames; what has come of it is read as an entry and counts as one.
- With more entries than it may hold, the bank gives up one after the other. ``redundancy``: the entry whose view the
  others cover best, by the field-of-view overlap of ``echo.world.camera``: the mean of the two largest covers, each by
  one other entry (for a group, the mean over its frames). With the largest alone, the end of a sweep of the camera is
  as redundant as its middle, and the first view is soon gone; the union of all covers saturates, and calls nearly
  every frame redundant (docs/log.md). Equally redundant ones: the oldest goes. No frame has a privilege, the first of
  the trajectory neither. ``fifo``: the oldest goes.
- ``with_anchor``: the newest frame is a candidate at once, and the entry that it is in is not given up. For memories
  that compress the anchor with the rest (the released compression rows).
- Kept are latents, poses (of each frame of a group) and frame numbers. Cameras are derived when the bank is read.
- What is given up depends on poses alone. Training meets the same clips again, so decisions are remembered: overlaps of
  20 frames cost milliseconds, and a step has many.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from einops import rearrange, repeat
from jaxtyping import Float64, Int, Shaped
from torch import Tensor

from echo.evidence.cameras import seen_from
from echo.evidence.frames import Frames
from echo.memory.base import Sizes, State
from echo.world.camera import overlap

FIELDS = ("latents", "poses", "index")  # of a frame, as a state holds it
BEST = 2  # others by which an entry's redundancy is judged
WAITING = "waiting_"  # begins the names of what is in no entry yet


class Bank:
    """At most ``capacity`` entries of ``ratio`` frames each; what it holds is in the state it returns.

    State: ``latents`` (B, G, C, H, W), ``poses`` (B, G r, 6), ``index`` (B, G r), entries in order of time; the same
    with ``waiting_`` of up to r raw frames, the anchor the last of them. A bank without capacity holds nothing.
    """

    def __init__(self, capacity: int, ratio: int, sizes: Sizes, with_anchor: bool = False) -> None:
        self.capacity, self.ratio, self.sizes = capacity, ratio, sizes
        self.apart = 0 if with_anchor else 1  # newest frames that are in no entry and in no open group

    def wrote(self, state: State) -> bool:
        """Whether a state is this bank's, and not frames as they were seen."""
        return not state or f"{WAITING}latents" in state

    def append(self, state: State | None, frames: Frames) -> State:
        """The state after frames (B, F), which follow those it has seen; raises ValueError for frames without poses."""
        if frames.poses is None:
            raise ValueError("a bank keeps frames by their poses; the frames it was given have none")
        if not self.capacity:
            return {}
        new = {"latents": frames.latents, "poses": frames.poses, "index": frames.index}
        waiting = {name: _after(state, WAITING + name, value) for name, value in new.items()}
        count = waiting["index"].shape[1]
        whole = (count - self.apart) // self.ratio * self.ratio  # frames that fill entries
        entering = {name: value[:, :whole] for name, value in waiting.items()}
        entering["latents"] = pool_groups(entering["latents"], self.ratio) if whole else entering["latents"]
        entries = {name: _after(state, name, value) for name, value in entering.items()}
        is_open = count - whole > self.apart
        if self.apart or is_open:
            entries = self._bounded(entries, self.capacity - is_open)
        else:  # the last entry has the anchor
            sizes = {name: 1 if name == "latents" else self.ratio for name in FIELDS}
            last = {name: value[:, -sizes[name] :] for name, value in entries.items()}
            older = {name: value[:, : -sizes[name]] for name, value in entries.items()}
            older = self._bounded(older, self.capacity - 1)
            entries = {name: torch.cat([value, last[name]], 1) for name, value in older.items()}
        return {**entries, **{WAITING + name: value[:, whole:] for name, value in waiting.items()}}

    def frames(self, state: State, reference: Float64[Tensor, "B 6"]) -> Frames | None:
        """The entries and the open group as frames seen from ``reference``, oldest first; None where there are none.

        Latents, cameras and frame numbers of a group are the means of its frames'.
        """
        if not state:
            return None
        waiting = state[WAITING + "index"].shape[1]
        opened = {name: state[WAITING + name][:, : waiting - self.apart] for name in FIELDS}
        latents = [state["latents"]]
        poses, index = (torch.cat([state[name], opened[name]], 1) for name in ("poses", "index"))
        if not poses.shape[1]:
            return None
        if opened["index"].shape[1]:
            latents.append(opened["latents"].mean(1, keepdim=True))
        actions, rays = seen_from(poses, reference, self.sizes.grid, self.sizes.field_of_view)
        held = state["index"].shape[1]
        grouped = (self._grouped(value, held) for value in (actions, rays, index.float()))
        actions, rays, numbers = grouped
        return Frames(torch.cat(latents, 1), actions, rays, numbers.long())

    def _grouped(self, values: Shaped[Tensor, "B F *rest"], held: int) -> Shaped[Tensor, "B G *rest"]:
        """Means over each entry's frames, and over those of the open group behind the first ``held`` frames."""
        parts = [pool_groups(values[:, :held], self.ratio)] if held else []
        if values.shape[1] > held:
            parts.append(values[:, held:].mean(1, keepdim=True))
        return torch.cat(parts, 1)

    def _bounded(self, entries: State, limit: int) -> State:
        """Entries, of which at most ``limit`` are left to each clip."""
        count = entries["latents"].shape[1]
        if count <= limit:
            return entries
        kept = self._survivors(entries["poses"], count, limit)
        return {name: _taken(value, kept if name == "latents" else self._members(kept))
                for name, value in entries.items()}  # fmt: skip

    def _members(self, kept: Int[Tensor, "B G"]) -> Int[Tensor, "B F"]:
        """Positions of the frames of entries ``kept``."""
        within = torch.arange(self.ratio, device=kept.device)
        return rearrange(kept[..., None] * self.ratio + within, "B G r -> B (G r)")

    def _survivors(self, poses: Float64[Tensor, "B F 6"], count: int, limit: int) -> Int[Tensor, "B G"]:
        """Which ``limit`` of ``count`` entries stay, by the poses of all their frames."""
        if self.sizes.eviction == "fifo" or poses.is_meta:  # without numbers, any choice is of the right size
            return repeat(torch.arange(count - limit, count, device=poses.device), "G -> B G", B=len(poses))
        chosen = [
            least_redundant(clip.tobytes(), count, limit, self.sizes.field_of_view, self.sizes.aspect)
            for clip in poses.cpu().numpy()
        ]
        return torch.tensor(chosen, dtype=torch.int64, device=poses.device).reshape(len(poses), limit)


@lru_cache(maxsize=2**16)
def least_redundant(poses: bytes, count: int, limit: int, field_of_view: float, aspect: float) -> tuple[int, ...]:
    """Positions, in order, of the ``limit`` of ``count`` entries that are left once the most redundant have gone.

    poses: float64 numbers of the frames of all entries, count x r x 6, as bytes.
    """
    views = np.frombuffer(poses).reshape(-1, 6)
    shared = overlap(views, views, field_of_view, aspect=aspect)
    # covered[i, j]: how much of entry i's views entry j sees, each view by the frame of j that sees most of it.
    covered = rearrange(shared, "(i f) (j g) -> i f j g", i=count, j=count).max(-1).mean(1)
    np.fill_diagonal(covered, -1)
    left = list(range(count))
    while len(left) > limit:
        others = np.sort(covered[np.ix_(left, left)], 1)[:, 1:]  # without the entry itself
        redundancy = others[:, -BEST:].sum(1).round(9)  # rounded: the last bits decide between no two
        left.pop(int(redundancy.argmax()))  # the first of equals is the oldest
    return tuple(left)


def pool_groups(values: Shaped[Tensor, "B F *rest"], ratio: int, padded: bool = False) -> Shaped[Tensor, "B G *rest"]:
    """Means (B, G, ...) over groups of ``ratio`` consecutive frames of values (B, F, ...); G = ceil(F / ratio).

    Groups are counted back from the newest frame, so that a remainder falls to the oldest: a mean of the frames it has,
    or, ``padded``, of these and as many copies of the oldest as it lacks (the release's framepack_length.py:40-43).
    """
    if padded and (short := -values.shape[1] % ratio):
        values = torch.cat([values[:, :1]] * short + [values], 1)
    groups = torch.split(values.flip(1), ratio, 1)
    return torch.stack([group.mean(1) for group in groups], 1).flip(1)


def _after(state: State | None, name: str, value: Shaped[Tensor, "B F *rest"]) -> Shaped[Tensor, "B G *rest"]:
    """What a state holds under ``name``, and ``value`` behind it."""
    return value if state is None else torch.cat([state[name], value], 1)


def _taken(values: Shaped[Tensor, "B F *rest"], order: Int[Tensor, "B G"]) -> Shaped[Tensor, "B G *rest"]:
    """Values (B, G, ...) at positions ``order`` (B, G) along the second dimension."""
    return values[torch.arange(len(order), device=order.device)[:, None], order]
