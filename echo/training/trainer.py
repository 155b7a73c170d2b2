"""Training of one row: rectified flow on target frames only, every constant equal for all rows.

A step's draws are a function of (seed, training seed, stream, step) alone (``objective``). So a step depends on the
ones before it through weights and optimizers only, and those are in the resume file: killed at any moment, a run goes
on and ends with the same bits. A step's batch may be shared among processes and cut into micro-batches; that changes
the result by rounding alone, and the number of processes may change at any resume.
"""

from __future__ import annotations

import math
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import torch
from tensorboardX import SummaryWriter
from torch import Tensor
from torch.optim import Optimizer
from tqdm import tqdm

from echo.evidence.clips import ClipSource
from echo.io.draws import BatchSlice
from echo.io.files import digest
from echo.io.tensors import first_not_finite, open_tensors, read_header, save_tensors
from echo.model.row import Row
from echo.study.batches import micro_batch
from echo.study.config import Train
from echo.training.distributed import Processes, full_tensor, local
from echo.training.health import Outcome, StepLog, TrainingError
from echo.training.loader import Loader
from echo.training.objective import Objective, TrainingBatch, draw
from echo.training.optimizers import base_rates, build_optimizers, freeze, rate
from echo.training.preemption import Notice, Preempted
from echo.training.progress import Progress
from echo.training.resume import RESUME, collect_state, restore_state

SPIKE_AFTER = 10  # accepted steps before the running mean of the loss is trusted
MEAN_DECAY = 0.95  # of that running mean


