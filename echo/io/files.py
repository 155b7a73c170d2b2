"""Atomic writes and digests: a reader never sees half a file, and a record says exactly which file it means."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from echo.io.errors import UserError


class FolderError(UserError):
    """A folder that a stage was to write to and that holds files of somebody else."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is renamed to ``path``, on error removed.

    The temporary name keeps the suffix, because writers such as pandas choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


FINGERPRINT = "fingerprint.txt"


def reset_if_stale(folder: str | Path, fingerprint: str) -> None:
    """Make ``folder`` the place of what has this ``fingerprint``: files there that were made of anything else go.

    So a stage that goes on where it was killed never goes on from files of another configuration or code. Raises
    FolderError, with nothing touched, for a folder with files but no fingerprint: it may be somebody's.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and fingerprint_of(folder) != fingerprint:
        if not fingerprint_of(folder):
            raise FolderError(
                f"{folder}: holds files, but no {FINGERPRINT}; expected an empty folder or one that this stage has "
                "written; move these files elsewhere"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / FINGERPRINT, fingerprint)


def fingerprint_of(folder: str | Path) -> str:
    """The fingerprint that ``reset_if_stale`` left in a folder; empty if there is none."""
    path = Path(folder) / FINGERPRINT
    return path.read_text() if path.is_file() else ""


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically, keys sorted so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def sha256(path: str | Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """First 16 hexadecimal digits of the sha256 of a JSON-able value, independent of key order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
