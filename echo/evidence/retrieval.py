"""Evidence: the anchor and the frames of history that every row is handed, the same for all rows.

Two ways to rank history by field-of-view overlap. ``fov_mid``, the paper's: overlap with the segment's middle view;
on a wide return it can rank the first view last. ``fov_cover``: greedy cover of all the segment's views (facility
location), so that a few frames see as much as possible of what is to come. ``recent`` and ``uniform`` need no poses:
the latest frames, and what the release's evaluation continues a video with, the segment before at even spacing.

At the paper's T = 81 the middle view of a strict return lies halfway back, and no frame that overlaps with it sees what
the return ends at (its test has the numbers); ``fov_cover`` holds that view among five frames.
"""

from __future__ import annotations

import numpy as np

from echo.study.config import EvidenceConfig
from echo.world.camera import overlap

NEGLIGIBLE = 1e-3  # a gain in mean overlap below this adds nothing; the cover starts over


def rank(
    poses: np.ndarray,
    history: int,
    targets: np.ndarray,
    config: EvidenceConfig,
    field_of_view: float,
    aspect: float = 1.0,
) -> np.ndarray:
    """Frame numbers (K,) of one segment's evidence, best first: anchor, then min(frames, history) - 1 retrieved.

    poses: (F, 6) of the trajectory; history: frames 0..history-1 are known, the last of them is the anchor;
    targets: (T,) frame numbers of the segment; aspect: a frame's height / width. Raises ValueError without history.
    """
    if history < 1:
        raise ValueError(f"evidence needs at least the anchor: history = {history}")
    anchor, wanted = history - 1, min(config.frames, history) - 1
    if config.rule == "recent":
        return np.arange(anchor, anchor - wanted - 1, -1)
    if config.rule == "uniform":
        return spread(max(0, anchor - max(wanted, len(targets) - 1)), anchor, wanted)
    if config.rule == "fov_mid":
        middle = targets[len(targets) // 2]
        score = overlap(poses[[middle]], poses[:anchor], field_of_view, aspect=aspect)[0]
        best = np.lexsort((-np.arange(anchor), -score))[:wanted]  # ties: the later frame first
        return np.concatenate([[anchor], best])
    overlaps = overlap(poses[targets], poses[:history], field_of_view, aspect=aspect)
    return np.concatenate([[anchor], cover(overlaps, wanted)])


def spread(first: int, anchor: int, wanted: int) -> np.ndarray:
    """The anchor, and ``wanted`` frames at even spacing from ``first`` to the one before it, both among them.

    As the release chooses the context of a continuation (Echo-Memory at 194be71, ``multichunk_sample_utils.py``). Here
    they are ranked, so that a row that reads fewer has those that lie farthest from each other: after the anchor always
    the frame farthest from all before it, a later one where several are.
    """
    even = first + np.rint(np.arange(wanted) * (anchor - 1 - first) / max(1, wanted - 1)).astype(np.int64)
    order = [anchor]
    distance = anchor - even
    for _ in range(wanted):
        pick = len(even) - 1 - int(distance[::-1].argmax())
        order.append(int(even[pick]))
        distance = np.minimum(distance, np.abs(even - even[pick]))
    return np.array(order, dtype=np.int64)


def cover(overlaps: np.ndarray, wanted: int) -> np.ndarray:
    """Greedy cover (facility location): columns (wanted,) of ``overlaps`` (T, history), the last being the anchor.

    Each pick adds the most to sum_t max over picked frames of overlap[t, frame]; the anchor counts as picked from the
    start. Once no frame adds anything, the cover starts over among the frames left, so that a ranking is complete.
    """
    best = overlaps[:, -1].copy()
    left = np.ones(overlaps.shape[1] - 1, dtype=bool)
    order = []
    while len(order) < wanted:
        gain = np.maximum(overlaps[:, :-1] - best[:, None], 0).mean(0)
        gain[~left] = -1
        if gain.max() < NEGLIGIBLE and best.any():
            best[:] = 0
            continue
        # Ties, and frames that see nothing of the targets, go to the latest frame.
        pick = len(gain) - 1 - int(gain[::-1].argmax())
        order.append(pick)
        left[pick] = False
        best = np.maximum(best, overlaps[:, pick])
    return np.array(order, dtype=np.int64)
