"""Convert a checkpoint that the paper's authors released to one of ours."""

from __future__ import annotations

from pathlib import Path

from echo.model.released import import_released
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "grid", "latent_size",
         "target_latents")  # fmt: skip


def run(study: Study, row: str, checkpoint: Path, out: Path) -> None:
    """Write the released ``checkpoint`` as a checkpoint of ``row`` to the file ``out``."""
    part = part_of(study, "import_released")
    with recorded(record_of(out), study, "import_released", row) as record:
        record["released_sha256"] = import_released(part, study.profiles[row], checkpoint, out)
