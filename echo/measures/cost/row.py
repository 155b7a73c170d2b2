"""What one row costs: the row is built on the meta device, without weights, and walked as training and rollout run it.

Nothing here knows a row by name. Its memory is asked, through the seam all memories share, to write evidence of the
study's sizes and to be read; what it does to itself, to the transformer and to history is met on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil
from typing import Any, cast

import torch
from torch import Tensor

from echo.evidence.frames import Frames
from echo.measures.cost.walk import Alive, Product, Tally, Walk, dropped_gradients
from echo.measures.verdict import PROBES
from echo.memory.base import State, state_bytes, state_size
from echo.model.row import Row
from echo.study.batches import micro_batch
from echo.study.config import Study
from echo.study.profile import Profile
from echo.study.words import BRANCHES, SEGMENTS
from echo.training.objective import Objective, TrainingBatch
from echo.training.optimizers import freeze, matrices

FLOAT = 4  # bytes of a weight, its gradient and each optimizer state: float32, also under bf16 autocast
STATES = {"adamw": 2, "muon": 1}  # numbers an optimizer keeps for each weight


@dataclass(frozen=True)
class Step:
    """One micro-batch of a training step on one GPU. activations: bytes alive at most, gradients and weights apart."""

    tally: Tally
    activations: int


@dataclass(frozen=True)
class Tokens:
    """Tokens of one sample in self-attention.

    ``clean``: history tokens that pass through the blocks on their own to feed a recurrence, each frame attending
    within itself.
    """

    read: int
    anchor: int
    target: int
    clean: int

    @property
    def sequence(self) -> int:
        """Tokens that attend to each other."""
        return self.read + self.anchor + self.target


class RowPlan:
    """One row of a study on the meta device."""

    def __init__(self, study: Study, profile: Profile) -> None:
        self.study, self.profile = study, profile
        with torch.device("meta"):
            self.row = Row(study, profile)
        self.row.backbone.checkpointing = study.train.gradient_checkpointing
        freeze(self.row, study.train.trainable, study.train.frozen)
        self.micro_batch = micro_batch(study.train, study.compute.processes)
        self._states: dict[tuple[tuple[int, ...], int], State] = {}  # by the frames of each write, and the batch
        self._velocities: dict[tuple, int] = {}  # FLOPs, by the shapes in the state that is read

    @property
    def parameters(self) -> dict[str, int]:
        """Numbers of weights: of the backbone, of the memory, and of both together those that train."""
        trained = [weight for weight in self.row.parameters() if weight.requires_grad]
        return {
            "backbone": _count(self.row.backbone.parameters()),
            "memory": _count(self.row.memory.parameters()),
            "trainable": _count(trained),
        }

    def frames(self, count: int, batch: int) -> Frames:
        """``count`` frames of the study's sizes, without numbers."""
        study = self.study

        def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.empty(batch, count, *shape, dtype=dtype, device="meta")

        return Frames(
            empty(study.codec.channels, *study.latent_size), empty(12), empty(*study.grid, 6), empty(dtype=torch.int64),
            poses=empty(6, dtype=torch.float64),
        )  # fmt: skip

    def text(self, batch: int) -> Tensor:
        """A caption's tokens (B, L, text_dim), padded to their full number."""
        return torch.empty(batch, self.study.text.tokens, self.study.text.dim, device="meta")

    def chain(self, segment: int, anchor_only: bool = False) -> tuple[int, ...]:
        """Frames of each offer that is written before ``segment`` (from 1) is generated; the policy's."""
        return self.row.policy.sizes(self.study, segment, self.row.memory.carries, anchor_only)

    def rollout_chain(self, segment: int) -> tuple[int, ...]:
        """Frames of each offer that is written before ``segment`` of a rollout."""
        return self.row.policy.sizes_in_rollouts(self.study, segment, self.row.memory.carries)

    @property
    def longest(self) -> int:
        """The last segment of the longest trajectory that is evaluated."""
        return max(BRANCHES[name].segments for name in self.study.evaluate.branches)

    def step(self, evidence: int, batch: int | None = None, memory: bool = True, earlier: tuple[int, ...] = ()) -> Step:
        """One micro-batch of a step whose last write has so many frames; ``memory``: follow its bytes too.

        earlier: frames of the writes before it, which have no gradients. Backward is walked for its bytes alone.
        """
        batch = batch or self.micro_batch
        before = [self.frames(count, batch) for count in earlier]
        given, anchor, target, text = (
            self.frames(evidence, batch),
            self.frames(1, batch),
            self.frames(self.study.target_latents, batch),
            self.text(batch),
        )
        level, noise = torch.empty(batch, device="meta"), torch.empty_like(target.latents)
        weights = list(self.row.parameters())
        inputs = [value for frames in (*before, given, anchor, target) for value in frames.tensors().values()]
        known = [*weights, *self.row.buffers(), *inputs, text, noise]
        walk, alive = Walk(self.study.train.precision), Alive(known)
        blocks = Blocks(self.row, walk, alive)
        with dropped_gradients(weights), blocks, alive if memory else nullcontext(), walk:
            loss = Objective(self.row)(TrainingBatch(before, given, anchor, target, level, noise, text))
            tally, forward = walk.tally(loss), alive.peak + blocks.kept
            if memory:
                walk.leave_autocast()
                alive.peak = alive.now
                walk.backward(loss)
        return Step(tally, max(forward, alive.peak + blocks.kept_in_backward) if memory else 0)

    @torch.no_grad()
    def write_flops(self, evidence: int, batch: int = 1) -> int:
        """One write of so many frames, without gradients."""
        walk = Walk(self.study.train.precision)
        with Blocks(self.row, walk, Alive([])), walk:
            self.row.write(None, self.frames(evidence, batch), self.text(batch))
        return walk.tally().forward

    @torch.no_grad()
    def sampling_bytes(self, batch: int) -> int:
        """Bytes alive at most while the velocity is evaluated, with all the evidence there can be."""
        *earlier, last = self.rollout_chain(self.longest)
        before = self._written(tuple(earlier), batch)
        given, anchor = self.frames(last, batch), self.frames(1, batch)
        target, text = self.frames(self.study.target_latents, batch), self.text(batch)
        alive = Alive([*self.row.parameters(), *self.row.buffers(), *target.tensors().values(), text])
        walk = Walk(self.study.train.precision)
        blocks = Blocks(self.row, walk, alive)
        with blocks, alive, walk:
            state = self.row.write(before, given, text)
            self.row(target, torch.empty(batch, device="meta"), anchor, text, state)
        return alive.peak + blocks.kept

    @torch.no_grad()
    def velocity_flops(self, segment: int) -> int:
        """One evaluation of the velocity of one case's ``segment``, its memory read included."""
        state = cast(State, self._written(self.rollout_chain(segment), 1))
        shapes = tuple((name, value.shape, value.dtype) for name, value in state.items())
        if shapes not in self._velocities:
            target, anchor = self.frames(self.study.target_latents, 1), self.frames(1, 1)
            walk = Walk(self.study.train.precision)
            with Blocks(self.row, walk, Alive([])), walk:
                self.row(target, torch.empty(1, device="meta"), anchor, self.text(1), state)
            self._velocities[shapes] = walk.tally().forward
        return self._velocities[shapes]

    @torch.no_grad()
    def _written(self, chain: tuple[int, ...], batch: int) -> State | None:
        """The state after writes of so many frames each, of which a longer chain goes on; None after none."""
        if chain and (chain, batch) not in self._states:
            before = self._written(chain[:-1], batch)
            self._states[chain, batch] = self.row.write(before, self.frames(chain[-1], batch), self.text(batch))
        return self._states[chain, batch] if chain else None

    @cached_property
    def tokens(self) -> Tokens:
        """Of one sample with all the evidence there can be; ``clean``: of one write."""
        cells, seen = self.study.grid[0] * self.study.grid[1], []
        run = self.row.backbone.clean_pass

        def watched(frames: Frames, *rest: Any, **named: Any) -> None:
            seen.append(frames.count)
            run(frames, *rest, **named)

        with torch.no_grad():
            *earlier, last = self.rollout_chain(self.longest)
            before = self._written(tuple(earlier), 1)
            self.row.backbone.clean_pass = watched
            state = self.row.write(before, self.frames(last, 1), self.text(1))
            self.row.backbone.clean_pass = run
            read = self.row.read(state, self.frames(self.study.target_latents, 1), self.frames(1, 1))
        frames = read.frames.count if read.frames is not None else 0
        return Tokens(frames * cells, cells, self.study.target_latents * cells, sum(seen) * cells)

    @cached_property
    def state(self) -> tuple[int, int]:
        """Numbers one sample's state holds after all the evidence there can be, and their bytes."""
        state = cast(State, self._written(self.rollout_chain(self.longest), 1))
        return state_size(state), state_bytes(state)

    def situations(self) -> list[tuple[float, tuple[int, ...]]]:
        """(probability, frames of each write) of the steps training draws."""
        drop, weights = self.row.policy.drop(self.study), self.study.segment.history_weights
        found = []
        for segment, weight in enumerate(weights, 1):
            share = weight / sum(weights)
            found += [(share * (1 - drop), self.chain(segment)), (share * drop, self.chain(segment, anchor_only=True))]
        return [situation for situation in found if situation[0]]

    def weight_bytes(self) -> dict[str, int]:
        """Bytes that stand on one GPU whatever the batch: weights, gradients, optimizer states, EMA, exchange.

        DDP holds all of them whole, and its buckets hold each gradient once more. FSDP holds a share of each; whole are
        the weights outside of the blocks (cameras, embeddings, memory) and two blocks, the one that runs and the next.
        """
        train, processes = self.study.train, self.study.compute.processes
        trained = [weight for weight in self.row.parameters() if weight.requires_grad]
        weights, gradients = FLOAT * _count(self.row.parameters()), FLOAT * _count(trained)
        muon = {id(weight) for weight in matrices(self.row)} if train.optimizer == "muon" else set()
        optimizer = sum(
            FLOAT * STATES["muon" if id(weight) in muon else "adamw"] * weight.numel() for weight in trained
        )
        found = {
            "weights": weights,
            "gradients": gradients,
            "optimizer": optimizer,
            "ema": gradients if train.ema else 0,
            "exchange": gradients if processes > 1 else 0,
        }
        if train.sharding == "fsdp" and processes > 1:
            found = {name: ceil(value / processes) for name, value in found.items()}
            blocks = [_count(block.parameters()) for block in self.row.backbone.transformer.blocks]
            found["exchange"] = FLOAT * (2 * max(blocks) + _count(self.row.parameters()) - sum(blocks))
        return found


