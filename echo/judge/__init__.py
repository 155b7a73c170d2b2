"""Judges of returned views: the rubric (``rubric``), what a judge is (``base``), and the judges (``judges``).

A new judge is a module of ``judges``, named in the configuration as ``evaluate.judge``, and nothing else. Which files
of weights it needs stands in its module as ``WEIGHTS``, and the workflow waits for these alone. Listing the judges and
reading their ``WEIGHTS`` imports none of them, and neither numpy nor torch.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from echo.io.errors import UserError
from echo.study import source

if TYPE_CHECKING:
    from echo.judge.base import Judge

FOLDER = Path(__file__).parent / "judges"


class JudgeError(UserError):
    """There is no judge of that name, or its module cannot build one."""


def judge_names() -> tuple[str, ...]:
    """Names of all judges, sorted: modules of ``echo/judge/judges`` whose names do not begin with ``_``."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


def judge_weights(name: str) -> tuple[str, ...]:
    """Files of ``echo.io.weights`` that a judge needs: its module's ``WEIGHTS``; none without it."""
    return tuple(cast("tuple[str, ...]", source.constant(FOLDER / f"{name}.py", "WEIGHTS") or ()))


def build_judge(name: str, weights: Path) -> Judge:
    """The judge of the configuration's ``evaluate.judge``; weights: the folder that ``echo.io.weights`` fills.

    Raises JudgeError for a name without a module, or a module without ``build``.
    """
    if name not in judge_names():
        raise JudgeError(f"evaluate.judge = {name!r}: expected one of {', '.join(judge_names())}, modules of {FOLDER}")
    module = import_module(f"{__name__}.judges.{name}")
    if not hasattr(module, "build"):
        raise JudgeError(f"{FOLDER / name}.py: has no function build(weights), which makes the judge")
    return module.build(weights)
