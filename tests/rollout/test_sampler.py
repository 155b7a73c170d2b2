"""Rollouts: what they see, which noise they draw, and what becomes history."""

import numpy as np
import pytest
import torch

from echo.encoding.latents import CacheError
from echo.evidence.segments import Ranking
from echo.io.seeding import torch_generator
from echo.io.tensors import NotFiniteError, TensorFileError
from echo.model import flow
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from tests.conftest import Setting, tiny_study
from tests.rollout.cases_of_tests import STUDY, batch_of, moved_row, setting_for


@pytest.mark.parametrize("branch", ["replay", "loop", "return_45", "return_strict", "recall"])
def test_a_rollout_generates_all_but_what_it_is_given(branch):
    made = setting_for(branch)
    latents, index = Sampler(STUDY, moved_row("context_k5")).rollout(batch_of(branch, made))
    last = made.poses.shape[1] - 1
    expected = np.arange(last - 3, last + 1) if branch == "recall" else np.arange(1, last + 1)
    assert index.tolist() == expected.tolist()
    assert latents.shape == (2, len(index) // 4, 4, *made.latents.shape[2:])


@pytest.mark.parametrize("name", ["context_k5", "ssm_blockwise", "spatial"])
def test_only_the_first_frame_of_the_truth_is_used(name):
    """Scrambling every later true frame changes nothing of a rollout, to the last bit."""
    made = setting_for("return_strict")
    sampler = Sampler(STUDY, moved_row(name))
    first, _ = sampler.rollout(batch_of("return_strict", made))
    made.latents = made.latents.clone()
    made.latents[:, 1:] = torch.randn_like(made.latents[:, 1:])
    second, _ = sampler.rollout(batch_of("return_strict", made))
    assert torch.equal(first, second)


def test_recall_does_not_see_the_frames_it_generates():
    made = setting_for("recall")
    sampler = Sampler(STUDY, moved_row("context_k20"))
    first, index = sampler.rollout(batch_of("recall", made))
    made.latents = made.latents.clone()
    made.latents[:, index] += 1
    second, _ = sampler.rollout(batch_of("recall", made))
    assert torch.equal(first, second)


def test_noise_is_the_same_for_all_rows_and_any_batch_of():
    made = setting_for("recall", clips=3)
    samplers = [Sampler(STUDY, moved_row(name)) for name in ("i2v", "context_k5")]
    shape = (4, *made.latents.shape[2:])
    noises = [sampler._noise(batch_of("recall", made), 3, shape) for sampler in samplers]
    assert torch.equal(*noises)
    alone = CaseBatch("recall", made.videos[1:2], made.segments, made.latents[1:2], made.text[1:2])
    assert torch.equal(samplers[0]._noise(alone, 3, shape)[0], noises[0][1])
    assert not torch.equal(noises[0][0], noises[0][1])


def test_a_recurrent_rows_recall_writes_every_segment_in_turn():
    """Its state before the last segment is that of a rollout over the same (true) history."""
    made, sampler = setting_for("recall"), Sampler(STUDY, moved_row("ssm_blockwise"))
    state = sampler.remember(batch_of("recall", made), made.latents, 3)
    expected = None
    for segment in (1, 2, 3):
        expected = sampler.row.write(expected, made.evidence(segment), made.text)
    assert all(torch.equal(state[key], expected[key]) for key in expected)


def test_counts_say_what_is_kept():
    made = setting_for("recall")
    counts = Sampler(STUDY, moved_row("context_k5")).counts(batch_of("recall", made))
    per_frame = STUDY.numbers_per_frame + 12 + 6 * STUDY.grid[0] * STUDY.grid[1]
    assert counts["state_numbers"] == 4 * per_frame and counts["frames_read"] == 4
    assert Sampler(STUDY, moved_row("i2v")).counts(batch_of("recall", made))["state_numbers"] == 0


def test_context_noise_is_in_rollouts_as_in_training(monkeypatch):
    """What is written is the true history mixed with noise, which is named by segment and first case."""
    noisy = tiny_study(train={"context_noise": 0.5})
    made, clean = Setting(noisy, kind="return_strict"), Setting(STUDY, kind="return_strict")
    sampler, seen = Sampler(noisy, Row(noisy, noisy.profiles["context_k5"])), []
    write = sampler.row.write
    monkeypatch.setattr(sampler.row, "write", lambda state, evidence, text: seen.append(evidence) or write(
        state, evidence, text))  # fmt: skip
    sampler.rollout(batch_of("recall", made))
    [written], expected = seen, clean.evidence(3).latents
    noise = torch.randn(expected.shape, generator=torch_generator(noisy.seed, "context", "recall", "clip_0", 3))
    torch.testing.assert_close(written.latents, 0.5 * expected + 0.5 * noise)
    trained = made.segments.evidence(made.latents, 3, torch_generator(noisy.seed, "context", "recall", "clip_0", 3))
    assert torch.equal(written.latents, trained.latents)


def test_a_rollout_has_the_precision_of_training():
    """In bfloat16 it differs from float32, and by little."""
    made = setting_for("recall")
    half = tiny_study(train={"precision": "bf16"})
    row = Row(half, half.profiles["context_k5"])
    exact, _ = Sampler(STUDY, row).rollout(batch_of("recall", made))
    rounded, _ = Sampler(half, row).rollout(batch_of("recall", made))
    assert exact.dtype == rounded.dtype == torch.float32 and not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, rtol=0.1, atol=0.1)


