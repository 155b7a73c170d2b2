"""Compare a row's rollouts with the truth, frame by frame and case by case."""

from __future__ import annotations

from pathlib import Path

from echo.io.device import device
from echo.io.files import atomic_path
from echo.measures.cases import measure_rollouts
from echo.measures.lpips import Lpips
from echo.measures.ssim import ssim_on
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "world.field_of_view", "evaluate.splits", "evaluate.cases", "evaluate.branches")


def run(
    study: Study,
    row: str,
    seed: int,
    rollouts: list[Path],
    pools: dict[str, Path],
    weights: Path,
    out: Path,
    seen: Path | None = None,
) -> None:
    """Write ``out/frames.parquet`` and ``out/cases.csv``; ``rollouts``: one file per branch, in the study's order.

    ``seen``: the masks of seen pixels, if frames have depth.
    """
    part = part_of(study, "measure")
    with recorded(out / "record.json", study, "measure", row) as record:
        record["train_seed"] = seed
        files = dict(zip(part.evaluate.branches, rollouts, strict=True))
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        frames, cases = measure_rollouts(part, row, seed, files, opened, Lpips(weights), seen, ssim_on(device()))
        with atomic_path(out / "frames.parquet") as temporary:
            frames.to_parquet(temporary, index=False)
        with atomic_path(out / "cases.csv") as temporary:
            cases.to_csv(temporary, index=False)
        record |= hashes(out / "frames.parquet", out / "cases.csv")
