"""Answers that somebody else's model gave, read as files that nobody vouches for.

An answer is ``NAME.mp4`` or a folder ``NAME`` of PNG files named by the frame's number; nothing else of the folder is
read, and nothing in it is executed. Sizes, counts and durations are known to fit before anything is decoded. Whatever
does not fit is a ProtocolError of one line that begins with the case's name.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from echo.measures.cases import CEILING
from echo.measures.images import psnr
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.protocol.manifest import Entry
from echo.protocol.words import FRAME
from echo.world.errors import PoolError
from echo.world.images import image_size, read_images
from echo.world.recordings.video import read_at, time_stamps
from echo.world.untrusted import locate, shown

ASPECT = 0.01  # by which the ratio of an answer's sides may differ from the set's
RATE_TOLERANCE = 0.02  # by which a video's frame rate may differ
BYTES = 16  # of an answer's files, at most, for each pixel of the set's frames: five times what no compression takes
LARGER = 4  # times the set's height and width that an answer's frames may have
NEARER = 1.0  # dB by which one end of a clip is nearer to the last given frame than its other end is
FITS = 2.0  # dB by which an answer is nearer to the true frames turned round than to the true frames
SWAPPED = "swapped"  # the folder of answers to cases with another's history
RECORD = "answers.json"
VIDEO = ".mp4"


@dataclass(frozen=True)
class Answer:
    """A case's frames at the set's size, how large they were, and the sha256 of the files they are of."""

    frames: Frames
    resized: bool
    sha256: str


class AnswersError(ProtocolError):
    """Answers that do not fit: ``faults`` has a line for each."""

    def __init__(self, folder: Path, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(
            f"{folder}: {len(faults)} answers do not fit, the first being: {faults[0]}; nothing was scored"
        )


def read_answer(folder: Path, entry: Entry, size: tuple[int, int], rate: float) -> Answer:
    """The answer to a case; size: (height, width) of the set, rate: its frames a second."""
    numbers = range(entry.given, entry.frames)
    try:
        found = _find(Path(folder), entry.name)
        limit = BYTES * len(numbers) * size[0] * size[1] + 2**20
        if found.is_dir():
            paths = _frame_files(Path(folder), found, entry.name, numbers)
            _check_bytes(paths, limit, entry.name)
            shapes = {path: image_size(path, entry.name) for path in paths}
            for path, own in shapes.items():
                _check_shape(own, size, entry.name, path.name)
            if len(set(shapes.values())) > 1:
                one, other = sorted(set(shapes.values()))[:2]
                raise ProtocolError(f"{entry.name}: frames of {_pixels(one)} and of {_pixels(other)} pixels")
            frames = read_images(paths, entry.name)
        else:
            paths = [found]
            _check_bytes(paths, limit, entry.name)
            frames = _video_frames(found, entry.name, len(numbers), size, rate)
    except (PoolError, OSError) as error:
        raise ProtocolError(f"{entry.name}: {error}") from None
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return Answer(*_fitted(frames, size), total.hexdigest())


def _find(folder: Path, name: str) -> Path:
    """Where the answer lies: a video or a folder, inside ``folder``."""
    paths = [locate(folder, f"{name}{VIDEO}"), locate(folder, name)]
    there = [path for path in paths if path.exists()]
    if not there:
        raise ProtocolError(f"{name}: no answer; expected {name}{VIDEO} or a folder {name} in {folder}")
    if len(there) > 1:
        raise ProtocolError(f"{name}: two answers, {paths[0].name} and the folder {name}; expected one")
    if there[0] == paths[0] and not there[0].is_file():
        raise ProtocolError(f"{name}: {there[0].name} is no file")
    if there[0] == paths[1] and not there[0].is_dir():
        raise ProtocolError(f"{name}: {there[0].name} is no folder of frames; a video is {name}{VIDEO}")
    return there[0]


def _frame_files(root: Path, folder: Path, name: str, numbers: range) -> list[Path]:
    """The files of the frames ``numbers``; raises ProtocolError for a folder that holds any others."""
    wanted = [FRAME.format(number) for number in numbers]
    held: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            held.add(entry.name)
            if len(held) > len(wanted) + 64:
                raise ProtocolError(f"{name}: more than {len(wanted) + 64} files; expected {len(wanted)} frames")
    expected = f"expected {len(wanted)} frames, {wanted[0]} to {wanted[-1]}"
    if not held:
        raise ProtocolError(f"{name}: an empty folder; {expected}")
    other = sorted(held - set(wanted))
    if other and all(re.fullmatch(r"[0-9]+\.png", one) for one in other) and len(held) != len(wanted):
        raise ProtocolError(f"{name}: {len(held)} frames, {min(held)} to {max(held)}; {expected}")
    if other:
        raise ProtocolError(f"{name}: holds {shown(other[0])}; {expected}, and no other file")
    missing = [one for one in wanted if one not in held]
    if missing:
        raise ProtocolError(f"{name}: {len(held)} frames, {missing[0]} is missing; {expected}")
    paths = [locate(root, name, one) for one in wanted]
    for path in paths:
        if not path.is_file():
            raise ProtocolError(f"{name}: {path.name} is no file")
    return paths


def _check_bytes(paths: list[Path], limit: int, name: str) -> None:
    size = sum(path.stat().st_size for path in paths)
    if size > limit:
        raise ProtocolError(f"{name}: {size:,} bytes; expected at most {limit:,} for its frames")


def _video_frames(path: Path, name: str, count: int, size: tuple[int, int], rate: float) -> Frames:
    """All frames of a video, once its number of frames, their rate and their size are known to fit."""
    stamps, unit, own = time_stamps(path, name)
    if len(stamps) != count:
        raise ProtocolError(f"{name}: {path.name} has {len(stamps)} frames; expected {count}, those to generate")
    if count > 1:
        found = (count - 1) / max(float(stamps[-1] - stamps[0]) * unit, 1e-9)
        if abs(found - rate) > RATE_TOLERANCE * rate:
            raise ProtocolError(f"{name}: {path.name} has {found:.4g} frames a second; expected {rate:g}")
    _check_shape(own, size, name, path.name)
    return read_at(path, name, stamps)


def _check_shape(own: tuple[int, int], size: tuple[int, int], name: str, file: str) -> None:
    if max(own[0] / size[0], own[1] / size[1]) > LARGER:
        raise ProtocolError(
            f"{name}: {file} has {_pixels(own)} pixels; expected at most {LARGER} times {_pixels(size)} along a side"
        )
    if abs(own[1] / own[0] * size[0] / size[1] - 1) > ASPECT:
        raise ProtocolError(
            f"{name}: {file} has {_pixels(own)} pixels, another shape than {_pixels(size)}; crop it, and say so"
        )


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} (height x width)"


def _fitted(frames: Frames, size: tuple[int, int]) -> tuple[Frames, bool]:
    """Frames at the set's size, by Lanczos' filter, and whether they had another."""
    if frames.shape[1:3] == tuple(size):
        return frames, False
    wanted = (size[1], size[0])
    images = [Image.fromarray(frame).resize(wanted, Image.Resampling.LANCZOS) for frame in frames]
    return np.stack([np.asarray(image) for image in images]), True


def check_order(answer: Frames, last: Frames, truth: Frames, name: str) -> None:
    """Raise ProtocolError for an answer whose frames run backward, by comparing them with where they start from.

    last: the last given frame (1, H, W, 3); truth: the true frames. An answer runs backward where its end is nearer to
    the last given frame than its beginning, though the truth's beginning is, and where it fits the truth turned round
    better. A case that ends where it starts cannot tell, and an answer that fits neither way is a bad one, not this.
    """
    true_start, true_end, start, end = (_decibels(frames[[at]], last) for frames in (truth, answer) for at in (0, -1))
    backward = _decibels(answer, truth[::-1]) - _decibels(answer, truth)
    if true_start - true_end < NEARER or end - start < NEARER or backward < FITS:
        return
    raise ProtocolError(
        f"{name}: its last frame looks like the last given one ({end:.1f} dB) and its first does not ({start:.1f} dB): "
        "the frames run backward"
    )


def _decibels(a: Frames, b: Frames) -> float:
    """Mean PSNR; equal frames count as ``CEILING``."""
    return float(np.minimum(psnr(a, np.broadcast_to(b, a.shape)), CEILING).mean())


def check_names(folder: Path, names: set[str]) -> list[str]:
    """A line for each thing in a folder of answers that is no answer: a name that no case has."""
    known = names | {f"{name}{VIDEO}" for name in names} | {RECORD, SWAPPED}
    with os.scandir(folder) as entries:
        other = sorted(entry.name for entry in entries if entry.name not in known and not entry.name.startswith("."))
    return [f"{shown(one)}: no case has this name" for one in other]
