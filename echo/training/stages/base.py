"""The starting weights that all rows share: drawn, shipped, or pretrained and trained for ``base.steps``.

A base that is trained on rooms of its own is the stage ``base_train``.
"""

from __future__ import annotations

from pathlib import Path

from echo.encoding.pretrained import contents, load_transformer, read_manifest
from echo.encoding.shipped import verified
from echo.evidence.clips import Clips
from echo.io.files import digest, sha256
from echo.io.tensors import load_tensors, require_finite, stored_hash
from echo.model.base import BASE
from echo.model.row import Row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded, stage_digest
from echo.training.shares import verify_once
from echo.training.trainer import Trainer

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "grid", "latent_size",
         "target_latents", "base.source", "base.shipped", "base.steps")  # fmt: skip
CHOOSES = {"evidence.policy": "echo.evidence.{}"}


def run(
    study: Study,
    out: Path,
    latents: Path | None = None,
    text: Path | None = None,
    evidence: Path | None = None,
    pretrained: Path | None = None,
    shipped: Path | None = None,
) -> None:
    """Write the base to the file ``out``.

    shipped: the folder of a shipped base; pretrained: the manifest of a pretrained model, which is trained on the
    training split's latents (a folder), text and evidence where ``base.steps`` asks for it.
    """
    part = part_of(study, "base")
    with recorded(record_of(out), study, "base") as record:
        record |= {"source": part.base.source, "pretrained": contents(pretrained)}
        if shipped is not None:
            row = Row(part, BASE)
            held = load_tensors(verified(shipped, "base"))
            row.load_state_dict(held)  # copied into float32 weights
            record["shipped_sha256"] = stored_hash(shipped / "base.safetensors")
            row.save(out)
            return
        transformer = load_transformer(read_manifest(pretrained, "transformer")) if pretrained else None
        row = Row(part, BASE, transformer=transformer)
        if pretrained and part.base.steps:
            if latents is None or text is None or evidence is None:
                raise ValueError("a pretrained base of base.steps > 0 is trained on latents, text and evidence")
            fingerprint = digest([stage_digest(study, "base"), *map(sha256, (latents / "index.json", text, evidence))])
            clips = Clips.load(part, latents, text, evidence)
            trainer = Trainer(part.train, row, clips, out.with_suffix(""), 0, part.base.steps, fingerprint)
            verify_once(clips, trainer.processes)
            trainer.run()
            record |= trainer.facts()
            trainer.finish(out)
        else:
            require_finite(row.state_dict(), "the base", "check the pretrained model")
            row.save(out)
