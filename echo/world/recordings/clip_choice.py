"""Which recorded frames a study's clips play: how videos are shared out among splits, and where clips begin.

``world.held_out_videos`` videos, drawn by the study's seed, give the open domain; of every other video the last part
is reserved for the in-domain clips and the rest is for training. Clips avoid whatever is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int64

from echo.io.seeding import generator
from echo.study.config import Segment, Study, World
from echo.study.words import SEGMENTS
from echo.world.errors import RecordingError
from echo.world.recordings.base import Recordings
from echo.world.recordings.clip_paths import OUT, RECORDED, offsets, qualifies
from echo.world.recordings.index import report_lines
from echo.world.recordings.returns import returning

RESERVED = 0.1  # part of a training video kept for the in-domain clips
STRIDES = 4  # loops and returns may be up to this many times faster than world.stride


@dataclass(frozen=True)
class Wanted:
    """What clips are cut by: the part of a study that decides on them."""

    seed: int
    segment: Segment
    world: World

    @classmethod
    def of(cls, study: Study) -> Wanted:
        """A study's."""
        return cls(study.seed, study.segment, study.world)

    def with_world(self, **keys: int | float) -> Wanted:
        """With other values of some keys of ``world``."""
        return replace(self, world=self.world.model_copy(update=keys))


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


def splits(wanted: Wanted, recordings: Recordings) -> dict[str, list[Stretch]]:
    """The stretches each split is cut from; no frame is in two of them. Only videos with a caption take part."""
    videos = [v for v in recordings.videos if recordings.captioned(v) and _usable(recordings, v).any()]
    held_out = wanted.world.held_out_videos
    if held_out >= len(videos):
        raise RecordingError(
            f"{recordings.folder}: world.held_out_videos = {held_out}, but {len(videos)} videos have frames, poses and "
            f"a caption ({'; '.join(report_lines(recordings.report()))})"
        )
    order = generator(wanted.seed, "held out videos").permutation(len(videos))
    kept = {videos[i] for i in order[:held_out]}
    clips = math.ceil(wanted.world.in_domain_rooms / (len(videos) - held_out))  # of each kind, of a training video
    stretches: dict[str, list[Stretch]] = {split: [] for split in RECORDED}
    for video in videos:
        length = recordings.length(video)
        if video in kept:
            stretches["open_domain"].append(Stretch(video, 0, length))
            continue
        border = length - _reserved(wanted, length, clips)
        stretches["train"].append(Stretch(video, 0, border))
        stretches["in_domain"].append(Stretch(video, border, length))
    return stretches


def _reserved(wanted: Wanted, length: int, clips: int) -> int:
    """Frames at a training video's end for in-domain clips: ``RESERVED`` of it, or as many more as ``clips`` take.

    More is taken only where half the video and a training clip are left; a very short video gives its tenth, in
    which no clip fits, and is for training alone.
    """
    frames, stride = wanted.segment.frames, wanted.world.stride
    share = math.ceil(RESERVED * length)
    train = 1 + wanted.segment.train_segments * frames * stride
    replay, loop = 1 + SEGMENTS["replay"] * frames * stride, 1 + OUT["loop"] * frames * stride * STRIDES
    for part in (clips * max(replay, loop), max(replay, loop), clips * replay, replay):
        if length - max(share, part) >= max(train, length / 2):
            return max(share, part)
    return share


def find_clips(wanted: Wanted, recordings: Recordings, kind: str, count: int, stretches: list[Stretch]) -> list[Clip]:
    """``count`` clips of a kind from the stretches, or as many as there are.

    Training clips are drawn from all starts alike, and may share frames; ``world.returning`` of them from those that
    come back, and where these are too few, others do not take their place. Clips of other kinds share none with others
    of their kind, and videos take turns. Loops and returns are taken at ``world.stride`` where there are enough, or
    else at the strides next to it, up to ``STRIDES`` times faster.
    """
    own = wanted.world.stride
    if kind != "train":
        chosen = _choose_disjoint(wanted, recordings, kind, count, stretches, packed=False)
        if len(chosen) < count:  # starts at random leave gaps
            chosen = _choose_disjoint(wanted, recordings, kind, count, stretches, packed=True)
        return chosen
    chosen = find_returning(wanted, recordings, count, stretches)
    starts = [(s.video, int(first)) for s in stretches for first in _starts(wanted, recordings, kind, own, s)]
    picked = generator(wanted.seed, "clips", kind).permutation(len(starts))[: count - returning_asked(wanted, count)]
    return chosen + [_clip(wanted, kind, starts[i][0], starts[i][1], own) for i in picked]


