"""Judges of returned views: the rubric (``rubric``), what a judge is (``base``), and the judges (``judges``).

A new judge is a module of ``judges``, named in the configuration as ``evaluate.judge``, and nothing else; one that has
settings keeps them in a module of the same name in ``settings``. Which files of weights it needs stands in its module
as ``WEIGHTS``, and the workflow waits for these alone; what of a case it cannot do without, ``mask`` or ``truth``, as
``NEEDS``. Listing the judges and reading these constants (``echo.study.judges``) imports none of them, and neither
numpy nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echo.io.errors import UserError
from echo.study import judges as listed  # `judges` is the package here

if TYPE_CHECKING:
    from echo.judge.base import Judge


class JudgeError(UserError):
    """There is no judge of that name, or its module cannot build one."""


def build_judge(kind: str, weights: Path, settings: Mapping[str, Any] | None = None) -> Judge:
    """The judge of the module ``kind``; weights: the folder that ``echo.io.weights`` fills.

    settings: those of the study, for a judge that has any. Raises JudgeError for a name without a module, or a module
    without ``build``.
    """
    if kind not in listed.judge_names():
        known = ", ".join(listed.judge_names())
        raise JudgeError(f"evaluate.judge = {kind!r}: expected one of {known}, modules of {listed.FOLDER}")
    module = import_module(f"{__name__}.judges.{kind}")
    own = listed.settings_of(kind)
    arguments = "weights, settings" if own.model_fields else "weights"
    if not hasattr(module, "build"):
        raise JudgeError(f"{listed.FOLDER / kind}.py: has no function build({arguments}), which makes the judge")
    return (
        module.build(weights, own.model_validate(dict(settings or {}))) if own.model_fields else module.build(weights)
    )
