"""Draw a reference row from lone first frames; one that needs depth or truth cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.encoding.codec import load_codec
from echo.rollout.first_known import known_of_picture
from echo.rollout.frames import Rollout
from echo.rollout.known import load_reference
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.study.words import UNTRAINED, generated_frames
from echo.world.first_frames.pool import FirstFramePool

READS = ("seed", "world", "segment", "codec", "open_domain.branches")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, reference: str, codec: Path, pool: Path, out: Path) -> None:
    """Write ``out/<branch>.safetensors`` for each branch."""
    part, module = part_of(study, "open_reference"), load_reference(reference)
    with recorded(out / "record.json", study, "open_reference", reference) as record:
        decoder, pictures = load_codec(codec), FirstFramePool(pool)
        for branch in part.open_domain.branches:
            cases = pictures.cases(branch)
            known = [known_of_picture(part, branch, case, pictures, decoder) for case in cases]
            index = np.array(generated_frames(branch, part.segment.frames))
            Rollout(np.stack([module.draw(one, decoder) for one in known]), index, cases).save(
                out / f"{branch}.safetensors"
            )
        record["train_seed"] = UNTRAINED
