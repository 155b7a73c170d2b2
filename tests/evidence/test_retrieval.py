import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.evidence.retrieval import cover, rank
from echo.io.seeding import generator
from echo.study.config import EvidenceConfig
from echo.world.camera import overlap
from echo.world.paths import trajectory


def path(seed: int, kind: str = "train") -> np.ndarray:
    return trajectory(kind, np.array([1.0, 2.0, 1.2, 0, 0, 40.0]), 8, generator(seed, "path"))


@given(st.integers(0, 50), st.sampled_from(["fov_mid", "fov_cover", "recent"]), st.integers(1, 30), st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_evidence_is_the_anchor_then_distinct_frames_of_history(seed, rule, frames, history):
    found = rank(path(seed), history, np.arange(history, history + 8), EvidenceConfig(frames=frames, rule=rule), 75.0)
    assert len(found) == min(frames, history)
    assert found[0] == history - 1
    assert len(set(found.tolist())) == len(found)
    assert ((found >= 0) & (found < history)).all()


@given(st.integers(0, 50), st.sampled_from(["fov_mid", "fov_cover", "recent"]))
@settings(max_examples=20, deadline=None)
def test_a_shorter_evidence_is_the_longer_ones_beginning(seed, rule):
    """K=5 reads a part of what K=20 reads: rows differ in what they keep, not in what they are handed."""
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


def test_no_history_is_an_error():
    with pytest.raises(ValueError, match="at least the anchor: history = 0"):
        rank(path(0), 0, np.arange(8), EvidenceConfig(), 75.0)
