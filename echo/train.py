"""Training of one row: rectified flow on target frames only, every constant equal for all rows.

Each step draws, from a stream named by (seed, training seed, step), one segment number for the whole batch, the
clips, whether the evidence is the anchor alone, the noise levels and the noise. So a step does not depend on the ones
before it but through weights and optimizers, and those are in the resume file: killed at any moment, a run goes on
and ends with the same bits.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from tensorboardX import SummaryWriter
from torch import Tensor, nn
from tqdm import tqdm

from echo import flow
from echo.clips import Clips
from echo.config import Study
from echo.files import digest
from echo.model import Row
from echo.muon import Muon
from echo.seeding import generator, torch_generator
from echo.tensors import read_header, save_tensors

RESUME = "resume.safetensors"
SPIKE_AFTER = 10  # accepted steps before the running mean of the loss is trusted
MEAN_DECAY = 0.95  # of that running mean


def matrices(row: Row) -> list[nn.Parameter]:
    """Muon's share: the linear layers' weights inside the blocks and the memory."""
    parts = (row.backbone.transformer.blocks, row.memory)
    return [layer.weight for part in parts for layer in part.modules() if isinstance(layer, nn.Linear)]


def rate(step: int, steps: int, warmup: int, cooldown: float) -> float:
    """Factor on the learning rates at ``step`` (from 0): linear warm-up, constant, linear fall to 0 at the end."""
    falling = cooldown * steps
    return min(1.0, (step + 1) / (warmup + 1), (steps - step) / falling if falling else 1.0)


class Trainer:
    """One run; ``steps`` and ``train_seed`` make it a row's or the base's."""

    def __init__(self, study: Study, row: Row, clips: Clips, folder: Path, train_seed: int, steps: int, about: str):
        """``about`` is a digest of all that the run depends on; a resume file of another run is not taken up."""
        self.study, self.config, self.clips, self.folder = study, study.train, clips, Path(folder)
        self.train_seed, self.steps = train_seed, steps
        self.about = digest([about, steps, train_seed, study.train.model_dump(), row.profile.model_dump()])
        self.accelerator = Accelerator()
        chosen = matrices(row)
        known = {id(weight) for weight in chosen}
        others = [weight for weight in row.parameters() if id(weight) not in known]
        decay = self.config.weight_decay
        muon = Muon(chosen, lr=self.config.muon_lr, weight_decay=decay)
        adamw = torch.optim.AdamW(others, lr=self.config.adamw_lr, weight_decay=decay)
        self.row, muon, adamw = self.accelerator.prepare(row, muon, adamw)
        self.optimizers = {"muon": muon, "adamw": adamw}
        self.rates = {"muon": self.config.muon_lr, "adamw": self.config.adamw_lr}
        self.step, self.mean, self.accepted, self.rejected = 0, 0.0, 0, 0
        self.seconds, self.seconds_before = 0.0, 0.0  # of training; of it, before the last interruption

    def run(self) -> None:
        """Train to the end, from the resume file if there is one. Progress goes to stderr, curves to ``log/``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        log = SummaryWriter(str(self.folder / "log"), purge_step=self.step or None)
        start = time.monotonic()
        with tqdm(total=self.steps, initial=self.step, mininterval=5, desc=self.row.profile.name) as bar:
            while self.step < self.steps:
                loss, norm = self._one_step()
                self.seconds = self.seconds_before + time.monotonic() - start
                log.add_scalar("loss", loss, self.step)
                log.add_scalar("gradient_norm", norm, self.step)
                bar.set_postfix(loss=f"{self.mean:.4f}", rejected=self.rejected, refresh=False)
                bar.update()
                if self.step % self.config.checkpoint_every == 0 and self.step < self.steps:
                    self._checkpoint()
        log.close()

    def loss(self, step: int) -> Tensor:
        """The loss of one step's batch, a function of (study's seed, training seed, stream, step) and the weights."""
        draw = generator(self.study.seed, "train", self.train_seed, self.row.profile.seed_stream, step)
        noise = torch_generator(self.study.seed, "noise", self.train_seed, self.row.profile.seed_stream, step)
        weights = np.asarray(self.study.segment.history_weights)
        segment = int(draw.choice(len(weights), p=weights / weights.sum())) + 1
        anchor_only = bool(draw.random() < self.study.evidence.drop)
        size, count = self.config.batch, len(self.clips.videos)
        segments, latents, targets, text = self.clips.pick(self.study, draw.choice(count, size, replace=size > count))
        device = self.accelerator.device
        text = text.to(device)

        state = None
        if self.row.memory.carries:
            # The same chain of writes as in a rollout; gradients stop between segments (truncated backpropagation).
            with torch.no_grad():
                for earlier in range(1, segment):
                    state = self.row.write(
                        state, segments.evidence(latents, earlier, noise, anchor_only).to(device), text
                    )
        evidence = segments.evidence(latents, segment, noise, anchor_only).to(device)
        target = segments.target(segments.own(latents, targets, segment), segment).to(device)
        # Levels spread evenly over [0, 1): one in each of B bins, which keeps the loss from jumping between steps.
        t = flow.shift((torch.arange(size) + torch.rand(size, generator=noise)) / size, self.config.timestep_shift)
        drawn = torch.randn(target.latents.shape, generator=noise).to(device)
        noisy = target.with_latents(flow.interpolate(target.latents, drawn, t.to(device)))
        state = self.row.write(state, evidence, text)
        predicted = self.row(noisy, t.to(device), evidence.span(0, 1), text, state)
        return flow.loss(predicted, target.latents, drawn)

    def _one_step(self) -> tuple[float, float]:
        """One optimizer step, or none if the loss spikes; returns loss and gradient norm."""
        factor = rate(self.step, self.steps, self.config.warmup, self.config.cooldown)
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * factor
        loss = self.loss(self.step)
        value = loss.item()
        self.step += 1
        spikes = self.accepted >= SPIKE_AFTER and value > self.config.spike * self.mean
        if spikes or not math.isfinite(value):
            self.rejected += 1
            return value, float("nan")
        self.accelerator.backward(loss)
        norm = float(self.accelerator.clip_grad_norm_(self.row.parameters(), self.config.clip_norm))
        if not math.isfinite(norm):
            self.rejected += 1
            return value, norm
        for optimizer in self.optimizers.values():
            optimizer.step()
        self.mean = MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * value if self.accepted else value
        self.accepted += 1
        return value, norm

    def _checkpoint(self) -> None:
        """Everything the rest of the run depends on, in one file."""
        tensors = {f"row.{name}": value for name, value in self.row.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                tensors.update({f"{name}.{index}.{key}": value for key, value in state.items()})
        counters = {"step": self.step, "mean": self.mean.hex(), "accepted": self.accepted, "rejected": self.rejected,
                    "seconds": self.seconds}  # fmt: skip
        save_tensors(self.folder / RESUME, tensors, {"about": self.about, "counters": counters})

    def forget(self) -> None:
        """Remove the resume file, once the trained weights are saved."""
        (self.folder / RESUME).unlink(missing_ok=True)

    def _resume(self) -> None:
        """Take up the resume file, if it belongs to this very run."""
        path = self.folder / RESUME
        if not path.is_file():
            return
        header = read_header(path)
        if header["about"] != self.about:
            tqdm.write(f"{path}: of another configuration or code; starting over")
            return
        tensors = load_file(path, str(self.accelerator.device))
        self.row.load_state_dict({k.removeprefix("row."): v for k, v in tensors.items() if k.startswith("row.")})
        for name, optimizer in self.optimizers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(f"{name}."):
                    _, index, field = key.split(".")
                    states.setdefault(int(index), {})[field] = value
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        counters = header["counters"]
        self.step, self.accepted, self.rejected = counters["step"], counters["accepted"], counters["rejected"]
        self.mean, self.seconds_before = float.fromhex(counters["mean"]), counters["seconds"]
