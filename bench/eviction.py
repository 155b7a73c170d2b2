"""What a bank still sees of a return: the overlap of the last two views with the best frame that was kept.

    python -m bench.eviction [--paths 24]

For every trajectory that leaves and comes back: K frames kept from a stream by redundancy and by age, K frames that
the matched retriever picks from all of history, and all of history. Poses alone: nothing is rendered, trained or chosen
on a split; the paths are of seeds that no split has.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from echo.evidence.frames import view
from echo.evidence.retrieval import rank
from echo.io.seeding import generator
from echo.memory.bank import Bank
from echo.memory.base import Sizes
from echo.study.config import EvidenceConfig
from echo.study.words import RETURN_FRAMES, SEGMENTS
from echo.world.camera import overlap
from echo.world.paths import trajectory

FRAMES, FIELD_OF_VIEW, GRID = 8, 75.0, (1, 1)
LENGTHS = (5, 20)


def kept(poses: np.ndarray, frames: int, rule: str) -> np.ndarray:
    """Numbers of the frames before the last segment of poses (F, 6) that K = ``frames`` leave, the anchor too."""
    bank, state = Bank(frames - 1, 1, Sizes(1, 1, 1, GRID, FIELD_OF_VIEW, rule)), None
    edges = [0, *range(1, len(poses), FRAMES)]
    for start, stop in zip(edges, edges[1:], strict=False):
        index = np.arange(start, stop)[None]
        offered = view(torch.zeros(1, stop - start, 1, 1, 1), poses[None], index, stop - 1, GRID, FIELD_OF_VIEW)
        state = bank.append(state, offered)
    assert state is not None
    return torch.cat([state["index"], state["waiting_index"]], 1)[0].numpy()


def seen(poses: np.ndarray, index: np.ndarray) -> float:
    """Overlap of the last views of poses (F, 6) with the best of frames ``index``, their mean."""
    return float(overlap(poses[-RETURN_FRAMES:], poses[index], FIELD_OF_VIEW).max(1).mean())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=24)
    count = parser.parse_args().paths
    columns = [f"K={k}, {rule}" for k in LENGTHS for rule in ("redundancy", "fifo", "matched")]
    print("| trajectory | frames | " + " | ".join(columns) + " | all |")
    print("|---" * (3 + len(columns)) + "|")
    for kind in SEGMENTS:
        if kind in ("train", "replay"):
            continue
        start = np.array([0.0, 0.0, 1.2, 0.0, 0.0, 40.0])
        paths = [trajectory(kind, start, FRAMES, generator(number, "bench", kind)) for number in range(count)]
        cells = []
        for k in LENGTHS:
            cells += [np.mean([seen(path, kept(path, k, rule)) for path in paths]) for rule in ("redundancy", "fifo")]
            history = len(paths[0]) - FRAMES
            picked = [rank(path, history, np.arange(history, len(path)), EvidenceConfig(frames=k), FIELD_OF_VIEW)
                      for path in paths]  # fmt: skip
            cells.append(np.mean([seen(path, index) for path, index in zip(paths, picked, strict=True)]))
        cells.append(np.mean([seen(path, np.arange(len(path) - FRAMES)) for path in paths]))
        print(f"| {kind} | {len(paths[0])} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
