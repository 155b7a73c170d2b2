"""Find or download the pretrained model, check it, and write the manifest of its files."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.pretrained import fetch, write_manifest
from echo.study.config import Study
from echo.study.provenance import part_of

READS = ("pretrained", "codec.kind", "text.kind")


def run(study: Study, resources: Path, out: Path) -> None:
    """Write the manifest ``out``; a download goes to the folder ``resources``."""
    part = part_of(study, "pretrained")
    write_manifest(part, fetch(part, resources), out)
