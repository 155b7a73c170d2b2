"""Probed frames: the returns of a row with its memory intact and after each intervention, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from echo.io.errors import UserError
from echo.io.tensors import load_tensors, mending, read_header, save_tensors
from echo.measures.verdict import PROBES

PROBED = "recall"  # the branch whose cases are probed
Shown = UInt8[np.ndarray, "cases frames height width 3"]


class SceneError(UserError):
    """Cases that are all of one scene, so that no scene can be swapped for another."""


class ProbeFileError(UserError):
    """Probed frames that are not those of the study's cases."""


@dataclass(frozen=True)
class Probed:
    """The return frames of recall ``cases``: ``frames["intact"]`` and those after each of ``PROBES``."""

    frames: Mapping[str, Shown]
    cases: list[str]

    @property
    def changes(self) -> dict[str, Float64[np.ndarray, " cases"]]:
        """By probe, the mean absolute change of each case's return frames, in grey levels of 255."""
        intact = self.frames["intact"].astype(float)
        return {probe: np.abs(self.frames[probe] - intact).mean((1, 2, 3, 4)) for probe in PROBES}

    def save(self, path: Path) -> None:
        """Write as safetensors, atomically."""
        save_tensors(path, dict(self.frames), {"cases": self.cases})

    @classmethod
    def load(cls, path: Path, cases: list[str]) -> Probed:
        """Read what ``save`` wrote of ``cases``.

        Raises TensorFileError for a damaged file, ProbeFileError for one of other cases or probes.
        """
        held = cls(load_tensors(path, "np"), read_header(path).get("cases", []))
        if held.cases != cases or set(held.frames) != {"intact", *PROBES}:
            raise ProbeFileError(f"{path}: not the probes of the study's {len(cases)} cases; {mending(path)}")
        return held


def other_scene(scenes: list[str]) -> list[int]:
    """For each case, the position of the next case (cyclically) of another scene.

    Raises SceneError if all cases are of one scene.
    """
    count = len(scenes)
    picks = []
    for i in range(count):
        steps = (k % count for k in range(i + 1, i + count))
        pick = next((k for k in steps if scenes[k] != scenes[i]), None)
        if pick is None:
            raise SceneError(
                f"the swap probe needs cases of at least two scenes, all {count} are of {scenes[0]!r}; raise "
                "evaluate.probe_cases, or the number of rooms"
            )
        picks.append(pick)
    return picks
