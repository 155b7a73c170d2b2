"""What each intervention hands a memory: checked on rows whose memory keeps frames as they are."""

import numpy as np
import pytest
import torch

from echo.measures import interventions
from echo.measures.interventions import saw, states
from echo.rollout.sampler import Sampler
from echo.study.words import first_target
from tests.conftest import Setting, tiny_study
from tests.rollout.cases_of_tests import batch_of, moved_row, setting_for

FRAMES = 200  # more than any history here: a bank that gives up nothing


def of_policy(policy):
    """All states of a row that keeps every frame it is offered, its batch and the position of the anchor."""
    rule = {"rule": "recent"} if policy == "matched" else {}
    study = tiny_study(evidence={"policy": policy, "frames": 60, **rule}, row_options={"context": {"frames": FRAMES}},
                       rows=["context_k5"], reference="context_k5")  # fmt: skip
    batch = batch_of("recall", Setting(study, clips=4, kind="return_strict"))
    sampler = Sampler(study, moved_row("context_k5", study))
    anchor = first_target(batch.segments.count, study.segment.frames) - 1
    return dict(states(sampler, batch, batch.latents[[2, 2, 0, 0]], 2)), batch, anchor, sampler


def held(state, batch, anchor) -> list[set[bytes]]:
    """The latent frames that a row sees of each case, whatever their order: those of its state, and the anchor."""
    frames = torch.cat([value for name, value in state.items() if name.endswith("latents")], 1)
    return [{frame.numpy().tobytes() for frame in case} | of(own, [anchor])
            for case, own in zip(frames, batch.latents, strict=True)]  # fmt: skip


def of(latents, places) -> set[bytes]:
    return {frame.numpy().tobytes() for frame in latents[torch.as_tensor(places)]}


@pytest.fixture(scope="module", params=["streaming", "matched"])
def made(request):
    return of_policy(request.param)


def test_intact_holds_all_of_history_and_erased_the_anchor_alone(made):
    found, batch, anchor, _ = made
    for case in range(4):
        assert held(found["intact"], batch, anchor)[case] == of(batch.latents[case], range(anchor + 1))
        assert held(found["erase"], batch, anchor)[case] == of(batch.latents[case], [anchor])


def test_swapped_is_another_scenes_but_for_the_anchor(made):
    found, batch, anchor, _ = made
    for case, other in enumerate([2, 2, 0, 0]):
        theirs = of(batch.latents[other], range(anchor)) | of(batch.latents[case], [anchor])
        assert held(found["swap"], batch, anchor)[case] == theirs


def test_shuffled_holds_the_same_frames_with_their_poses_in_another_order(made):
    found, batch, anchor, _ = made
    assert held(found["shuffle"], batch, anchor) == held(found["intact"], batch, anchor)
    assert not torch.equal(found["shuffle"]["latents"], found["intact"]["latents"])
    # Each frame has kept its pose: as much is seen from it as before.
    if "poses" in found["intact"]:
        for case in range(4):
            pairs = [
                {(frame.numpy().tobytes(), tuple(pose.tolist())) for frame, pose in zip(
                    found[state]["latents"][case], found[state]["poses"][case], strict=True)}
                for state in ("intact", "shuffle")
            ]  # fmt: skip
            assert len(pairs[0] & pairs[1]) >= len(pairs[0]) - 1  # the newest place may hold another frame


def test_kept_frames_are_those_that_saw_the_view_or_those_that_did_not(made):
    found, batch, anchor, sampler = made
    world = sampler.study.world
    for case, poses in enumerate(batch.segments.poses):
        seen = saw(poses[:anchor], poses[-2:], world.field_of_view, world.height / world.width)
        assert seen.any() and not seen.all()
        assert held(found["keep_seen"], batch, anchor)[case] == of(batch.latents[case], [*np.flatnonzero(seen), anchor])
        assert held(found["keep_unseen"], batch, anchor)[case] == of(
            batch.latents[case], [*np.flatnonzero(~seen), anchor]
        )


def test_the_batch_itself_is_left_as_it_was():
    batch = batch_of("recall", setting_for("recall", clips=4))
    latents, poses = batch.latents.clone(), batch.segments.poses.copy()
    study = tiny_study()
    dict(states(Sampler(study, moved_row("context_k5")), batch, batch.latents[[2, 2, 0, 0]], 2))
    assert torch.equal(batch.latents, latents)
    np.testing.assert_array_equal(batch.segments.poses, poses)


def test_a_frame_saw_a_view_where_their_fields_overlap():
    ahead, turned, behind = ([0.0, 0, 1, 0, 0, yaw] for yaw in (0, 40, 180))
    assert saw(np.array([ahead, turned, behind]), np.array([ahead]), 60.0, 1.0).tolist() == [True, True, False]
    assert interventions.SAW < 0.5
