"""Encode one share of a split's frames to shards of latents."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.latents import write_share
from echo.io.contents import list_contents
from echo.io.files import digest, fingerprint_of, reset_if_stale, sha256
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.world.pool import open_pool

READS = ("codec", "segment.frames", "numbers_per_frame", "compute.latent_shares")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, pool: Path, codec: Path, share: int, out: Path) -> None:
    """Write the shards of share number ``share`` to the folder ``out``; whole ones that are there are kept."""
    reset_if_stale(out, digest([stage_digest(study, "latents_share"), sha256(codec), fingerprint_of(pool)]))
    part = part_of(study, "latents_share")
    with recorded(out / "record.json", study, "latents_share") as record:
        done = write_share(part, open_pool(pool), codec, out, share, part.compute.latent_shares)
        print("{frames} frames encoded in {seconds} s: {frames_per_second} frames/s".format(**done))
        record["throughput"] = done
        list_contents(out)
