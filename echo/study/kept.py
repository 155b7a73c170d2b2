"""What was read from source files, kept from one process to the next, by the hash of a file's contents.

It lies beside Python's own compiled code, with the same rules: anybody may delete it, ``PYTHONDONTWRITEBYTECODE`` keeps
it from being written, and where it cannot be written nothing is lost but time. An entry is found by what it was made
of, so it cannot be out of date; the reading code is part of that.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from echo.io.files import write_text

LIMIT = 4000  # entries, of some hundred bytes; the package has a few hundred files
_added: dict[str, Sequence[Any]] = {}


def get(key: str, make: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    """The entry of this key, a sequence that JSON can hold; without one it is made, and kept when this process ends."""
    known = _entries(place())
    if key not in known:
        if not _added:
            atexit.register(keep)
        known[key] = _added[key] = make()
    return known[key]


@cache
def place() -> Path:
    """The file of entries: of this version of Python, whose syntax trees are its own, and of this reading code."""
    folder = Path(__file__).parent
    code = b"".join((folder / name).read_bytes() for name in ("source.py", "kept.py"))
    compiled = Path(cache_from_source(str(folder / "source.py")))
    return compiled.with_name(f"{compiled.stem}-{hashlib.sha256(code).hexdigest()[:16]}.json")


def keep() -> None:
    """Write what this process has added, with what others have kept meanwhile."""
    if sys.dont_write_bytecode:
        return
    kept = _load(place())
    kept = _added if len(kept) > LIMIT else kept | _added
    with suppress(OSError):
        write_text(place(), json.dumps(kept))


@cache
def _entries(path: Path) -> dict[str, Sequence[Any]]:
    return _load(path)


def _load(path: Path) -> dict[str, Sequence[Any]]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):  # none yet, or damaged: it is made anew
        return {}
