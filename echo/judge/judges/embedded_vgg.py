"""The second embedded judge: as ``embedded``, on the features of VGG16, which shares no weights with the first.

The features are relu3_3 and relu4_3 of frames of 64 x 64 pixels, where the network has strides of 4 and 8.
"""

from __future__ import annotations

from pathlib import Path

from echo.judge.agreement import AgreementJudge
from echo.judge.embedded.agreements import FeatureAgreements
from echo.judge.embedded.vgg16 import Vgg16
from echo.judge.judges._embedded_vgg_maps import MAPS

WEIGHTS = ("vgg16",)
NEEDS = ("mask",)


def build(weights: Path) -> AgreementJudge:
    """The judge as the study uses it; weights: the folder of ``vgg16.safetensors``."""
    return AgreementJudge(FeatureAgreements(Vgg16(weights)), MAPS)
