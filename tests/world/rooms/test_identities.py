"""Anchors: equally large, and errors that name them."""

from __future__ import annotations

import numpy as np
import pytest

from echo.world.layout import ANCHOR_ID
from echo.world.rooms.identities import AREA, CHOOSING, OPEN_DOMAIN, RADIUS, TRAIN, anchor, room_identities
from echo.world.rooms.render import Layer, Light


def test_anchors_look_equally_large(library):
    """At their final size, from a distance at which each is seen whole, on a finer grid and from other sides."""
    distance, size, fov = 20.0, 256, 10.0
    angles = (np.arange(12) + 0.5) * np.pi / 6
    poses = [[-distance * np.cos(a), -distance * np.sin(a), 1.0, 0, 0, np.rad2deg(a)] for a in angles]
    metres = 2 * np.tan(np.deg2rad(fov) / 2) * distance / size  # a pixel's side at the anchor
    areas = {}
    for name in (*OPEN_DOMAIN, *CHOOSING, *TRAIN):
        seen = Layer(anchor(name, library), library).render(np.array(poses), size, fov, Light((0, 0, 5), 1.0, 0.0))
        mask = seen.ids == ANCHOR_ID
        assert not (mask[:, [0, -1]].any() or mask[:, :, [0, -1]].any()), name
        areas[name] = mask.sum() / len(poses) * metres**2
    assert all(area == pytest.approx(AREA, rel=0.1) for area in areas.values()), areas


def test_an_unknown_identity_is_an_error(library):
    with pytest.raises(ValueError, match="identity 'ghost': expected one of building"):
        anchor("ghost", library)


def test_no_anchor_reaches_far_beyond_the_radius_that_cameras_keep(library):
    """They keep ``RADIUS`` and a margin of 0.35 m."""
    for name in (*OPEN_DOMAIN, *CHOOSING, *TRAIN):
        reach = np.linalg.norm(anchor(name, library).vertices[..., :2], axis=-1).max()
        assert reach < RADIUS + 0.3, f"{name} reaches {reach:.2f} m"


def test_rooms_take_the_identities_in_turn():
    for split, names in (("open_domain", OPEN_DOMAIN), ("choosing", CHOOSING)):
        alone = [room_identities(0, split, index, 1)[0] for index in range(64)]
        assert {name: alone.count(name) for name in names} == dict.fromkeys(names, 8)
        assert [room_identities(0, split, index, 8)[0] for index in range(64)] == alone
        assert all(set(room_identities(0, split, index, 8)) == set(names) for index in range(16))
        assert [room_identities(1, split, index, 1)[0] for index in range(64)] != alone
    assert room_identities(0, "train", 3, 5) == room_identities(0, "in_domain", 3, 5) == (None,)
