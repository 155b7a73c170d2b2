"""The embedded judge: ImageNet features of EfficientNet-Lite0, colour and structure of a returned view.

It needs no language model and no connection. What it measures is in ``echo.judge.embedded.agreements``; the features
are those at strides 8 and 16 of frames of 128 x 128 pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from echo.judge.agreement import AgreementJudge
from echo.judge.embedded.agreements import FeatureAgreements, Pair
from echo.judge.judges._embedded_maps import MAPS
from echo.measures.efficientnet import EfficientNetLite0

WEIGHTS = ("efficientnet_lite0",)
NEEDS = ("mask",)
NETWORK_SIZE = 128  # pixels along each side that the network sees
FINE, COARSE = 8, 16  # strides of the features that are compared


class EmbeddedJudge(AgreementJudge):
    """A ``Judge`` on EfficientNet-Lite0's features; ``identity`` and ``truth`` of a case are not used."""

    def __init__(self, weights: Path) -> None:
        """weights: the folder of ``efficientnet_lite0.safetensors``."""
        self.network = EfficientNetLite0(weights)
        super().__init__(FeatureAgreements(self.features), MAPS)

    def features(self, frames: UInt8[np.ndarray, "images height width 3"]) -> Pair:
        """Features of frames, fine and coarse, channels last."""
        fine, coarse = self.network.maps(frames, NETWORK_SIZE, (FINE, COARSE))
        return fine.permute(0, 2, 3, 1).numpy(), coarse.permute(0, 2, 3, 1).numpy()


def build(weights: Path) -> EmbeddedJudge:
    """The judge as the study uses it; weights: the folder of ``efficientnet_lite0.safetensors``."""
    return EmbeddedJudge(weights)