def returning_asked(wanted: Wanted, count: int) -> int:
    """How many of ``count`` training clips are to come back."""
    return round(wanted.world.returning * count)


def find_returning(wanted: Wanted, recordings: Recordings, count: int, stretches: list[Stretch]) -> list[Clip]:
    """The ones of ``count`` training clips that are to come back (``returns``), or as many as there are."""
    asked = returning_asked(wanted, count)
    if not asked:
        return []
    world, own, found = wanted.world, wanted.world.stride, []
    for stretch in stretches:
        starts, video = _starts(wanted, recordings, "train", own, stretch), stretch.video
        usable = _usable(recordings, video)
        poses = np.full((len(usable), 6), np.nan)
        poses[usable] = recordings.poses(video, np.flatnonzero(usable))
        usable[: stretch.first] = usable[stretch.stop :] = False
        back = returning(starts, poses, usable, own * wanted.segment.frames, wanted.segment.train_segments,
                         world.field_of_view, world.height / world.width)  # fmt: skip
        found += [(video, int(first)) for first in starts[back]]
    picked = generator(wanted.seed, "clips", "returning").permutation(len(found))[:asked]
    return [_clip(wanted, "train", found[i][0], found[i][1], own) for i in picked]


def frames_in_a_row(wanted: Wanted, kind: str) -> int:
    """Recorded frames that a clip of a kind spans at ``world.stride``."""
    return 1 + int(offsets(kind, wanted.segment.frames, wanted.world.stride, _segments(wanted, kind)).max())


def _choose_disjoint(
    wanted: Wanted, recordings: Recordings, kind: str, count: int, stretches: list[Stretch], packed: bool
) -> list[Clip]:
    """Up to ``count`` clips that share no frame, videos in turn; starts at random or, ``packed``, early."""
    draw, own = generator(wanted.seed, "clips", kind), wanted.world.stride
    strides = sorted(range(1, STRIDES * own + 1), key=lambda s: abs(math.log(s / own))) if kind in OUT else [own]
    chosen: list[Clip] = []
    for stride in strides:
        queues = {}
        for position in draw.permutation(len(stretches)):
            starts = _starts(wanted, recordings, kind, stride, stretches[position])
            queues[stretches[position].video] = list(starts[::-1] if packed else draw.permutation(starts))
        _take_turns(wanted, kind, stride, queues, count, chosen)
        if len(chosen) == count:
            break
    return chosen


def _take_turns(
    wanted: Wanted, kind: str, stride: int, queues: dict[str, list], count: int, chosen: list[Clip]
) -> None:
    """Add clips to ``chosen``, videos in turn, none sharing frames with another, until there are ``count``."""
    taken = {video: [(c.start, c.last) for c in chosen if c.video == video] for video in queues}
    while len(chosen) < count and any(queues.values()):
        for video, queue in queues.items():
            while queue and len(chosen) < count:
                clip = _clip(wanted, kind, video, int(queue.pop()), stride)
                if all(clip.last < first or clip.start > last for first, last in taken[video]):
                    taken[video].append((clip.start, clip.last))
                    chosen.append(clip)
                    break


def _starts(
    wanted: Wanted, recordings: Recordings, kind: str, stride: int, stretch: Stretch
) -> Int64[np.ndarray, " starts"]:
    """First frames of all clips of the kind that fit in a stretch, miss nothing and move as they should."""
    steps = offsets(kind, wanted.segment.frames, stride, _segments(wanted, kind))
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
    world = wanted.world
    first, far = recordings.poses(stretch.video, starts), recordings.poses(stretch.video, starts + int(steps.max()))
    return starts[qualifies(kind, first, far, world.field_of_view, world.height / world.width)]


def _clip(wanted: Wanted, kind: str, video: str, start: int, stride: int) -> Clip:
    """The clip of a kind that begins at ``start``."""
    return Clip(
        kind, video, start, stride, start + offsets(kind, wanted.segment.frames, stride, _segments(wanted, kind))
    )


def _segments(wanted: Wanted, kind: str) -> int | None:
    """Segments of a clip where the study decides on them; None where the kind does."""
    return wanted.segment.train_segments if kind == "train" else None


def _usable(recordings: Recordings, video: str) -> Bool[np.ndarray, " frames"]:
    """Which frames of a video are there and have a pose."""
    return recordings.present(video) & recordings.posed(video)
