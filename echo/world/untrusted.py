"""Files that other people wrote: sizes, names, numbers and paths are checked before anything is read or allocated.

Every refusal is a PoolError of one line that names the file and, in a text file, the line. Nothing is read outside the
folder that was given: a name or a symbolic link that leads out of it is refused.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from echo.world.errors import PoolError

MAX_FRAMES = 10_000_000  # frames of one video: 93 hours at 30 frames per second
MAX_GAP = 10_000  # missing frames in a row, more than a whole Context-as-Memory video (7,601): bounds what is allocated
MAX_TEXT_BYTES = 256 * 2**20  # a caption of 500 bytes for each of 500,000 clips
MAX_JSON_BYTES = 64 * 2**20  # the poses of 400,000 frames; parsed, JSON takes up to 30 times its size in memory
MAX_SIDE = 16_384  # pixels: twice the width of 8K video
MAX_PIXELS = 8_192 * 8_192  # of one frame: twice 8K video, 200 MB decoded
MAX_COORDINATE = 1e12  # beyond it float64 resolves no millimetres, and squared distances leave float32
SHOWN = 60  # characters of a bad value that a message repeats

_DIGITS = re.compile(r"[0-9]+")


def shown(value: object) -> str:
    """A bad value for a message: on one line, not longer than ``SHOWN`` characters."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its class where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def locate(root: Path, *parts: str) -> Path:
    """``root`` / ``parts``, which need not exist; raises PoolError where a symbolic link leads out of ``root``.

    ``root`` itself may be a link. A link that leads to another place inside ``root`` is followed.
    """
    path = root.joinpath(*parts)
    real, inside = os.path.realpath(path), os.path.realpath(root)
    if real != inside and not real.startswith(inside.rstrip("/") + "/"):
        raise PoolError(f"{path}: leads out of {root} (to {shown(real)}); expected a copy inside it")
    if os.path.islink(real):
        raise PoolError(f"{path}: symbolic links in a circle")
    return path


def link_aware_stat(root: Path, path: str | Path) -> os.stat_result:
    """Properties of a file, or of the link itself where it leads nowhere, in a circle, or out of ``root``."""
    try:
        return os.stat(locate(root, os.path.relpath(path, root)))
    except (OSError, PoolError):
        return os.lstat(path)


def is_folder(entry: os.DirEntry) -> bool:
    """Whether a folder's entry is a folder; links in a circle are none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def check_name(name: str, where: str) -> str:
    """Return a video's name; raises PoolError, which begins with ``where``, unless it is a relative path of files.

    Parts are joined by "/". None is empty, "." or "..", longer than 255 bytes or has a character that cannot be shown.
    """
    for part in name.split("/"):
        if part in ("", ".", "..") or not part.isprintable() or len(part.encode()) > 255:
            raise PoolError(f"{where}: video name {shown(name)}: expected names of folders or files joined by '/', "
                            f"without '..', inside the pool")  # fmt: skip
    return name


def frame_number(text: str, where: str) -> int:
    """A frame number from 0 to ``MAX_FRAMES`` - 1; raises PoolError, which begins with ``where``, for anything else."""
    if not _DIGITS.fullmatch(text):
        raise PoolError(f"{where}: expected a frame number, got {shown(text)}")
    if len(text.lstrip("0")) > len(str(MAX_FRAMES)) or int(text) >= MAX_FRAMES:
        raise PoolError(f"{where}: frame number {shown(text)[1:-1]}: a video has at most {MAX_FRAMES:,} frames")
    return int(text)


def check_field_of_view(degrees: float, where: str) -> float:
    """Return a horizontal field of view in degrees; raises PoolError for one that no lens without distortion has."""
    if not 1 <= degrees <= 179:
        raise PoolError(f"{where}: a field of view of {degrees:.4g} degrees; expected 1 to 179")
    return degrees


def check_gaps(numbers: np.ndarray, where: str) -> None:
    """Raise PoolError for sorted frame numbers (F,) with more than ``MAX_GAP`` missing before one of them.

    An index allocates a row for every frame up to the largest number, so one absurd number must not decide its size.
    """
    before = np.concatenate([[-1], numbers[:-1]])
    far = np.flatnonzero(numbers - before - 1 > MAX_GAP)
    if len(far):
        raise PoolError(f"{where}: frame {numbers[far[0]]}: {numbers[far[0]] - before[far[0]] - 1:,} frames in a row "
                        f"are missing before it; expected at most {MAX_GAP:,}")  # fmt: skip


def check_pixels(width: int, height: int, where: str) -> None:
    """Raise PoolError for a frame too large to decode, by its declared size."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise PoolError(f"{where} declares {width} x {height} pixels; expected sides of 1 to {MAX_SIDE:,} and at most "
                        f"{MAX_PIXELS:,} in all")  # fmt: skip


def read_text(path: Path, what: str, limit: int = MAX_TEXT_BYTES) -> str:
    """A UTF-8 file of at most ``limit`` bytes, with or without a byte order mark. what: its content, for messages.

    A file that ends in ``.gz`` is unpacked, to no more than ``limit`` bytes. Raises PoolError for a file that is
    missing, special, too large, not UTF-8 or holds NUL.
    """
    if not path.is_file():
        raise PoolError(f"{path}: {what} are missing")
    try:
        size = path.stat().st_size
        if size > limit:
            raise PoolError(f"{path}: {what}: {size:,} bytes; expected at most {limit:,}")
        content = _content(path, limit).removeprefix(b"\xef\xbb\xbf")
    except (OSError, EOFError, zlib.error) as error:
        raise PoolError(f"{path}: {what} cannot be read ({first_line(error)})") from None
    if len(content) > limit:
        raise PoolError(f"{path}: {what}: unpacked, more than {limit:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise PoolError(f"{path}, line {line}: {what}: expected UTF-8, got the byte 0x{byte:02x}") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise PoolError(f"{path}, line {line}: {what}: expected text, got a NUL byte")
    return text


def _content(path: Path, limit: int) -> bytes:
    """A file's bytes, unpacked if it is gzipped: one byte more than ``limit`` where it has more."""
    if path.suffix != ".gz":
        return path.read_bytes()
    with gzip.open(path) as packed:
        return packed.read(limit + 1)


def read_lines(path: Path, what: str) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number from 1; errors as ``read_text``'s.

    Lines end with LF or CRLF alone: str.splitlines would also split at form feeds, U+0085 and U+2028, which captions
    may hold. A CR elsewhere is refused.
    """
    lines = []
    for number, line in enumerate(read_text(path, what).split("\n"), 1):
        line = line.removesuffix("\r")
        if "\r" in line:
            raise PoolError(f"{path}, line {number}: {what}: a carriage return inside a line")
        if line.strip():
            lines.append((number, line))
    return lines


def read_json(path: Path, what: str) -> Any:
    """The value of a JSON file in which no mapping has a key twice; raises PoolError for anything else."""
    text = read_text(path, what, MAX_JSON_BYTES)
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise PoolError(f"{path}: {what}: JSON nested too deeply") from None
    except ValueError as error:
        raise PoolError(f"{path}: {what} are no JSON ({first_line(error)})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON mapping; raises ValueError for a key that it has twice, of which the first value would be lost."""
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"key {shown(twice)} twice in one mapping")
    return value
