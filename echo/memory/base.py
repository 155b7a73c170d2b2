"""The contract of a memory: W(M, E) -> M, R(M) -> what the transformer sees (the paper's equation 4 and Algorithm 1).

A family is a package ``echo/memory/<family>/``: ``settings.py`` with ``Settings(Profile)``, and ``memory.py`` with its
``Memory`` and ``build(settings: Settings, sizes: Sizes) -> Memory``. Nothing else names it.

Two ways lead into a memory, one for each kind of policy (``echo.evidence.policy``). ``write`` gets a ranked set of past
frames that was chosen for the segment to come; ``append`` gets the next frames of a stream, not knowing what will be
asked, and its state is all that survives between segments. ``read`` is the same after both.

What an implementation has to know:

- **Evidence may be the anchor alone** (the first frame, ``evidence.span(0, 1)``): for a first segment, where training
  drops the history, and when a probe erases the memory. Erasing means just that: writing from the anchor alone, never
  setting the state to zero. The first frame of evidence is the anchor; retrieved frames follow by rank.
- **A stream's frames come once, in order**, frame 0 alone at first; the newest is the anchor of the next segment. Their
  cameras are relative to that newest frame. A state that will show frames to a later segment keeps their poses, and
  ``read`` sees them from ``ReadCameras.reference``. What is kept is bounded by the profile, however long the stream.
- **``write``, ``append`` and ``read`` draw no random numbers.** All randomness comes in from outside: initial weights
  from the stream that ``registry`` sets, noise on the evidence from the study's. Otherwise rows would not see equal
  draws.
- **The state is a dict of tensors, batch first**, so that it can be counted, carried, and swapped between cases. What
  one case's state holds must not depend on the other cases of its batch.
- **``write`` and ``append`` return a state and change none**: a probe writes from the same state twice.
- **Gradients stop between segments.** In training the writes of earlier segments run without gradients (truncated
  backpropagation); the state they leave is data for the last write, which must not detach what it returns.
- **``read`` runs once for a segment**, before the sampler's steps: a read-out depends on cameras and not on the target.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from echo.evidence.frames import Cameras, Frames
from echo.study.config import Study
from echo.study.profile import Profile

State = dict[str, Tensor]
HookPoint = Literal["before_block", "after_block", "after_attention"]
# Tokens (B, F, N, D) to tokens of the same shape.
Hook = Callable[[Float[Tensor, "B F N D"]], Float[Tensor, "B F N D"]]


@dataclass(frozen=True)
class Sizes:
    """What a memory may need to know of the model and the study it serves.

    grid: tokens of a frame: rows, columns. field_of_view: horizontal, in degrees. eviction: ``evidence.eviction``.
    target_first: whether the target stands before the clean frames in the sequence (``backbone.layout``).
    """

    width: int
    heads: int
    layers: int
    grid: tuple[int, int]
    field_of_view: float
    eviction: str
    target_first: bool = False

    def split_target(
        self, tokens: Float[Tensor, "B F N D"], count: int
    ) -> tuple[Float[Tensor, "B clean N D"], Float[Tensor, "B T N D"]]:
        """The clean frames' and the target's tokens of a sequence (B, F, N, D) whose target has ``count`` frames."""
        if self.target_first:
            return tokens[:, count:], tokens[:, :count]
        return tokens[:, :-count], tokens[:, -count:]

    def join_target(
        self, clean: Float[Tensor, "B clean N D"], target: Float[Tensor, "B T N D"]
    ) -> Float[Tensor, "B F N D"]:
        """The sequence of which ``split_target`` made these."""
        return torch.cat([target, clean] if self.target_first else [clean, target], 1)

    @property
    def tokens(self) -> int:
        """N, tokens of a frame."""
        return self.grid[0] * self.grid[1]

    @property
    def aspect(self) -> float:
        """A frame's height / width."""
        return self.grid[0] / self.grid[1]


def sizes_of(study: Study, profile: Profile | None = None) -> Sizes:
    """The sizes of a study's model; ``profile``: of the row whose own layout counts."""
    config = study.backbone
    layout = config.layout if profile is None else profile.layout_in(config.layout)
    return Sizes(
        config.heads * config.head_dim, config.heads, config.layers, study.grid, study.world.field_of_view,
        study.evidence.eviction, layout == "target_first",
    )  # fmt: skip


@dataclass(frozen=True)
class ReadCameras:
    """Where a memory is asked: the cameras of the target's T frames and of the anchor."""

    target: Cameras
    anchor: Cameras

    @property
    def reference(self) -> Float64[Tensor, "B 6"]:
        """Pose (B, 6) of the segment's first target frame, which all cameras of a segment are relative to.

        Raises ValueError where the target has no poses.
        """
        if self.target.poses is None:
            raise ValueError("ReadCameras.reference: the target's cameras have no poses; expected those of its frames")
        return self.target.poses[:, 0]


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
    replaces_anchor: whether ``frames`` have the anchor among them, so that it does not stand beside them.
    text: (B, M, D) tokens beside the text's, for cross-attention.
    hooks: by a block's number, what is applied to the tokens (B, F, N, D) of the whole sequence in that block.
    hook_point: where in a block the hooks are applied: before it, and before the camera enters it; after it; or
        between its self-attention and its cross-attention.
    mixture: temperature of the softmax that weights the clean frames by their similarity to the target
        (``blocks.weight_by_similarity``); None for no weights.
    estimate: part of the contract for memories to come. No sampler uses one yet, so the backbone refuses it rather than
        leave it unread.
    """

    frames: Frames | None = None
    replaces_anchor: bool = False
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

    ``carries``: each ``write`` starts from the state of the segment before; otherwise every segment writes anew and
    ``write`` is called with ``state`` None. ``append`` always starts from the state before.
    ``retrieves``: whether ``write`` uses more of the evidence than the anchor.
    """

    carries: bool = False
    retrieves: bool = True

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
    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """W for the next frames of a stream.

        Args:
            state: What is left of all frames before these; None before the first one.
            frames: F frames in order of time, seen from the newest of them.
            text: As in ``write``.
            backbone: As in ``write``.

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