class Trainer:
    """One run; ``steps`` and ``train_seed`` make it a row's or the base's."""

    def __init__(
        self, config: Train, row: Row, clips: ClipSource, folder: Path, train_seed: int, steps: int, fingerprint: str
    ) -> None:
        """``fingerprint``: of all that the run depends on; a resume file with another one is ignored.

        Raises TrainingError where the starting weights are not finite.
        """
        self.config, self.clips, self.folder = config, clips, Path(folder)
        self.row, self.train_seed, self.steps = row, train_seed, steps
        self.fingerprint = digest([fingerprint, steps, train_seed, config.model_dump(), row.profile.model_dump()])
        self.processes = Processes(config)
        self.slices = self._slices()
        self.step, self.mean, self.log = 0, 0.0, StepLog(row.profile.name, steps)
        self._require_finite_weights(f"{row.profile.name}: of the starting weights", "make the base again")
        freeze(row, config.trainable, config.frozen)
        row.backbone.checkpointing = config.gradient_checkpointing
        blocks = row.backbone.transformer.blocks
        if config.compile:
            for block in blocks:
                block.compile()
        self.rates = base_rates(config, row.profile.name)
        self.objective, self.optimizers = self.processes.prepare(Objective(row), blocks, self._build_optimizers)
        trained = {name: weight for name, weight in row.named_parameters() if weight.requires_grad}
        self.average = {name: weight.detach().clone() for name, weight in trained.items()} if config.ema else {}
        ahead = self.processes.device.type == "cuda"
        self.loader = Loader(self._draw, self.slices, steps, ahead)
        self.progress = Progress(self.folder / "progress.csv")
        self.notice, self.stopping = Notice(), False
        self.seconds, self.seconds_before = 0.0, 0.0  # of training; of it, before the last interruption
        self.steps_per_second = 0.0

    @property
    def accepted(self) -> int:
        """Steps so far that moved the weights."""
        return self.log.accepted

    @property
    def rejected(self) -> int:
        """Steps so far that were skipped."""
        return self.log.rejected

    def _slices(self) -> list[BatchSlice]:
        """This process's micro-batches of a step."""
        size, count = self.config.batch, self.config.accumulate
        share = micro_batch(self.config, self.processes.count)
        first = self.processes.index * count
        return [BatchSlice(size, n * share, (n + 1) * share) for n in range(first, first + count)]

    def _build_optimizers(self) -> dict[str, Optimizer]:
        """The optimizers, of the parameters that the row has by now."""
        return build_optimizers(self.row, self.config, self.rates)

    def run(self) -> None:
        """Train to the end, from the resume file if there is one.

        Progress goes to stderr and, with every checkpoint, to ``progress.csv``; curves go to ``log/``.

        Raises Preempted, with the resume file written, after the step in which SIGTERM or SIGUSR1 reached any process;
        TrainingError where weights, the data or too many losses are not finite, or too many steps were rejected.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        main, begun = self.processes.main, self.step
        if main:
            self.progress.restart(begun)
        curves = SummaryWriter(str(self.folder / "log"), purge_step=self.step or None) if main else None
        start = time.monotonic()
        with (
            self.notice.awaited(),
            curves or nullcontext(),
            closing(self.loader),
            tqdm(total=self.steps, initial=begun, mininterval=5, desc=self.row.profile.name, disable=not main) as bar,
        ):
            while self.step < self.steps:
                loss, norm = self._one_step()
                elapsed = time.monotonic() - start
                self.seconds, self.steps_per_second = self.seconds_before + elapsed, (self.step - begun) / elapsed
                if curves is not None:
                    curves.add_scalar("loss", loss, self.step)
                    curves.add_scalar("gradient_norm", norm, self.step)
                bar.set_postfix(loss=f"{self.mean:.4f}", rejected=self.rejected, refresh=False)
                bar.update()
                self.progress.add(loss)
                if main and (self.step == self.steps or self.stopping or self.step % self.config.checkpoint_every == 0):
                    self.progress.line(self.step, self.steps_per_second, self.seconds)
                if self.step < self.steps and (self.stopping or self.step % self.config.checkpoint_every == 0):
                    self._checkpoint()
                    if self.stopping:
                        raise Preempted(f"stopped by a signal after step {self.step} of {self.steps}; run it again to "
                                        f"go on from {self.folder / RESUME}")  # fmt: skip
        self.log.check_all()
        self._require_finite_weights(self._where("of the trained weights"), self._rates_hint())

    def loss(self, step: int, part: BatchSlice | None = None) -> Tensor:
        """The loss of one step's batch, or of a slice of it.

        A function of (seed, training seed, stream, step) and the weights.
        """
        batch = self.loader.get(step, part or BatchSlice(self.config.batch, 0, self.config.batch))
        with self.processes.accelerator.autocast():
            return self.objective(batch)

    def _draw(self, step: int, part: BatchSlice) -> TrainingBatch:
        return draw(self.row, self.clips, self.train_seed, step, part, self.processes.device)

    def _one_step(self) -> tuple[float, float]:
        """One optimizer step, or none if it is rejected; returns the whole batch's loss and gradient norm."""
        factor = rate(self.step, self.steps, self.config.warmup, self.config.cooldown)
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * factor
        value, self.stopping = self.processes.reduce_loss(self._gradients(), self.notice.given)
        norm, outcome = self._judge(value)
        self.step += 1
        if outcome is Outcome.ACCEPTED:
            for optimizer in self.optimizers.values():
                optimizer.step()
            self.mean = MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * value if self.accepted else value
        self.log.add(outcome)
        if outcome is Outcome.ACCEPTED:
            self._update_average()
        return value, norm

    def _judge(self, value: float) -> tuple[float, Outcome]:
        """The gradient norm, before clipping it, of a step whose loss is ``value``, and whether the step is accepted.

        Raises TrainingError where the weights or the batch are the reason of a loss that is not finite.
        """
        if not math.isfinite(value):
            self._require_finite_inputs()
            return float("nan"), Outcome.LOSS
        if self.accepted >= SPIKE_AFTER and value > self.config.spike * self.mean:
            return float("nan"), Outcome.SPIKE
        limit = math.inf if self.config.clip_norm is None else self.config.clip_norm  # clipping to inf scales by 1
        norm = self.processes.accelerator.clip_grad_norm_(self.row.parameters(), limit)
        norm = float(full_tensor(norm))
        return norm, Outcome.ACCEPTED if math.isfinite(norm) else Outcome.GRADIENT

    def _gradients(self) -> float:
        """Gradients of this process's share of the batch, averaged with the others'; returns the share's mean loss."""
        values = []
        for position, part in enumerate(self.slices, 1):
            last = position == len(self.slices)
            with nullcontext() if last else self.processes.unsynchronised(self.objective):
                loss = self.loss(self.step, part)
                self.processes.accelerator.backward(loss / len(self.slices))
            values.append(loss.item())
        self.processes.average_scalars()
        return sum(values) / len(values)

    def _require_finite_inputs(self) -> None:
        """Raise TrainingError where this process's weights or its share of the step's batch are not finite."""
        self._require_finite_weights(self._where("of the weights"), self._rates_hint())
        for part in self.slices:
            name = first_not_finite(self._draw(self.step, part).tensors())
            if name is not None:
                hint = "check train.timestep_shift" if name == "level" else "make the latents and the text again"
                raise TrainingError(f"{self._where('of the batch')}, {name} is not finite (NaN or infinite); {hint}")

    def _require_finite_weights(self, where: str, hint: str) -> None:
        name = first_not_finite({name: local(value) for name, value in self.row.state_dict().items()})
        if name is not None:
            raise TrainingError(f"{where}, {name} is not finite (NaN or infinite); {hint}")

    def _where(self, what: str) -> str:
        return f"{self.row.profile.name}: step {self.step} of {self.steps}: {what}"

    def _rates_hint(self) -> str:
        used = ", ".join(f"{name} {self.rates[name]:g}" for name in self.optimizers)
        return f"lower the learning rates train.adamw_lr, train.muon_lr or train.row_lr (here: {used})"

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
        """The weights for rollouts, averaged where the study asks for it: full tensors, in the main process alone."""
        return self.processes.gather_full({**self.row.state_dict(), **self.average})

    def facts(self) -> dict[str, Any]:
        """What the record of a run says of its training."""
        return {"rejected_steps": self.rejected, "final_loss": self.mean, "seconds_before": self.seconds_before,
                "precision": self.config.precision, "steps_per_second": round(self.steps_per_second, 4),
                "clips_per_second": round(self.config.batch * self.steps_per_second, 4),
                "seconds_waiting_for_data": round(self.loader.waited, 2),
                **self.processes.describe()}  # fmt: skip

    def _checkpoint(self) -> None:
        """Everything the rest of the run depends on, in one file of full tensors."""
        self._require_finite_weights(self._where("of the weights"), self._rates_hint())
        tensors = self.processes.gather_full(collect_state(self.row, self.average, self.optimizers))
        counters = {"step": self.step, "mean": self.mean.hex(), "log": self.log.state(), "seconds": self.seconds}
        if self.processes.main:
            header = {"fingerprint": self.fingerprint, "counters": counters}
            save_tensors(self.folder / RESUME, tensors, header, finite=True)
        self.processes.accelerator.wait_for_everyone()

    def finish(self, path: Path, **metadata: str) -> None:
        """Save the weights for rollouts to ``path``, with ``metadata`` in the header, and remove the resume file.

        Raises TrainingError, with nothing written, for weights that are not finite.
        """
        weights = self.weights()
        if self.processes.main:
            name = first_not_finite(weights)
            if name is not None:
                where = self._where("of the weights to be saved")
                raise TrainingError(f"{where}, {name} is not finite (NaN or infinite); {self._rates_hint()}")
            self.row.save(path, weights, **metadata)
            (self.folder / RESUME).unlink(missing_ok=True)
        self.processes.accelerator.wait_for_everyone()
        self.processes.accelerator.end_training()

    def _resume(self) -> None:
        """Go on from the resume file, if it belongs to this very run; raises TensorFileError for a damaged one."""
        path = self.folder / RESUME
        if not path.is_file():
            return
        header = read_header(path)
        if header.get("fingerprint") != self.fingerprint:
            if self.processes.main:
                tqdm.write(f"{path}: of another configuration or code; starting over")
            return
        with open_tensors(path) as file:
            restore_state(file, self.row, self.average, self.optimizers)
        counters = header["counters"]
        self.log.restore(counters["log"])
        self.step, self.seconds_before = counters["step"], counters["seconds"]
        self.mean = float.fromhex(counters["mean"])
