"""Index the recordings on disk: what they hold and what they lack, found out once."""

from __future__ import annotations

from pathlib import Path

from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.recordings import open_recordings

READS = ("world.source", "world.path", "world.poses_are")
CHOOSES = {"world.source": "echo.world.recordings.{}"}


def run(study: Study, out: Path) -> None:
    """Write the index of the recordings at ``world.path`` to the file ``out``."""
    world = part_of(study, "index").world
    with recorded(record_of(out), study, "index") as record:
        record["missing"] = open_recordings(world.source, Path(str(world.path)), out, world.poses_are).report()
