"""A convolutional decoder of patch latents: what the linear picture lacks, added to it.

Most of its work is done at a fourth of the frame's height and width, where 3 x 3 convolutions see across the borders of
patches and cost little. It reads the latents, each spread over its own patch, and the linear picture, in which
neighbouring patches have met. The last convolution begins at zero: training starts from the linear picture.
"""

from __future__ import annotations

from typing import cast

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4  # pixels of a cell of the decoder's maps along each side; patches are whole cells


class ConvolutionalDecoder(nn.Module):
    """``forward`` turns latents and the linear picture of them into the signal.

    ``middle`` and ``spread``: mean and deviation of the latents by channel, so that all channels count alike here.
    """

    middle: Float[Tensor, "c 1 1"]
    spread: Float[Tensor, "c 1 1"]

    def __init__(self, channels: int, side: int, width: int, depth: int) -> None:
        """channels: of the latents; side: pixels of a patch; width: channels of the maps; depth: residual layers."""
        super().__init__()
        self.cells = side // STRIDE
        self.register_buffer("middle", torch.zeros(channels, 1, 1))
        self.register_buffer("spread", torch.ones(channels, 1, 1))
        half = max(4, width // 2)
        with torch.random.fork_rng(devices=[]):  # ``draw`` gives the weights that training starts from
            self.from_latents = nn.Conv2d(channels, width * self.cells**2, 1)
            self.from_picture = nn.Conv2d(3 * STRIDE**2, width, 3, padding=1)
            self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(depth))
            self.up = nn.Conv2d(width, 4 * half, 3, padding=1)
            self.fine = nn.Conv2d(half, half, 3, padding=1)
            self.last = nn.Conv2d(half, 12, 3, padding=1)

    def normalise(self, latents: Float[Tensor, "f c h w"]) -> None:
        """Set ``middle`` and ``spread`` from latents of training frames."""
        self.middle.copy_(latents.mean((0, 2, 3), keepdim=True)[0])
        self.spread.copy_(latents.std((0, 2, 3), keepdim=True)[0].clamp_min(1e-6))

    def draw(self, seed: int) -> None:
        """Weights to start from, of ``seed`` alone; the last layer is zero."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.reset_parameters()
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, latents: Float[Tensor, "f c h w"], picture: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f 3 H W"]:
        """The signal, in -1 .. 1 but for what clipping will cut."""
        spread = self.from_latents((latents - self.middle) / self.spread)
        maps = rearrange(spread, "f (k i j) h w -> f k (h i) (w j)", i=self.cells, j=self.cells)
        cells = rearrange(picture, "f c (h i) (w j) -> f (c i j) h w", i=STRIDE, j=STRIDE)
        # Channels-last is faster on a CPU for these thin convolutions.
        maps = maps + self.from_picture(cells.contiguous(memory_format=torch.channels_last))
        for layer in self.layers:
            maps = maps + layer(functional.relu(maps))
        finer = functional.pixel_shuffle(self.up(functional.relu(maps)), 2)
        finer = finer + self.fine(functional.relu(finer))
        return picture + functional.pixel_shuffle(self.last(functional.relu(finer)), 2)
