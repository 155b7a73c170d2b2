"""The state of a run as one file of full tensors, and back, whatever the number of processes on either side."""

from __future__ import annotations

from pathlib import Path

from safetensors import safe_open
from torch import Tensor
from torch.optim import Optimizer

from echo.io.errors import UserError
from echo.io.tensors import read_header
from echo.model.row import Row
from echo.training.distributed import shard_like

RESUME = "resume.safetensors"


class OtherRunError(UserError):
    """A resume file of another configuration or code, where hours of training would be lost with it."""


def require_own(folder: Path, fingerprint: str) -> None:
    """Raise OtherRunError where ``folder`` holds the resume file of a run with another fingerprint."""
    path = folder / RESUME
    if not path.is_file():
        return
    header = read_header(path)
    if header.get("fingerprint") != fingerprint:
        raise OtherRunError(
            f"{path}: {header['counters']['step']} steps of a training of another configuration or code; go on with it "
            f"from the checkout and configuration that began it, or remove it (rm '{path}') to start over"
        )


def collect_state(row: Row, average: dict[str, Tensor], optimizers: dict[str, Optimizer]) -> dict[str, Tensor]:
    """Tensors by the names ``row.<weight>``, ``average.<weight>`` and ``<optimizer>.<weight>.<field>``."""
    tensors = {f"row.{name}": value for name, value in row.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    names = {id(weight): name for name, weight in row.named_parameters()}
    for kind, optimizer in optimizers.items():
        for weight, state in optimizer.state.items():
            tensors.update({f"{kind}.{names[id(weight)]}.{key}": value for key, value in state.items()})
    return tensors


def restore_state(file: safe_open, row: Row, average: dict[str, Tensor], optimizers: dict[str, Optimizer]) -> None:
    """Load what ``collect_state`` gave, read tensor by tensor; each process keeps its share of sharded tensors."""
    own = row.state_dict()
    row.load_state_dict({name: shard_like(file.get_tensor(f"row.{name}"), own[name]) for name in own})
    for name, value in average.items():
        value.copy_(shard_like(file.get_tensor(f"average.{name}"), value))
    weights = dict(row.named_parameters())
    for kind, optimizer in optimizers.items():
        order = {id(w): n for n, w in enumerate(w for group in optimizer.param_groups for w in group["params"])}
        states: dict[int, dict[str, Tensor]] = {}
        for key in file.keys():
            if key.startswith(f"{kind}."):
                name, _, field = key.removeprefix(f"{kind}.").rpartition(".")
                value = shard_like(file.get_tensor(key), weights[name])
                states.setdefault(order[id(weights[name])], {})[field] = value
        optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
