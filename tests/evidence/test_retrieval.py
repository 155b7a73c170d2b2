import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.evidence.retrieval import cover, rank
from echo.io.seeding import generator
from echo.study.config import EvidenceConfig, load_study
from echo.world.camera import overlap
from echo.world.paths import trajectory

RULES = ["fov_mid", "fov_cover", "uniform", "recent"]


def path(seed: int, kind: str = "train") -> np.ndarray:
    return trajectory(kind, np.array([1.0, 2.0, 1.2, 0, 0, 40.0]), 8, generator(seed, "path"))


@given(st.integers(0, 50), st.sampled_from(RULES), st.integers(1, 30), st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_evidence_is_the_anchor_then_distinct_frames_of_history(seed, rule, frames, history):
    found = rank(path(seed), history, np.arange(history, history + 8), EvidenceConfig(frames=frames, rule=rule), 75.0)
    assert len(found) == min(frames, history)
    assert found[0] == history - 1
    assert len(set(found.tolist())) == len(found)
    assert ((found >= 0) & (found < history)).all()


@given(st.integers(0, 50), st.sampled_from([rule for rule in RULES if rule != "uniform"]))
@settings(max_examples=20, deadline=None)
def test_a_shorter_evidence_is_the_longer_ones_beginning(seed, rule):
    """K=5 reads a part of what K=20 reads: rows differ in what they keep, not in what they are handed.

    Even spacing depends on how many frames are asked for.
    """
    poses, targets = path(seed), np.arange(17, 25)
    long = rank(poses, 17, targets, EvidenceConfig(frames=12, rule=rule), 75.0)
    short = rank(poses, 17, targets, EvidenceConfig(frames=5, rule=rule), 75.0)
    assert np.array_equal(long[:5], short)


def test_the_middle_rule_orders_by_overlap_with_the_middle_view():
    poses, targets = path(3), np.arange(17, 25)
    found = rank(poses, 17, targets, EvidenceConfig(frames=17, rule="fov_mid"), 75.0)
    score = overlap(poses[[targets[4]]], poses[:16], 75.0)[0]
    assert (np.diff(score[found[1:]]) <= 0).all()


def slow_cover(overlaps: np.ndarray, wanted: int) -> list[int]:
    """The same greedy choice, frame by frame."""
    history, picked, best = overlaps.shape[1] - 1, [], overlaps[:, -1].copy()
    while len(picked) < wanted:
        gains = {j: np.mean([max(0.0, overlaps[t, j] - best[t]) for t in range(len(best))])
                 for j in range(history) if j not in picked}  # fmt: skip
        if max(gains.values()) < 1e-3 and best.any():
            best = np.zeros_like(best)
            continue
        top = max(j for j, gain in gains.items() if gain == max(gains.values()))
        picked.append(top)
        best = np.maximum(best, overlaps[:, top])
    return picked


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_cover_is_the_greedy_choice(seed, targets, history):
    overlaps = generator(seed, "overlaps").random((targets, history)).round(2)
    wanted = history - 1
    assert cover(overlaps, wanted).tolist() == slow_cover(overlaps, wanted)


@pytest.mark.parametrize("seed", range(5))
def test_a_strict_return_retrieves_the_first_view_early(seed):
    """What the paper's rule may rank last, the cover holds among its first frames."""
    poses = path(seed, "return_strict")
    found = rank(poses, 17, np.arange(17, 25), EvidenceConfig(frames=5), 75.0)
    best = overlap(poses[[-1]], poses[found], 75.0)[0].max()
    assert best > 0.8


@pytest.mark.parametrize("branch", ["return_45", "return_strict"])
@pytest.mark.parametrize("frames", [5, 20])
def test_the_papers_study_retrieves_the_view_that_its_branches_return_to(branch, frames):
    """By the segment's middle view alone (``fov_mid``), no frame of T = 81 shows a strict return's last view."""
    study = load_study("config/paper.yaml")
    size, view, aspect = study.segment.frames, study.world.field_of_view, study.world.height / study.world.width
    best: dict[str, list[float]] = {study.evidence.rule: [], "fov_mid": []}
    for seed in range(4):
        start = np.array([1.0, 2.0, 1.2, 0, 0, 40.0])
        poses = trajectory(branch, start, size, generator(seed, "path"), fov=view)
        history = len(poses) - size
        for rule, found in best.items():
            config = study.evidence.model_copy(update={"rule": rule, "frames": frames})
            chosen = rank(poses, history, np.arange(history, len(poses)), config, view, aspect)
            found.append(overlap(poses[[-1]], poses[chosen], view, aspect=aspect)[0].max())
    assert min(best[study.evidence.rule]) > 0.69
    if branch == "return_strict":
        assert max(best["fov_mid"]) == 0


def released_context(segment: int, count: int) -> list[int]:
    """The release's context of a continuation (Echo-Memory at 194be71), as numbers in the segment before it.

    The last frame, then count - 1 evenly spaced ones of those before it, from the first on.
    """
    if count == 2:
        return [segment - 1, 0]
    return [segment - 1, *(round(i * (segment - 2) / (count - 2)) for i in range(count - 1))]


@given(st.integers(3, 90), st.data())
@settings(max_examples=60, deadline=None)
def test_the_uniform_rule_chooses_the_releases_frames_of_the_segment_before(segment, data):
    frames = data.draw(st.integers(2, segment))
    history = 1 + 2 * segment
    targets = np.arange(history, history + segment)
    found = rank(np.zeros((history + segment, 6)), history, targets, EvidenceConfig(frames=frames, rule="uniform"), 75)
    assert sorted(found) == sorted(history - segment + i for i in released_context(segment, frames))


def test_the_first_uniform_frames_are_spread_as_all_of_them_are():
    """A row of K = 5 reads the beginning of a longer ranking, which must not be a corner of the segment."""
    found = rank(np.zeros((244, 6)), 163, np.arange(163, 244), EvidenceConfig(frames=20, rule="uniform"), 75.0)
    gaps = np.diff(np.sort(found[:5]))
    assert found[0] == 162 and gaps.max() <= 2 * gaps.min() + 2 and found[:5].min() == 82


def test_no_history_is_an_error():
    with pytest.raises(ValueError, match="at least the anchor: history = 0"):
        rank(path(0), 0, np.arange(8), EvidenceConfig(), 75.0)
