"""Audit: in what the trained rows of a study differ. Only the memory may; anything else stands out.

What is compared are the records of the trainings and rollouts, not the intentions of the configuration. Batches, noise
levels and noise of a training are functions of seed, training seed and stream alone (``echo.training.objective``), and
the noise of a rollout of seed, branch and case (``echo.rollout.sampler``): rows of one stream saw the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from echo.io.files import digest
from echo.study.profile import Profile
from echo.study.provenance import read_record

COLUMNS = ["row_name", "train_seed", "aspect", "value", "may_differ", "differs"]
MEMORY = "memory"
PARTS = ("train", "segment", "codec", "text", "backbone", "base", "evidence", "sampler")  # how rows train and roll out
IDENTITY = {"name", "label", "seed_stream"}  # of a profile: what it is called, and which draws it sees


@dataclass(frozen=True)
class Run:
    """What is known of one row and training seed.

    ``trained``: the record of its training; ``counts``: those of its rollout; ``current``: the digest that the study
    asks its training to have.
    """

    profile: Profile
    trained: Mapping[str, Any]
    counts: Mapping[str, Any]
    current: str


def _memory(run: Run) -> str:
    return json.dumps(run.profile.model_dump(mode="json", exclude=IDENTITY), sort_keys=True)


def _rates(run: Run) -> str:
    train = run.trained["config"]["train"]
    adamw = train["row_lr"].get(run.profile.name, train["adamw_lr"])
    return f"AdamW {adamw:g}, Muon {train['muon_lr']:g}"


def _configuration(run: Run) -> str:
    parts = {name: run.trained["config"][name] for name in PARTS}
    parts["train"] = {key: value for key, value in parts["train"].items() if key != "row_lr"}
    return digest(parts)


def _up_to_date(run: Run) -> str:
    return "as the study asks" if run.trained["digest"] == run.current else "of another configuration or code"


def _machine(run: Run) -> str:
    return ", ".join(str(run.trained[key]) for key in ("device", "precision", "processes"))


# Each aspect: what it is called, how a run says it, and whether rows may differ in it.
ASPECTS: tuple[tuple[str, Callable[[Run], str], bool], ...] = (
    (MEMORY, _memory, True),
    ("parameters of the memory", lambda run: f"{run.counts['memory_parameters']:,}", True),
    ("other parameters", lambda run: f"{run.counts['parameters'] - run.counts['memory_parameters']:,}", False),
    ("initial weights", lambda run: str(run.trained["base_sha256"])[:16], False),
    ("stream of batches and noise", lambda run: str(run.profile.seed_stream), False),
    ("learning rates", _rates, False),
    ("configuration", _configuration, False),
    ("code and configuration", _up_to_date, False),
    ("rejected steps", lambda run: str(run.trained["rejected_steps"]), False),
    ("device, precision, processes", _machine, False),
    ("libraries", lambda run: digest(run.trained["libraries"]), False),
)


def audit(
    profiles: Mapping[str, Profile],
    reference: str,
    current: Mapping[str, str],
    records: Sequence[Path],
    rollouts: Mapping[str, Path],
) -> pd.DataFrame:
    """A line (``COLUMNS``) for each row, training seed and aspect; a row differs where the reference row says another.

    ``current``: by row, the digest that its training should have. ``records``: of all jobs, of which those of trainings
    count. ``rollouts``: by row, the folder of its first training seed. A value that is not as the study asks differs,
    the reference row's too.
    """
    counts = {row: read_record(folder / "record.json")["counts"] for row, folder in rollouts.items()}
    trained = [record for record in map(read_record, records) if record["stage"] == "train"]
    runs = {
        (record["train_seed"], record["row"]): Run(
            profiles[record["row"]], record, counts[record["row"]], current[record["row"]]
        )
        for record in trained
    }
    lines = []
    for aspect, say, may_differ in ASPECTS:
        for (seed, row), run in sorted(runs.items(), key=lambda item: (item[0][0], list(profiles).index(item[0][1]))):
            value = say(run)
            expected = "as the study asks" if say is _up_to_date else say(runs.get((seed, reference), run))
            lines.append((row, seed, aspect, value, may_differ, value != expected))
    return pd.DataFrame(lines, columns=COLUMNS)
