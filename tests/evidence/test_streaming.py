"""A stream: every frame once, in order, from the anchor's camera, and nothing of what is to come."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.evidence.policy import policy_of
from echo.evidence.segments import Ranking, Segments
from echo.evidence.stages import evidence as stage
from echo.io.draws import BatchSlice
from echo.memory.base import state_bytes, state_size
from echo.model import flow
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.words import first_target
from echo.training.objective import Objective, draw
from echo.world.camera import plucker, relative_actions
from tests.conftest import Setting, of_each_kind, tiny_study
from tests.rollout.cases_of_tests import moved_row

STUDY = tiny_study(evidence={"policy": "streaming"})
NAMES = of_each_kind()
REMEMBER = [name for name in NAMES if STUDY.profiles[name].remembers]
# Rows whose state is of one size from the first segment on; the first release's keeps the segment before.
CONSTANT = [name for name in NAMES if STUDY.profiles[name].family in ("spatial", "state_space")
            and not getattr(STUDY.profiles[name], "attended", 0)
            and name != "ssm_blockwise_v1"]  # fmt: skip


def setting(kind: str = "train", seed: int = 0) -> Setting:
    """A batch without a ranking, as a stream has none."""
    made = Setting(STUDY, kind=kind, seed=seed)
    made.ranking = Ranking({})
    made.segments = Segments(STUDY, made.videos, made.poses, made.ranking)
    return made


def batch_of(made: Setting, branch: str = "recall") -> CaseBatch:
    return CaseBatch(branch, made.videos, made.segments, made.latents, made.text)


class Recorder:
    """Notes what a row's memory is offered, and hands it on."""

    def __init__(self, row: Row, monkeypatch) -> None:
        self.offered, append = [], row.memory.append

        def watched(state, frames, text, backbone):
            self.offered.append((state is None, frames))
            return append(state, frames, text, backbone)

        monkeypatch.setattr(row.memory, "append", watched)

    @property
    def numbers(self) -> list[list[int]]:
        """Frame numbers of each offer."""
        return [frames.index[0].tolist() for _, frames in self.offered]


IN_ORDER = [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


@pytest.mark.parametrize("name", NAMES)
def test_a_rollout_offers_every_frame_once_and_in_order(name, monkeypatch):
    made, row = setting("loop"), Row(STUDY, STUDY.profiles[name])
    seen = Recorder(row, monkeypatch)
    generated, _ = Sampler(STUDY, row).rollout(batch_of(made, "loop"))
    assert seen.numbers == IN_ORDER  # and not once a step of the sampler
    assert [fresh for fresh, _ in seen.offered] == [True, False, False, False]
    assert torch.equal(seen.offered[0][1].latents[:, 0], made.latents[:, 0])
    for segment, (_, frames) in enumerate(seen.offered[1:]):
        assert torch.equal(frames.latents, generated[:, segment])


def test_training_offers_what_a_rollout_of_the_truth_offers(monkeypatch):
    made = Setting(STUDY, clips=6)
    for name in ("context_k5", "spatial", "ssm_blockwise"):
        row = Row(STUDY, STUDY.profiles[name])
        found = set()
        for step in range(12):
            batch = draw(row, made.clips, 0, step, BatchSlice(4, 0, 4), torch.device("cpu"))
            offers = [frames.index[0].tolist() for frames in (*batch.earlier, batch.evidence)]
            first = int(batch.target.index[0, 0])
            segment = (first - 1) // 4 + 1
            assert offers in (IN_ORDER[:segment], [[first - 1]])  # the second: history is dropped
            assert batch.anchor.index.tolist() == [[first - 1]] * 4
            found.add(len(offers))
        assert len(found) > 2


def test_history_is_dropped_as_often_as_the_study_says():
    study = tiny_study(evidence={"policy": "streaming", "drop": 0.5}, segment={"history_weights": (0.0, 0.0, 1.0, 0.0)})
    row, clips = Row(study, study.profiles["i2v"]), Setting(study, clips=6).clips
    drawn = [draw(row, clips, 0, step, BatchSlice(4, 0, 1), torch.device("cpu")) for step in range(60)]
    assert 0.3 < np.mean([batch.evidence.index.tolist() == [[8]] for batch in drawn]) < 0.7


def test_offers_and_anchors_are_seen_from_their_cameras():
    made, policy = setting(), policy_of(STUDY)
    for segment, numbers in enumerate(IN_ORDER, 1):
        offered = policy.offer(made.segments, made.latents, segment, torch.Generator())
        anchor = policy.anchor(offered, made.segments, made.latents, segment, torch.Generator())
        for clip in range(2):
            path, start = made.poses[clip], first_target(segment, 4)
            newest = path[numbers[-1]]
            np.testing.assert_array_equal(offered.actions[clip], relative_actions(path[numbers], newest))
            np.testing.assert_array_equal(offered.rays[clip], plucker(path[numbers], newest, (2, 2), 75.0))
            np.testing.assert_array_equal(offered.poses[clip], path[numbers])
            np.testing.assert_array_equal(anchor.actions[clip], relative_actions(path[[start - 1]], path[start]))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 1000), segment=st.integers(1, 4))
