"""Check that the runs' files hold every required case once and for the right row; if not, say how to fix them.

A run is one row with one training seed. Its measures, judgements and probes are separate files, and the columns
``row_name`` and ``train_seed`` in each say which run it belongs to. A truncated file, or one of another run, would
silently give wrong tables. So the required cases are listed here from the study and its pools alone, and every file is
compared with that list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from echo.measures.probed import PROBED
from echo.measures.verdict import PROBES
from echo.rollout.cases import choose_cases
from echo.study.config import Study
from echo.study.words import BRANCHES, UNTRAINED, generated_frames
from echo.tables.read import TableError

OWNER = ("row_name", "train_seed")
MEASURES = ("psnr", "ssim", "lpips")
SCORES = ("appearance", "presence", "view", "scene_score", "judge")
NAMED = 3  # files that a message names; the others are only counted

Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class Run:
    """One row of the study with one training seed, or a reference row, whose seed is ``UNTRAINED``."""

    row_name: str
    train_seed: int

    def __str__(self) -> str:
        if self.train_seed == UNTRAINED:
            return f"reference row {self.row_name}"
        return f"row {self.row_name}, training seed {self.train_seed}"


@dataclass(frozen=True)
class Expected:
    """What the files of every run must hold: cases by branch, the frames generated on a branch, and probed cases."""

    cases: Mapping[str, Sequence[str]]
    frames: Mapping[str, Sequence[int]]
    probed: Sequence[str]

    @property
    def case_keys(self) -> list[Key]:
        """(branch, case) of a run's cases.csv."""
        return [(branch, case) for branch, cases in self.cases.items() for case in cases]

    @property
    def judged_keys(self) -> list[Key]:
        """(branch, case) of a run's judgements: branches that return to the first view."""
        return [(branch, case) for branch, case in self.case_keys if BRANCHES[str(branch)].returns]

    @property
    def frame_keys(self) -> list[Key]:
        """(branch, case, frame) of a run's frames.parquet."""
        return [(*key, frame) for key in self.case_keys for frame in self.frames[str(key[0])]]

    @property
    def probe_keys(self) -> list[Key]:
        """(probe, case) of a run's probes."""
        return [(probe, case) for probe in PROBES for case in self.probed]


def expected(study: Study, pools: Mapping[str, pd.DataFrame]) -> Expected:
    """What every run of ``study`` must hold. ``pools``: the table of videos of each held-out split, by its name."""

    def chosen(branch: str) -> list[str]:
        info = pools[BRANCHES[branch].split(study.evaluate.splits)]
        return [str(case) for case in choose_cases(study, branch, info).index]

    cases = {branch: chosen(branch) for branch in study.evaluate.branches}
    frames = {branch: generated_frames(branch, study.segment.frames) for branch in study.evaluate.branches}
    return Expected(cases, frames, chosen(PROBED)[: study.evaluate.probe_cases])


def runs(study: Study) -> list[Run]:
    """The runs of a study, in the order in which its files are given."""
    return [Run(row, seed) for row in study.rows for seed in study.train_seeds]


def measured(study: Study) -> list[Run]:
    """What is measured and judged, in the order in which the files are given: the runs, then the reference rows."""
    return [*runs(study), *(Run(name, UNTRAINED) for name in study.references)]


