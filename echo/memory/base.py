"""The contract of a memory: W(M, E) -> M, R(M) -> what the transformer sees (the paper's equation 4 and Algorithm 1).

A family is a package ``echo/memory/<family>/``: ``settings.py`` with ``Settings(Profile)``, and ``memory.py`` with its
``Memory`` and ``build(settings: Settings, sizes: Sizes) -> Memory``. Nothing else names it.

What an implementation has to know:
- **Evidence may be the anchor alone** (the first frame, ``evidence.span(0, 1)``): for a first segment, where training
  drops the history, and when a probe erases the memory. Erasing means just that: writing from the anchor alone, never
  setting the state to zero. The first frame of evidence is the anchor; retrieved frames follow by rank.
- **Neither ``write`` nor ``read`` draws random numbers.** All randomness comes in from outside: initial weights from
  the stream that ``registry`` sets, noise on the evidence from the study's. Otherwise rows would not see equal draws.
- **The state is a dict of tensors, batch first**, so that it can be counted, carried, and swapped between cases. What
  one case's state holds must not depend on the other cases of its batch.
- **``write`` adds to a state and changes none**: a sampler reads the same state at every step, a probe twice.
- **Gradients stop between segments.** In training the writes of earlier segments run without gradients (truncated
  backpropagation); the state they leave is data for the last write, which must not detach what it returns.
- **``read`` runs at every step of the sampler**, for the same state; what needs no cameras belongs into ``write``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from echo.evidence.frames import Cameras, Frames

State = dict[str, Tensor]
HookPoint = Literal["after_block", "after_attention"]
# Tokens (B, F, N, D) to tokens of the same shape.
Hook = Callable[[Float[Tensor, "B F N D"]], Float[Tensor, "B F N D"]]


@dataclass(frozen=True)
class Sizes:
    """What a memory may need to know of the model it serves."""

    width: int
    heads: int
    layers: int
    grid: tuple[int, int]  # tokens of a frame: rows, columns

    @property
    def tokens(self) -> int:
        """N, tokens of a frame."""
        return self.grid[0] * self.grid[1]


@dataclass(frozen=True)
class ReadCameras:
    """Where a memory is asked: the cameras of the target's T frames and of the anchor."""

    target: Cameras
    anchor: Cameras


@dataclass(frozen=True)
class Estimate:
    """A memory's own estimate of the target: clean latents, and a confidence in [0, 1] for each token.

    latents: (B, T, C, H, W); confidence: (B, T, N).
    """

    latents: Float[Tensor, "B T C H W"]
    confidence: Float[Tensor, "B T N"]

    def __post_init__(self) -> None:
        """Raise ValueError where the two are not of the same frames."""
        if self.latents.shape[:2] != self.confidence.shape[:2]:
            raise ValueError(
                f"Estimate.confidence starts with {tuple(self.confidence.shape[:2])}, latents with "
                f"{tuple(self.latents.shape[:2])}"
            )


@dataclass(frozen=True)
class ReadOut:
    """R(M): what the transformer sees of a memory, and the only way for history to reach it.

    frames: clean frames for self-attention.
    text: (B, M, D) tokens beside the text's, for cross-attention.
    hooks: by a block's number, what is applied to the tokens (B, F, N, D) of the whole sequence in that block.
    hook_point: where in a block the hooks are applied: after the block, or between its self-attention and its
        cross-attention.
    mixture: temperature of the softmax that weights the clean frames by their similarity to the target
        (``blocks.weight_by_similarity``); None for no weights.
    estimate: part of the contract for memories to come. No sampler uses one yet, so the backbone refuses it rather than
        leave it unread.
    """

    frames: Frames | None = None
    text: Float[Tensor, "B M D"] | None = None
    hooks: Mapping[int, Hook] = field(default_factory=dict)
    hook_point: HookPoint = "after_block"
    mixture: float | None = None
    estimate: Estimate | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a hook point that blocks do not have."""
        if self.hook_point not in get_args(HookPoint):
            raise ValueError(f"ReadOut.hook_point = {self.hook_point!r}; allowed: {', '.join(get_args(HookPoint))}")


@runtime_checkable
class FrameEncoder(Protocol):
    """What a memory may ask of the backbone, whose weights are the row's."""

    def embed(self, frames: Frames) -> Float[Tensor, "B F N D"]:
        """Input tokens of latent frames."""
        ...

    def clean_pass(
        self,
        frames: Frames,
        text: Float[Tensor, "B L E"],
        hooks: Mapping[int, Hook],
        hook_point: HookPoint = "after_block",
    ) -> None:
        """Run clean frames through the blocks up to the last one hooked, each frame attending to itself only."""
        ...


class Memory(nn.Module, ABC):
    """One row's memory.

    ``carries``: the state is carried from segment to segment, each write starting from it; otherwise every segment
    writes anew and ``write`` is called with ``state`` None.
    """

    carries: bool = False

    @abstractmethod
    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """W(M, E).

        Args:
            state: The state before this segment; None before the first one.
            evidence: K frames, the anchor first, then the retrieved ones by rank; K may be 1.
            text: (B, L, E) embedded captions, before the backbone's own layers.
            backbone: For memories that store what the backbone makes of frames.

        """

    @abstractmethod
    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """R(M), for a target and an anchor seen by ``cameras``."""


def state_size(state: State) -> int:
    """How many numbers one case's state holds: floating-point ones, without frame numbers and other integers."""
    return sum(value[0].numel() for value in state.values() if value.is_floating_point())


def state_bytes(state: State) -> int:
    """Bytes of the numbers that ``state_size`` counts, in the precision they are held in."""
    return sum(value[0].nbytes for value in state.values() if value.is_floating_point())
