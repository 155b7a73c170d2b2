"""A tiny rendered pool."""

from pathlib import Path

import pytest

from echo.study.config import Study
from echo.world.rooms.build import build_pool
from tests.conftest import tiny_study


def small_world(**world) -> Study:
    sizes = {"size": 16, "train_rooms": 3, "in_domain_rooms": 4, "open_domain_rooms": 2, "identities": 3}
    return tiny_study(world={**sizes, **world})


@pytest.fixture(scope="session")
def pools(assets, tmp_path_factory) -> dict[str, Path]:
    """open_domain as packed and as unpacked pool, and a packed train pool."""
    folder = tmp_path_factory.mktemp("pools")
    build_pool(small_world(), "open_domain", folder / "packed", assets)
    build_pool(small_world(packed=False), "open_domain", folder / "unpacked", assets)
    build_pool(small_world(), "train", folder / "train", assets)
    return {name: folder / name for name in ("packed", "unpacked", "train")}
