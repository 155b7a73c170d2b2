"""Render and encode one shard of the clips that the base is trained on."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.base_clips import write_shard
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.study.sections.base import rooms_of_shard

# More rooms, or another training on them, leave the shards that are there as they are.
READS = ("base_study.seed", "base_study.world", "base_study.segment", "base_study.codec", "base.shard_rooms")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, shard: int, codec: Path, assets: Path, out: Path) -> None:
    """Write shard number ``shard`` to the file ``out``, with the asset pack in the folder ``assets``."""
    with recorded(record_of(out), study, "base_clips") as record:
        part = part_of(study, "base_clips")
        record |= write_shard(part.base_study, rooms_of_shard(shard, part.base.shard_rooms), codec, assets, out)
