"""The paper's study with other sizes and paths and nothing else: a tiny Wan folder, a tiny Context-as-Memory pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from tests.conftest import ROOT
from tests.pictures import write_pictures
from tests.wan_folder import save_wan_folder
from tests.world.recordings.samples import turning_poses, write_scene

SCENES, FRAMES = 6, 120
# Which rows run, how large everything is, where it lies, and which machine runs it.
SIZES_AND_PATHS = {
    "study": "paper_tiny",
    "rows": ["i2v", "ssm_blockwise_causal_v2"],
    "pretrained": {"path": None},
    "world": {"path": None, "size": [32, 48], "held_out_videos": 2, "train_rooms": 8, "in_domain_rooms": 4,
              "open_domain_rooms": 4},
    "segment": {"frames": 5},
    "codec": {"channels": 4},
    "text": {"dim": 16, "tokens": 24},
    "backbone": {"layers": 4, "heads": 2, "head_dim": 12, "ffn_dim": 48},
    "train": {"steps": 6, "batch": 4, "checkpoint_every": 2},
    "sampler": {"steps": 2},
    "judges": {"qwen3_vl": {"kind": "vision_language", "model": None, "revision": None, "endpoint": None,
                            "max_tokens": 24, "side": 56}},
    "evaluate": {"references": ["ridge"], "cases": 4, "probe_cases": 4, "bootstrap": 200},
    "open_domain": {"images": None},
    "compute": {"processes": 2, "latent_shares": 2, "device": "cpu"},
}  # fmt: skip


def write_study(folder: Path, model: Path | None = None, pool: Path | None = None, judge: dict[str, str] | None = None
                ) -> Path:  # fmt: skip
    """Write the model, the pool and the study's YAML to ``folder``; returns the YAML's path.

    judge: settings of the study's judge; without them the jobs load it from the folder ``judge`` there.
    """
    model = model or save_wan_folder(folder / "wan")
    pool = pool or write_pool(folder / "pool")
    data = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    for name, values in SIZES_AND_PATHS.items():
        data[name] = {**data[name], **values} if isinstance(values, dict) else values
    data["pretrained"]["path"], data["world"]["path"] = str(model), str(pool)
    data["open_domain"]["images"] = str(write_pictures(folder / "pictures"))
    data["judges"]["qwen3_vl"] |= {"model": str(folder / "judge"), **(judge or {})}
    path = folder / "paper_tiny.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def write_pool(folder: Path) -> Path:
    """Scenes whose camera looks to and fro over 90 degrees, 9 a frame, so that clips come back; in the real layout."""
    swing = 9.0 * np.abs((np.arange(FRAMES) + 10) % 20 - 10)
    for number in range(SCENES):
        poses = turning_poses(FRAMES)
        poses[:, 5] = (swing + 37 * number + 180) % 360 - 180
        write_scene(folder, f"Scene_{number}", np.round(poses, 6))
    return folder
