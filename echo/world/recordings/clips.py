"""Cutting a study's clips from recordings: which frames each split plays, in tables. No frame is copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from echo.io.files import atomic_path
from echo.io.tensors import save_tensors
from echo.study.config import Study
from echo.study.words import SPLITS
from echo.world.errors import RecordingError
from echo.world.layout import COLUMNS, VIDEOS
from echo.world.recordings.base import Recordings
from echo.world.recordings.clip_choice import Clip, Wanted, find_clips, splits
from echo.world.recordings.clip_paths import RECORDED, turns
from echo.world.recordings.clip_pool import CLIPS
from echo.world.recordings.fit import crop_box
from echo.world.recordings.index import report_lines
from echo.world.recordings.shortage import shortage


def cut_pool(study: Study, split: str, folder: Path, recordings: Recordings) -> dict:
    """Cut ``split`` ("train", "in_domain" or "open_domain") and write it to ``folder`` for ``ClipPool`` to read.

    clips.safetensors: frame numbers and poses of all clips; clips.csv: one row per clip for people, with its caption;
    videos.csv as in every pool. A function of the study and the recordings. Returns what a record should hold:
    ``missing`` (``Recordings.report``) and ``clips``, their number by kind. Raises RecordingError where the recordings
    have too few clips of a kind, or see less than the study's field of view.
    """
    wanted, world = Wanted.of(study), study.world
    print("\n".join([f"{recordings.folder}: {len(recordings.videos)} videos", *report_lines(recordings.report())]))
    stretches = splits(wanted, recordings)[split]
    count = world.rooms(split)
    found = {kind: find_clips(wanted, recordings, kind, count, stretches) for kind in RECORDED[split]}
    if any(len(clips) < count for clips in found.values()):
        raise RecordingError(shortage(wanted, recordings))
    clips = [clip for clips in found.values() for clip in clips]
    for video in sorted({clip.video for clip in clips}):
        crop_box(recordings.size(video), recordings.field_of_view(video), (world.height, world.width),
                 world.field_of_view, f"{recordings.folder}: {video}")  # fmt: skip
    named = sorted(_names(split, clips).items())
    poses = [recordings.poses(clip.video, clip.frames) for _, clip in named]
    clip_rows = [_row(recordings, name, clip, pose) for (name, clip), pose in zip(named, poses, strict=True)]
    rows = [(name, split, clip.video, "", clip.kind, len(clip.frames)) for name, clip in named]
    header = {"source": recordings.source, "folder": str(recordings.folder.resolve()),
              "cache": str(recordings.cache.resolve()), "poses_are": recordings.poses_are,
              "size": [world.height, world.width], "field_of_view": world.field_of_view}  # fmt: skip
    for file, table in (("clips.csv", pd.DataFrame(clip_rows)), (VIDEOS, pd.DataFrame(rows, columns=COLUMNS))):
        with atomic_path(Path(folder) / file) as temporary:
            table.to_csv(temporary, index=False)
    arrays = {"frames": np.concatenate([clip.frames for _, clip in named]), "poses": np.concatenate(poses)}
    save_tensors(Path(folder) / CLIPS, arrays, header)  # last: a pool is there once this is
    counts = {kind: sum(clip.kind == kind for clip in clips) for kind in RECORDED[split]}
    print(f"{split}: " + ", ".join(f"{count} clips of {kind}" for kind, count in counts.items()))
    return {"missing": recordings.report(), "clips": counts}


def _names(split: str, clips: list[Clip]) -> dict[str, Clip]:
    """Clips by name, numbered within their kind: ``train_00000__scene``, ``in_000__scene__loop``."""
    counts, named = dict.fromkeys(RECORDED[split], 0), {}
    digits = 6 if split == "train" else 4
    for clip in clips:
        kind = "" if split == "train" else f"__{clip.kind}"
        named[f"{SPLITS[split].prefix}_{counts[clip.kind]:0{digits}d}__{clip.video.replace('/', '-')}{kind}"] = clip
        counts[clip.kind] += 1
    return named


def _row(
    recordings: Recordings, name: str, clip: Clip, poses: Float64[np.ndarray, "frames 6"]
) -> dict[str, str | int | float]:
    """A clip's row of clips.csv; turn: degrees from the first view to the one farthest on in the recording."""
    far = int(clip.frames.argmax())
    turn = turns(poses[:1], poses[far : far + 1])[0]
    return {"clip": name, "recording": clip.video, "kind": clip.kind, "start": clip.start, "last": clip.last,
            "stride": clip.stride, "turn": round(float(turn), 1),
            "caption": recordings.caption(clip.video, clip.start)}  # fmt: skip
