"""Principal components of square patches, decoded linearly from the 3 x 3 cells around each patch.

The neighbours remove most of the edges between patches. Ours; fitted by least squares, without gradient steps. With
``options.decoder: convolutional`` a trained network adds to the linear picture; latents are the same with and without.
"""

from __future__ import annotations

from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from echo.encoding.codec import Codec, CodecError
from echo.encoding.decoder import STRIDE, ConvolutionalDecoder
from echo.encoding.fit_decoder import fit_decoder
from echo.study.config import Codec as Config

RIDGE = 1e-3  # regularisation of the decoder, in units of the inputs' mean square


class PatchCodec(Codec):
    """Encoder: ``basis`` and ``middle``, the mean patch; decoder: a 3 x 3 convolution with ``paint`` and ``ground``.

    ``decoder``: the network that adds to it, or None.
    """

    ENCODER = ("mean", "scale", "basis", "middle")
    basis: Float[Tensor, "c 3 side side"]
    middle: Float[Tensor, " c"]
    paint: Float[Tensor, "pixels c 3 3"]
    ground: Float[Tensor, " pixels"]

    def __init__(self, config: Config) -> None:
        """Raises CodecError for more channels than a patch has numbers, or a patch that the decoder cannot divide."""
        super().__init__(config)
        side, pixels = config.downsample, 3 * config.downsample**2
        if config.channels > pixels:
            raise CodecError(f"codec.channels = {config.channels}: a patch has only {pixels} numbers")
        self.register_buffer("basis", torch.zeros(config.channels, 3, side, side))
        self.register_buffer("middle", torch.zeros(config.channels))
        self.register_buffer("paint", torch.zeros(pixels, config.channels, 3, 3))
        self.register_buffer("ground", torch.zeros(pixels))
        self.decoder: ConvolutionalDecoder | None = None
        options = config.convolutional
        if options is not None:
            if side % STRIDE:
                raise CodecError(f"codec.downsample = {side}: a convolutional decoder needs a multiple of {STRIDE}")
            self.decoder = ConvolutionalDecoder(config.channels, side, options.decoder_width, options.decoder_depth)

    def analyse(self, signal: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f c h w"]:
        """Coordinates of each patch in the basis."""
        patches = functional.conv2d(signal, self.basis, stride=self.config.downsample)
        return patches - rearrange(self.middle, "c -> c 1 1")

    def synthesise(self, latents: Float[Tensor, "f c h w"]) -> Float[Tensor, "f 3 H W"]:
        """The linear picture, and what the convolutional decoder makes of it where there is one."""
        picture = self.linear_picture(latents)
        return picture if self.decoder is None else self.decoder(latents, picture)

    def linear_picture(self, latents: Float[Tensor, "f c h w"]) -> Float[Tensor, "f 3 H W"]:
        """Each patch from the 3 x 3 cells around it; beyond the edge there are zeros."""
        pixels = functional.conv2d(latents, self.paint, self.ground, padding=1)
        side = self.config.downsample
        return rearrange(pixels, "f (c i j) h w -> f c (h i) (w j)", i=side, j=side)

    def fit(self, signal: Float[Tensor, "f 3 H W"], seed: int, weights: Path | None = None) -> None:
        """The linear codec, then the convolutional decoder where there is one: only that uses seed and weights."""
        self._fit_linear(signal)
        options = self.config.convolutional
        if self.decoder is not None and options is not None:
            fit_decoder(self.decoder, self.analyse, self.linear_picture, signal, options, seed, weights)

    def _fit_linear(self, signal: Float[Tensor, "f 3 H W"]) -> None:
        """The basis from the patches' covariance, then the linear decoder by ridge regression."""
        side, channels = self.config.downsample, self.config.channels
        patches = rearrange(signal, "f c (h i) (w j) -> (c i j) (f h w)", i=side, j=side).double()
        centre = patches.mean(1, keepdim=True)
        spectrum = torch.linalg.eigh((patches - centre) @ (patches - centre).T)
        basis = spectrum.eigenvectors.flip(1)[:, :channels].T  # strongest first
        basis = basis * basis.sum(1, keepdim=True).sign()  # a sign that is independent of the solver
        self.basis.copy_(rearrange(basis, "k (c i j) -> k c i j", i=side, j=side))
        self.middle.copy_(rearrange(basis @ centre, "k 1 -> k"))
        around = functional.unfold(self.analyse(signal), 3, padding=1)  # (f, 9 c, cells)
        inputs = rearrange(around, "f k cells -> k (f cells)").double()
        inputs = torch.cat([inputs, torch.ones_like(inputs[:1])])
        gram = inputs @ inputs.T
        gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        weights = torch.linalg.solve(gram, inputs @ patches.T).T  # (pixels, 9 c + 1)
        self.paint.copy_(rearrange(weights[:, :-1], "pixels (c i j) -> pixels c i j", i=3, j=3))
        self.ground.copy_(weights[:, -1])


CODEC = PatchCodec
