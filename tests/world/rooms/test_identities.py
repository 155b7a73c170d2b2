"""Anchors: equally large, and errors that name them."""

from __future__ import annotations

import numpy as np
import pytest

from echo.world.layout import ANCHOR_ID
from echo.world.rooms.identities import AREA, OPEN_DOMAIN, TRAIN, anchor
from echo.world.rooms.render import Layer, Light


def test_anchors_look_equally_large(library):
    """At their final size, from a distance at which each is seen whole, on a finer grid and from other sides."""
    distance, size, fov = 20.0, 256, 10.0
    angles = (np.arange(12) + 0.5) * np.pi / 6
    poses = [[-distance * np.cos(a), -distance * np.sin(a), 1.0, 0, 0, np.rad2deg(a)] for a in angles]
    metres = 2 * np.tan(np.deg2rad(fov) / 2) * distance / size  # a pixel's side at the anchor
    areas = {}
    for name in (*OPEN_DOMAIN, *TRAIN):
        seen = Layer(anchor(name, library), library).render(np.array(poses), size, fov, Light((0, 0, 5), 1.0, 0.0))
        mask = seen.ids == ANCHOR_ID
        assert not (mask[:, [0, -1]].any() or mask[:, :, [0, -1]].any()), name
        areas[name] = mask.sum() / len(poses) * metres**2
    assert all(area == pytest.approx(AREA, rel=0.1) for area in areas.values()), areas


def test_an_unknown_identity_is_an_error(library):
    with pytest.raises(ValueError, match="identity 'ghost': expected one of building"):
        anchor("ghost", library)
