"""Roll a trained row out on every branch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.encoding.codec import load_codec
from echo.evidence.clips import Clips
from echo.io.device import device
from echo.io.files import digest, sha256
from echo.io.publish import publish
from echo.io.tensors import TensorFileError, read_header, verify_tensors
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.rollout.guide import Guide
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.study.shown import SHOWN_CASES
from echo.study.words import BRANCHES
from echo.world.pool import open_pool

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "sampler", "grid",
         "target_latents", "evaluate.splits", "evaluate.cases", "evaluate.branches", "evaluate.batch")  # fmt: skip
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}", "evidence.policy": "echo.evidence.{}"}


def run(
    study: Study,
    row: str,
    seed: int,
    model: Path,
    codec: Path,
    pools: dict[str, Path],
    latents: dict[str, Path],
    texts: dict[str, Path],
    evidence: dict[str, Path],
    out: Path,
    guide: Path | None = None,
) -> None:
    """Write ``out/<branch>.safetensors`` for each branch; files are given by split; ``guide``: a shipped base's folder.

    A branch that is whole is kept in ``out/work``, so that a job that was killed goes on with the next one.
    """
    part = part_of(study, "rollout")
    with recorded(out / "record.json", study, "rollout", row) as record:
        decoder = load_codec(codec)
        guiding = Guide.load(part, guide, decoder) if guide else None
        sampler = Sampler(part, load_row(part, study.profiles[row], seed, model), device(), decoder, guiding)
        clips = {split: Clips.load(part, latents[split], texts[split], evidence[split]) for split in latents}
        checkpoint = sha256(model)
        inputs = [codec, *(folder / "index.json" for folder in latents.values()), *texts.values(), *evidence.values()]
        inputs += [guide / "base.safetensors"] if guide else []
        fingerprint = digest([stage_digest(study, "rollout", row), checkpoint, *map(sha256, inputs)])
        for branch in part.evaluate.branches:
            split, size = BRANCHES[branch].split(part.evaluate.splits), part.evaluate.batch
            cases = list(choose_cases(part, branch, open_pool(pools[split], (split,)).info).index)

            def batch(
                start: int, stop: int, branch: str = branch, split: str = split, cases: list[str] = cases
            ) -> CaseBatch:
                return CaseBatch.load(part, branch, cases[start:stop], clips[split], sampler.device)

            record["counts"] = sampler.counts(batch(0, 1))
            record.setdefault("kept", {})[branch] = sampler.kept(batch(0, 1))
            shown = cases[:SHOWN_CASES]
            record.setdefault("held", {})[branch] = dict(zip(shown, sampler.held(batch(0, len(shown))), strict=True))
            made = out / "work" / f"{branch}.safetensors"
            if not _is_whole(made, fingerprint):
                generated = [sampler.rollout(batch(start, start + size)) for start in range(0, len(cases), size)]
                frames = np.stack([decoder.decode_segments(case).numpy() for some, _ in generated for case in some])
                Rollout(frames, generated[0][1], cases).save(made, fingerprint=fingerprint)
            publish(made, out / made.name)
        record |= {"checkpoint_sha256": checkpoint, "train_seed": seed}


def _is_whole(made: Path, fingerprint: str) -> bool:
    """Whether an earlier run has left this branch, made of the same, and the file is undamaged."""
    try:
        if not made.is_file() or read_header(made).get("fingerprint") != fingerprint:
            return False
        verify_tensors(made, "rolling this branch out again")
    except TensorFileError as error:
        print(error)
        return False
    return True
