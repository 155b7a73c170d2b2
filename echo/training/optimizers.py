"""What is trained, by which optimizer, and at which rate."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import cast

import torch
from torch import nn
from torch.optim import Optimizer

from echo.io.errors import UserError
from echo.model.row import Row
from echo.study.config import Train
from echo.training.muon import Muon


class TrainableError(UserError):
    """Patterns of ``train.trainable`` or ``train.frozen`` that do not fit the row."""


def matrices(row: Row) -> list[nn.Parameter]:
    """Muon's share: the linear layers' weights inside the blocks and the memory."""
    parts = (row.backbone.transformer.blocks, row.memory)
    linear = [layer for part in parts for layer in part.modules() if isinstance(layer, nn.Linear)]
    return [cast(nn.Parameter, layer.weight) for layer in linear]  # torch annotates it as a Tensor


def freeze(row: Row, trainable: Iterable[str], frozen: Iterable[str] = ()) -> None:
    """Leave only parameters to be trained whose name fits one of ``trainable`` (wildcards), and none of ``frozen``.

    Raises TrainableError for a pattern that fits no name, unless it asks for the memory of a row whose memory has no
    parameters, and where nothing is left to train.
    """
    patterns = {"trainable": list(trainable), "frozen": list(frozen)}
    names = [name for name, _ in row.named_parameters()]
    without_memory = not any(name.startswith("memory.") for name in names)
    for key, pattern in ((key, pattern) for key, some in patterns.items() for pattern in some):
        if not _fits(names, [pattern]) and not (without_memory and pattern.startswith("memory.")):
            raise TrainableError(f"train.{key}: {pattern!r} fits no parameter of {row.profile.name}: {names[0]}, ...")
    for name, parameter in row.named_parameters():
        parameter.requires_grad_(_fits([name], patterns["trainable"]) and not _fits([name], patterns["frozen"]))
    if not any(parameter.requires_grad for parameter in row.parameters()):
        less = f" without train.frozen = {patterns['frozen']}" if patterns["frozen"] else ""
        raise TrainableError(
            f"train.trainable = {patterns['trainable']}{less} leaves nothing of {row.profile.name} to train"
        )


def _fits(names: Iterable[str], patterns: list[str]) -> bool:
    """Whether any of the names fits any of the patterns."""
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def base_rates(config: Train, name: str) -> dict[str, float]:
    """The learning rate of each optimizer for the row ``name``, before warm-up and cool-down."""
    return {"muon": config.muon_lr, "adamw": config.row_lr.get(name, config.adamw_lr)}


def rate(step: int, steps: int, warmup: int, cooldown: float) -> float:
    """Factor on the learning rates at ``step`` (from 0): linear warm-up, constant, linear fall to 0 at the end."""
    falling = cooldown * steps
    return min(1.0, (step + 1) / (warmup + 1), (steps - step) / falling if falling else 1.0)


def build_optimizers(row: Row, config: Train, rates: dict[str, float]) -> dict[str, Optimizer]:
    """Muon for the matrices and AdamW for the rest, or AdamW for all; of the parameters that are trained."""
    chosen = [weight for weight in matrices(row) if weight.requires_grad] if config.optimizer == "muon" else []
    with_muon = {id(weight) for weight in chosen}
    others = [weight for weight in row.parameters() if weight.requires_grad and id(weight) not in with_muon]
    optimizers: dict[str, Optimizer] = {}
    if chosen:
        optimizers["muon"] = Muon(chosen, lr=rates["muon"], weight_decay=config.weight_decay)
    if others:
        # Scalars in a group of their own: they are not sharded, and torch's kernels take no mixture of whole and
        # sharded parameters.
        shares = [[weight for weight in others if weight.ndim], [weight for weight in others if not weight.ndim]]
        groups = [{"params": share} for share in shares if share]
        # On a CPU the fused kernel takes a sixth of the default's time, which is one operation after the other.
        fused = config.fused or others[0].device.type == "cpu"
        optimizers["adamw"] = torch.optim.AdamW(
            groups, lr=rates["adamw"], weight_decay=config.weight_decay, fused=fused or None
        )
    return optimizers
