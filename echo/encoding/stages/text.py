"""Embed the captions of one split."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.pretrained import read_manifest
from echo.encoding.text import write_texts
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("text", "sampler.text_guidance", "sampler.negative_prompt")


def run(study: Study, pool: Path, out: Path, pretrained: Path | None = None) -> None:
    """Write the embeddings of the captions of the pool in the folder ``pool`` to the file ``out``."""
    with recorded(record_of(out), study, "text"):
        opened = open_pool(pool)
        captions = {video: opened.caption(video) for video in opened.videos}
        folder = read_manifest(pretrained, "text_encoder", "tokenizer") if pretrained else None
        part = part_of(study, "text")
        negative = part.sampler.negative_prompt if part.sampler.text_guidance > 1 else None
        write_texts(part.text, captions, out, folder, negative)
