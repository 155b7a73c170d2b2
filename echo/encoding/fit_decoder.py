"""Training of a convolutional decoder: absolute error and LPIPS of what it makes of the latents, against the frames.

The encoder and the linear picture stay as they were fitted. Frames of the last videos are held back: a decoder that
ends worse on them than the linear picture that it started from has collapsed, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from echo.encoding.decoder import ConvolutionalDecoder
from echo.encoding.perceptual import lpips_network
from echo.io.errors import UserError
from echo.io.seeding import derive, generator
from echo.study.sections.codec import PatchOptions

HELD_BACK = 20  # the last twentieth of the frames
HELD_AT_MOST = 200  # frames of it that are looked at
CLIP = 1.0  # largest norm of the gradient
WARMUP = 50  # steps in which the rate rises; it then falls linearly to zero

Analyse = Callable[[Float[Tensor, "f 3 H W"]], Float[Tensor, "f c h w"]]
Paint = Callable[[Float[Tensor, "f c h w"]], Float[Tensor, "f 3 H W"]]


class DecoderError(UserError):
    """A decoder that cannot be trained, or whose training failed."""


@dataclass(frozen=True)
class Loss:
    """Mean absolute error, plus LPIPS by ``weight`` where there is a network."""

    network: nn.Module | None
    weight: float

    def __call__(self, made: Float[Tensor, "f 3 H W"], true: Float[Tensor, "f 3 H W"]) -> Tensor:
        """A number; signals in -1 .. 1."""
        error = (made - true).abs().mean()
        return error if self.network is None else error + self.weight * self.network(made, true).mean()


def fit_decoder(
    decoder: ConvolutionalDecoder,
    analyse: Analyse,
    paint: Paint,
    signal: Float[Tensor, "f 3 H W"],
    options: PatchOptions,
    seed: int,
    weights: Path | None,
) -> None:
    """Train ``decoder`` on frames; ``analyse`` gives their latents and ``paint`` the linear picture of those.

    weights: folder of the weights of LPIPS' network, needed where ``options.decoder_lpips`` is above 0.
    Raises DecoderError where training made of held-back frames something worse than the linear picture.
    """
    loss = _loss(options, weights, signal.device)
    held = min(max(1, len(signal) // HELD_BACK), HELD_AT_MOST)
    used = len(signal) - held
    if used < 1:
        raise DecoderError("codec.train_frames: a convolutional decoder needs two frames at least; one is held back")
    with torch.no_grad():
        latents = torch.cat([analyse(part) for part in signal.split(options.decoder_batch)])
        decoder.normalise(latents[:used])
    decoder.draw(derive(seed, "codec", "decoder"))
    _train(decoder, paint, latents[:used], signal[:used], options, seed, loss)
    before, after = _held_back(decoder, paint, latents[used:], signal[used:], options, loss)
    if not after <= before:
        raise DecoderError(
            f"the convolutional decoder failed to train: its loss on {held} held-back frames is {after:.4f}, that of "
            f"the linear picture {before:.4f}; lower codec.options.decoder_rate = {options.decoder_rate:g} or raise "
            f"codec.options.decoder_steps = {options.decoder_steps}"
        )


def _loss(options: PatchOptions, weights: Path | None, device: torch.device) -> Loss:
    if not options.decoder_lpips:
        return Loss(None, 0.0)
    if weights is None:
        raise DecoderError(
            "codec.options.decoder_lpips: the weights of LPIPS' network are needed; hand their folder over with "
            "--weights (fetched with: python -m echo weights --out resources/weights)"
        )
    return Loss(lpips_network(weights).requires_grad_(False).to(device), options.decoder_lpips)


def _train(
    decoder: ConvolutionalDecoder,
    paint: Paint,
    latents: Float[Tensor, "f c h w"],
    signal: Float[Tensor, "f 3 H W"],
    options: PatchOptions,
    seed: int,
    loss: Loss,
) -> None:
    """``options.decoder_steps`` steps of AdamW."""
    steps = options.decoder_steps
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=options.decoder_rate)
    warmup = min(WARMUP, max(1, steps // 10))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))
    )
    draw = generator(seed, "codec", "decoder", "steps")
    decoder.train()
    for _ in tqdm(range(steps), desc="decoder", mininterval=5):
        chosen = torch.from_numpy(draw.integers(0, len(signal), options.decoder_batch))
        with torch.no_grad():
            picture = paint(latents[chosen])
        error = loss(decoder(latents[chosen], picture), signal[chosen])
        optimizer.zero_grad()
        error.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), CLIP)
        optimizer.step()
        schedule.step()
    decoder.eval()


@torch.no_grad()
def _held_back(
    decoder: ConvolutionalDecoder,
    paint: Paint,
    latents: Float[Tensor, "f c h w"],
    signal: Float[Tensor, "f 3 H W"],
    options: PatchOptions,
    loss: Loss,
) -> tuple[float, float]:
    """The loss of the linear picture and that of the decoder, on frames that it was not trained on."""
    before = after = 0.0
    for cells, true in zip(latents.split(options.decoder_batch), signal.split(options.decoder_batch), strict=True):
        picture = paint(cells)
        before += float(loss(picture, true)) * len(true) / len(signal)
        after += float(loss(decoder(cells, picture), true)) * len(true) / len(signal)
    return before, after
