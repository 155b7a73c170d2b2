"""Fit the codec on the training pool, or take the pretrained one."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.fit import fit_codec
from echo.encoding.pretrained import read_manifest
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "codec")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, pool: Path, out: Path, pretrained: Path | None = None) -> None:
    """Write the codec to the file ``out``; its quality on held-out training videos goes to the record."""
    with recorded(record_of(out), study, "codec") as record:
        part = part_of(study, "codec")
        folder = read_manifest(pretrained, "vae") if pretrained else None
        record["quality"] = fit_codec(part.codec, part.seed, open_pool(pool, ("train",)), out, folder)
