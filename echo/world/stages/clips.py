"""Cut one split from recordings: a pool whose frames stay where they were recorded."""

from __future__ import annotations

from pathlib import Path

from echo.io.contents import list_contents
from echo.io.files import reset_if_stale
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.world.recordings import open_recordings
from echo.world.recordings.clips import cut_pool

READS = ("seed", "world", "segment")
CHOOSES = {"world.source": "echo.world.recordings.{}"}


def run(study: Study, split: str, index: Path, out: Path) -> None:
    """Cut ``split`` from the recordings whose index is the file ``index``; its tables are written to ``out``."""
    reset_if_stale(out, stage_digest(study, "clips"))
    part = part_of(study, "clips")
    with recorded(out / "record.json", study, "clips") as record:
        world = part.world
        recordings = open_recordings(world.source, Path(str(world.path)), index, world.poses_are)
        record |= cut_pool(part, split, out, recordings)
        list_contents(out)
