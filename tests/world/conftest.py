"""The asset pack, fetched once."""

from pathlib import Path

import pytest

from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import Library, load_library
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def assets() -> Path:
    return fetch_assets(ROOT / "resources" / "assets")


@pytest.fixture(scope="session")
def library(assets) -> Library:
    return load_library(assets, 256)
