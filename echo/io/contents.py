"""What a folder of many files holds: a list beside them, so that a file that is gone or cut is noticed.

No numpy, no torch: Snakemake compares the lists of a study's folders before it plans anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from echo.io.files import write_json

LISTING = "files.json"


def list_contents(folder: Path) -> None:
    """Write ``files.json`` to ``folder``: the size in bytes of every file in it, by its path within."""
    sizes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.name not in (LISTING, "record.json"):
                sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    write_json(folder / LISTING, sizes)


def damage(listing: Path) -> str:
    """The first file of a listing that is gone or of another size, in one line; empty where all are whole."""
    try:
        sizes = json.loads(listing.read_text())
    except ValueError:
        return f"{listing}: not a list of files"
    for name, size in sizes.items():
        path = listing.parent / name
        try:
            held = path.stat().st_size
        except FileNotFoundError:
            return f"{path} is missing"
        if held != size:
            return f"{path} has {held} bytes, expected {size}"
    return ""
