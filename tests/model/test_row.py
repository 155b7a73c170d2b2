"""A row: the backbone and its memory, saved with what made it and refused where that does not fit."""

import pytest
import torch

from echo.io.tensors import TensorFileError, read_header
from echo.model.row import CheckpointError, Row, profile_text, rig_text
from tests.conftest import Setting, tiny_study

STUDY = tiny_study()


def test_a_saved_row_is_read_back_to_the_last_bit(tmp_path):
    row, other = Row(STUDY, STUDY.profiles["spatial"]), Row(STUDY, STUDY.profiles["spatial"], train_seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(row.parameters(), other.parameters(), strict=True))
    row.save(tmp_path / "row.safetensors", steps="3")
    assert other.load(tmp_path / "row.safetensors")["steps"] == "3"
    assert all(torch.equal(a, b) for a, b in zip(row.parameters(), other.parameters(), strict=True))
    assert read_header(tmp_path / "row.safetensors")["profile"] == profile_text(STUDY.profiles["spatial"])


def test_all_rows_and_training_seeds_start_from_one_backbone():
    first = Row(STUDY, STUDY.profiles["i2v"]).backbone.state_dict()
    second = Row(STUDY, STUDY.profiles["ssm_blockwise"], train_seed=3).backbone.state_dict()
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_checkpoint_of_another_row_or_rig_names_both_sides(tmp_path):
    path = tmp_path / "row.safetensors"
    Row(STUDY, STUDY.profiles["context_k5"]).save(path)
    with pytest.raises(CheckpointError, match=r'profile has .*"context_k5".* asks for .*"context_k20"'):
        Row(STUDY, STUDY.profiles["context_k20"]).load(path)
    shifted = tiny_study(train={"timestep_shift": 3.0})
    with pytest.raises(CheckpointError, match=r"rig has .*7\.0.* asks for .*3\.0"):
        Row(shifted, shifted.profiles["context_k5"]).load(path)


def test_the_rig_is_what_training_and_inference_must_share():
    assert rig_text(STUDY) == rig_text(tiny_study(train={"steps": 9}, sampler={"steps": 5}))
    for sections in ({"train": {"context_noise": 0.1}}, {"evidence": {"rule": "recent"}}, {"backbone": {"layers": 5}}):
        assert rig_text(STUDY) != rig_text(tiny_study(**sections))


def test_a_base_serves_every_policy_and_a_rows_checkpoint_its_own(tmp_path):
    stream = tiny_study(evidence={"policy": "streaming"})
    base, path = STUDY.profiles["i2v"], tmp_path / "base.safetensors"
    Row(STUDY, base, train_seed=1).save(path)
    row = Row(stream, stream.profiles["context_k5"])
    with torch.no_grad():
        for weight in row.parameters():
            weight.add_(1)
    row.start_from(path, base)
    held = Row(STUDY, base, train_seed=1).backbone.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in row.backbone.state_dict().items())
    with pytest.raises(CheckpointError, match=r'rig has .*"matched".* asks for .*"streaming"'):
        Row(stream, base).load(path)
    larger = tiny_study(evidence={"policy": "streaming"}, backbone={"ffn_dim": 32})
    with pytest.raises(CheckpointError, match=r'rig has .*"ffn_dim": 24.* asks for .*"ffn_dim": 32'):
        Row(larger, base).start_from(path, base)


def test_a_changed_checkpoint_is_refused(tmp_path):
    path = tmp_path / "row.safetensors"
    Row(STUDY, STUDY.profiles["i2v"]).save(path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(TensorFileError, match="damaged"):
        Row(STUDY, STUDY.profiles["i2v"]).load(path)


def test_gradients_reach_the_memory():
    """Of every row that remembers and has something to train in its memory."""
    made = Setting(STUDY)
    for name, profile in STUDY.profiles.items():
        row = Row(STUDY, profile)
        with torch.no_grad():
            for weight in row.parameters():
                weight.add_(0.05)  # away from the gates that start at zero
        state = row.write(None, made.evidence(3), made.text)
        target = made.target(3)
        row(target, torch.full((2,), 0.5), made.evidence(3).span(0, 1), made.text, state).square().mean().backward()
        reached = [weight.grad is not None and bool(weight.grad.any()) for weight in row.memory.parameters()]
        assert any(reached) or not profile.remembers or not reached, name
