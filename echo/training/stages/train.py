"""Train one row from the base."""

from __future__ import annotations

from pathlib import Path

from echo.evidence.clips import Clips
from echo.io.files import digest, sha256
from echo.model.base import BASE
from echo.model.row import Row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded, stage_digest
from echo.training.shares import verify_once
from echo.training.trainer import Trainer

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "grid", "latent_size",
         "target_latents")  # fmt: skip
CHOOSES = {"evidence.policy": "echo.evidence.{}"}


def run(study: Study, row: str, seed: int, latents: Path, text: Path, evidence: Path, base: Path, out: Path) -> None:
    """Write the trained checkpoint of ``row`` to the file ``out``; a run that was interrupted goes on."""
    part = part_of(study, "train")
    with recorded(record_of(out), study, "train", row) as record:
        model = Row(part, study.profiles[row], seed)
        model.start_from(base, BASE)
        base_hash = sha256(base)
        inputs = (base, latents / "index.json", text, evidence)
        fingerprint = digest([stage_digest(study, "train", row), *map(sha256, inputs)])
        clips = Clips.load(part, latents, text, evidence)
        trainer = Trainer(part.train, model, clips, out.parent, seed, part.train.steps, fingerprint)
        verify_once(clips, trainer.processes)
        trainer.run()
        record |= {"base_sha256": base_hash, "train_seed": seed, **trainer.facts()}
        trainer.finish(out, base_sha256=base_hash, train_seed=str(seed), steps=str(part.train.steps))
