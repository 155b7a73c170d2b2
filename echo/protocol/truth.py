"""A set with its truth, as a pool (``echo.world.pool.Pool``): given frames from the cases, the others from the truth.

Depth, object ids and overlap labels are not kept: what scoring needs of them is (``seen``).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, UInt8

from echo.io.tensors import TensorFileError, open_tensors, read_header
from echo.measures.seen import SeenBranch
from echo.protocol.case import Case, load_case, load_set
from echo.protocol.errors import ProtocolError
from echo.protocol.export import KNOWN
from echo.protocol.files import Frames
from echo.protocol.manifest import TRUTH, CaseSet, Entry, read
from echo.protocol.words import FRAME, branch_of
from echo.study.words import RETURN_FRAMES
from echo.world.errors import PoolError
from echo.world.images import read_images
from echo.world.layout import Indices, info_table
from echo.world.untrusted import locate


class TrueCases:
    """The cases of a set with what is true of them."""

    def __init__(self, cases: Path, truth: Path) -> None:
        """Raise ProtocolError where the truth is missing, or of another set."""
        self.folder, self.truth, self.set = Path(cases), Path(truth), load_set(cases)
        if not (self.truth / TRUTH).is_file():
            raise ProtocolError(
                f"{self.truth}: no truth of {self.set.name} there; export it again, or say where it is (--truth)"
            )
        held = read(CaseSet, self.truth, TRUTH)
        if (held.definition, held.pixels) != (self.set.definition, self.set.pixels):
            raise ProtocolError(
                f"{self.truth}: the truth of {held.name} {held.definition} (pixels {held.pixels}); the cases are "
                f"{self.set.name} {self.set.definition} (pixels {self.set.pixels})"
            )
        rows = []
        for entry in self.set.cases:
            header = self._header(entry.name)
            kind = branch_of(entry.branch).trajectory
            rows.append((entry.name, header["split"], entry.room, header["anchor"], kind, entry.frames))
        self.info: pd.DataFrame = info_table(rows)
        self.case = lru_cache(maxsize=2)(lambda name: load_case(self.folder, name))

    @property
    def videos(self) -> list[str]:
        """Names of all cases."""
        return list(self.info.index)

    def of(self, name: str) -> Case:
        """A case, as a model gets it."""
        return self.case(name)

    def frames(self, video: str, indices: Indices | None = None) -> Frames:
        """True frames, given or not."""
        entry, name = self.set.entry(video), video
        wanted = np.arange(entry.frames) if indices is None else np.asarray(indices)
        given = self.of(name).given_frames
        later = [int(number) for number in wanted if number >= entry.given]
        drawn = dict(zip(later, self._read(name, name, later), strict=True)) if later else {}
        return np.stack([given[number] if number < entry.given else drawn[int(number)] for number in wanted])

    def drawn(self, name: str, reference: str) -> Frames | None:
        """What a reference row that sees depth drew when the set was written; None where there was no depth."""
        entry = self.set.entry(name)
        if not (self.truth / name / reference).is_dir():
            return None
        return self._read(name, f"{name}/{reference}", range(entry.given, entry.frames))

    def length(self, video: str) -> int:
        """Frames of a case."""
        return self.set.entry(video).frames

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of a case, whatever the frame."""
        return self.of(video).caption

    def depth(self, video: str) -> Float32[np.ndarray, "frames height width"]:
        """Raise ProtocolError: it is not kept."""
        raise ProtocolError(f"{video}: a case set keeps no depth")

    def ids(self, video: str) -> UInt8[np.ndarray, "frames height width"]:
        """Raise ProtocolError: they are not kept."""
        raise ProtocolError(f"{video}: a case set keeps no object ids")

    def overlapping(self, video: str, index: int) -> list[int]:
        """Raise ProtocolError: they are not kept."""
        raise ProtocolError(f"{video}: a case set keeps no overlap labels")

    def poses(self, video: str) -> Float64[np.ndarray, "frames 6"]:
        """Of all frames."""
        return self.of(video).poses

    def masks(self, video: str) -> Bool[np.ndarray, "frames height width"]:
        """Where the anchor is in the first and the last frames; the others' masks are not kept, and are empty."""
        name, entry, (height, width) = video, self.set.entry(video), self.set.size
        masks = np.zeros((entry.frames, height, width), dtype=bool)
        masks[0] = self._read_mask(name)
        masks[-RETURN_FRAMES:] = self._bits(name, "anchor", RETURN_FRAMES)
        return masks

    def seen(self, name: str) -> SeenBranch | None:
        """Which pixels of the measured frames were seen before; None where there was no depth."""
        with open_tensors(self.truth / name / KNOWN, "np") as file:
            if "index" not in file.keys():  # noqa: SIM118 a file of tensors is no mapping
                return None
            index = file.get_tensor("index")
        given, past = (self._bits(name, kind, len(index))[None] for kind in ("given", "past"))
        return SeenBranch([name], index, given, past)

    def _header(self, name: str) -> dict:
        try:
            header = read_header(locate(self.truth, name, KNOWN))
        except (TensorFileError, PoolError, OSError) as error:
            raise ProtocolError(f"{name}: its truth cannot be read ({error}); export the cases again") from None
        return header

    def _bits(self, name: str, kind: str, count: int) -> Bool[np.ndarray, "frames height width"]:
        height, width = self.set.size
        with open_tensors(self.truth / name / KNOWN, "np") as file:
            packed = file.get_tensor(kind)
        return np.unpackbits(packed, axis=-1, count=height * width).astype(bool).reshape(count, height, width)

    def _read_mask(self, name: str) -> Bool[np.ndarray, "height width"]:
        return read_images([locate(self.of(name).folder, "mask.png")], name)[0, ..., 0] > 127

    def _read(self, name: str, folder: str, numbers: Indices | range) -> Frames:
        try:
            return read_images([locate(self.truth, folder, FRAME.format(int(number))) for number in numbers], name)
        except PoolError as error:
            raise ProtocolError(f"{name}: {error}; export the cases again") from None


def entries_of(made: CaseSet, branch: str) -> list[Entry]:
    """The cases of a branch."""
    return [entry for entry in made.cases if entry.branch == branch]
