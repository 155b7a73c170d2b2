"""Convert a checkpoint that the paper's authors released to one of ours."""

from __future__ import annotations

from pathlib import Path

from echo.model.released import import_released
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "grid", "latent_size",
         "target_latents")  # fmt: skip
CHOOSES = {"evidence.policy": "echo.evidence.{}"}
NOT_KNOWN = "not known"  # how the authors trained it is not in the file


def run(study: Study, row: str, checkpoint: Path, out: Path, sha256: str | None = None) -> None:
    """Write the released ``checkpoint`` as a checkpoint of ``row`` to the file ``out``; ``sha256``: what it must have.

    The record has the keys of a training's, so that the tables' audit says of the row what is known of it.
    """
    part = part_of(study, "import_released")
    with recorded(record_of(out), study, "import_released", row) as record:
        origin = import_released(part, study.profiles[row], checkpoint, out, sha256)
        record |= {"released_sha256": origin, "base_sha256": f"released {origin}"}
        record |= dict.fromkeys(("rejected_steps", "device", "precision", "processes"), NOT_KNOWN)
