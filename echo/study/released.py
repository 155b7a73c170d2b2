"""What the released weights were trained in, as settings of a study and its row; no torch here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from echo.study.profile import Profile
from echo.study.study import Study

RECURRENCE = {"cell": "gated_average", "gate": "narrow", "hook_point": "after_attention"}


def recurrence_misfits(profile: Profile) -> Iterator[tuple[str, Any, Any]]:
    """Settings of a recurrent row that the released recurrence has otherwise: key, the row's value, the released."""
    for key, value in RECURRENCE.items():
        held = getattr(profile, key, value)
        if held != value:
            yield key, held, value


def backbone_misfits(study: Study, profile: Profile) -> Iterator[tuple[str, Any, Any]]:
    """Keys of ``backbone`` that a row's released weights were trained with otherwise: as ``recurrence_misfits``."""
    trained = {
        "ray_frequencies": 0,
        "camera": "attention",
        "clean_timestep": "target",
        "layout": "context_first" if profile.needs_context_first else "target_first",
    }
    for key, value in trained.items():
        held = profile.layout_in(study.backbone.layout) if key == "layout" else getattr(study.backbone, key)
        if held != value:
            yield key, held, value