class Blocks:
    """Within it, of blocks that are alike three are walked: those in which the memory does not act, at equal shapes.

    The second one's products are counted once more for each that is passed over, and the bytes it left behind are added
    to ``kept``. ``kept_in_backward``: those that are still there once autocast is left. The first
    two and the last, because gradients of what blocks share (the modulation) meet in the backward pass, and because it
    begins at the last block, when memory is fullest.
    """

    def __init__(self, row: Row, walk: Walk, alive: Alive) -> None:
        self.row, self.walk, self.alive = row, walk, alive
        self.kept = self.kept_in_backward = 0
        self._run = row.backbone.run
        self._known: dict[tuple, list[tuple[list[Product], int, int]]] = {}
        self._passed: set[int] = set()

    def __enter__(self) -> Blocks:
        self.row.backbone.run = self._watched
        return self

    def __exit__(self, *_: object) -> None:
        self.row.backbone.run = self._run

    def _watched(self, step: partial[Tensor], tokens: Tensor) -> Tensor:
        grad = torch.is_grad_enabled()
        checkpointed = self.row.backbone.checkpointing and grad
        known = self._known.setdefault((tokens.shape, grad), [])
        index, hook = step.args
        if hook is None and len(known) >= 2 and index < self.row.backbone.layers - 1:
            products, kept, kept_in_backward = known[-1]
            for product in products:
                product.times += 1
            self.kept += kept
            self.kept_in_backward += kept_in_backward + (self._waiting(index) if grad else 0)
            return tokens
        before, kept, casts = len(self.walk.products), self.alive.now, self.walk.cast_bytes()
        with self.walk.recomputing(checkpointed):
            tokens = self._run(step, tokens)
        casts = self.walk.cast_bytes() - casts
        kept = self.alive.now - kept if grad else casts  # without gradients the next block's tokens replace these
        if hook is None:
            known.append((self.walk.products[before:], kept, kept - casts if checkpointed else kept))
        return tokens

    def _waiting(self, index: int) -> int:
        """Bytes of gradients that wait in the backward pass, if this block is passed over for the second time.

        A block that ran twice, for the history and for the target, has its weights' gradients added up once both are
        there; until then they wait beside those that are whole.
        """
        if index not in self._passed:
            self._passed.add(index)
            return 0
        size = 2 if self.walk.bf16 else FLOAT
        return size * _count(w for w in self.row.backbone.transformer.blocks[index].parameters() if w.requires_grad)


def rollout_segments(study: Study, carries: bool) -> tuple[Counter, Counter]:
    """How often all cases of all branches generate segment n, and write a memory for it; probes included.

    A branch generates all its segments, or, for recall, the last one alone. A memory that carries its state is written
    for every segment up to the last; another one for those that are generated. Probes play recall's last segment with
    the memory intact, and once more after each intervention.
    """
    generated, written = Counter(), Counter()
    plays = [(BRANCHES[name], study.evaluate.cases) for name in study.evaluate.branches]
    for branch, cases in [*plays, (BRANCHES["recall"], (1 + len(PROBES)) * study.evaluate.probe_cases)]:
        last = SEGMENTS[branch.trajectory]
        for segment in range(1, last + 1):
            made = segment == last or not branch.recall
            generated[segment] += cases * made
            written[segment] += cases * (made or carries)
    return generated, written


def _count(weights: Iterable[Tensor]) -> int:
    return sum(weight.numel() for weight in weights)
