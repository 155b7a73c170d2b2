"""Try the codec on held-out videos of the training pool; nothing but the record is made, and nothing waits for it."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.codec import load_codec
from echo.encoding.fit import quality
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.world.pool import open_pool

READS = ("seed",)
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, pool: Path, codec: Path, out: Path) -> None:
    """Write the record ``out``, with the quality of the codec in the file ``codec``."""
    with recorded(out, study, "codec_quality") as record:
        seed = part_of(study, "codec_quality").seed
        record["quality"] = quality(load_codec(codec), seed, open_pool(pool, ("train",)))
