"""Download a checkpoint that the paper's authors released, at the commit that the study names."""

from __future__ import annotations

from pathlib import Path

from echo.model.released import fetch
from echo.study.config import Study
from echo.study.provenance import part_of

READS = ("checkpoints",)


def run(study: Study, row: str, out: Path) -> None:
    """Download the file that ``row`` is made of to ``out``."""
    fetch(part_of(study, "released_file").checkpoints[row], out)
