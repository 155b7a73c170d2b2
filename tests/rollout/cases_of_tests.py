"""Batches of cases with random latents, and rows whose every path carries something."""

from __future__ import annotations

import torch

from echo.model.row import Row
from echo.rollout.sampler import CaseBatch
from echo.study.config import Study
from echo.study.words import BRANCHES
from tests.conftest import Setting, tiny_study

STUDY = tiny_study()


def setting_for(branch: str, clips: int = 2) -> Setting:
    """Trajectories of the branch's kind."""
    return Setting(STUDY, clips=clips, kind=BRANCHES[branch].trajectory)


def batch_of(branch: str, setting: Setting) -> CaseBatch:
    """All clips of a setting as cases of a branch."""
    return CaseBatch(branch, setting.videos, setting.segments, setting.latents, setting.text)


def moved_row(name: str, study: Study = STUDY) -> Row:
    """A row whose zero-initialised gates and outputs are moved off zero."""
    row = Row(study, study.profiles[name])
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in row.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.3)
    return row
