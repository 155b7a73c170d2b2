"""The study for one GPU and one night, on a CPU, with other sizes and nothing else: its base, rows from it, rollouts.

Latents are of rendered rooms where the base learns, and random where rows do: the way from frames to latents is that of
every study, and is tested with those.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState

from echo.__main__ import main
from echo.encoding.fit import fit_codec
from echo.evidence.clips import Clips
from echo.evidence.segments import Ranking, Segments
from echo.io.tensors import load_tensors
from echo.model.base import BASE
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.config import Study, load_study, parse_study
from echo.study.words import BRANCHES
from echo.training.trainer import Trainer
from echo.world.rooms.assets import fetch_assets
from tests.conftest import ROOT, ROWS, Held, Setting
from tests.encoding.videos import Videos

STUDY = ROOT / "config" / "workstation.yaml"
# How large everything is, and that nothing is compiled: only that.
SIZES = {
    "rows": ["i2v", "context_k20", "spatial_cross_attn", "ssm_blockwise"],
    "world": {"size": 32, "train_rooms": 4, "in_domain_rooms": 4, "open_domain_rooms": 4},
    "segment": {"frames": 4},
    "codec": {"channels": 8, "train_frames": 60, "options": {"whiten": 0}},  # no frame is decoded here
    "backbone": {"layers": 3, "heads": 2, "head_dim": 12, "ffn_dim": 48},
    "base": {"rooms": 4, "shard_rooms": 4, "steps": 8, "batch": 4, "accumulate": 2, "warmup": 1, "checkpoint_every": 4,
             "compile": False},
    "train": {"steps": 4, "batch": 4, "warmup": 1, "checkpoint_every": 2, "compile": False},
    "sampler": {"steps": 2},
    "evaluate": {"judges": [], "contrasts": [], "cases": 4, "batch": 2, "probe_cases": 4},
    "compute": {"device": "cpu"},
}  # fmt: skip
TRAINED = ["context_k20", "ssm_blockwise"]


def tiny() -> Study:
    data = copy.deepcopy(yaml.safe_load(STUDY.read_text()))
    for name, values in SIZES.items():
        data[name] = {**data.get(name, {}), **values} if isinstance(values, dict) else values
    return parse_study(data, ROWS)


def echo(*arguments) -> None:
    assert main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[Path]:
    """A folder with the base, trained by its own commands."""
    torch.set_num_threads(1)
    AcceleratorState._reset_state()  # which keeps the precision of the first run of a process
    folder, study = tmp_path_factory.mktemp("workstation"), tiny()
    (folder / "study.json").write_text(study.model_dump_json())
    (folder / "rows.yaml").write_text(json.dumps(ROWS))
    codec, clips = folder / "codec.safetensors", folder / "0.safetensors"
    fit_codec(study.codec, 0, Videos(), codec)
    of_study = ("--study", folder / "study.json")
    echo("base-clips", *of_study, "--shard", 0, "--codec", codec, "--out", clips,
         "--assets", fetch_assets(ROOT / "resources" / "assets"))  # fmt: skip
    echo("base-train", *of_study, "--shards", clips, "--out", folder / "base.safetensors")
    yield folder
    AcceleratorState._reset_state()


def stream(study: Study, kind: str) -> Setting:
    """Clips of random latents, without a ranking, as a stream has none."""
    setting = Setting(study, clips=4, kind=kind)
    setting.ranking = Ranking({})
    setting.segments = Segments(study, setting.videos, setting.poses, setting.ranking)
    return setting


def test_the_study_is_for_one_gpu_and_a_night():
    study = load_study(STUDY)
    assert study.compute.processes == 1 and study.compute.device == "cuda" and study.compute.hours <= 10
    assert study.train_seeds == (0,) and min(study.world.height, study.world.width) >= 128
    assert study.rows == load_study(ROOT / "config" / "config.yaml").rows
    for recipe in (study.base, study.train):
        assert recipe.precision == "bf16" and recipe.compile
    assert study.base.source == "trained"


def test_the_base_is_trained_as_the_section_says(made):
    record = json.loads((made / "base.record.json").read_text())
    assert (record["steps"], record["precision"], record["windows"]) == (8, "bf16", 16)
    assert np.isfinite(record["final_loss"]) and record["rejected_steps"] == 0
    drawn = Row(tiny(), BASE).state_dict()
    base = load_tensors(made / "base.safetensors")
    assert all(value.dtype == torch.float32 for value in base.values())
    assert not torch.equal(base["backbone.transformer.proj_out.weight"], drawn["backbone.transformer.proj_out.weight"])


@pytest.mark.parametrize("name", TRAINED)
def test_a_row_trains_from_the_base_and_is_rolled_out(made, tmp_path, name):
    study = tiny()
    row = Row(study, study.profiles[name])
    row.start_from(made / "base.safetensors", BASE)
    begun = {key: value.clone() for key, value in row.state_dict().items()}
    clips = stream(study, "train")
    held = Held(clips.videos, clips.latents, clips.poses, clips.text)
    trainer = Trainer(study.train, row, Clips(held, held, clips.ranking), tmp_path, 0, study.train.steps, "")
    trainer.run()
    facts = trainer.facts()
    assert facts["precision"] == "bf16" and facts["rejected_steps"] == 0 and np.isfinite(facts["final_loss"])
    trainer.finish(tmp_path / "model.safetensors")
    back = Row(study, study.profiles[name])
    back.load(tmp_path / "model.safetensors")
    assert any(not torch.equal(value, begun[key]) for key, value in back.state_dict().items())
    cases = stream(study, BRANCHES["recall"].trajectory)
    generated = [
        Sampler(study, back).rollout(CaseBatch("recall", cases.videos, cases.segments, latents, cases.text))[0]
        for latents in (cases.latents, another_past(cases.latents))
    ]
    assert generated[0].shape == (4, 1, 4, 8, 2, 2) and generated[0].isfinite().all()
    assert not torch.equal(*generated)  # it reads its memory


def another_past(latents: torch.Tensor) -> torch.Tensor:
    """The same first frames, and after them another case's up to the frame before the last segment, which stays."""
    past = latents.clone()
    past[:, 1:-5] = latents.flip(0)[:, 1:-5]
    return past