@settings(max_examples=4, deadline=None)
def test_a_state_depends_on_no_pose_and_no_frame_of_a_later_segment(name, seed, segment):
    """Any other way on, with any other frames: what is kept when a segment begins is the same to the bit."""
    made, row = setting(seed=seed), moved_row(name, STUDY)
    start, sampler = first_target(segment, 4), Sampler(STUDY, row)
    state = sampler.remember(batch_of(made), made.latents, segment)
    other, latents = np.random.default_rng(seed), made.latents.clone()
    poses = made.poses.copy()
    poses[:, start:] += other.normal(0, 50, poses[:, start:].shape)
    latents[:, start:] = torch.randn(latents[:, start:].shape)
    made.segments = Segments(STUDY, made.videos, poses, Ranking({}))
    again = sampler.remember(batch_of(made), latents, segment)
    assert state.keys() == again.keys() and all(torch.equal(state[key], again[key]) for key in state)


@pytest.mark.parametrize("name", REMEMBER)
def test_a_state_depends_on_what_was_offered(name):
    """So that the test before this one is not passed by a memory that keeps nothing."""
    made, sampler = setting(), Sampler(STUDY, moved_row(name, STUDY))
    state = sampler.remember(batch_of(made), made.latents, 3)
    again = sampler.remember(batch_of(made), made.latents + 1, 3)
    assert any(not torch.equal(state[key], again[key]) for key in state)


def long_walk(row: Row, made: Setting, segments: int) -> list[dict]:
    """States at segments 1, 2, ... of a trajectory that the setting's frames repeat."""
    state, states = None, []
    poses = np.concatenate([made.poses, made.poses[:, ::-1]] * 3, 1)[:, : 1 + 4 * segments]
    latents = torch.cat([made.latents] * 6, 1)[:, : 1 + 4 * segments]
    walk = Segments(STUDY, made.videos, poses, Ranking({}))
    with torch.no_grad():
        for segment in range(1, segments + 1):
            state = row.write(state, row.policy.offer(walk, latents, segment, torch.Generator()), made.text)
            states.append(state)
    return states


