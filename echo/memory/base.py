"""The write/read contract (the paper's equation 4 and Algorithm 1): W(M, E) -> M, R(M) -> what the transformer sees.

A family's module defines ``Settings(Profile)`` and ``build(settings, sizes) -> Memory``; nothing else names it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from echo.evidence.frames import Frames
from echo.model.backbone import Backbone, ReadOut

State = dict[str, Tensor]


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


class Memory(nn.Module):
    """One row's memory. Its state is a dict of tensors, batch first, so that it can be carried, counted and swapped.

    ``blocks``: transformer blocks in which ``at_block`` acts. ``acts``: where it does in them, ``after_block`` or
    ``after_attention``, between self-attention and the attention to the words. ``carries``: the state goes on from
    segment to segment, each write going on from it with the segment's evidence; otherwise each segment writes anew.
    """

    blocks: frozenset[int] = frozenset()
    acts: str = "after_block"
    carries: bool = False

    def write(self, state: State | None, evidence: Frames, text: Tensor, backbone: Backbone) -> State:
        """W(M, E). evidence: the anchor first, then retrieved frames by rank; text: (B, L, text_dim)."""
        raise TypeError(f"{type(self).__name__} does not define write(state, evidence, text, backbone)")

    def read(self, state: State, backbone: Backbone) -> ReadOut:
        """R(M)."""
        raise TypeError(f"{type(self).__name__} does not define read(state, backbone)")

    def at_block(self, index: int, tokens: Tensor, state: State) -> Tensor:
        """Tokens (B, F, N, D) of the whole sequence in block ``index``, at ``acts``, with what the memory adds."""
        raise TypeError(f"{type(self).__name__}.blocks names block {index}, but it does not define at_block")


def numbers_kept(state: State) -> int:
    """How many numbers one sample's state holds (floating-point tensors; bookkeeping integers are not counted)."""
    return sum(value[0].numel() for value in state.values() if value.is_floating_point())
