"""Judges of returned views: the rubric (``rubric``), what a judge is (``base``), and the judges (``judges``).

A new judge is a module of ``judges``, named in the configuration as ``evaluate.judge``, and nothing else. Which files
of weights it needs stands in its module as ``WEIGHTS``, and the workflow waits for these alone. Listing the judges and
reading their ``WEIGHTS`` (``echo.study.judges``) imports none of them, and neither numpy nor torch.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from echo.io.errors import UserError
from echo.study import judges as listed  # `judges` is the package here

if TYPE_CHECKING:
    from echo.judge.base import Judge


class JudgeError(UserError):
    """There is no judge of that name, or its module cannot build one."""


def build_judge(name: str, weights: Path) -> Judge:
    """The judge of the configuration's ``evaluate.judge``; weights: the folder that ``echo.io.weights`` fills.

    Raises JudgeError for a name without a module, or a module without ``build``.
    """
    if name not in listed.judge_names():
        known = ", ".join(listed.judge_names())
        raise JudgeError(f"evaluate.judge = {name!r}: expected one of {known}, modules of {listed.FOLDER}")
    module = import_module(f"{__name__}.judges.{name}")
    if not hasattr(module, "build"):
        raise JudgeError(f"{listed.FOLDER / name}.py: has no function build(weights), which makes the judge")
    return module.build(weights)