def read_table(path: Path) -> pd.DataFrame:
    """Read a csv or parquet file; raises a one-line TableError if it is missing, truncated or of another format."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if not path.read_bytes().endswith(b"\n"):
            raise TableError(f"{path}: is truncated: its last line has no newline")
        return pd.read_csv(path, dtype=dict.fromkeys(("row_name", "branch", "case", "scene", "anchor", "probe"), str))
    except FileNotFoundError:
        raise TableError(f"{path}: no such file") from None
    except (ValueError, OSError) as error:  # base classes of pandas' and pyarrow's read errors
        raise TableError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None


def faults(
    table: pd.DataFrame, run: Run, keys: Sequence[str], wanted: Sequence[Key], numbers: Mapping[str, Iterable[str]]
) -> list[str]:
    """What is wrong with one file of ``run``, in short phrases; empty if nothing is.

    ``keys``: columns that identify a row of the table; phrases are grouped by the first (branch or probe). ``wanted``:
    the values they must have, each once. ``numbers``: by group, the columns that must hold a number.
    """
    columns = (*OWNER, *keys, *(column for columns in numbers.values() for column in columns))
    absent = [column for column in columns if column not in table]
    if absent:
        return [f"no column {absent[0]!r}"]
    own = (table["row_name"] == run.row_name) & (table["train_seed"] == run.train_seed)
    if not own.all():
        other = table.loc[~own].iloc[0]
        return [f"{int((~own).sum())} of its {len(own)} rows belong to row {other['row_name']}, training seed "
                f"{other['train_seed']}"]  # fmt: skip
    found = list(table[list(keys)].itertuples(index=False, name=None))
    return [
        *_missing(found, wanted, keys),
        *_unwanted(found, wanted, keys),
        *_not_numbers(table, keys, numbers),
    ]


def _missing(found: Sequence[Key], wanted: Sequence[Key], keys: Sequence[str]) -> list[str]:
    """A phrase for each group that lacks rows: how many of the required rows it has, and the first missing one."""
    held, phrases = set(found), []
    for group in dict.fromkeys(key[0] for key in wanted):
        of_group = [key for key in wanted if key[0] == group]
        missing = [key for key in of_group if key not in held]
        if missing:
            unit = "cases" if len(keys) == 2 else "frames"
            phrases.append(f"{keys[0]} {group}: {len(of_group) - len(missing)} of {len(of_group)} {unit} (first "
                           f"missing: {_named(missing[0], keys)})")  # fmt: skip
    return phrases


def _unwanted(found: Sequence[Key], wanted: Sequence[Key], keys: Sequence[str]) -> list[str]:
    """A phrase for the first row that occurs twice, and one for the first that is not in the study."""
    phrases = []
    twice = next((key for key, count in Counter(found).items() if count > 1), None)
    if twice is not None:
        phrases.append(f"{keys[0]} {twice[0]}: {_named(twice, keys)} occurs more than once")
    known = set(wanted)
    foreign = next((key for key in found if key not in known), None)
    if foreign is not None:
        phrases.append(f"{keys[0]} {foreign[0]}: {_named(foreign, keys)} is not in the study")
    return phrases


def _not_numbers(table: pd.DataFrame, keys: Sequence[str], numbers: Mapping[str, Iterable[str]]) -> list[str]:
    """A phrase for each group and column in which a required finite number is missing."""
    phrases = []
    for group, here in table.groupby(keys[0], sort=False):
        for column in numbers.get(str(group), ()):
            values = pd.to_numeric(here[column], errors="coerce").to_numpy(np.float64)
            bad = ~np.isfinite(values)
            if bad.any():
                key = here[list(keys)].iloc[int(bad.argmax())]
                phrases.append(f"{keys[0]} {group}: {column} is not a number in {int(bad.sum())} of {len(bad)} rows "
                               f"(the first is {_named(tuple(key), keys)})")  # fmt: skip
    return phrases


def _named(key: Key, keys: Sequence[str]) -> str:
    parts = zip(keys[1:], key[1:], strict=True)
    return " ".join(str(value) if name == "case" else f"{name} {value}" for name, value in parts)


def raise_faults(found: Mapping[Path, list[str]], runs: Mapping[Path, Run]) -> None:
    """If there are faults, raise a TableError with the files, their runs, the faults and the command to remake them."""
    broken = {path: phrases for path, phrases in found.items() if phrases}
    if not broken:
        return
    texts = [f"{path} ({runs[path]}): {', '.join(phrases)}" for path, phrases in broken.items()]
    more = f"; and {len(texts) - NAMED} more files" if len(texts) > NAMED else ""
    raise TableError(
        f"{'; '.join(texts[:NAMED])}{more}; no table was made; to fix it, run the same snakemake command with "
        f"--forcerun {' '.join(map(str, broken))}"
    )
