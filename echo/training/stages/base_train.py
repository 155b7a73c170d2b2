"""Train the base on the clips that were rendered for it: the recipe of the section ``base``."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.base_clips import BaseClips
from echo.io.files import digest
from echo.model.row import Row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded, stage_digest
from echo.training.base import BASE
from echo.training.resume import require_own
from echo.training.trainer import Trainer
from echo.training.windows import Windows

READS = ("base_study.seed", "base_study.world", "base_study.segment", "base_study.codec", "base_study.text",
         "base_study.backbone", "base_study.evidence", "base_study.train", "base_study.base",
         "base_study.grid")  # fmt: skip


def run(study: Study, shards: list[Path], out: Path) -> None:
    """Write the base to the file ``out``; a training that was interrupted goes on from the folder beside it."""
    part = part_of(study, "base_train").base_study
    with recorded(record_of(out), study, "base_train") as record:
        clips = BaseClips(shards)
        windows = Windows(part, clips)
        fingerprint = digest([stage_digest(study, "base_train"), *clips.hashes])
        steps = part.train.steps
        trainer = Trainer(part.train, Row(part, BASE), windows, out.with_suffix(""), 0, steps, fingerprint)
        require_own(trainer.folder, trainer.fingerprint)
        trainer.run()
        record |= {"windows": len(windows), "encoder": clips.encoder, "shards": clips.hashes, "steps": steps}
        record |= {"recipe": part.base.model_dump(mode="json"), **trainer.facts()}
        trainer.finish(out, encoder=clips.encoder, steps=str(steps))
