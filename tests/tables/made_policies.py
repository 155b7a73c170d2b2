"""Tables of invented numbers of three studies that differ in evidence and recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from echo.tables.paper import paper

ROWS = ("i2v", "context_k5", "context_k20", "spatial", "ssm_blockwise")
FAMILIES = dict(zip(ROWS, ("context", "context", "context", "spatial", "state_space"), strict=True))
STUDIES = {"as_released": "as_released", "matched": "matched", "mini": "streaming"}  # name: policy
ROOMS = 8


def write_study(folder: Path, name: str, published: float, rows: tuple[str, ...] = ROWS) -> Path:
    """Write what is read of one study; returns its folder of tables.

    ``published``: how much of a row's number follows the paper's column (1) and how much the row's place (0).
    """
    policy, tables = STUDIES[name], folder / name / "tables"
    tables.mkdir(parents=True)
    released = policy == "as_released"
    names = [f"{row}_released" if released else row for row in rows]
    about = [(own, FAMILIES[row], f"label of {row}") for own, row in zip(names, rows, strict=True)]
    about.append(("copy_first", "reference", "a copy"))
    pd.DataFrame(about, columns=["row_name", "family", "label"]).to_csv(tables / "rows.csv", index=False)
    cases = []
    for branch, measure, column in (("return_45", "judge", "opendomain_vlm"), ("replay", "psnr", "replay_psnr")):
        theirs = paper()[column][list(rows)]
        for place, (own, row) in enumerate(zip(names, rows, strict=True)):
            value = published * theirs[row] + (1 - published) * 10 * place
            for room in range(ROOMS):
                luck = np.sin(7 * room + place)  # of rooms, the same mean for all
                key = {
                    "row_name": own,
                    "train_seed": 0,
                    "branch": branch,
                    "scene": f"room_{room}",
                    "case": f"room_{room}__{branch}",
                }
                none = dict.fromkeys(("psnr", "lpips", "judge"), np.nan)
                cases.append({**key, **none, measure: value + 0.01 * luck})
    table = pd.DataFrame(cases)
    table.to_csv(tables / "cases.csv.xz", index=False)
    melted = table.melt(["row_name", "branch"], ["psnr", "lpips", "judge"], "measure").dropna()
    summary = melted.groupby(["row_name", "branch", "measure"], sort=False)["value"].mean().reset_index()
    summary.to_csv(tables / "summary.csv", index=False)
    own = [(row, "timestep_shift", "15") for row in names if released]
    own += [(row, "evidence", f"source of {row}") for row in names if released]
    pd.DataFrame(own, columns=["row_name", "constant", "value"]).to_csv(tables / "constants.csv", index=False)
    train = {"timestep_shift": 3.0, **({"frozen": ["blocks.*"], "loss_weight": "bell"} if released else {})}
    config = {"study": name, "evidence": {"policy": policy}, "train": train, "sampler": {"steps": 12}}
    (tables / "record.json").write_text(json.dumps({"config": config}))
    return tables
