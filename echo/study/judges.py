"""Judges: which there are and what they need, read from their source without importing numpy or torch.

A judge is a module of ``echo/judge/judges`` whose name does not begin with an underscore; no other place names it. One
that has settings has a module of the same name in ``echo/judge/settings`` with a ``Settings(Section)``, free of torch.
A study names its judge in ``evaluate.judge``: the module, or an entry of ``judges``, which gives settings to one.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from echo.study import source
from echo.study.sections.section import Section

FOLDER = Path(__file__).parents[1] / "judge" / "judges"
SETTINGS = Path(__file__).parents[1] / "judge" / "settings"
KIND = "kind"  # the key of an entry that names the module


def kind_of(judge: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The module of the judge called ``judge``: what its entry says, or itself."""
    return str(entries.get(judge, {}).get(KIND, judge))


def settings_of(kind: str) -> type[Section]:
    """The settings of a judge's module; one without settings takes none."""
    if not (SETTINGS / f"{kind}.py").is_file():
        return Section
    return importlib.import_module(f"echo.judge.settings.{kind}").Settings


def judge_names() -> tuple[str, ...]:
    """All judges, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


def judge_weights(name: str) -> tuple[str, ...]:
    """Files of ``echo.io.weights`` that a judge needs: its module's ``WEIGHTS``; none without it."""
    return tuple(cast("tuple[str, ...]", source.constant(FOLDER / f"{name}.py", "WEIGHTS") or ()))


def judge_needs(name: str) -> tuple[str, ...]:
    """Parts of a case (``mask``, ``truth``) that a judge cannot do without: its module's ``NEEDS``; none without it."""
    return tuple(cast("tuple[str, ...]", source.constant(FOLDER / f"{name}.py", "NEEDS") or ()))


def judge_files(kind: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Files that a judge reads: what its settings hold under the keys that its settings' module lists as ``FILES``.

    When one of them changes, what it judged is judged again.
    """
    keys = cast("tuple[str, ...]", source.constant(SETTINGS / f"{kind}.py", "FILES") or ()) if settings else ()
    return tuple(str(path) for key in keys for path in settings[key])
