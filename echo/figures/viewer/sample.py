"""What the page shows, as plain data: pictures of a few cases of each branch, and numbers along the way.

Pictures of a case are one sprite: its frames as tiles of one WebP image, row by row, ``COLUMNS`` in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from einops import rearrange
from jaxtyping import UInt8
from PIL import Image

from echo.io.page import picture_address
from echo.measures.images import psnr
from echo.measures.probed import PROBED, Probed
from echo.measures.verdict import DONE
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.provenance import read_record
from echo.study.references import FAMILY, label
from echo.study.shown import SHOWN_CASES, filmed_rows
from echo.study.words import BRANCHES, RETURN_FRAMES, generated_frames

if TYPE_CHECKING:
    from echo.world.pool import Pool

COLUMNS = 16  # tiles of a sprite's row
LARGEST, QUALITY = 160, 80  # longest side of a tile in pixels, and WebP's quality
IDENTICAL = 100.0  # dB, where a frame is the true one: JSON knows no infinity

Frames = UInt8[np.ndarray, "frames height width 3"]


@dataclass(frozen=True)
class Row:
    """A row's files: the folder of its rollouts, or of what a reference row draws, and its probed frames if any."""

    name: str
    folder: Path
    probes: Path | None = None


def contents(study: Study, rows: Sequence[Row], pools: Mapping[str, Pool]) -> dict[str, Any]:
    """What the page's script reads. pools: by split.

    Raises RolloutError for rollouts and ProbeFileError for probes of other cases than the study's.
    """
    branches = [_branch(study, branch, rows, pools[BRANCHES[branch].split(study.evaluate.splits)])
                for branch in study.evaluate.branches]  # fmt: skip
    first = next(iter(pools.values()))
    height, width = _small(first.frames(str(first.info.index[0]), [0])[0]).shape[:2]
    return {
        "study": study.study,
        "tile": [height, width],
        "columns": COLUMNS,
        "identical": IDENTICAL,
        "returned": RETURN_FRAMES,
        "chosen": filmed_rows(study),
        "rows": {row.name: _about(study, row.name) for row in rows},
        "changes": {"intact": "its own memory", **DONE},
        "branches": branches,
    }


def _branch(study: Study, branch: str, rows: Sequence[Row], pool: Pool) -> dict[str, Any]:
    kind, drawn = BRANCHES[branch], {}
    for row in rows:
        path = row.folder / f"{branch}.safetensors"
        drawn[row.name] = Rollout.load(path)
        drawn[row.name].check(study, branch, pool.info, path)
    cases = drawn[rows[0].name].cases
    held = {row.name: read_record(row.folder / "record.json").get("held", {}).get(branch, {}) for row in rows}
    probed = {row.name: Probed.load(row.probes, cases[: study.evaluate.probe_cases])
              for row in rows if row.probes and branch == PROBED}  # fmt: skip
    shown = []
    for number, case in enumerate(cases[:SHOWN_CASES]):
        truth, own = pool.frames(case), {}
        generated = list(generated_frames(branch, study.segment.frames))
        for name, rollout in drawn.items():
            frames = rollout.frames[number]
            own[name] = {"frames": sprite(frames), "psnr": _decibels(frames, truth[generated]),
                         "held": held[name].get(case, [])}  # fmt: skip
            if name in probed and number < len(probed[name].cases):
                own[name]["changed"] = {
                    change: {"frames": sprite(after[number]), "psnr": _decibels(after[number], truth[-RETURN_FRAMES:])}
                    for change, after in probed[name].frames.items()
                }
        poses = pool.poses(case)[:, [0, 1, 5]].round(3).tolist()
        shown.append({"name": case, "room": str(pool.info.room[case]), "start": generated[0], "truth": sprite(truth),
                      "poses": poses, "rows": own})  # fmt: skip
    return {"name": branch, "label": kind.label, "explained": kind.explained, "cases": shown}


def _about(study: Study, name: str) -> dict[str, str]:
    """How the page calls a row, and its family."""
    if name in study.profiles:
        return {"label": study.profiles[name].label, "family": study.profiles[name].family}
    return {"label": label(name), "family": FAMILY}


def _decibels(frames: Frames, truth: Frames) -> list[float]:
    return np.minimum(psnr(frames, truth), IDENTICAL).round(1).tolist()


def _small(frame: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "h w 3"]:
    scale = LARGEST / max(frame.shape[:2])
    if scale >= 1:
        return frame
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


def sprite(frames: Frames) -> str:
    """Frames as tiles of one picture, inside an address."""
    tiles = np.stack([_small(frame) for frame in frames])
    short = -len(tiles) % COLUMNS if len(tiles) > COLUMNS else 0
    tiles = np.concatenate([tiles, np.zeros((short, *tiles.shape[1:]), np.uint8)])
    sheet = rearrange(tiles, "(r c) h w d -> (r h) (c w) d", c=min(COLUMNS, len(tiles)))
    return picture_address(sheet, "WEBP", quality=QUALITY)
