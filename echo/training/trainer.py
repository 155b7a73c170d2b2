"""Training of one row: rectified flow on target frames only, every constant equal for all rows.

A step's draws are a function of (seed, training seed, stream, step) alone (``objective``). So a step depends on the
ones before it through weights and optimizers only, and those are in the resume file: killed at any moment, a run goes
on and ends with the same bits. A step's batch may be shared among processes and cut into micro-batches; that changes
the result by rounding alone, and the number of processes may change at any resume.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from safetensors import safe_open
from tensorboardX import SummaryWriter
from torch import Tensor, nn
from tqdm import tqdm

from echo.evidence.clips import Clips
from echo.io.draws import BatchSlice
from echo.io.files import digest
from echo.io.tensors import read_header, save_tensors
from echo.model.row import Row
from echo.study.config import Study
from echo.training.distributed import Processes, local, shard_like, whole
from echo.training.muon import Muon
from echo.training.objective import Objective, draw
from echo.training.preemption import Notice, Preempted

RESUME = "resume.safetensors"
SPIKE_AFTER = 10  # accepted steps before the running mean of the loss is trusted
MEAN_DECAY = 0.95  # of that running mean


def matrices(row: Row) -> list[nn.Parameter]:
    """Muon's share: the linear layers' weights inside the blocks and the memory."""
    parts = (row.backbone.transformer.blocks, row.memory)
    return [layer.weight for part in parts for layer in part.modules() if isinstance(layer, nn.Linear)]


def freeze(row: Row, patterns: Iterable[str]) -> None:
    """Leave only parameters whose name fits one of ``patterns`` (wildcards) to be trained.

    Raises ValueError for a pattern that fits no name, unless it asks for the memory of a row whose memory has no
    parameters, and where nothing is left to train.
    """
    names = [name for name, _ in row.named_parameters()]
    bare = not any(name.startswith("memory.") for name in names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names) and not (bare and pattern.startswith("memory.")):
            raise ValueError(f"train.trainable: {pattern!r} fits no parameter of {row.profile.name}: {names[0]}, ...")
    for name, parameter in row.named_parameters():
        parameter.requires_grad_(any(fnmatchcase(name, pattern) for pattern in patterns))
    if not any(parameter.requires_grad for parameter in row.parameters()):
        raise ValueError(f"train.trainable = {list(patterns)} leaves nothing of {row.profile.name} to train")


def rate(step: int, steps: int, warmup: int, cooldown: float) -> float:
    """Factor on the learning rates at ``step`` (from 0): linear warm-up, constant, linear fall to 0 at the end."""
    falling = cooldown * steps
    return min(1.0, (step + 1) / (warmup + 1), (steps - step) / falling if falling else 1.0)


class Trainer:
    """One run; ``steps`` and ``train_seed`` make it a row's or the base's."""

    def __init__(self, study: Study, row: Row, clips: Clips, folder: Path, train_seed: int, steps: int, about: str):
        """``about`` is a digest of all that the run depends on; a resume file of another run is not taken up."""
        self.study, self.config, self.clips, self.folder = study, study.train, clips, Path(folder)
        self.row, self.train_seed, self.steps = row, train_seed, steps
        self.about = digest([about, steps, train_seed, study.train.model_dump(), row.profile.model_dump()])
        self.processes = Processes(self.config)
        self.parts = self._parts()
        freeze(row, self.config.trainable)
        row.backbone.checkpointing = self.config.gradient_checkpointing
        blocks = row.backbone.transformer.blocks
        if self.config.compile:
            for block in blocks:
                block.compile()
        self.rates = {
            "muon": self.config.muon_lr,
            "adamw": self.config.row_lr.get(row.profile.name, self.config.adamw_lr),
        }
        self.objective, self.optimizers = self.processes.prepare(Objective(row), blocks, self._build_optimizers)
        trained = {name: weight for name, weight in row.named_parameters() if weight.requires_grad}
        self.average = {name: weight.detach().clone() for name, weight in trained.items()} if self.config.ema else {}
        self.notice, self.stopping = Notice(), False
        self.step, self.mean, self.accepted, self.rejected = 0, 0.0, 0, 0
        self.seconds, self.seconds_before = 0.0, 0.0  # of training; of it, before the last interruption
        self.steps_per_second = 0.0

    def _parts(self) -> list[BatchSlice]:
        """This process's micro-batches of a step."""
        size, count = self.config.batch, self.processes.count * self.config.accumulate
        if size % count:
            raise ValueError(
                f"train.batch = {size} is not a multiple of processes x train.accumulate = {self.processes.count} x "
                f"{self.config.accumulate}"
            )
        first, share = self.processes.index * self.config.accumulate, size // count
        return [BatchSlice(size, n * share, (n + 1) * share) for n in range(first, first + self.config.accumulate)]

    def _build_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Muon for the matrices, AdamW for the rest, or AdamW for all; of what is trained."""
        chosen = [w for w in matrices(self.row) if w.requires_grad] if self.config.optimizer == "muon" else []
        known = {id(weight) for weight in chosen}
        others = [weight for weight in self.row.parameters() if weight.requires_grad and id(weight) not in known]
        decay, found = self.config.weight_decay, {}
        if chosen:
            found["muon"] = Muon(chosen, lr=self.rates["muon"], weight_decay=decay)
        if others:
            # Scalars apart: they are not sharded, and torch's kernels take no mixture of whole and sharded parameters.
            shares = [[w for w in others if w.ndim], [w for w in others if not w.ndim]]
            groups = [{"params": share} for share in shares if share]
            fused = self.config.fused or None
            found["adamw"] = torch.optim.AdamW(groups, lr=self.rates["adamw"], weight_decay=decay, fused=fused)
        return found

    def run(self) -> None:
        """Train to the end, from the resume file if there is one. Progress goes to stderr, curves to ``log/``.

        Raises Preempted, with the resume file written, after the step in which SIGTERM or SIGUSR1 reached any process.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        main, begun = self.processes.main, self.step
        log = SummaryWriter(str(self.folder / "log"), purge_step=self.step or None) if main else None
        start = time.monotonic()
        with (
            self.notice.awaited(),
            tqdm(total=self.steps, initial=begun, mininterval=5, desc=self.row.profile.name, disable=not main) as bar,
        ):
            while self.step < self.steps:
                loss, norm = self._one_step()
                elapsed = time.monotonic() - start
                self.seconds, self.steps_per_second = self.seconds_before + elapsed, (self.step - begun) / elapsed
                if log is not None:
                    log.add_scalar("loss", loss, self.step)
                    log.add_scalar("gradient_norm", norm, self.step)
                bar.set_postfix(loss=f"{self.mean:.4f}", rejected=self.rejected, refresh=False)
                bar.update()
                if self.step < self.steps and (self.stopping or self.step % self.config.checkpoint_every == 0):
                    self._checkpoint()
                    if self.stopping:
                        raise Preempted(f"stopped by a signal after step {self.step} of {self.steps}; run it again to "
                                        f"go on from {self.folder / RESUME}")  # fmt: skip
        if log is not None:
            log.close()

    def loss(self, step: int, part: BatchSlice | None = None) -> Tensor:
        """The loss of one step's batch, or of a part of it: a function of (seed, training seed, stream, step) and the
        weights."""
        part = part or BatchSlice(self.config.batch, 0, self.config.batch)
        batch = draw(self.row, self.clips, self.train_seed, step, part, self.processes.device)
        with self.processes.accelerator.autocast():
            return self.objective(batch)

    def _one_step(self) -> tuple[float, float]:
        """One optimizer step, or none if the loss spikes; returns the whole batch's loss and gradient norm."""
        factor = rate(self.step, self.steps, self.config.warmup, self.config.cooldown)
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * factor
        value, self.stopping = self.processes.agree(self._gradients(), self.notice.given)
        self.step += 1
        spikes = self.accepted >= SPIKE_AFTER and value > self.config.spike * self.mean
        if spikes or not math.isfinite(value):
            self.rejected += 1
            return value, float("nan")
        norm = float(whole(self.processes.accelerator.clip_grad_norm_(self.row.parameters(), self.config.clip_norm)))
        if not math.isfinite(norm):
            self.rejected += 1
            return value, norm
        for optimizer in self.optimizers.values():
            optimizer.step()
        self.mean = MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * value if self.accepted else value
        self.accepted += 1
        self._update_average()
        return value, norm

    def _gradients(self) -> float:
        """Gradients of this process's share of the batch, averaged with the others'; returns the share's mean loss."""
        values = []
        for number, part in enumerate(self.parts, 1):
            last = number == len(self.parts)
            with nullcontext() if last else self.processes.unsynchronised(self.objective):
                loss = self.loss(self.step, part)
                self.processes.accelerator.backward(loss / len(self.parts))
            values.append(loss.item())
        self.processes.average_scalars()
        return sum(values) / len(values)

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential moving average of the weights; its decay grows to ``ema`` as min(ema, (1 + n) / (10 + n)).

        So the initial weights are forgotten early on (Karras et al. 2018, and diffusers' EMAModel); n: accepted steps.
        """
        decay = min(self.config.ema, (1 + self.accepted) / (10 + self.accepted))
        weights = dict(self.row.named_parameters())
        for name, average in self.average.items():
            local(average).lerp_(local(weights[name].detach()), 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """The weights for rollouts, averaged where the study asks for it: whole, in the main process alone."""
        return self.processes.collect({**self.row.state_dict(), **self.average})

    def facts(self) -> dict:
        """What the record of a run says of its training."""
        return {"rejected_steps": self.rejected, "final_loss": self.mean, "seconds_before": self.seconds_before,
                "precision": self.config.precision, "steps_per_second": round(self.steps_per_second, 4),
                **self.processes.describe()}  # fmt: skip

    def _checkpoint(self) -> None:
        """Everything the rest of the run depends on, in one file of whole tensors."""
        tensors = {f"row.{name}": value for name, value in self.row.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        names = {id(weight): name for name, weight in self.row.named_parameters()}
        for kind, optimizer in self.optimizers.items():
            for weight, state in optimizer.state.items():
                tensors.update({f"{kind}.{names[id(weight)]}.{key}": value for key, value in state.items()})
        counters = {"step": self.step, "mean": self.mean.hex(), "accepted": self.accepted, "rejected": self.rejected,
                    "seconds": self.seconds}  # fmt: skip
        tensors = self.processes.collect(tensors)
        if self.processes.main:
            save_tensors(self.folder / RESUME, tensors, {"about": self.about, "counters": counters})
        self.processes.accelerator.wait_for_everyone()

    def finish(self, path: Path, **metadata: str) -> None:
        """Save the weights for rollouts to ``path``, with ``metadata`` in the header, and remove the resume file."""
        weights = self.weights()
        if self.processes.main:
            self.row.save(path, weights, **metadata)
            (self.folder / RESUME).unlink(missing_ok=True)
        self.processes.accelerator.wait_for_everyone()
        self.processes.accelerator.end_training()

    def _resume(self) -> None:
        """Take up the resume file, if it belongs to this very run."""
        path = self.folder / RESUME
        if not path.is_file():
            return
        header = read_header(path)
        if header["about"] != self.about:
            if self.processes.main:
                tqdm.write(f"{path}: of another configuration or code; starting over")
            return
        with safe_open(path, "pt") as file:
            self._take_up(file)
        counters = header["counters"]
        self.step, self.accepted, self.rejected = counters["step"], counters["accepted"], counters["rejected"]
        self.mean, self.seconds_before = float.fromhex(counters["mean"]), counters["seconds"]

    def _take_up(self, file) -> None:
        """Weights, their average and the optimizers' states, read tensor by tensor, each process keeping its share."""
        own = self.row.state_dict()
        self.row.load_state_dict({name: shard_like(file.get_tensor(f"row.{name}"), own[name]) for name in own})
        for name, average in self.average.items():
            average.copy_(shard_like(file.get_tensor(f"average.{name}"), average))
        weights = dict(self.row.named_parameters())
        for kind, optimizer in self.optimizers.items():
            order = {id(w): n for n, w in enumerate(w for group in optimizer.param_groups for w in group["params"])}
            states: dict[int, dict[str, Tensor]] = {}
            for key in file.keys():
                if key.startswith(f"{kind}."):
                    name, _, field = key.removeprefix(f"{kind}.").rpartition(".")
                    value = shard_like(file.get_tensor(key), weights[name])
                    states.setdefault(order[id(weights[name])], {})[field] = value
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
