"""``python -m echo plan``: what a study needs and costs, before anything is run.

For each row: tokens in self-attention, parameters, FLOPs of a training step, memory on one GPU, numbers its state
holds; for the study: GPU-hours on the GPU named in ``compute.gpu`` at ``compute.utilisation``, and bytes on disk. No
weights are needed and none are made: each row is built on the meta device and walked there (echo/measures/cost/walk.py
says how arithmetic and memory are counted).
"""

from __future__ import annotations

import json
import sys
import warnings

from echo.study.config import ConfigError, Study


def report(study: Study, rows: list[str] | None, *, as_json: bool, as_markdown: bool, strict: bool) -> int:
    """Print the plan of ``rows``, all of the study's by default, as text, JSON or the tables of docs/scale.md.

    A row that does not fit the GPU is named in one line on stderr; with ``strict`` the exit code is then 1.
    Raises ConfigError for a row that the study does not have.
    """
    unknown = [name for name in rows or () if name not in study.rows]
    if unknown:
        raise ConfigError(f"--rows {unknown[0]}: not a row of study {study.study}; it has {', '.join(study.rows)}")
    if as_json and as_markdown:
        raise ConfigError("--json and --markdown: choose one")
    from echo.measures.cost.report import markdown, text  # seconds of imports, which a wrong option should not wait for
    from echo.measures.cost.study import plan

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of kernels that the meta device does not have
        planned = plan(study, rows)
    print(json.dumps(planned.record(), indent=2) if as_json else (markdown if as_markdown else text)(planned), end="")
    for line in planned.warnings():
        print(f"warning: {line}", file=sys.stderr)
    return 1 if strict and planned.warnings() else 0
