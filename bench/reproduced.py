"""Whether a study that was run again has the numbers that were published: every measured value, compared one by one.

    ./run study && python -m bench.reproduced [--study mini] [--published HEAD] [--results results]

Compares the measurements in ``results/NAME/tables`` with those of a commit, of the training seeds that both have: every
case, frame, judgement and probed case. It prints a line for each file, and for each measure that differs the largest
difference; the exit code is 0 where all are equal to the last digit, and 1 where anything differs or is missing.
Numbers are promised to be equal on the same kind of machine; on another one float32 sums may round otherwise.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path

import pandas as pd

from echo.io.errors import UserError

RUN = ["row_name", "train_seed"]
FILES = {  # what says which line of a file is which
    "cases.csv.xz": [*RUN, "branch", "case"],
    "frames.parquet": [*RUN, "branch", "case", "frame"],
    "judgements.csv.xz": [*RUN, "judge_name", "branch", "case"],
    "probes.csv.xz": [*RUN, "probe", "case"],
}


def parsed(name: str, held: bytes) -> pd.DataFrame:
    """The table in a file of this name."""
    if name.endswith(".parquet"):
        return pd.read_parquet(io.BytesIO(held))
    return pd.read_csv(io.BytesIO(held), compression="xz")


def published(path: str, commit: str) -> bytes:
    """A file as a commit has it; raises UserError where it has none."""
    done = subprocess.run(["git", "show", f"{commit}:{path}"], capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"{path}: not in commit {commit}; --published names one that has it")
    return done.stdout


def compared(name: str, before: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """What differs between two tables of one file, a phrase each; empty where every value is equal.

    Lines of training seeds that only one of them has are left out.
    """
    keys = FILES[name]
    both = set(before["train_seed"]) & set(now["train_seed"])
    before, now = (table[table["train_seed"].isin(both)].set_index(keys).sort_index() for table in (before, now))
    gone, added = before.index.difference(now.index), now.index.difference(before.index)
    found = []
    for lines, what in ((gone, "missing"), (added, "new")):
        if len(lines):
            found.append(f"{what} lines: {len(lines):,}, such as {' '.join(map(str, lines[0]))}")
    shared = before.index.intersection(now.index)
    if not len(shared):
        return [*found, "no line in common"]
    for column in before.columns.symmetric_difference(now.columns):
        found.append(f"column {column} is in one of them alone")
    for column in before.columns.intersection(now.columns):
        old, new = before.loc[shared, column], now.loc[shared, column]
        other = ~((old == new) | (old.isna() & new.isna()))
        if other.any():
            numbers = pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)
            most = f", by {(old - new)[other].abs().max():.3g} at most" if numbers else ""
            found.append(f"{column} differs in {other.sum():,} of {len(shared):,} lines{most}")
    return found


def main() -> None:
    """The command line; errors meant for users are one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="mini")
    parser.add_argument("--published", default="HEAD", help="the commit whose tables are the published ones")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder of the new tables")
    asked = parser.parse_args()
    differ = False
    for name in FILES:
        path = asked.results / asked.study / "tables" / name
        if not path.is_file():
            sys.exit(f"{path}: no such file; run the study first: ./run study")
        try:
            before = parsed(name, published(f"results/{asked.study}/tables/{name}", asked.published))
        except UserError as error:
            sys.exit(str(error))
        now = parsed(name, path.read_bytes())
        found = compared(name, before, now)
        seeds = sorted(seed for seed in set(before["train_seed"]) & set(now["train_seed"]) if seed >= 0)
        print(f"{name}: {len(now):,} lines, training seeds {seeds}: {'; '.join(found) or 'all equal'}")
        differ |= bool(found)
    sys.exit(differ)


if __name__ == "__main__":
    main()
