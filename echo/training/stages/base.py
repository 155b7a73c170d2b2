"""The starting weights that all rows share: drawn, or pretrained, and trained without memory for ``base_steps``."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.pretrained import contents, load_transformer, read_manifest
from echo.evidence.clips import Clips
from echo.io.files import digest, sha256
from echo.io.tensors import require_finite
from echo.model.row import Row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded, stage_digest
from echo.training.base import BASE
from echo.training.trainer import Trainer

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "grid", "latent_size",
         "target_latents")  # fmt: skip
CHOOSES = {"evidence.policy": "echo.evidence.{}"}


def run(study: Study, latents: Path, text: Path, evidence: Path, out: Path, pretrained: Path | None = None) -> None:
    """Write the base to the file ``out``, from the training split's latents (a folder), text and evidence."""
    part = part_of(study, "base")
    with recorded(record_of(out), study, "base") as record:
        row = Row(
            part, BASE, transformer=load_transformer(read_manifest(pretrained, "transformer")) if pretrained else None
        )
        if part.train.base_steps:
            fingerprint = digest([stage_digest(study, "base"), *map(sha256, (latents / "index.json", text, evidence))])
            clips = Clips.load(part, latents, text, evidence)
            trainer = Trainer(part.train, row, clips, out.with_suffix(""), 0, part.train.base_steps, fingerprint)
            trainer.run()
            record |= trainer.facts()
            trainer.finish(out)
        else:
            require_finite(row.state_dict(), "the base", "check the pretrained model")
            row.save(out)
        record["pretrained"] = contents(pretrained)
