"""What a page shows of two made scenes: three rows, one of which keeps frames, and probes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from echo.figures.viewer.sample import Row, contents
from echo.io.files import write_json
from echo.io.seeding import generator
from echo.measures.probed import Probed
from echo.measures.verdict import PROBES
from echo.rollout.cases import choose_cases
from tests.scenes import POOLS, STUDY, made_rollout, perfect

ROWS = ("i2v", "context_k20", "copy_best")
KEPT = (0, 2, 3)  # frames of context_k20, of every case


def made_study(**changes: Any) -> Any:
    """Two trained rows and the copy."""
    evaluate = {"shown": "context_k20", "references": ("copy_best",), **changes}
    return STUDY.model_copy(update={"rows": ROWS[:2], "evaluate": STUDY.evaluate.model_copy(update=evaluate)})


def write_rows(folder: Path, study: Any) -> list[Row]:
    """Rollouts that are true (context_k20), off by 20 levels (i2v) or inverted (the copy), with probes of the first."""
    ways = {
        "i2v": lambda frames, index: np.where(frames < 128, frames + 20, frames - 20).astype(np.uint8),
        "context_k20": perfect,
        "copy_best": lambda frames, index: 255 - frames,
    }
    rows = []
    for name, change in ways.items():
        held: dict[str, Any] = {}
        for branch in study.evaluate.branches:
            rollout = made_rollout(branch, change)
            rollout.save(folder / name / f"{branch}.safetensors")
            held[branch] = {case: list(KEPT) if name == "context_k20" else [] for case in rollout.cases}
        write_json(folder / name / "record.json", {"held": held} if name in ROWS[:2] else {})
        probes = folder / f"{name}.safetensors" if name == "context_k20" else None
        rows.append(Row(name, folder / name, probes))
    pool = POOLS["open_domain"]
    cases = list(choose_cases(study, "recall", pool.info).index)
    true = np.stack([pool.frames(case)[-2:] for case in cases])
    drawn = {probe: generator(0, probe).integers(0, 256, true.shape).astype(np.uint8) for probe in PROBES}
    Probed({"intact": true, **drawn}, cases).save(folder / "context_k20.safetensors")
    return rows


def made_contents(folder: Path, **changes: Any) -> dict[str, Any]:
    """``contents`` of it."""
    study = made_study(**changes)
    return contents(study, write_rows(folder, study), POOLS)
