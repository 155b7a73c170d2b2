"""Make a pool of the pictures at ``open_domain.images``: first frames, and the camera's ways from them."""

from __future__ import annotations

from pathlib import Path

from echo.io.contents import list_contents
from echo.io.files import digest, reset_if_stale, sha256
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.world.errors import PoolError
from echo.world.first_frames.listing import LISTING, read_listing
from echo.world.first_frames.write import write_pool

READS = ("seed", "segment.frames", "world.height", "world.width", "world.field_of_view", "open_domain")


def run(study: Study, out: Path) -> None:
    """Write the pool to the folder ``out``; raises PoolError where the study names no pictures, or useless ones."""
    part = part_of(study, "first_frames")
    if part.open_domain.images is None:
        raise PoolError("the study has no pictures: set open_domain.images to a folder of them (docs/open_domain.md)")
    folder = Path(part.open_domain.images)
    frames = read_listing(folder)
    files = [folder / LISTING, *(file for frame in frames for file in frame.files)]
    reset_if_stale(out, digest([stage_digest(study, "first_frames"), *map(sha256, files)]))
    with recorded(out / "record.json", study, "first_frames") as record:
        record |= write_pool(part, frames, out)
        list_contents(out)
