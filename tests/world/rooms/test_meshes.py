"""Triangles: closed shapes of the right size, and OBJ files."""

from __future__ import annotations

import numpy as np
import pytest

from echo.world.rooms.meshes import ball, box, join, quad, read_obj, revolved


def area(triangles) -> float:
    a, b, c = triangles.vertices.transpose(1, 0, 2)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum() / 2)


def test_areas_and_bounds():
    assert area(quad((0, 0, 0), (2, 0, 0), (0, 0, 3), 0)) == pytest.approx(6)
    made = box((1.0, 2.0, 3.0), 0)
    assert made.bounds.tolist() == [[-0.5, -1, 0], [0.5, 1, 3]]
    assert area(made) == pytest.approx(2 * (1 * 3) + 2 * (2 * 3) + 1 * 2)
    np.testing.assert_allclose(area(ball(1.0, 0, rings=60)), 4 * np.pi, rtol=0.02)
    np.testing.assert_allclose(area(revolved([(1.0, 0.0), (1.0, 2.0)], 0, sides=200)), 4 * np.pi, rtol=0.001)


def test_moving_scales_turns_and_shifts():
    made = box((1.0, 2.0, 3.0), 0).moved(scale=2.0, yaw=90.0, shift=(10, 0, 0))
    np.testing.assert_allclose(made.bounds, [[8, -1, 0], [12, 1, 6]], atol=1e-12)
    both = join([made.with_id(3), made.tinted((0.5, 1, 1)).with_id(4)])
    assert len(both) == 2 * len(made) and set(both.ids) == {3, 4}


def test_an_obj_file_with_polygons_and_negative_indices(tmp_path):
    path = tmp_path / "square.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4 -3 -2 -1\n")
    made = read_obj(path, None, white=7)
    assert len(made) == 2 and set(made.texture) == {7} and area(made) == pytest.approx(1)
    assert made.bounds.tolist() == [[0, 0, 0], [1, 0, 1]]  # y up becomes z up
    path.write_text("v 0 0 0\n")
    with pytest.raises(ValueError, match="square.obj: expected a Wavefront OBJ file with faces"):
        read_obj(path, None, white=7)
