"""Several processes, one model: copied (DDP) or sharded (FSDP2), and the full tensors of either.

With one process this is no more than the choice of device and precision. ``ddp`` copies the weights to every process
and averages gradients; ``fsdp`` shards weights, gradients and optimizer states among the processes, a transformer
block at a time. Either way a checkpoint holds full tensors, so another number of processes can resume from it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from echo.study.config import Train

Optimizers = dict[str, Optimizer]


class Processes:
    """The processes of one training job, driven by accelerate's ``Accelerator``."""

    def __init__(self, config: Train) -> None:
        self.accelerator = Accelerator(
            mixed_precision="bf16" if config.precision == "bf16" else "no",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
            cpu=not torch.cuda.is_available(),
        )
        self.count, self.index = self.accelerator.num_processes, self.accelerator.process_index
        self.device = self.accelerator.device
        self.shards = config.sharding == "fsdp" and self.count > 1
        self.scalars: list[nn.Parameter] = []

    @property
    def main(self) -> bool:
        """Whether this process writes files and messages."""
        return self.index == 0

    def prepare(
        self, model: nn.Module, blocks: nn.ModuleList, build: Callable[[], Optimizers]
    ) -> tuple[nn.Module, Optimizers]:
        """``model`` for these processes and its optimizers, which ``build`` makes of the parameters it then has.

        DDP looks for unused parameters in every step: which ones a step uses depends on its draws (evidence that is
        the anchor alone, a first segment without history) and on the row (``spatial_inject_none`` stores and never
        reads). Such a parameter's gradient must stay absent, as in one process: with a gradient of zero AdamW would
        move it by its momentum. All processes share a step's segment and evidence, so they agree on what is unused.

        Sharding is torch's ``fully_shard``, called directly: accelerate leaves its FSDP plugin unused on CPUs, where
        this is tested. Weights are gathered in float32; bf16 is autocast, so that both ways train alike. Scalars (the
        memories' gates) cannot be sharded and stay whole everywhere.
        """
        if self.shards:
            model.to(self.device)
            mesh = init_device_mesh(self.device.type, (self.count,))
            self.scalars = [weight for weight in model.parameters() if not weight.ndim]
            for module in (*blocks, model):
                fully_shard(module, mesh=mesh, ignored_params=set(self.scalars))
            return model, build()
        optimizers = build()
        model, *prepared = self.accelerator.prepare(model, *optimizers.values())
        return model, dict(zip(optimizers, prepared, strict=True))

    def unsynchronised(self, model: nn.Module) -> AbstractContextManager:
        """Within: gradients of a copied model add up in each process alone (all micro-batches but the last).

        Shards are reduced after every micro-batch: adding up first would hold all gradients unsharded.
        """
        return nullcontext() if self.shards else self.accelerator.no_sync(model)

    def average_scalars(self) -> None:
        """Average the gradients of the parameters that sharding leaves whole."""
        for weight in self.scalars:
            if weight.grad is not None:
                torch.distributed.all_reduce(weight.grad)
                weight.grad /= self.count

    def wait(self) -> None:
        """Go on once every process is here."""
        self.accelerator.wait_for_everyone()

    def reduce_loss(self, value: float, flag: bool) -> tuple[float, bool]:
        """Mean of the processes' ``value``, and whether any gave ``flag``: the same result in all of them."""
        if self.count == 1:
            return value, flag
        both = torch.tensor([value, float(flag)], dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(both)
        return (both[0] / self.count).item(), bool(both[1] > 0)

    def gather_full(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Full tensors in the main process, nothing in the others; every process must call it, with the same names."""
        gathered = {}
        for name, value in tensors.items():
            full = full_tensor(value)
            if self.main:
                gathered[name] = full.cpu() if isinstance(value, DTensor) else full
        return gathered

    def describe(self) -> dict[str, Any]:
        """For the record: what the run ran on; memory is the main process's."""
        facts: dict[str, Any] = {"processes": self.count, "device": "cpu"}
        if self.device.type == "cuda":
            facts["device"] = torch.cuda.get_device_name(self.device)
            facts["peak_device_mb"] = round(torch.cuda.max_memory_allocated(self.device) / 2**20, 1)
        return facts


def full_tensor(value: Tensor) -> Tensor:
    """A tensor with all its shards; every process must call it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def local(value: Tensor) -> Tensor:
    """What this process holds of a tensor."""
    return value.to_local() if isinstance(value, DTensor) else value


def shard_like(value: Tensor, like: Tensor) -> Tensor:
    """This process's share of a full tensor that every process has read, placed as ``like``; scalars are kept whole."""
    if not isinstance(like, DTensor) or not value.ndim:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
