"""The list of a folder of pictures, ``images.csv``: read and checked whole, before any picture is decoded.

::

    file,caption,anchor,mask
    garden.jpg,A garden with a fountain.,fountain,masks/garden.png
    hall.png,"A hall, seen from its door.",red sofa,

Columns may stand in any order; ``mask`` may be empty or left out. Every error is a PoolError of one line that names
file and line. Snakemake reads the list too: no PIL and no pandas here.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from echo.world.errors import PoolError
from echo.world.untrusted import first_line, locate, read_text, shown

LISTING = "images.csv"
NEEDED, OPTIONAL = ("file", "caption", "anchor"), ("mask",)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MASK_SUFFIXES = (".png",)
MOST = 10_000  # pictures: each is rolled out by every row
MOST_BYTES = 16 * 2**20  # of the list
LONGEST = {"file": 1000, "caption": 2000, "anchor": 200, "mask": 1000}  # characters of a cell
BRACES = "{}"  # would be wildcards to Snakemake
LONGEST_NAME = 200  # bytes: with a trajectory and a suffix it stays a file's name


@dataclass(frozen=True)
class FirstFrame:
    """A picture and what is known of it. name: unique, made of its file's path; line: where it stands, for messages."""

    name: str
    file: Path
    caption: str
    anchor: str
    mask: Path | None
    line: str

    @property
    def files(self) -> list[Path]:
        """The picture, and its mask where there is one."""
        return [self.file, *([self.mask] if self.mask else [])]


def read_listing(folder: Path) -> list[FirstFrame]:
    """The pictures of a folder in the order of its list; raises PoolError for a list that is wrong in any line."""
    path = Path(folder) / LISTING
    if not Path(folder).is_dir():
        raise PoolError(f"{folder}: no such folder; expected pictures and {LISTING} in it (open_domain.images)")
    if set(str(folder)) & set(BRACES):
        raise PoolError(f"{folder}: braces in its name; rename the folder (open_domain.images)")
    frames: dict[str, FirstFrame] = {}
    for line, cells in _lines(path):
        frame = _first_frame(Path(folder), cells, line)
        if frame.name in frames:
            raise PoolError(f"{line}: {shown(cells['file'])} would be called {frame.name!r} like the picture of "
                            f"{frames[frame.name].line.removeprefix(f'{path}, ')}; rename one of them")  # fmt: skip
        frames[frame.name] = frame
        if len(frames) > MOST:
            raise PoolError(f"{line}: more than {MOST:,} pictures")
    if not frames:
        raise PoolError(f"{path}: expected one line per picture, got none")
    return list(frames.values())


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Place, for messages, and cells by column of every line below the header; blank lines are left out."""
    text = read_text(locate(path.parent, path.name), "pictures", MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if set(columns) - {*NEEDED, *OPTIONAL} or set(NEEDED) - set(columns) or len(set(columns)) < len(columns):
            raise PoolError(f"{path}, line 1: expected the columns {','.join(NEEDED)} and, if there are masks, "
                            f"{','.join(OPTIONAL)}; got {shown(','.join(columns))}")  # fmt: skip
        for cells in reader:
            line = f"{path}, line {reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise PoolError(f"{line}: expected {len(columns)} cells ({','.join(columns)}), got {len(cells)}; text "
                                "with commas stands in double quotes")  # fmt: skip
            yield line, dict(zip(columns, map(str.strip, cells), strict=True))
    except csv.Error as error:
        raise PoolError(f"{path}, line {reader.line_num}: no CSV ({first_line(error)})") from None


def _first_frame(folder: Path, cells: dict[str, str], line: str) -> FirstFrame:
    for column, text in cells.items():
        if not text and column in NEEDED:
            raise PoolError(f"{line}: {column} is empty")
        if len(text) > LONGEST[column]:
            raise PoolError(f"{line}: {column} has {len(text):,} characters; expected at most {LONGEST[column]:,}")
        if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
            raise PoolError(f"{line}: {column} {shown(text)}: line breaks, tabs or control characters")
    mask = cells.get("mask", "")
    file = _file(folder, cells["file"], SUFFIXES, line)
    return FirstFrame(
        _name(cells["file"], line),
        file,
        cells["caption"],
        cells["anchor"],
        _file(folder, mask, MASK_SUFFIXES, line) if mask else None,
        line,
    )


def _file(folder: Path, name: str, suffixes: tuple[str, ...], line: str) -> Path:
    """The file of a cell, which is there and lies in ``folder``."""
    if set(name) & set(BRACES):
        raise PoolError(f"{line}: {shown(name)}: braces in its name; rename the file")
    try:
        path = locate(folder, name)
    except PoolError as error:
        raise PoolError(f"{line}: {error}") from None
    if path.suffix.lower() not in suffixes:
        raise PoolError(f"{line}: {shown(name)}: expected a file {', '.join(suffixes)}")
    if not path.is_file():
        raise PoolError(f"{line}: {path}: no such file")
    return path


def _name(file: str, line: str) -> str:
    """A picture's name: its path without the suffix, folders joined by "-"."""
    name = file.rpartition(".")[0].replace("/", "-")
    if any(part in ("", ".", "..") for part in file.split("/")):
        raise PoolError(f"{line}: {shown(file)}: expected a path within the folder, without '.', '..' and '//'")
    # A leading dot hides a file from the list of a pool's contents.
    if not name.isprintable() or name.startswith(".") or len(name.encode()) > LONGEST_NAME:
        raise PoolError(f"{line}: {shown(file)}: expected a name of printable characters, without a leading dot, of at "
                        f"most {LONGEST_NAME} bytes")  # fmt: skip
    return name
