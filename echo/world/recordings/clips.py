"""Cutting a study's clips from recordings: which frames each split plays. No frame is copied.

``world.held_out_videos`` videos, drawn by the study's seed, give the open domain; of every other video the last part
is reserved for the in-domain clips and the rest is for training. Clips avoid whatever is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from echo.io.files import atomic_path
from echo.io.seeding import generator
from echo.io.tensors import save_tensors
from echo.study.config import Study
from echo.study.words import SEGMENTS, SPLITS
from echo.world.errors import RecordingError
from echo.world.layout import COLUMNS, VIDEOS
from echo.world.recordings.base import Recordings
from echo.world.recordings.clip_paths import OUT, RECORDED, offsets, qualifies, turns
from echo.world.recordings.clip_pool import CLIPS
from echo.world.recordings.fit import crop_box
from echo.world.recordings.index import report_lines
from echo.world.recordings.returns import returning

RESERVED = 0.1  # part of a training video kept for the in-domain clips
STRIDES = 4  # loops and returns may be up to this many times faster than world.stride


@dataclass(frozen=True)
class Stretch:
    """Frames first .. stop - 1 of a video."""

    video: str
    first: int
    stop: int


@dataclass(frozen=True)
class Clip:
    """A clip's kind, source video, first frame, stride and the numbers of all its frames."""

    kind: str
    video: str
    start: int
    stride: int
    frames: Int64[np.ndarray, " frames"]

    @property
    def last(self) -> int:
        """The largest frame number it plays."""
        return int(self.frames.max())


def cut_pool(study: Study, split: str, folder: Path, recordings: Recordings) -> dict:
    """Cut ``split`` ("train", "in_domain" or "open_domain") and write it to ``folder`` for ``ClipPool`` to read.

    clips.safetensors: frame numbers and poses of all clips; clips.csv: one row per clip for people, with its caption;
    videos.csv as in every pool. A function of the study and the recordings. Returns what a record should hold:
    ``missing`` (``Recordings.report``) and ``clips``, their number by kind. Raises RecordingError where the recordings
    have too few clips of a kind, or see less than the study's field of view.
    """
    world = study.world
    print("\n".join([f"{recordings.folder}: {len(recordings.videos)} videos", *report_lines(recordings.report())]))
    stretches = splits(study, recordings)[split]
    clips = [
        clip
        for kind in RECORDED[split]
        for clip in choose_clips(study, recordings, kind, world.rooms(split), stretches)
    ]
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


def splits(study: Study, recordings: Recordings) -> dict[str, list[Stretch]]:
    """The stretches each split is cut from; no frame is in two of them. Only videos with a caption take part."""
    videos = [v for v in recordings.videos if recordings.captioned(v) and _usable(recordings, v).any()]
    held_out = study.world.held_out_videos
    if held_out >= len(videos):
        raise RecordingError(
            f"{recordings.folder}: world.held_out_videos = {held_out}, but {len(videos)} videos have frames, poses and "
            f"a caption ({'; '.join(report_lines(recordings.report()))})"
        )
    order = generator(study.seed, "held out videos").permutation(len(videos))
    kept = {videos[i] for i in order[:held_out]}
    clips = math.ceil(study.world.in_domain_rooms / (len(videos) - held_out))  # of each kind, of a training video
    stretches: dict[str, list[Stretch]] = {split: [] for split in RECORDED}
    for video in videos:
        length = recordings.length(video)
        if video in kept:
            stretches["open_domain"].append(Stretch(video, 0, length))
            continue
        border = length - _reserved(study, length, clips)
        stretches["train"].append(Stretch(video, 0, border))
        stretches["in_domain"].append(Stretch(video, border, length))
    return stretches


def _reserved(study: Study, length: int, clips: int) -> int:
    """Frames at a training video's end for in-domain clips: ``RESERVED`` of it, or as many more as ``clips`` take.

    More is taken only where half the video and a training clip are left; a very short video gives its tenth, in
    which no clip fits, and is for training alone.
    """
    frames, stride = study.segment.frames, study.world.stride
    share = math.ceil(RESERVED * length)
    train = 1 + study.segment.train_segments * frames * stride
    replay, loop = 1 + SEGMENTS["replay"] * frames * stride, 1 + OUT["loop"] * frames * stride * STRIDES
    for wanted in (clips * max(replay, loop), max(replay, loop), clips * replay, replay):
        if length - max(share, wanted) >= max(train, length / 2):
            return max(share, wanted)
    return share


def choose_clips(study: Study, recordings: Recordings, kind: str, count: int, stretches: list[Stretch]) -> list[Clip]:
    """``count`` clips of a kind from the stretches; raises RecordingError where there are too few.

    Training clips are drawn from all starts alike, ``world.returning`` of them from those that come back, and may share
    frames. Clips of other kinds share none with others of
    their kind, and videos take turns. Loops and returns are taken at ``world.stride`` where there are enough, or else
    at the strides next to it, up to ``STRIDES`` times faster.
    """
    own = study.world.stride
    if kind == "train":
        starts = [(s.video, int(first)) for s in stretches for first in _starts(study, recordings, kind, own, s)]
        chosen = _choose_returning(study, recordings, round(study.world.returning * count), stretches)
        picked = generator(study.seed, "clips", kind).permutation(len(starts))[: count - len(chosen)]
        chosen += [_clip(study, kind, starts[i][0], starts[i][1], own) for i in picked]
    else:
        chosen = _choose_disjoint(study, recordings, kind, count, stretches, packed=False)
        if len(chosen) < count:  # starts at random leave gaps
            chosen = _choose_disjoint(study, recordings, kind, count, stretches, packed=True)
    if len(chosen) < count:
        needs = f"{1 + int(offsets(kind, study.segment.frames, own, _segments(study, kind)).max())} frames in a row"
        if kind in OUT:
            needs += " with the camera turning as the kind asks (docs/data.md)"
        raise RecordingError(
            f"{recordings.folder}: {len(chosen)} clips of {kind} found in {len(stretches)} stretches, {count} asked "
            f"for; each takes {needs}. Lower {_KEYS[kind]}, segment.frames or world.stride, or add videos"
        )
    return chosen


