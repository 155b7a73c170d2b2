"""Rank the evidence of every segment of a split, once for all rows."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.latents import Latents
from echo.evidence.segments import Ranking
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded

READS = ("segment.frames", "evidence", "world.height", "world.width", "world.field_of_view")


def run(study: Study, latents: Path, out: Path) -> None:
    """Write the ranking of the split whose latents lie in the folder ``latents`` to the file ``out``."""
    with recorded(record_of(out), study, "evidence"):
        cache = Latents(latents)
        Ranking.of(part_of(study, "evidence"), {video: cache.poses(video) for video in cache.videos}).save(out)
