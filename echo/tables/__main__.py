"""``python -m echo.tables --tables results/mini/tables``: make the result tables from the evaluation's files there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from echo.tables import build_tables
from echo.tables.read import TableError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m echo.tables", description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder that holds cases.csv and its companions")
    parser.add_argument("--reference", default="i2v", help="row that differences are taken against")
    parser.add_argument("--threshold", type=float, default=0.5, help="grey levels above which a probed memory moves")
    parser.add_argument("--resamples", type=int, default=2000, help="bootstrap resamples an interval")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    given = parser.parse_args()
    try:
        build_tables(
            given.tables,
            reference=given.reference,
            threshold=given.threshold,
            resamples=given.resamples,
            seed=given.seed,
        )
    except TableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
