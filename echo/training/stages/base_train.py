"""Train the base on the clips that were rendered for it: the recipe of the section ``base``."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.base_clips import BaseClips, BaseClipsError
from echo.encoding.codec import load_codec
from echo.encoding.shipped import verified
from echo.io.files import digest
from echo.io.tensors import load_tensors, stored_hash
from echo.model.base import BASE
from echo.model.row import Row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded, stage_digest
from echo.training.resume import require_own
from echo.training.trainer import Trainer
from echo.training.windows import Windows

READS = ("base_study.seed", "base_study.world", "base_study.segment", "base_study.codec", "base_study.text",
         "base_study.backbone", "base_study.evidence", "base_study.train", "base_study.base",
         "base_study.grid")  # fmt: skip


def run(study: Study, shards: list[Path], out: Path, shipped: Path | None = None) -> None:
    """Write the base to the file ``out``; a training that was interrupted goes on from the folder beside it.

    shipped: the folder of ``base.begin``, where there is one. Raises BaseClipsError where its codec is not the clips'.
    """
    part = part_of(study, "base_train").base_study
    with recorded(record_of(out), study, "base_train") as record:
        clips = BaseClips(shards)
        windows = Windows(part, clips)
        row, begun_from = Row(part, BASE), []
        if shipped is not None and part.base.begin_with == "weights":
            begun_from = [_begin(row, shipped, clips)]
            record["begun_from"] = {"name": part.base.begin, "sha256": begun_from[0]}
        fingerprint = digest([stage_digest(study, "base_train"), *clips.hashes, *begun_from])
        steps = part.train.steps
        trainer = Trainer(part.train, row, windows, out.with_suffix(""), 0, steps, fingerprint)
        require_own(trainer.folder, trainer.fingerprint)
        trainer.run()
        record |= {"windows": len(windows), "encoder": clips.encoder, "shards": clips.hashes, "steps": steps}
        record |= {"recipe": part.base.model_dump(mode="json"), **trainer.facts()}
        trainer.finish(out, encoder=clips.encoder, steps=str(steps))


def _begin(row: Row, shipped: Path, clips: BaseClips) -> str:
    """Give ``row`` the weights of the base in the folder ``shipped``; returns the hash of its file."""
    encoder = load_codec(verified(shipped, "codec")).encoder_digest()
    if encoder != clips.encoder:
        raise BaseClipsError(
            f"the codec in {shipped} has encoder {encoder}, the clips are latents of {clips.encoder}; a training that "
            "begins with a shipped base keeps its codec: make codec and clips again"
        )
    path = verified(shipped, "base")
    row.load_state_dict(load_tensors(path))  # copied into float32 weights
    return stored_hash(path)
