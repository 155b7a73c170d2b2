"""Where tensors live: the GPU of this process if there is one, the CPU otherwise."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch


def device() -> torch.device:
    """This process's device; with several processes on a machine, each has the GPU of its local rank."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    return torch.device("cpu")


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Within: arithmetic keeps its operands' precision; nothing changes on devices that have no autocast ("meta")."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
