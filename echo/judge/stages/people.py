"""Write the page on which people judge a study's returned views."""

from __future__ import annotations

from pathlib import Path

import torch

from echo.encoding.codec import load_codec
from echo.io.files import atomic_path
from echo.judge.people.page import page_id, render
from echo.judge.people.pairs import in_order
from echo.judge.people.sample import Coded, PeopleError, controls, key, of_rows, returning
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "rows", "references", "train_seeds", "segment.frames", "codec", "evaluate.splits", "evaluate.cases",
         "evaluate.branches", "people")  # fmt: skip
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}"}


def run(study: Study, rollouts: list[Path], pools: dict[str, Path], codec: Path, out: Path) -> None:
    """Write the page ``out``, and beside it ``pairs.csv``: which pair is of which row, not for raters.

    rollouts: folders of the first training seed's rollouts, row by row, then of the reference rows. Raises PeopleError
    for another number of them, or where no branch returns.
    """
    part = part_of(study, "people")
    names = [*part.rows, *part.references]
    if len(rollouts) != len(names):
        raise PeopleError(f"--rollout: expected {len(names)} folders ({', '.join(names)}), got {len(rollouts)}")
    returning(part)
    pairs = out.with_name("pairs.csv")
    with recorded(record_of(out), study, "people") as record:
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        asked = of_rows(part, dict(zip(names, rollouts, strict=True)), opened)
        known = controls(part, opened, _coded(codec)) if part.people.controls else []
        showings = in_order(
            [one.pair for one in asked + known], [one.pair for one in asked], part.people.repeats, part.seed
        )
        with atomic_path(pairs) as temporary:
            key(asked + known, part).to_csv(temporary, index=False)
        with atomic_path(out) as temporary:
            temporary.write_text(render(showings), encoding="utf-8")
        record |= {"page": page_id(showings), "showings": len(showings), **hashes(out, pairs)}


def _coded(path: Path) -> Coded:
    """What the codec makes of one frame."""
    codec = load_codec(path)
    return lambda frame: codec.decode(codec.encode(torch.from_numpy(frame[None])))[0].numpy()
