"""Roll a trained row out from lone first frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.encoding.codec import load_codec
from echo.encoding.text import Texts
from echo.io.device import device
from echo.io.files import sha256
from echo.rollout.first_cases import first_frame_cases
from echo.rollout.frames import Rollout
from echo.rollout.guide import Guide
from echo.rollout.sampler import Sampler, load_row
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.world.first_frames.pool import FirstFramePool

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "sampler", "grid",
         "target_latents", "open_domain.branches", "evaluate.batch")  # fmt: skip
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}", "evidence.policy": "echo.evidence.{}"}


def run(
    study: Study,
    row: str,
    seed: int,
    model: Path,
    codec: Path,
    pool: Path,
    text: Path,
    out: Path,
    guide: Path | None = None,
) -> None:
    """Write ``out/<branch>.safetensors`` for each branch; ``guide``: a shipped base's folder."""
    part = part_of(study, "open_rollout")
    with recorded(out / "record.json", study, "open_rollout", row) as record:
        decoder = load_codec(codec)
        guiding = Guide.load(part, guide, decoder) if guide else None
        sampler = Sampler(part, load_row(part, study.profiles[row], seed, model), device(), decoder, guiding)
        pictures, texts, size = FirstFramePool(pool), Texts(text, part.text), part.evaluate.batch
        for branch in part.open_domain.branches:
            cases, frames, index = pictures.cases(branch), [], np.zeros(0, np.int64)
            for start in range(0, len(cases), size):
                some = cases[start : start + size]
                batch = first_frame_cases(part, branch, some, pictures, texts, decoder, sampler.device)
                generated, index = sampler.rollout(batch)
                frames += [decoder.decode_segments(case).numpy() for case in generated]
            Rollout(np.stack(frames), index, cases).save(out / f"{branch}.safetensors")
        record |= {"checkpoint_sha256": sha256(model), "train_seed": seed}
