"""Join the shares of a split to one cache of latents."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.latents import join_shares
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.world.pool import open_pool

READS = ("codec", "segment.frames", "numbers_per_frame")


def run(study: Study, pool: Path, codec: Path, shares: list[Path], out: Path) -> None:
    """Write the index of the cache to the folder ``out``; ``shares``: the folders of the shares, in order."""
    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / "record.json", study, "latents"):
        join_shares(part_of(study, "latents"), open_pool(pool), codec, out, shares)
