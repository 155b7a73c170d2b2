"""Training: what a step draws, what is rejected, and a run killed at any moment that ends with the same bits."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from echo.model.row import CheckpointError, Row
from echo.training.trainer import RESUME, Trainer, matrices, rate
from tests.conftest import ROOT, Setting, tiny_study


def clips_of(study, count=5):
    return Setting(study, clips=count).clips


def trainer(folder: Path, study=None, name="ssm_blockwise", steps=None, seed=0) -> Trainer:
    study = study or tiny_study()
    row = Row(study, study.profiles[name], seed)
    return Trainer(study, row, clips_of(study), folder, seed, steps or study.train.steps, "about")


def weights(one: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in one.row.state_dict().items()}


def assert_same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


def test_training_lowers_the_loss(tmp_path):
    study = tiny_study(train={"steps": 60, "batch": 5})
    one = trainer(tmp_path, study, "context_k5")
    before = np.mean([one.loss(step).item() for step in range(20)])
    one.run()
    after = np.mean([one.loss(step).item() for step in range(20)])
    assert after < 0.97 * before


def test_the_same_seed_gives_the_same_bits(tmp_path):
    first, second = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    first.run()
    second.run()
    assert_same(weights(first), weights(second))
    other = trainer(tmp_path / "c", seed=1)
    other.run()
    assert any(not torch.equal(weights(first)[name], value) for name, value in weights(other).items())


@pytest.mark.parametrize("name", ["i2v", "ssm_blockwise", "spatial_cross_attn"])
def test_resume_equals_no_interruption(tmp_path, name):
    whole = trainer(tmp_path / "whole", name=name)
    whole.run()
    broken = trainer(tmp_path / "broken", name=name)
    calls = iter(range(100))
    step = broken._one_step

    def fails_at_the_fifth():
        if next(calls) == 4:
            raise KeyboardInterrupt
        return step()

    broken._one_step = fails_at_the_fifth
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = trainer(tmp_path / "broken", name=name)
    resumed.run()
    assert resumed.accepted == whole.accepted and resumed.mean == whole.mean
    assert_same(weights(resumed), weights(whole))


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.training.test_trainer import trainer
from tests.conftest import tiny_study
study = tiny_study(train={{"steps": 200, "checkpoint_every": 5}})
one = trainer(Path(sys.argv[1]), study, "context_k5")
one.run()
one.row.save(Path(sys.argv[1]) / "model.safetensors")
"""


def test_kill_9_equals_no_interruption(tmp_path):
    """A process killed with SIGKILL between two of its checkpoints, started again, writes the same weights."""
    command = [sys.executable, "-c", SCRIPT.format(root=str(ROOT))]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    killed = subprocess.Popen([*command, str(tmp_path / "killed")], **quiet)
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / RESUME).is_file():
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    for folder in ("killed", "whole"):
        subprocess.run([*command, str(tmp_path / folder)], check=True, **quiet)
    a, b = (tmp_path / folder / "model.safetensors" for folder in ("killed", "whole"))
    assert_same(load_file(a), load_file(b))
    assert a.read_bytes() == b.read_bytes()  # headers too


def test_a_resume_file_of_another_run_is_not_taken_up(tmp_path, capsys):
    first = trainer(tmp_path)
    first.run()
    other = trainer(tmp_path, seed=1)
    other._resume()
    assert other.step == 0
    assert "of another configuration or code" in capsys.readouterr().out


def test_a_spike_is_skipped_and_counted(tmp_path):
    one = trainer(tmp_path, tiny_study(train={"steps": 16}), "i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (1000 if step == 12 else 1)
    seen = {}
    step = one._one_step

    def watched():
        before = weights(one)
        result = step()
        seen[one.step - 1] = any(not torch.equal(before[name], value) for name, value in weights(one).items())
        return result

    one._one_step = watched
    one.run()
    assert one.rejected == 1 and one.accepted == 15
    assert [number for number, moved in seen.items() if not moved] == [12]


def test_a_loss_that_is_not_finite_never_reaches_the_weights(tmp_path):
    one = trainer(tmp_path, name="i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (float("nan") if step == 2 else 1)
    one.run()
    assert one.rejected == 1
    assert all(value.isfinite().all() for value in weights(one).values())


def test_rows_of_one_stream_see_the_same_batches(tmp_path):
    """`spatial_inject_none` is trained as `i2v` is, to the last bit: its memory is stored and never read."""
    runs = [trainer(tmp_path / name, name=name) for name in ("i2v", "spatial_inject_none")]
    for one in runs:
        one.run()
    assert_same(*({k: v for k, v in weights(one).items() if k.startswith("backbone.")} for one in runs))


def test_the_target_alone_enters_the_loss(tmp_path, monkeypatch):
    from echo.model import flow

    one, seen = trainer(tmp_path, name="context_k5"), []
    honest = flow.loss
    monkeypatch.setattr(flow, "loss", lambda predicted, clean, noise: seen.append(predicted.shape) or honest(
        predicted, clean, noise))  # fmt: skip
    one.loss(0)
    assert seen[0][1] == one.study.segment.frames


def test_rates_warm_up_and_cool_down():
    rates = [rate(step, 100, 10, 0.5) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 11) and rates[10:51] == [1.0] * 41
    assert rates[75] == pytest.approx(0.5) and rates[99] == pytest.approx(0.02)


def test_every_parameter_has_one_optimizer(tmp_path):
    one = trainer(tmp_path, name="spatial_cross_attn")
    held = [id(p) for o in one.optimizers.values() for group in o.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in one.row.parameters())
    assert {weight.ndim for weight in matrices(one.row)} == {2}


def test_a_checkpoint_of_another_row_is_refused_and_both_are_named(tmp_path):
    study = tiny_study()
    Row(study, study.profiles["context_k5"]).save(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r'profile has .*"context_k5".*asks for .*"i2v"'):
        Row(study, study.profiles["i2v"]).load(tmp_path / "model.safetensors")
    other = tiny_study(evidence={"rule": "recent"})
    with pytest.raises(CheckpointError, match=r'rig has .*"fov_cover".*asks for .*"recent"'):
        Row(other, other.profiles["context_k5"]).load(tmp_path / "model.safetensors")


def test_a_checkpoint_without_a_profile_is_refused(tmp_path):
    study = tiny_study()
    row = Row(study, study.profiles["i2v"])
    save_file(row.state_dict(), tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match="profile has none"):
        row.load(tmp_path / "bare.safetensors")
    row.save(tmp_path / "model.safetensors", base_sha256="abc")
    assert row.load(tmp_path / "model.safetensors")["base_sha256"] == "abc"
    assert_same(load_file(tmp_path / "model.safetensors"), row.state_dict())
