"""What reference rows, which need no training, score on every branch, and what the ray ridge's settings do to it.

python -m bench.references --work FOLDER [--rooms 16] [--train-rooms 60] [--seed 7] [--settings]

Renders rooms of the choosing split of a seed that no study has (0 is theirs) to FOLDER, fits the default study's codec
to training rooms of that seed, and draws each reference row: mean PSNR and LPIPS of the measured frames against the
true ones, PSNR on pixels that a given frame shows and on the others, the shares of these, and the numbers kept. With
``--settings``, PSNR of the ridge alone at a list of settings. What is in FOLDER already is used again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from echo.encoding.codec import Codec, load_codec
from echo.encoding.latents import Latents
from echo.encoding.stages import codec, latents, latents_share
from echo.measures.images import psnr
from echo.measures.lpips import Lpips
from echo.measures.seen import measured_positions, on_seen, see_branch
from echo.rollout.cases import choose_cases
from echo.rollout.known import known_of, load_reference
from echo.rollout.references import ridge
from echo.study.config import Study, load_rows, parse_study
from echo.study.words import BRANCHES, generated_frames
from echo.world.pool import Pool, open_pool
from echo.world.rooms.assets import fetch_assets
from echo.world.stages import pool as pool_stage

SPLIT = "choosing"
SETTINGS = (
    (128, 4, 1, 0.1), (256, 4, 1, 1e-3), (256, 4, 1, 0.03), (256, 4, 1, 0.1), (256, 4, 1, 0.3), (256, 4, 1, 1.0),
    (256, 6, 1, 0.1), (256, 6, 1, 0.3), (256, 4, 0.5, 0.1), (256, 4, 2, 0.1), (256, 3, 1, 0.1), (256, 3, 1, 0.3),
    (512, 4, 1, 0.1),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of pools, codec and latents")
    parser.add_argument("--rooms", type=int, default=16)
    parser.add_argument("--train-rooms", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--settings", action="store_true", help="the ridge's settings in place of all references")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    given = parser.parse_args()
    study = parse_study(
        {"study": "references", "seed": given.seed, "rows": ["i2v", "context_k5"], "codec": {"options": {"whiten": 0}},
         "world": {"train_rooms": given.train_rooms, "choosing_rooms": given.rooms},
         "evaluate": {"splits": SPLIT, "cases": given.rooms, "probe_cases": given.rooms}},
        load_rows(Path("config/rows.yaml")), whole=False,
    )  # fmt: skip
    _prepare(study, given.work, given.resources / "assets")
    pool, cache = open_pool(given.work / "pool" / SPLIT, (SPLIT,)), Latents(given.work / "latents")
    decoder = load_codec(given.work / "codec.safetensors")
    if given.settings:
        table = pd.DataFrame([_ridge(study, pool, cache, decoder, *one) for one in SETTINGS])
    else:
        lpips = Lpips(given.resources / "weights")
        table = pd.DataFrame(
            [line for branch in BRANCHES for line in _branch(study, branch, pool, cache, decoder, lpips)]
        )
    print(f"{given.rooms} rooms of {SPLIT}, seed {given.seed}")
    print(table.round(3).to_string(index=False))
    print(json.dumps({"bench": "references", "rooms": given.rooms, "lines": table.round(4).to_dict("records")}))


def _prepare(study: Study, work: Path, assets: Path) -> None:
    """Pools, codec and latents."""
    fetch_assets(assets)
    for split in ("train", SPLIT):
        pool_stage.run(study, split, assets, work / "pool" / split)
    if not (work / "codec.safetensors").is_file():
        codec.run(study, work / "pool" / "train", work / "codec.safetensors")
    share = work / "latents" / "shares" / "0"
    latents_share.run(study, work / "pool" / SPLIT, work / "codec.safetensors", 0, share)
    latents.run(study, work / "pool" / SPLIT, work / "codec.safetensors", [share], work / "latents")


def _branch(study: Study, branch: str, pool: Pool, cache: Latents, decoder: Codec, lpips: Lpips) -> list[dict]:
    """One line per reference row: means over the branch's cases."""
    index = np.array(generated_frames(branch, study.segment.frames))
    places, masks, lines = measured_positions(branch, index), see_branch(study, branch, pool), []
    for name in study.references:
        module, cases = load_reference(name), []
        for case in masks.cases:
            known = known_of(study, branch, case, pool, cache, module)
            drawn, truth = module.draw(known, decoder), pool.frames(case, index)
            a, b = drawn[places], truth[places]
            apart = on_seen(masks, branch, case, drawn, truth, index)
            cases.append({"psnr": psnr(a, b).mean(), "lpips": lpips(a, b).mean(), **apart, "kept": module.kept(known)})
        lines.append({"branch": branch, "reference": name, **pd.DataFrame(cases).astype(float).mean().to_dict()})
    return lines


def _ridge(
    study: Study,
    pool: Pool,
    cache: Latents,
    decoder: Codec,
    features: int,
    direction: float,
    moment: float,
    penalty: float,
) -> dict[str, float]:
    """PSNR of the ridge on each branch, with one set of settings."""
    settings = ridge.Settings(features, direction, moment, penalty)
    line = {"features": features, "direction": direction, "moment": moment, "penalty": penalty}
    for branch in BRANCHES:
        index = np.array(generated_frames(branch, study.segment.frames))
        places, levels = measured_positions(branch, index), []
        for case in choose_cases(study, branch, pool.info).index:
            drawn = ridge.draw(known_of(study, branch, case, pool, cache, ridge), decoder, settings)
            levels.append(psnr(drawn[places], pool.frames(case, index[places])).mean())
        line[branch] = float(np.mean(levels))
    return line


if __name__ == "__main__":
    main()
