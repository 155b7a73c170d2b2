"""Draw a reference row on every branch: the same files as a trained row's rollout, without any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.encoding.codec import load_codec
from echo.encoding.latents import Latents
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.rollout.known import known_of, load_reference
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.study.words import BRANCHES, UNTRAINED, generated_frames
from echo.world.pool import open_pool

READS = ("seed", "world", "segment", "codec", "evaluate.splits", "evaluate.cases", "evaluate.branches")
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, reference: str, codec: Path, pools: dict[str, Path], latents: dict[str, Path], out: Path) -> None:
    """Write ``out/<branch>.safetensors`` for each branch; pools and latents are given by split.

    The record says how many numbers the reference keeps: of the branch where it keeps most.
    """
    part, module = part_of(study, "reference"), load_reference(reference)
    with recorded(out / "record.json", study, "reference", reference) as record:
        decoder = load_codec(codec)
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        caches = {split: Latents(folder) for split, folder in latents.items()}
        kept = []
        for branch in part.evaluate.branches:
            split = BRANCHES[branch].split(part.evaluate.splits)
            pool, cache = opened[split], caches[split]
            cases = list(choose_cases(part, branch, pool.info).index)
            frames = []
            for case in cases:
                known = known_of(part, branch, case, pool, cache, module)
                frames.append(module.draw(known, decoder))
                kept.append(module.kept(known))
            index = np.array(generated_frames(branch, part.segment.frames))
            Rollout(np.stack(frames), index, cases).save(out / f"{branch}.safetensors")
        counts = {"state_numbers": max((number for number in kept if number is not None), default=None)}
        record["counts"] = counts | {"parameters": 0, "memory_parameters": 0, "frames_read": None}
        record["train_seed"] = UNTRAINED
