"""The plan: arithmetic against torch's FLOP counter, memory against real allocations, words against the docs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from echo.cost import disk
from echo.cost.gpus import GPUS, PlanError
from echo.cost.report import markdown, text
from echo.cost.row import RowPlan, rollout_segments
from echo.cost.study import plan
from echo.evidence.frames import Frames
from echo.memory.base import state_size
from echo.model.row import Row
from echo.study.config import load_study
from echo.training.objective import Objective, TrainingBatch
from echo.training.optimizers import freeze
from tests.conftest import ROOT, ROWS, tiny_study
from tests.measured import peak_bytes

PAPER = ROOT / "config" / "paper.yaml"
SIZES = {"backbone": {"heads": 2, "head_dim": 16, "ffn_dim": 96, "layers": 6, "patch": 1, "ray_frequencies": 0}}
DOCUMENTED = ["i2v", "spatial"]  # rows whose lines of docs/scale.md are rebuilt


def small(row: str | None = None, **changes):
    """All rows at small sizes; 6 layers, so that blocks repeat between those in which a memory acts."""
    sections = {**SIZES, "world": {"size": 32, "train_rooms": 6, "in_domain_rooms": 4, "open_domain_rooms": 2},
                "text": {"dim": 24, "tokens": 6}, "train": {"batch": 2, "steps": 6}}  # fmt: skip
    for name, values in changes.items():
        sections[name] = {**sections.get(name, {}), **values}
    study = tiny_study(**sections)
    return study if row is None else (study, study.profiles[row])


def filled(plan: RowPlan, count: int, batch: int, draw: torch.Generator) -> Frames:
    """Real frames of the shapes that the plan walks."""
    shapes = plan.frames(count, batch).tensors()
    values = {name: torch.randn(value.shape, generator=draw) for name, value in shapes.items() if name != "index"}
    return Frames(**values, index=torch.arange(count).expand(batch, -1))


def real_step(planned: RowPlan, evidence: int, batch: int):
    """A row with weights, and the batch of one step as training hands it over."""
    study, draw = planned.study, torch.Generator().manual_seed(0)
    row = Row(study, planned.profile)
    freeze(row, study.train.trainable)
    row.backbone.checkpointing = study.train.gradient_checkpointing
    target = filled(planned, study.target_latents, batch, draw)
    text = torch.randn(planned.text(batch).shape, generator=draw)
    level = torch.rand(batch, generator=draw)
    return row, TrainingBatch(
        [], filled(planned, evidence, batch, draw), target, level, torch.randn_like(target.latents), text
    )


def counted(row: Row, batch: TrainingBatch) -> int:
    """FLOPs of one forward and backward pass, by torch's counter (which sees no fused attention on the CPU)."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        Objective(row)(batch).backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("name", list(ROWS))
@pytest.mark.parametrize("changes", [
    {},
    {"train": {"gradient_checkpointing": True}, "backbone": {"camera": "attention"}},
], ids=["plain", "checkpointed"])  # fmt: skip
def test_flops_of_a_step_are_those_that_torch_counts(name, changes):
    planned = RowPlan(*small(name, **changes))
    tally = planned.step(8).tally
    assert tally.total == pytest.approx(counted(*real_step(planned, 8, planned.micro_batch)), rel=0.02)
    assert (tally.recomputed > 0) == ("train" in changes)


@pytest.mark.parametrize("trainable", [["memory.*"], ["*.actions.*", "*.rays.*"], ["*.ffn.*"]])
def test_what_is_frozen_costs_no_gradients(trainable):
    changes = {"train": {"trainable": trainable}, "backbone": {"ray_frequencies": 1}}
    planned = RowPlan(*small("spatial_cross_attn", **changes))
    tally = planned.step(8).tally
    assert tally.total == pytest.approx(counted(*real_step(planned, 8, planned.micro_batch)), rel=0.02)
    assert tally.backward < 1.95 * tally.forward


def test_a_transformer_costs_what_its_formula_says():
    """2 FLOPs for each weight of a linear layer and token, 4 S^2 D for self-attention; backward twice that."""
    study, profile = small("context_k5", train={"batch": 1})
    config, read = study.backbone, 4
    width, cells = config.heads * config.head_dim, study.grid[0] * study.grid[1]
    length, words = cells * (read + 1 + study.segment.frames), study.text.tokens
    patch = study.codec.channels
    attention = 4 * length * width**2 * 2 + 4 * length**2 * width
    across = 2 * (2 * length + 2 * words) * width**2 + 4 * length * words * width
    block = attention + across + 2 * 2 * length * width * config.ffn_dim
    actions = 2 * (read + 1 + study.segment.frames) * 12 * width
    times = 2 * 2 * (64 * width + width**2 + 6 * width**2)
    outside = 2 * length * patch * width + 2 * study.segment.frames * cells * width * patch
    outside += 2 * words * (study.text.dim * width + width**2) + times
    tally = RowPlan(study, profile).step(5).tally
    assert tally.forward == pytest.approx(config.layers * (block + actions) + outside, rel=1e-6)
    assert tally.backward == pytest.approx(2 * tally.forward, rel=0.02)