@pytest.mark.parametrize("name", NAMES)
def test_no_row_grows_beyond_its_profile(name):
    """Constant rows hold as many bytes at segment 16 as at segment 1; banks no more than K frames and their poses."""
    row = Row(STUDY, STUDY.profiles[name])
    states = long_walk(row, setting(), 16)
    sizes, numbers = [state_bytes(state) for state in states], [state_size(state) for state in states]
    if name in CONSTANT:
        assert sizes[0] > 0 and set(sizes) == {sizes[0]}
    profile = STUDY.profiles[name]
    raw = profile.frames if profile.family == "context" else getattr(profile, "attended", 0)
    if raw:
        frames = [min(raw, 1 + 4 * segment) for segment in range(16)] if raw > 1 else [0] * 16
        assert numbers == [count * (STUDY.numbers_per_frame + 6) for count in frames]
        assert sizes == [count * (4 * STUDY.numbers_per_frame + 48) for count in frames]
    if profile.family == "compression":
        entries = -(-(profile.frames - 1) // profile.ratio)
        most = (entries + profile.ratio) * STUDY.numbers_per_frame + 6 * (entries + 1) * profile.ratio
        assert max(numbers) <= most and numbers[15] <= most


@pytest.mark.parametrize("name", REMEMBER)
def test_gradients_reach_every_parameter_of_the_memory(name):
    """From the last of a chain of writes, those before it without gradients."""
    made, row = setting(), moved_row(name, STUDY)
    *earlier, last = row.policy.chain(row.memory, made.segments, made.latents, 3, torch.Generator())
    state = None
    with torch.no_grad():
        for frames in earlier:
            state = row.write(state, frames, made.text)
    state = row.write(state, last, made.text)
    target, anchor = made.target(3), made.segments.anchor(made.latents, 3, torch.Generator())
    velocity = row(target, torch.tensor([0.3, 0.8]), anchor, made.text, state)
    flow.loss(velocity, target.latents, torch.zeros_like(target.latents)).backward()
    for part, parameter in row.memory.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, part


@pytest.mark.parametrize("name", NAMES)
def test_history_reaches_the_target_just_where_it_should(name):
    """Other frames before the anchor, the same anchor: rows that remember move and no others, to the last bit."""
    made, sampler = setting(), Sampler(STUDY, moved_row(name, STUDY))
    other = made.latents.clone()
    other[:, :8] += 1  # all of history but the anchor, frame 8
    outs = [
        sampler.generate(batch_of(made), made.latents, 3, sampler.remember(batch_of(made), latents, 3))
        for latents in (made.latents, other)
    ]
    assert torch.equal(*outs) == (name not in REMEMBER)


@pytest.mark.parametrize("name", ["context_k5", "compress_length_r2", "spatial", "ssm_blockwise"])
def test_an_erased_memory_was_only_ever_offered_the_anchor(name, monkeypatch):
    made, row = setting(), moved_row(name, STUDY)
    seen, sampler = Recorder(row, monkeypatch), Sampler(STUDY, row)
    erased = sampler.remember(batch_of(made), made.latents, 3, anchor_only=True)
    assert seen.numbers == [[8]] and seen.offered[0][0]
    read = row.read(erased, made.target(3), made.segments.anchor(made.latents, 3, torch.Generator()))
    assert read.frames is None


def test_the_loss_is_that_of_the_chain():
    made, row = Setting(STUDY, clips=6), moved_row("ssm_blockwise", STUDY)
    draws = (draw(row, made.clips, 0, step, BatchSlice(4, 0, 4), torch.device("cpu")) for step in range(30))
    batch = next(batch for batch in draws if len(batch.earlier) == 2)
    state = None
    for frames in (*batch.earlier, batch.evidence):
        state = row.memory.append(state, frames, batch.text, row.backbone)
    level = batch.level[:, None, None, None, None]
    noisy = batch.target.with_latents((1 - level) * batch.target.latents + level * batch.noise)
    predicted = row(noisy, batch.level, batch.anchor, batch.text, state)
    expected = ((predicted - (batch.noise - batch.target.latents)) ** 2).mean()
    torch.testing.assert_close(Objective(row)(batch), expected)


def test_a_long_recall_goes_on_from_the_state_of_a_shorter_one():
    """A case that is fed in two parts ends with the same bits: nothing else than the state is needed."""
    made = setting()
    for name in NAMES:
        row = moved_row(name, STUDY)
        sampler = Sampler(STUDY, row)
        whole = sampler.remember(batch_of(made), made.latents, 4)
        state = sampler.remember(batch_of(made), made.latents, 2)
        copied = {key: value.clone() for key, value in state.items()}
        with torch.no_grad():
            for segment in (3, 4):
                offered = row.policy.offer(made.segments, made.latents, segment, torch.Generator())
                copied = row.write(copied, offered, made.text)
        assert all(torch.equal(whole[key], copied[key]) for key in whole) and whole.keys() == copied.keys()


def test_nothing_is_ranked(tmp_path, monkeypatch):
    made = Setting(STUDY)
    monkeypatch.setattr(stage, "Latents", lambda folder: made.clips.cache)
    stage.run(STUDY, tmp_path, tmp_path / "evidence.safetensors")
    assert Ranking.load(tmp_path / "evidence.safetensors").order == {}
    assert policy_of(STUDY).searched(16, 4, Row(STUDY, STUDY.profiles["context_k20"]).memory) == 0
