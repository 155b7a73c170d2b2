"""The bank against a slow one that holds frames in a list."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.evidence.frames import Frames, view
from echo.io.seeding import generator
from echo.memory.bank import Bank, least_redundant, pool_groups
from echo.memory.base import Sizes
from echo.world.camera import overlap, plucker, relative_actions
from echo.world.paths import trajectory

GRID, FIELD_OF_VIEW = (2, 2), 75.0
SIZES = {rule: Sizes(16, 2, 4, GRID, FIELD_OF_VIEW, rule) for rule in ("redundancy", "fifo")}


def walk(seed: int, kind: str = "loop") -> tuple[np.ndarray, torch.Tensor]:
    """Poses (2, F, 6) and latents (2, F, 3, 2, 2) of two trajectories."""
    start = np.array([0.0, 0.0, 1.2, 0.0, 0.0, 30.0])
    poses = np.stack([trajectory(kind, start, 8, generator(seed, "path", clip)) for clip in range(2)])
    latents = torch.randn(2, poses.shape[1], 3, 2, 2, generator=torch.Generator().manual_seed(seed))
    return poses, latents


def offers(poses: np.ndarray, latents: torch.Tensor, size: int) -> list[Frames]:
    """Frame 0, then ``size`` frames at a time, seen from the newest of them."""
    edges = [0, *range(1, poses.shape[1] + 1, size)]
    spans = [np.arange(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    return [view(latents[:, span], poses, np.tile(span, (2, 1)), int(span[-1]), GRID, FIELD_OF_VIEW) for span in spans]


def slow_bank(poses: np.ndarray, sizes: list[int], capacity: int, ratio: int, rule: str) -> list[list[int]]:
    """Groups of frame numbers of one clip that are left after offers of so many frames, the newest frame apart."""
    closed, opened, anchor, number = [], [], None, 0
    for size in sizes:
        for _ in range(size):
            if anchor is not None:
                opened = [*opened, anchor]
                if len(opened) == ratio:
                    closed, opened = [*closed, opened], []
            anchor, number = number, number + 1
        while len(closed) > capacity - bool(opened):
            closed.remove(_given_up(poses, closed, rule))
    return [*closed, *([opened] if opened else [])]


def _given_up(poses: np.ndarray, closed: list[list[int]], rule: str) -> list[int]:
    if rule == "fifo":
        return closed[0]
    candidates = [frame for group in closed for frame in group]
    shared = overlap(poses[candidates], poses[candidates], FIELD_OF_VIEW)
    place = {frame: position for position, frame in enumerate(candidates)}
    best, chosen = -1.0, closed[0]
    for group in closed:
        scores = [np.mean([max(shared[place[f], place[g]] for g in other) for f in group])
                  for other in closed if other is not group]  # fmt: skip
        score = round(sum(sorted(scores)[-2:]), 9)
        if score > best:
            best, chosen = score, group
    return chosen


@pytest.mark.parametrize("rule", list(SIZES))
@given(st.integers(0, 50), st.integers(1, 6), st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=12, deadline=None)
def test_what_is_left_is_what_the_slow_bank_holds(rule, seed, capacity, ratio, size):
    poses, latents = walk(seed, "return_45")
    bank, state = Bank(capacity, ratio, SIZES[rule]), None
    given_frames = offers(poses, latents, size)
    for frames in given_frames:
        state = bank.append(state, frames)
    counts, last = [frames.count for frames in given_frames], sum(frames.count for frames in given_frames) - 1
    assert state["waiting_index"][:, -1].tolist() == [last, last]
    reference = torch.from_numpy(poses[:, last])
    found = bank.frames(state, reference)
    for clip in range(2):
        groups = slow_bank(poses[clip], counts, capacity, ratio, rule)
        held = [*state["index"][clip].tolist(), *state["waiting_index"][clip, :-1].tolist()]
        assert held == [number for group in groups for number in group]
        assert len(groups) <= capacity and (found is None) == (not groups)
        for place, group in enumerate(groups):
            torch.testing.assert_close(found.latents[clip, place], latents[clip, group].mean(0))
            actions = relative_actions(poses[clip, group], poses[clip, last])
            rays = plucker(poses[clip, group], poses[clip, last], GRID, FIELD_OF_VIEW)
            np.testing.assert_allclose(found.actions[clip, place], actions.mean(0), atol=1e-6)
            np.testing.assert_allclose(found.rays[clip, place], rays.mean(0), atol=1e-6)


def test_cameras_are_those_of_the_read_that_is_asked():
    """Kept frames are seen from wherever the next segment begins, as if they were retrieved for it."""
    poses, latents = walk(1)
    bank, state = Bank(4, 1, SIZES["redundancy"]), None
    for frames in offers(poses, latents, 8)[:3]:
        state = bank.append(state, frames)
    for number in (17, 20):
        found = bank.frames(state, torch.from_numpy(poses[:, number]))
        direct = view(found.latents, poses, found.index.numpy(), number, GRID, FIELD_OF_VIEW)
        torch.testing.assert_close(found.actions, direct.actions, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(found.rays, direct.rays, rtol=1e-6, atol=1e-6)


def test_redundancy_keeps_the_view_that_no_other_has():
    """Of a camera that turned away and came to rest, the one frame of the other wall stays."""
    poses = np.zeros((9, 6))
    poses[:, 5] = [0, 1, 2, 120, 3, 4, 5, 6, 7]
    assert 3 in least_redundant(poses.tobytes(), 9, 2, FIELD_OF_VIEW, 1.0)
    bank, state = Bank(2, 1, SIZES["fifo"]), None
    some = view(torch.zeros(1, 9, 3, 2, 2), poses[None], np.arange(9)[None], 8, GRID, FIELD_OF_VIEW)
    assert bank.append(state, some)["index"].tolist() == [[6, 7]]


def test_a_bank_without_room_holds_nothing():
    poses, latents = walk(0)
    bank = Bank(0, 1, SIZES["redundancy"])
    state = bank.append(None, offers(poses, latents, 8)[0])
    assert state == {} and bank.wrote(state) and bank.frames(state, torch.from_numpy(poses[:, 1])) is None
    assert bank.append(state, offers(poses, latents, 8)[1]) == {}


def test_frames_without_poses_are_refused():
    poses, latents = walk(0)
    frames = offers(poses, latents, 8)[0]
    blind = Frames(frames.latents, frames.actions, frames.rays, frames.index)
    with pytest.raises(ValueError, match="the frames it was given have none"):
        Bank(4, 1, SIZES["redundancy"]).append(None, blind)


def test_a_state_of_frames_as_they_were_seen_is_not_the_banks():
    poses, latents = walk(0)
    assert not Bank(4, 1, SIZES["redundancy"]).wrote(offers(poses, latents, 8)[1].tensors())


@pytest.mark.parametrize("ratio", [1, 2, 3, 5])
def test_pooling_averages_groups_from_the_newest_back(ratio):
    values = torch.randn(2, 7, 3)
    expected = []
    for stop in range(7, 0, -ratio):
        expected.insert(0, values[:, max(0, stop - ratio) : stop].mean(1))
    torch.testing.assert_close(pool_groups(values, ratio), torch.stack(expected, 1))
