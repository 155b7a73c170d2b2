"""The index of recordings: what every frame of every video has. Built once, kept in one file, opened at once.

One safetensors file holds flat arrays over all frames of all videos (50 to 60 bytes per frame: 43 MB for 760,100); its
header holds the videos' names, captions and fields of view, and the fingerprint of the folder it was built from.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64
from safetensors import SafetensorError
from tqdm import tqdm

from echo.io.files import digest
from echo.io.tensors import TensorFileError, load_tensors, read_header, save_tensors
from echo.study.provenance import code_digest
from echo.world.errors import RecordingError
from echo.world.layout import Span

UNREADABLE = "unreadable files"
MAX_INDEX_FRAMES = 200_000_000  # of all videos: 12 GB, which are held twice while they are joined


@dataclass(frozen=True)
class Scene:
    """What one video has.

    poses: NaN where missing; labelled: None where the format has no overlap labels; where: the reader's own mark of
    each frame's place in its file; size: (height, width); problem: one line on a file that could not be read.
    """

    present: Bool[np.ndarray, " frames"]
    poses: Float64[np.ndarray, "frames 6"]
    labelled: Bool[np.ndarray, " frames"] | None = None
    where: Int64[np.ndarray, " frames"] | None = None
    captions: list[Span] = field(default_factory=list)
    field_of_view: float | None = None
    size: tuple[int, int] | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Index:
    """Flat arrays over all frames, and lists over videos; frames of video v are starts[v] .. starts[v + 1] - 1."""

    videos: list[str]
    starts: Int64[np.ndarray, " videos_and_end"]
    present: Bool[np.ndarray, " all_frames"]
    poses: Float64[np.ndarray, "all_frames 6"]
    labelled: Bool[np.ndarray, " all_frames"]
    where: Int64[np.ndarray, " all_frames"]
    captions: list[list[Span]]
    fields_of_view: list[float | None]
    sizes: list[tuple[int, int] | None]
    problems: list[str | None]

    @classmethod
    def of(cls, scenes: dict[str, Scene]) -> Index:
        """Join the scenes of all videos; a kind of label that the format does not have counts as there."""
        lengths = [len(scene.present) for scene in scenes.values()]
        rows = list(scenes.values())

        def joined(arrays: list[np.ndarray], empty: np.ndarray) -> np.ndarray:
            return np.concatenate([empty, *arrays])

        return cls(
            videos=list(scenes),
            starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            present=joined([s.present for s in rows], np.zeros(0, bool)),
            poses=joined([s.poses for s in rows], np.zeros((0, 6))),
            labelled=joined(
                [np.ones(n, bool) if s.labelled is None else s.labelled for s, n in zip(rows, lengths, strict=True)],
                np.zeros(0, bool),
            ),
            where=joined(
                [np.arange(n) if s.where is None else s.where for s, n in zip(rows, lengths, strict=True)],
                np.zeros(0, np.int64),
            ),
            captions=[s.captions for s in rows],
            fields_of_view=[s.field_of_view for s in rows],
            sizes=[s.size for s in rows],
            problems=[s.problem for s in rows],
        )

    def save(self, path: Path, fingerprint: str) -> None:
        """Write atomically."""
        arrays = {"starts": self.starts, "present": self.present, "poses": self.poses, "labelled": self.labelled,
                  "where": self.where}  # fmt: skip
        header = {"fingerprint": fingerprint, "videos": self.videos, "captions": self.captions, "sizes": self.sizes,
                  "fields_of_view": self.fields_of_view, "problems": self.problems}  # fmt: skip
        save_tensors(path, {name: np.asarray(array) for name, array in arrays.items()}, header)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Index | None:
        """Read what ``save`` wrote; None where there is none, or that of another folder, or a damaged one."""
        try:
            header = read_header(path) if path.is_file() else {}
            if header.pop("fingerprint", None) != fingerprint:
                return None
            arrays = load_tensors(path, "np")
        except (TensorFileError, SafetensorError, json.JSONDecodeError):
            return None
        # JSON has no tuples.
        header["sizes"] = [size and tuple(size) for size in header["sizes"]]
        header["captions"] = [[tuple(span) for span in spans] for spans in header["captions"]]
        return cls(**arrays, **header)

    def report(self) -> dict[str, dict]:
        """What is missing, by kind: its count, the number of videos it concerns, and the first one by name."""
        report = {}
        per_frame = {"frames": ~self.present, "poses": np.isnan(self.poses[:, 0]), "overlap labels": ~self.labelled}
        for kind, missing in per_frame.items():
            places = np.flatnonzero(missing)
            if len(places):
                of = np.searchsorted(self.starts, places, side="right") - 1
                first = f"{kind.removesuffix('s')} {places[0] - self.starts[of[0]]} of {self.videos[of[0]]}"
                report[kind] = {"count": len(places), "videos": len(np.unique(of)), "first": first}
        per_video = {"captions": [not c for c in self.captions], UNREADABLE: [bool(p) for p in self.problems]}
        for kind, missing in per_video.items():
            places = np.flatnonzero(missing)
            if len(places):
                first = self.problems[places[0]] if kind == UNREADABLE else f"caption of {self.videos[places[0]]}"
                report[kind] = {"count": len(places), "videos": len(places), "first": first}
        return report


def open_index(
    cache: Path, source: str, watched: list, names: Callable[[], list[str]], scan: Callable[[str], Scene]
) -> Index:
    """The index at ``cache`` if it is that of the folder as it is now, or else a new one, written there.

    watched: facts that change with the folder (``Recordings._watched``). An index is that of a folder if they and the
    source's code are the same. Raises RecordingError for more than ``MAX_INDEX_FRAMES``.
    """
    fingerprint = digest([source, watched, code_digest(f"world/recordings/{source}")])
    known = Index.load(cache, fingerprint)
    if known is not None:
        return known
    scenes, frames = {}, 0
    for video in tqdm(names(), desc=f"index {source}", mininterval=5, disable=None):
        scenes[video] = scan(video)
        frames += len(scenes[video].present)
        if frames > MAX_INDEX_FRAMES:
            raise RecordingError(f"world.path: more than {MAX_INDEX_FRAMES:,} frames up to {video}; give fewer videos")
    index = Index.of(scenes)
    index.save(cache, fingerprint)
    return index


def report_lines(report: dict[str, dict]) -> list[str]:
    """A report as lines to print; one line where nothing is missing."""
    lines = []
    for kind, entry in report.items():
        name = kind if kind == UNREADABLE else f"missing {kind}"
        why = f" ({entry['why']})" if "why" in entry else ""
        lines.append(f"{name}: {entry['count']} in {entry['videos']} videos, first: {entry['first']}{why}")
    return lines or ["nothing is missing"]
