"""Outputs of long stages: kept in a folder of the stage's own while it runs, published under their names at the end.

Snakemake removes a job's declared outputs before it runs the job again, and when the job fails. What a stage has
finished must survive that, so it writes to a work folder that no rule declares, and links what is whole to the
declared names. A link costs no space; where the file system has none, the file is copied.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from echo.io.files import atomic_path


def publish(made: Path, out: Path) -> None:
    """Let ``out`` be the file ``made``, at once and whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        try:
            os.link(made, temporary)
        except OSError:
            shutil.copyfile(made, temporary)
