"""A copy of the project, with nothing that was run or made in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.conftest import ROOT

COPIED = ("workflow", "profiles", "slurm", "config", "echo", "envs", "notebooks", "shipped")
# Compiled code comes along, so that no process compiles it again; not the files it is written to by others meanwhile.
BEING_WRITTEN = shutil.ignore_patterns("*.pyc.*", ".*")


def copy_project(folder: Path, *more: str) -> Path:
    """Copy the project's files, and ``more`` paths of it that are there, to ``folder``."""
    folder.mkdir(exist_ok=True)
    for name in (*COPIED, *more):
        source, target = ROOT / name, folder / name
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        elif source.is_dir():
            shutil.copytree(source, target, ignore=BEING_WRITTEN)
        elif source.is_file():
            shutil.copy(source, target)
    return folder
