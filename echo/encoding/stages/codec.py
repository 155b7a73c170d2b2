"""Fit the codec on the training pool, or take the pretrained one or the shipped one."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.fit import fit_codec, take_codec
from echo.encoding.pretrained import read_manifest
from echo.encoding.shipped import verified
from echo.io.tensors import stored_hash
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "codec", "base.taken")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(
    study: Study,
    out: Path,
    pool: Path | None = None,
    pretrained: Path | None = None,
    shipped: Path | None = None,
    weights: Path | None = None,
) -> None:
    """Write the codec to the file ``out``.

    pool: folder of the training pool, for a codec that is fitted.
    shipped: folder of a shipped base, whose codec is taken as it is: the base, and one trained further from it, speak
    no other.
    weights: folder of the weights of LPIPS' network, for a codec that is trained on it.
    """
    with recorded(record_of(out), study, "codec") as record:
        part = part_of(study, "codec")
        folder = read_manifest(pretrained, "vae") if pretrained else None
        if shipped is not None:
            take_codec(verified(shipped, "codec"), out)
            record["shipped_sha256"] = stored_hash(shipped / "codec.safetensors")
            return
        opened = open_pool(pool, ("train",)) if pool else None
        fit_codec(part.codec, part.seed, opened, out, folder, weights)
