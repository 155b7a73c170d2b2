"""Rows in which every path carries something, and one evaluation of their velocity."""

import torch

from echo.model.row import Row
from tests.conftest import Setting, tiny_study

STUDY = tiny_study()


def build(name: str, study=STUDY) -> Row:
    """A row whose zero-initialised gates and outputs are moved off zero, so that every path carries something."""
    row = Row(study, study.profiles[name])
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in row.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.3)
    return row


def velocity(row: Row, setting: Setting, segment: int, state) -> torch.Tensor:
    target, anchor = setting.target(segment), setting.evidence(segment, anchor_only=True)
    return row(target, torch.tensor([0.3, 0.8]), anchor, setting.text, state)
