"""Small recordings in the Context-as-Memory layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world.recordings.samples import turning_poses, write_scene


@pytest.fixture
def pool(tmp_path) -> Path:
    """Three scenes of 12 frames."""
    folder = tmp_path / "pool"
    for scene in ("Castle_0", "Forest_1", "Town_2"):
        write_scene(folder, scene, turning_poses(12))
    return folder


@pytest.fixture(scope="session")
def turning_pool(tmp_path_factory) -> Path:
    """Six scenes of 150 frames in which the camera turns by three degrees a frame."""
    folder = tmp_path_factory.mktemp("turning")
    for number in range(6):
        write_scene(folder, f"Scene_{number}", turning_poses(150, radius=0.2 * number))
    return folder
