"""Render one split of rooms to a pool."""

from __future__ import annotations

from pathlib import Path

from echo.io.contents import list_contents
from echo.io.files import reset_if_stale
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.world.rooms.build import build_pool

READS = ("seed", "world", "segment")


def run(study: Study, split: str, assets: Path, out: Path) -> None:
    """Render ``split`` to the folder ``out`` with the asset pack in the folder ``assets``.

    Videos that are there already, of the same configuration and code, are kept.
    """
    reset_if_stale(out, stage_digest(study, "pool"))
    with recorded(out / "record.json", study, "pool"):
        build_pool(part_of(study, "pool"), split, out, assets)
        list_contents(out)