_KEYS = {
    "train": "world.train_rooms",
    **dict.fromkeys(RECORDED["in_domain"], "world.in_domain_rooms (and evaluate.cases)"),
    **dict.fromkeys(RECORDED["open_domain"], "world.open_domain_rooms (and evaluate.cases)"),
}


def _choose_returning(study: Study, recordings: Recordings, count: int, stretches: list[Stretch]) -> list[Clip]:
    """``count`` training clips that come back (``returns``); raises RecordingError where there are fewer."""
    if not count:
        return []
    world, own, found = study.world, study.world.stride, []
    for stretch in stretches:
        starts, video = _starts(study, recordings, "train", own, stretch), stretch.video
        usable = _usable(recordings, video)
        poses = np.full((len(usable), 6), np.nan)
        poses[usable] = recordings.poses(video, np.flatnonzero(usable))
        usable[: stretch.first] = usable[stretch.stop :] = False
        back = returning(starts, poses, usable, own * study.segment.frames, study.segment.train_segments,
                         world.field_of_view, world.height / world.width)  # fmt: skip
        found += [(video, int(first)) for first in starts[back]]
    if len(found) < count:
        raise RecordingError(
            f"{recordings.folder}: {len(found)} training clips that come back found, {count} asked for (of "
            f"{world.train_rooms}); lower world.returning, or add segment.train_segments or world.stride"
        )
    picked = generator(study.seed, "clips", "returning").permutation(len(found))[:count]
    return [_clip(study, "train", found[i][0], found[i][1], own) for i in picked]


def _choose_disjoint(
    study: Study, recordings: Recordings, kind: str, count: int, stretches: list[Stretch], packed: bool
) -> list[Clip]:
    """Up to ``count`` clips that share no frame, videos in turn; starts at random or, ``packed``, early."""
    draw, own = generator(study.seed, "clips", kind), study.world.stride
    strides = sorted(range(1, STRIDES * own + 1), key=lambda s: abs(math.log(s / own))) if kind in OUT else [own]
    chosen: list[Clip] = []
    for stride in strides:
        queues = {}
        for position in draw.permutation(len(stretches)):
            starts = _starts(study, recordings, kind, stride, stretches[position])
            queues[stretches[position].video] = list(starts[::-1] if packed else draw.permutation(starts))
        _take_turns(study, kind, stride, queues, count, chosen)
        if len(chosen) == count:
            break
    return chosen


def _take_turns(study: Study, kind: str, stride: int, queues: dict[str, list], count: int, chosen: list[Clip]) -> None:
    """Add clips to ``chosen``, videos in turn, none sharing frames with another, until there are ``count``."""
    taken = {video: [(c.start, c.last) for c in chosen if c.video == video] for video in queues}
    while len(chosen) < count and any(queues.values()):
        for video, queue in queues.items():
            while queue and len(chosen) < count:
                clip = _clip(study, kind, video, int(queue.pop()), stride)
                if all(clip.last < first or clip.start > last for first, last in taken[video]):
                    taken[video].append((clip.start, clip.last))
                    chosen.append(clip)
                    break


def _starts(
    study: Study, recordings: Recordings, kind: str, stride: int, stretch: Stretch
) -> Int64[np.ndarray, " starts"]:
    """First frames of all clips of the kind that fit in a stretch, miss nothing and move as they should."""
    steps = offsets(kind, study.segment.frames, stride, _segments(study, kind))
    usable = _usable(recordings, stretch.video)[stretch.first : stretch.stop]
    count = len(usable) - int(steps.max())
    if count <= 0:
        return np.zeros(0, np.int64)
    whole = np.ones(count, dtype=bool)
    for step in np.unique(steps):
        whole &= usable[step : step + count]
    starts = stretch.first + np.flatnonzero(whole)
    if kind not in OUT or not len(starts):
        return starts
    world = study.world
    first, far = recordings.poses(stretch.video, starts), recordings.poses(stretch.video, starts + int(steps.max()))
    return starts[qualifies(kind, first, far, world.field_of_view, world.height / world.width)]


def _clip(study: Study, kind: str, video: str, start: int, stride: int) -> Clip:
    """The clip of a kind that begins at ``start``."""
    return Clip(kind, video, start, stride, start + offsets(kind, study.segment.frames, stride, _segments(study, kind)))


def _segments(study: Study, kind: str) -> int | None:
    """Segments of a clip where the study decides on them; None where the kind does."""
    return study.segment.train_segments if kind == "train" else None


def _usable(recordings: Recordings, video: str) -> Bool[np.ndarray, " frames"]:
    """Which frames of a video are there and have a pose."""
    return recordings.present(video) & recordings.posed(video)


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