@pytest.mark.parametrize("name", ["i2v", "spatial_cross_attn", "ssm_blockwise"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_activations_are_what_a_step_allocates(name, precision, checkpointing):
    changes = {"train": {"precision": precision, "gradient_checkpointing": checkpointing, "batch": 2},
               "segment": {"frames": 8}, "backbone": {"heads": 2, "head_dim": 32, "ffn_dim": 256}}  # fmt: skip
    planned = RowPlan(*small(name, **changes))
    row, batch = real_step(planned, 8, planned.micro_batch)
    measured = peak_bytes(row, batch, bf16=precision == "bf16")
    assert planned.step(8).activations == pytest.approx(measured, rel=0.15)


@pytest.mark.parametrize("name", list(ROWS))
def test_sizes_are_those_of_the_row_itself(name):
    planned = RowPlan(*small(name))
    row, batch = real_step(planned, 8, 1)
    with torch.no_grad():
        state = row.write(None, batch.evidence, batch.text)
        read = row.read(state, batch.target, batch.evidence.span(0, 1))
    cells = planned.study.grid[0] * planned.study.grid[1]
    assert planned.state[0] == state_size(state)
    assert planned.tokens.read == (read.frames.count * cells if read.frames is not None else 0)
    assert planned.parameters["trainable"] == sum(weight.numel() for weight in row.parameters())
    assert planned.parameters["memory"] == sum(weight.numel() for weight in row.memory.parameters())
    assert (planned.tokens.clean > 0) == row.memory.carries or name == "ssm_blockwise_v1"


def test_steps_are_weighed_by_how_often_training_draws_them():
    study, profile = small("context_k5")
    situations = RowPlan(study, profile).situations()
    assert sum(share for share, _, _ in situations) == pytest.approx(1)
    assert {evidence for _, evidence, segment in situations if segment == 1} == {1}
    assert sum(share for share, evidence, _ in situations if evidence > 1) == pytest.approx(0.95 * 0.9)


def test_a_carried_state_is_written_for_every_segment():
    study = small()
    generated, written = rollout_segments(study, carries=False)
    assert generated == written
    again, carried = rollout_segments(study, carries=True)
    assert again == generated
    recalls = study.evaluate.cases + 3 * study.evaluate.probe_cases
    assert carried.total() - written.total() == 2 * recalls
    assert generated.total() == study.evaluate.cases * (3 + 4 + 2 + 3) + recalls


def test_sharding_and_the_average_change_what_a_gpu_holds():
    alone = RowPlan(*small("i2v", train={"batch": 8, "optimizer": "adamw"})).weight_bytes()
    weights = alone["weights"]
    assert alone == {"weights": weights, "gradients": weights, "optimizer": 2 * weights, "ema": 0, "exchange": 0}
    eight = small(train={"batch": 8, "optimizer": "adamw", "ema": 0.99}, compute={"processes": 8})
    copied = RowPlan(eight, eight.profiles["i2v"]).weight_bytes()
    assert copied["ema"] == copied["exchange"] == weights
    sharded = eight.model_copy(update={"train": eight.train.model_copy(update={"sharding": "fsdp"})})
    shares = RowPlan(sharded, eight.profiles["i2v"]).weight_bytes()
    assert shares["optimizer"] == pytest.approx(2 * weights / 8, abs=8)
    assert 0 < shares["exchange"] < weights
    muon = RowPlan(*small("i2v", train={"batch": 8})).weight_bytes()
    assert weights < muon["optimizer"] < 2 * weights


def test_disk_is_counted_frame_by_frame():
    study = small()
    frames = 6 * (1 + 4 * 4) + 4 * (2 + 7 * 4) + 4 * (2 + 5 * 4)
    assert disk.frames(study) == frames
    assert disk.latent_bytes(study) == frames * study.numbers_per_frame * 4
    assert disk.rollout_bytes(study) == 4 * (3 + 4 + 2 + 3 + 1) * 4 * 32 * 32 * 3
    assert disk.codec_flops(study) == {"frame": 0, "segment": 0, "decode": 0}


def test_a_row_that_does_not_fit_is_named_once():
    found = plan(small(), ["i2v"])
    assert found.warnings() == []
    cramped = replace(found, gpu=replace(found.gpu, memory=2**31))
    (training, rollout) = cramped.warnings()
    assert training.startswith("row i2v: a training step needs 2.0 GiB, but A100-80GB (compute.gpu) has 2 GiB")
    assert rollout.startswith("row i2v: a rollout needs")


def test_an_unknown_gpu_is_named():
    with pytest.raises(PlanError, match=r"compute.gpu = Voodoo2: not in the table of GPUs; allowed: A100-40GB, "):
        plan(small(compute={"gpu": "Voodoo2"}))
    assert all(gpu.fp32 < gpu.bf16 for gpu in GPUS.values())


def test_rows_that_differ_in_name_alone_cost_the_same():
    one, other = plan(small(), ["spatial", "spatial_concat_text"]).rows
    assert (one.row, other.row) == ("spatial", "spatial_concat_text")
    assert replace(one, row="") == replace(other, row="")


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "echo", "plan", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_prints_json_and_fails_in_one_line(tmp_path):
    smoke = str(ROOT / "config" / "smoke.yaml")
    done = run("--config", smoke, "--rows", "i2v", "--json", "--strict")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [row["row"] for row in record["rows"]] == ["i2v"]
    assert record["total"]["train_hours"] > 0
    missing = run("--config", str(tmp_path / "absent.yaml"))
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "row" in run("--config", smoke, "--rows", "telepathy").stderr


def test_the_documented_table_is_what_the_command_prints():
    document = (ROOT / "docs" / "scale.md").read_text()
    found = plan(load_study(PAPER), DOCUMENTED)
    lines = [line for line in markdown(found).splitlines() if line.split(" ")[1:2] and line.split(" ")[1] in DOCUMENTED]
    assert len(lines) == 3 * len(DOCUMENTED)
    missing = [line for line in lines if line not in document]
    assert not missing, "docs/scale.md is outdated; python -m echo plan --config config/paper.yaml --markdown prints it"
    assert "activations" in text(found)
