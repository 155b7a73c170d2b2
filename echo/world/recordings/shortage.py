"""What recordings cannot give a study, every kind of clip at once, and a study that they can give."""

from __future__ import annotations

import math
from dataclasses import dataclass

from echo.world.recordings.base import Recordings
from echo.world.recordings.clip_choice import (
    Wanted,
    find_clips,
    find_returning,
    frames_in_a_row,
    returning_asked,
    splits,
)
from echo.world.recordings.clip_paths import OUT, RECORDED

BACK = "train clips that come back"
TRIES = 6  # fewer held-out rooms leave more of each video to training, so that what fits is found in steps


@dataclass(frozen=True)
class Count:
    """Clips of one kind that a split's stretches give, of those that were asked for."""

    split: str
    kind: str
    found: int
    asked: int


def counts(wanted: Wanted, recordings: Recordings) -> list[Count]:
    """Every kind of clip of every split."""
    stretches, listed = splits(wanted, recordings), []
    anywhere = wanted.with_world(returning=0.0)
    for split, kinds in RECORDED.items():
        asked = wanted.world.rooms(split)
        for kind in kinds:
            found = len(find_clips(anywhere, recordings, kind, asked, stretches[split]))
            listed.append(Count(split, kind, found, asked))
    returning = returning_asked(wanted, wanted.world.train_rooms)
    if returning:
        back = len(find_returning(wanted, recordings, wanted.world.train_rooms, stretches["train"]))
        listed.append(Count("train", BACK, back, returning))
    return listed


def fitting(wanted: Wanted, recordings: Recordings, found: list[Count]) -> Wanted | None:
    """The study with as many clips as the recordings have, tried on them; None where a kind has none at all."""
    for _ in range(TRIES):
        if all(count.found >= count.asked for count in found):
            return wanted
        own = {split: [count.found for count in found if (count.split, count.kind) != ("train", BACK)
                       and count.split == split] for split in RECORDED}  # fmt: skip
        rooms = {f"{split}_rooms": min(numbers) for split, numbers in own.items()}
        if not all(rooms.values()):
            return None
        back = [count.found for count in found if count.kind == BACK]
        share = {"returning": math.floor(100 * back[0] / rooms["train_rooms"]) / 100} if back else {}
        share = {key: min(value, wanted.world.returning) for key, value in share.items()}
        wanted = wanted.with_world(**rooms, **share)
        found = counts(wanted, recordings)
    return None


def shortage(wanted: Wanted, recordings: Recordings) -> str:
    """One line: each kind of clip of which there are too few, and what to write into the study instead."""
    found = counts(wanted, recordings)
    short = [count for count in found if count.found < count.asked]
    listed = "; ".join(
        f"{count.kind}: {count.found} of {count.asked} ({_needs(wanted, count.kind)})" for count in short
    )
    smaller, world = fitting(wanted, recordings, found), wanted.world
    if smaller is None:
        none = ", ".join(count.kind for count in short if not count.found) or "some kind"
        advice = f"no number of rooms fits, as there is no {none}"
    else:
        keys = ("train_rooms", "in_domain_rooms", "open_domain_rooms", "returning")
        lower = {key: getattr(smaller.world, key) for key in keys if getattr(smaller.world, key) != getattr(world, key)}
        values = ", ".join(f"{key}: {value}" for key, value in lower.items())
        cases = min(smaller.world.in_domain_rooms, smaller.world.open_domain_rooms)
        advice = f"what fits is `world: {{{values}}}`, with at most {cases} evaluate.cases"
    return (
        f"{recordings.folder}: too few clips: {listed}; {advice}. Or lower segment.frames or world.stride, or add "
        "videos, longer ones or ones whose camera turns more"
    )


def _needs(wanted: Wanted, kind: str) -> str:
    """What a clip of the kind takes of a video."""
    row = f"{frames_in_a_row(wanted, 'train' if kind == BACK else kind)} frames in a row"
    if kind == BACK:
        return f"{row}, which see again what was out of sight"
    return f"{row}, the camera turning as docs/data.md says" if kind in OUT else row
