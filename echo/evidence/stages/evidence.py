"""Rank the evidence of every segment of a split, once for all rows; an empty file where the policy ranks none."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.latents import Latents
from echo.evidence.policy import policy_of
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded

READS = ("segment.frames", "evidence", "world.height", "world.width", "world.field_of_view")
CHOOSES = {"evidence.policy": "echo.evidence.{}"}


def run(study: Study, latents: Path, out: Path) -> None:
    """Write the ranking of the split whose latents lie in the folder ``latents`` to the file ``out``."""
    with recorded(record_of(out), study, "evidence"):
        cache = Latents(latents)
        part = part_of(study, "evidence")
        policy_of(part).rank(part, {video: cache.poses(video) for video in cache.videos}).save(out)
