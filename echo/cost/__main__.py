"""What a study needs and costs, before anything is run.

    python -m echo.cost --config config/paper.yaml [--rows i2v ...] [--json | --markdown] [--strict]

For each row: tokens in self-attention, parameters, FLOPs of a training step, memory on one GPU, numbers its state
holds; for the study: GPU-hours on the GPU named in ``compute.gpu`` at ``compute.utilisation``, and bytes on disk. No
weights are needed and none are made: each row is built on torch's meta device and walked there (echo/cost/walk.py
says how arithmetic and memory are counted). A row that does not fit the GPU is named in one line on stderr; with
``--strict`` the exit code is then 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings

from echo.cost.report import markdown, text
from echo.cost.study import plan
from echo.study.config import load_study


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m echo.cost", description=__doc__.split("\n")[0])
    parser.add_argument("--config", default="config/config.yaml")
    parser.add_argument("--rows", nargs="+", help="plan these rows alone")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all numbers, as JSON")
    form.add_argument("--markdown", action="store_true", help="the tables of docs/scale.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a row does not fit the GPU")
    given = parser.parse_args()
    try:
        study = load_study(given.config)
        unknown = [name for name in given.rows or () if name not in study.rows]
        if unknown:
            parser.error(f"--rows {unknown[0]}: not a row of {given.config}; it has {', '.join(study.rows)}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of kernels that the meta device does not have
            found = plan(study, given.rows)
    except ValueError as error:
        print(f"echo.cost: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found.record(), indent=2) if given.json else (markdown if given.markdown else text)(found), end="")
    for line in found.warnings():
        print(f"warning: {line}", file=sys.stderr)
    return 1 if given.strict and found.warnings() else 0


if __name__ == "__main__":
    sys.exit(main())
