"""Who has the released weights types one command: the study of released checkpoints, at tiny sizes, through Snakemake.

The files are synthetic, of the released names. Takes minutes of CPU for what the parts' own tests have: not in
``.ci/run``, ``python -m pytest tests/scale -m slow``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import load_file, save_file

from echo.io.files import sha256
from tests.conftest import ROOT
from tests.copied import copy_project
from tests.released_files import Sizes, released_weights
from tests.scale.paper_tiny import write_pool
from tests.scale.snakemake import snakemake
from tests.wan_folder import SIZES, save_wan_folder

pytestmark = pytest.mark.slow
RETURNS = ["return_45", "return_strict", "recall"]  # what a judge compares with the first frame
RECURRENT = {"ssm_blockwise_causal_v2_released": (0,)}  # of four blocks, every fourth
TINY = {
    "world": {"size": [32, 48], "held_out_videos": 2, "in_domain_rooms": 4, "open_domain_rooms": 4},
    "segment": {"frames": 5},
    "codec": {"channels": 4},
    "text": {"dim": 16, "tokens": 24},
    "backbone": {"layers": 4, "heads": 2, "head_dim": 12, "ffn_dim": 48},
    "sampler": {"steps": 2},
    "evaluate": {"references": ["copy_first"], "cases": 4, "probe_cases": 4, "bootstrap": 200, "judge": "embedded"},
    "compute": {"latent_shares": 1, "device": "cpu"},
}


def write_study(folder: Path) -> Path:
    """config/released.yaml with other sizes, paths and judge, and the synthetic checkpoints that it names."""
    data = yaml.safe_load((ROOT / "config" / "released.yaml").read_text())
    for name, values in TINY.items():
        data[name] = {**data[name], **values}
    del data["judges"], data["open_domain"]
    data["pretrained"] = {"path": str(save_wan_folder(folder / "wan"))}
    data["world"]["path"] = str(write_pool(folder / "pool"))
    for row in data["rows"]:
        width = SIZES["num_attention_heads"] * SIZES["attention_head_dim"]
        sizes = Sizes(SIZES["num_layers"], width, SIZES["ffn_dim"], SIZES["in_channels"], SIZES["text_dim"],
                      recurrent=RECURRENT.get(row, ()))  # fmt: skip
        path = folder / "checkpoints" / row / "epoch-0.safetensors"
        path.parent.mkdir(parents=True)
        save_file(released_weights(sizes), path)
        data["checkpoints"][row] = {"path": str(path), "sha256": sha256(path)}
    path = folder / "released.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A copy of the repository in which the study has run to its tables."""
    folder = copy_project(tmp_path_factory.mktemp("released"), "resources/weights")
    snakemake(folder, "results/released/tables/tables.md", "--configfile", str(write_study(folder / "data")))
    return folder


def test_the_checkpoints_are_imported_and_nothing_is_trained(run):
    rows = sorted(path.name for path in (run / "data" / "checkpoints").iterdir())
    trained = run / "runs" / "released" / "train"
    assert sorted(path.name for path in trained.iterdir()) == [f"{row}-0" for row in rows]
    for row in rows:
        record = json.loads((trained / f"{row}-0" / "model.record.json").read_text())
        assert record["released_sha256"] == sha256(run / "data" / "checkpoints" / row / "epoch-0.safetensors")
    assert not (run / "runs" / "released" / "pool" / "train").exists()


def test_every_row_is_in_the_tables_with_what_it_drew(run):
    cases = pd.read_csv(run / "results" / "released" / "tables" / "cases.csv.xz")
    rows = yaml.safe_load((ROOT / "config" / "released.yaml").read_text())["rows"]
    assert set(cases.row_name) == {*rows, "copy_first"} and len(cases) == 4 * 5 * 4
    assert np.isfinite(cases[["psnr", "ssim", "lpips"]]).all(axis=None)
    assert np.isfinite(cases.loc[cases["branch"].isin(RETURNS), "judge"]).all()
    drawn = [load_file(run / f"runs/released/rollout/{row}-0/return_45.safetensors")["frames"] for row in rows]
    assert len({frames.numpy().tobytes() for frames in drawn}) == len(rows)
