"""What diffusers' autoencoders share: gradient steps on the mean squared error, unless weights were loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from echo.encoding.codec import Codec
from echo.io.seeding import generator

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

KL_WEIGHT = 1e-6
BATCH = 32  # frames a step
LEARNING_RATE = 2e-3


class TrainedCodec(Codec):
    """A codec around an autoencoder of diffusers, ``model``."""

    model: Any  # a model of diffusers; of its methods and its config the library gives no usable types

    def fit(self, signal: Float[Tensor, "f 3 H W"], seed: int, weights: Path | None = None) -> None:
        """``codec.train_steps`` steps of AdamW, with a weak pull of the latents towards a unit Gaussian.

        weights: not used; these are not trained on LPIPS.
        """
        if not self.config.train_steps:
            return
        optimizer = torch.optim.AdamW(self.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=self.config.train_steps)
        draw = generator(seed, "codec", "steps")
        for _ in tqdm(range(self.config.train_steps), desc="codec", mininterval=5):
            batch = signal[torch.from_numpy(draw.integers(0, len(signal), BATCH))]
            posterior = self.posterior(batch)
            loss = functional.mse_loss(self.synthesise(posterior.mode()), batch)
            loss = loss + KL_WEIGHT * posterior.kl().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    def posterior(self, signal: Float[Tensor, "f 3 H W"]) -> DiagonalGaussianDistribution:
        """The encoder's distribution over latents."""
        raise TypeError(f"{type(self).__name__} does not define posterior(signal)")

    def _options(self) -> dict[str, Any]:
        """The options of the study that are the autoencoder's own."""
        return {name: value for name, value in self.config.options.items() if name != "whiten"}
