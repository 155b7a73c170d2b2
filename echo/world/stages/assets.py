"""Fetch the asset pack that rooms are built of; it is the same for every study."""

from __future__ import annotations

from pathlib import Path

from echo.world.rooms.assets import fetch_assets


def run(out: Path) -> None:
    """Fetch the asset pack to the folder ``out`` from the package registry, unless it is there and whole."""
    fetch_assets(out)