class Recoder:
    """A codec of whole segments whose frames are numbers: decoding repeats, encoding alone picks the pixel."""

    def decode_segments(self, latents):
        first, rest = latents[:, :1], latents[:, 1:].repeat_interleave(4, 1)
        return torch.cat([first, rest], 1).flatten(0, 1)

    def encode(self, frames):
        return frames + 100


def test_whole_segments_become_history_frame_by_frame(monkeypatch):
    """With 4-fold temporal latents a segment of 5 frames is 2 latents; history holds 5, each coded alone."""
    study = tiny_study(segment={"frames": 5}, codec={"kind": "wan", "temporal": 4})
    made = Setting(study, kind="return_strict")
    sampler, seen = Sampler(study, Row(study, study.profiles["context_k5"]), codec=Recoder()), []
    write = sampler.row.write
    monkeypatch.setattr(sampler.row, "write", lambda state, evidence, text: seen.append(evidence) or write(
        state, evidence, text))  # fmt: skip
    latents, index = sampler.rollout(CaseBatch("return_strict", made.videos, made.segments, made.latents, made.text))
    assert latents.shape == (2, 3, 2, *made.latents.shape[2:]) and index.tolist() == list(range(1, 16))
    second = seen[1]  # the second segment's evidence: frame 0 as given, frames 1 to 5 made of the first segment
    assert second.index[0, 0] == 5
    torch.testing.assert_close(second.latents[:, 0], latents[:, 0, 1] + 100)
    given = second.latents[second.index == 0]
    torch.testing.assert_close(given, made.latents[:, 0])
    with pytest.raises(ValueError, match="codec.temporal = 4: a rollout needs the codec"):
        Sampler(study, sampler.row)


def test_a_target_latent_has_the_camera_of_the_last_frame_it_covers():
    study = tiny_study(segment={"frames": 5}, codec={"kind": "wan", "temporal": 4})
    made = Setting(study)
    whole = torch.zeros(2, 2, *made.latents.shape[2:])
    target = made.segments.target(whole, 2)
    assert target.index.tolist() == [[6, 10]] * 2
    alone = Setting(tiny_study(segment={"frames": 5}))
    assert torch.equal(target.actions, alone.segments.target(alone.latents[:, 6:11], 2).actions[:, [0, 4]])


def test_a_batch_is_read_from_the_splits_clips():
    made = Setting(STUDY, clips=3)
    batch = CaseBatch.load(STUDY, "replay", ["clip_2", "clip_0"], made.clips, "cpu")
    assert batch.videos == ["clip_2", "clip_0"] and batch.segments.videos == batch.videos
    assert torch.equal(batch.latents, made.latents[[2, 0]]) and torch.equal(batch.text, made.text[[2, 0]])
    assert np.array_equal(batch.segments.poses, made.poses[[2, 0]])
    with pytest.raises(CacheError, match="branch replay: no latents of case 'clip_9' among 3 videos"):
        CaseBatch.load(STUDY, "replay", ["clip_9"], made.clips, "cpu")


@pytest.mark.parametrize("branch", ["replay", "recall"])
def test_frames_that_are_not_finite_end_the_rollout(branch):
    made = setting_for(branch)
    made.latents = made.latents.clone()
    made.latents[1] = float("inf")
    sampler = Sampler(STUDY, moved_row("context_k5"))
    with pytest.raises(NotFiniteError, match=f"context_k5: branch {branch}: .* clip_1 are not finite .*timestep_shift"):
        sampler.rollout(batch_of(branch, made))


def test_a_checkpoint_that_is_not_finite_is_never_saved(tmp_path):
    row = Row(STUDY, STUDY.profiles["i2v"])
    with torch.no_grad():
        row.backbone.transformer.proj_out.weight[0, 0] = float("nan")
    with pytest.raises(NotFiniteError, match="proj_out.weight are not finite"):
        row.save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def flipped(path):
    """The file with one bit changed."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path


def test_damaged_checkpoints_and_rankings_are_refused(tmp_path):
    row = Row(STUDY, STUDY.profiles["i2v"])
    row.save(tmp_path / "model.safetensors")
    loaded = load_row(STUDY, STUDY.profiles["i2v"], 0, tmp_path / "model.safetensors").state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in row.state_dict().items())
    flipped(tmp_path / "model.safetensors")
    with pytest.raises(TensorFileError, match="model.safetensors: damaged"):
        load_row(STUDY, STUDY.profiles["i2v"], 0, tmp_path / "model.safetensors")
    with pytest.raises(TensorFileError, match="model.safetensors: damaged"):
        row.start_from(tmp_path / "model.safetensors", STUDY.profiles["i2v"])
    setting_for("recall").ranking.save(tmp_path / "evidence.safetensors")
    with pytest.raises(TensorFileError, match="evidence.safetensors: damaged"):
        Ranking.load(flipped(tmp_path / "evidence.safetensors"))


def test_a_row_is_sampled_with_its_own_shift(monkeypatch):
    shifts, sample = [], flow.sample
    monkeypatch.setattr(flow, "sample", lambda *rest: shifts.append(rest[-1]) or sample(*rest))
    for name in ("i2v", "i2v_released", "spatial_released"):
        Sampler(STUDY, moved_row(name)).rollout(batch_of("recall", setting_for("recall")))
    assert shifts == [7.0, 5.0, 15.0]
