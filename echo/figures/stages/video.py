"""Write the video of one branch: the truth, a copy of the best past frame, the reference row and `evaluate.shown`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.figures import FigureError
from echo.figures.videos import Shown, moments, write
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.study.references import label
from echo.study.shown import SHOWN_CASES, filmed_rows
from echo.study.words import BRANCHES, generated_frames, given_frames
from echo.world.pool import open_pool

READS = ("seed", "rows", "profiles", "reference", "references", "train_seeds", "segment.frames", "evaluate.shown",
         "evaluate.splits", "evaluate.cases")  # fmt: skip


def run(study: Study, branch: str, rollouts: list[Path], pool: Path, out: Path) -> None:
    """Write the mp4 ``out``, a GIF of the same name beside it, and the record.

    rollouts: the branch's files of the first training seed, row by row as ``filmed_rows`` names them; pool: the folder
    of the branch's split. Raises FigureError for another number of them, RolloutError for those of other cases.
    """
    part = part_of(study, "video")
    names = filmed_rows(part)
    if len(rollouts) != len(names):
        raise FigureError(f"--rollout: expected {len(names)} files ({', '.join(names)}), got {len(rollouts)}")
    kind, frames = BRANCHES[branch], part.segment.frames
    opened = open_pool(pool, (kind.split(part.evaluate.splits),))
    numbers, generated = moments(given_frames(branch, frames), generated_frames(branch, frames))
    with recorded(record_of(out), study, "video") as about:
        drawn, cases = {}, list(choose_cases(part, branch, opened.info).index)[:SHOWN_CASES]
        for name, path in zip(names, rollouts, strict=True):
            rollout = Rollout.load(path)
            rollout.check(part, branch, opened.info, path)
            drawn[name] = rollout.frames[:SHOWN_CASES]
        truth = np.stack([opened.frames(case, numbers) for case in cases])
        given = truth[:, : len(numbers) - generated]
        rows = {_label(part, name): np.concatenate([given, own], 1) for name, own in drawn.items()}
        title = f"{kind.label}: {kind.explained}" if kind.explained else kind.label
        write(Shown(title, numbers, generated, truth, rows), out, out.with_suffix(".gif"))
        about |= {"cases": cases, **hashes(out, out.with_suffix(".gif"))}


def _label(study: Study, name: str) -> str:
    return study.profiles[name].label if name in study.profiles else label(name)
