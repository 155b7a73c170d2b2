"""Cameras seen from a later reference, against the camera module, clip by clip."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.evidence.cameras import rotations, seen_from
from echo.io.seeding import generator
from echo.world.camera import plucker, relative_actions, rotation_matrices

GRID, FIELD_OF_VIEW = (2, 3), 75.0


def poses(seed: int, far: float = 0.0) -> np.ndarray:
    """Poses (2, 5, 6) with all three angles, ``far`` from the origin."""
    draw = generator(seed, "poses")
    return np.concatenate([draw.normal(far, 3, (2, 5, 3)), draw.uniform(-180, 180, (2, 5, 3))], -1)


@given(st.integers(0, 1000), st.sampled_from([0.0, 1e5]))
@settings(max_examples=30, deadline=None)
def test_cameras_are_those_that_the_camera_module_computes(seed, far):
    some = poses(seed, far)
    actions, rays = seen_from(torch.from_numpy(some), torch.from_numpy(some[:, 3]), GRID, FIELD_OF_VIEW)
    for clip in range(2):
        origin = some[clip, 3]
        np.testing.assert_allclose(actions[clip], relative_actions(some[clip], origin), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(rays[clip], plucker(some[clip], origin, GRID, FIELD_OF_VIEW), rtol=1e-6, atol=1e-6)


def test_a_camera_at_the_reference_is_the_identity_to_the_bit():
    some = torch.from_numpy(poses(3))
    actions, _ = seen_from(some, some[:, 2], GRID, FIELD_OF_VIEW)
    assert actions[:, 2].tolist() == [[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]] * 2
    assert actions.dtype == torch.float32


def test_rotations_are_the_camera_modules():
    some = poses(4)
    np.testing.assert_allclose(rotations(torch.from_numpy(some))[1], rotation_matrices(some[1]), atol=1e-15)
