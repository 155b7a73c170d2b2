import numpy as np
import pandas as pd
import pytest
import torch

from echo.model.row import Row
from echo.rollout.cases import choose_cases
from echo.rollout.probes import MemoryProbeError, other_scene, probe, verdict
from echo.rollout.sampler import Batch, Player
from tests.conftest import Setting, tiny_study
from tests.memory.test_memories import build

STUDY = tiny_study()


def batch(branch: str, setting: Setting) -> Batch:
    return Batch(branch, setting.videos, setting.segments, setting.latents, setting.text)


def setting_for(branch: str, clips=2) -> Setting:
    kind = {"loop": "loop", "return_45": "return_45", "replay": "replay"}.get(branch, "return_strict")
    return Setting(STUDY, clips=clips, kind=kind)


@pytest.mark.parametrize("branch", ["replay", "loop", "return_45", "return_strict", "recall"])
def test_a_rollout_generates_all_but_what_it_is_given(branch):
    made = setting_for(branch)
    latents, index = Player(STUDY, build("context_k5")).play(batch(branch, made))
    last = made.poses.shape[1] - 1
    expected = np.arange(last - 3, last + 1) if branch == "recall" else np.arange(1, last + 1)
    assert index.tolist() == expected.tolist()
    assert latents.shape == (2, len(index) // 4, 4, *made.latents.shape[2:])


@pytest.mark.parametrize("name", ["context_k5", "ssm_blockwise", "spatial"])
def test_only_the_first_frame_of_the_truth_is_used(name):
    """Scrambling every later true frame changes nothing of a rollout, to the last bit."""
    made = setting_for("return_strict")
    player = Player(STUDY, build(name))
    first, _ = player.play(batch("return_strict", made))
    made.latents = made.latents.clone()
    made.latents[:, 1:] = torch.randn_like(made.latents[:, 1:])
    second, _ = player.play(batch("return_strict", made))
    assert torch.equal(first, second)


def test_recall_does_not_see_the_frames_it_generates():
    made = setting_for("recall")
    player = Player(STUDY, build("context_k20"))
    first, index = player.play(batch("recall", made))
    made.latents = made.latents.clone()
    made.latents[:, index] += 1
    second, _ = player.play(batch("recall", made))
    assert torch.equal(first, second)


def test_noise_is_the_same_for_all_rows_and_any_batch():
    made = setting_for("recall", clips=3)
    players = [Player(STUDY, build(name)) for name in ("i2v", "context_k5")]
    shape = (4, *made.latents.shape[2:])
    noises = [player._noise(batch("recall", made), 3, shape) for player in players]
    assert torch.equal(*noises)
    alone = Batch("recall", made.videos[1:2], made.segments, made.latents[1:2], made.text[1:2])
    assert torch.equal(players[0]._noise(alone, 3, shape)[0], noises[0][1])
    assert not torch.equal(noises[0][0], noises[0][1])


def test_a_recurrent_rows_recall_writes_every_segment_in_turn():
    """Its state before the last segment is that of a rollout over the same (true) history."""
    made, player = setting_for("recall"), Player(STUDY, build("ssm_blockwise"))
    state = player.remember(batch("recall", made), made.latents, 3)
    expected = None
    for segment in (1, 2, 3):
        expected = player.row.write(expected, made.evidence(segment), made.text)
    assert all(torch.equal(state[key], expected[key]) for key in expected)


def test_counts_say_what_is_kept():
    made = setting_for("recall")
    counts = Player(STUDY, build("context_k5")).counts(batch("recall", made))
    per_frame = STUDY.numbers_per_frame + 12 + 6 * STUDY.grid[0] * STUDY.grid[1]
    assert counts["state_numbers"] == 4 * per_frame and counts["frames_read"] == 4
    assert Player(STUDY, build("i2v")).counts(batch("recall", made))["state_numbers"] == 0


def info(rooms=4, identities=2) -> pd.DataFrame:
    rows = [(f"r{r}_{i}__{kind}", "open_domain", f"r{r}", str(i), kind, 13)
            for r in range(rooms) for i in range(identities) for kind in ("return_45", "return_strict")]  # fmt: skip
    return pd.DataFrame(rows, columns=["video", "split", "room", "anchor", "trajectory", "frames"]).set_index("video")


def test_cases_spread_over_scenes_and_are_the_seeds_alone():
    cases = choose_cases(STUDY, "recall", info())
    assert len(cases) == 4 and set(cases.room) == {"r0", "r1", "r2", "r3"}
    assert list(cases.index) == list(choose_cases(STUDY, "return_strict", info()).index)
    assert list(cases.index) == list(choose_cases(STUDY, "recall", info()).index)
    assert list(cases.index) != list(choose_cases(tiny_study(seed=5), "recall", info()).index)


def test_too_few_videos_are_an_error():
    with pytest.raises(ValueError, match="evaluate.cases = 4, but the open_domain pool has 2 videos"):
        choose_cases(STUDY, "recall", info(rooms=1))


def frames_of(latents: torch.Tensor) -> np.ndarray:
    """Pictures in which the smallest change of a latent shows: untrained rows move by little."""
    return latents[-2:, :3].permute(0, 2, 3, 1).mul(1e4).remainder(256).to(torch.uint8).numpy()


def probed(name: str) -> pd.DataFrame:
    made, player = setting_for("recall", clips=4), Player(STUDY, build(name))
    truth = np.zeros((4, 2, 2, 2, 3), np.uint8)
    return probe(player, batch("recall", made), ["a", "a", "b", "b"], frames_of, truth)


@pytest.mark.parametrize("name", ["i2v", "spatial_inject_none", "ssm_blockwise_v1"])
def test_inert_rows_do_not_move_by_one_grey_level(name):
    table = probed(name)
    assert (table.change == 0).all()
    verdict(STUDY.profiles[name], table, STUDY)


@pytest.mark.parametrize("name", ["context_k5", "compress_hybrid_r4", "ssm_blockwise"])
def test_remembering_rows_move(name):
    table = probed(name)
    assert set(table.probe) == {"erase", "swap"} and len(table) == 8
    assert (table.groupby("probe").change.mean() > 0).all()


def test_a_memory_that_does_nothing_fails_with_its_name():
    """A row that claims to remember, whose read-out is cut off."""
    row = build("context_k5")
    row.memory.read = lambda state, backbone, cameras: type(build("i2v").memory).read(
        build("i2v").memory, _none(state), backbone, cameras
    )
    made = setting_for("recall", clips=4)
    truth = np.zeros((4, 2, 2, 2, 3), np.uint8)
    table = probe(Player(STUDY, row), batch("recall", made), ["a", "a", "b", "b"], frames_of, truth)
    with pytest.raises(MemoryProbeError, match="context_k5: this memory does nothing: .* erase 0.000, swap 0.000"):
        verdict(STUDY.profiles["context_k5"], table, STUDY)


def _none(state):
    return {key: value[:, :0] for key, value in state.items()}


def test_an_inert_row_that_moves_fails_with_its_name():
    table = pd.DataFrame({"probe": ["erase", "swap"], "case": ["x", "y"], "change": [0.0, 0.25], "psnr_drop": 0.0})
    with pytest.raises(MemoryProbeError, match="i2v: inert by design, yet probe swap changes y by 0.2500"):
        verdict(STUDY.profiles["i2v"], table, STUDY)


def test_swap_takes_another_scene():
    assert other_scene(["a", "a", "b", "b"]) == [2, 2, 0, 0]
    with pytest.raises(ValueError, match="at least two scenes"):
        other_scene(["a", "a"])


def test_context_noise_is_the_same_in_training_and_rollout():
    """The level is the study's; the same evidence code serves both."""
    noisy = tiny_study(train={"context_noise": 0.5})
    made = Setting(noisy)
    clean = Setting(STUDY)
    drawn = made.segments.evidence(made.latents, 3, torch.Generator().manual_seed(0))
    base = clean.segments.evidence(clean.latents, 3, torch.Generator())
    noise = torch.randn(base.latents.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.latents, 0.5 * base.latents + 0.5 * noise)
    assert isinstance(Row(noisy, noisy.profiles["i2v"]), Row)


def test_a_rollout_has_the_precision_of_training():
    """In bfloat16 it differs from float32, and by little."""
    made = setting_for("recall")
    half = tiny_study(train={"precision": "bf16"})
    row = Row(half, half.profiles["context_k5"])
    exact, _ = Player(STUDY, row).play(batch("recall", made))
    rounded, _ = Player(half, row).play(batch("recall", made))
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
    player, seen = Player(study, Row(study, study.profiles["context_k5"]), codec=Recoder()), []
    write = player.row.write
    monkeypatch.setattr(player.row, "write", lambda state, evidence, text: seen.append(evidence) or write(
        state, evidence, text))  # fmt: skip
    latents, index = player.play(Batch("return_strict", made.videos, made.segments, made.latents, made.text))
    assert latents.shape == (2, 3, 2, *made.latents.shape[2:]) and index.tolist() == list(range(1, 16))
    second = seen[1]  # the second segment's evidence: frame 0 as given, frames 1 to 5 made of the first segment
    assert second.index[0, 0] == 5
    torch.testing.assert_close(second.latents[:, 0], latents[:, 0, 1] + 100)
    given = second.latents[second.index == 0]
    torch.testing.assert_close(given, made.latents[:, 0])
    with pytest.raises(ValueError, match="codec.temporal = 4: a rollout needs the codec"):
        Player(study, player.row)


def test_a_target_latent_has_the_camera_of_the_last_frame_it_covers():
    study = tiny_study(segment={"frames": 5}, codec={"kind": "wan", "temporal": 4})
    made = Setting(study)
    whole = torch.zeros(2, 2, *made.latents.shape[2:])
    target = made.segments.target(whole, 2)
    assert target.index.tolist() == [[6, 10]] * 2
    alone = Setting(tiny_study(segment={"frames": 5}))
    assert torch.equal(target.actions, alone.segments.target(alone.latents[:, 6:11], 2).actions[:, [0, 4]])
