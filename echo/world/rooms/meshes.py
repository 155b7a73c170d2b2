"""Triangle soups: what rooms and anchors are made of. World units are metres, axes x, y, z with z up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from echo.world.camera import ArrayLike

WHITE = "white_1"


@dataclass(frozen=True)
class Triangles:
    """Triangles with the attributes that the shader needs.

    vertices: metres; uv: texture coordinates, repeated outside [0, 1]; texture: index into ``library.Library.names``;
    tint: factors on the texture's red, green, blue; ids: object id, 1 to 255.
    """

    vertices: Float64[np.ndarray, "triangles 3 3"]
    uv: Float64[np.ndarray, "triangles 3 2"]
    texture: Int32[np.ndarray, " triangles"]
    tint: Float64[np.ndarray, "triangles 3"]
    ids: UInt8[np.ndarray, " triangles"]

    def __len__(self) -> int:
        """Number of triangles."""
        return len(self.vertices)

    def moved(self, scale: float = 1.0, yaw: float = 0.0, shift: ArrayLike = (0.0, 0.0, 0.0)) -> Triangles:
        """Scaled about the origin, turned by ``yaw`` degrees (positive: from x towards y), then shifted."""
        cos, sin = np.cos(np.deg2rad(yaw)), np.sin(np.deg2rad(yaw))
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        return replace(self, vertices=self.vertices * scale @ turn.T + np.asarray(shift))

    def tinted(self, tint: ArrayLike) -> Triangles:
        """The same triangles, their colours multiplied by ``tint`` (3,)."""
        return replace(self, tint=self.tint * np.asarray(tint, dtype=np.float64))

    def with_id(self, object_id: int) -> Triangles:
        """The same triangles as one object."""
        return replace(self, ids=np.full(len(self), object_id, np.uint8))

    @property
    def bounds(self) -> Float64[np.ndarray, "2 3"]:
        """Lowest and highest x, y, z."""
        points = self.vertices.reshape(-1, 3)
        return np.stack([points.min(0), points.max(0)])


def join(parts: list[Triangles]) -> Triangles:
    """All parts as one soup, in order."""
    fields = ("vertices", "uv", "texture", "tint", "ids")
    return Triangles(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def soup(vertices: ArrayLike, uv: ArrayLike, texture: int, tint: ArrayLike = (1.0, 1.0, 1.0)) -> Triangles:
    """Triangles of one texture and tint, with object id 0 until ``with_id`` gives one."""
    vertices = np.asarray(vertices, dtype=np.float64)
    count = len(vertices)
    return Triangles(
        vertices,
        np.asarray(uv, dtype=np.float64),
        np.full(count, texture, np.int32),
        np.tile(np.asarray(tint, dtype=np.float64), (count, 1)),
        np.zeros(count, np.uint8),
    )


def quad(
    corner: ArrayLike,
    along: ArrayLike,
    up: ArrayLike,
    texture: int,
    tint: ArrayLike = (1.0, 1.0, 1.0),
    tile: float | None = None,
) -> Triangles:
    """A parallelogram from ``corner`` (3,) spanned by ``along`` and ``up`` (3,), as two triangles.

    The texture is upright if ``along`` points right and ``up`` points up in the view; it covers the quad once, or
    repeats every ``tile`` metres.
    """
    corner, along, up = (np.asarray(vector, dtype=np.float64) for vector in (corner, along, up))
    width, height = (1.0, 1.0) if tile is None else (np.linalg.norm(along) / tile, np.linalg.norm(up) / tile)
    corners = np.stack([corner, corner + along, corner + along + up, corner + up])
    uv = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    order = [[0, 1, 2], [0, 2, 3]]
    return soup(corners[order], uv[order], texture, tint)


def box(size: Sequence[float], texture: int, tint: ArrayLike = (1.0, 1.0, 1.0), tile: float | None = None) -> Triangles:
    """A box of ``size`` (x, y, z) metres that stands on the origin, without its underside."""
    x, y, z = (float(length) for length in size)
    sides = [
        quad((x / 2, y / 2, 0), (0, -y, 0), (0, 0, z), texture, tint, tile),
        quad((-x / 2, -y / 2, 0), (0, y, 0), (0, 0, z), texture, tint, tile),
        quad((-x / 2, y / 2, 0), (x, 0, 0), (0, 0, z), texture, tint, tile),
        quad((x / 2, -y / 2, 0), (-x, 0, 0), (0, 0, z), texture, tint, tile),
        quad((-x / 2, -y / 2, z), (0, y, 0), (x, 0, 0), texture, tint, tile),
    ]
    return join(sides)


def revolved(profile: ArrayLike, texture: int, tint: ArrayLike = (1.0, 1.0, 1.0), sides: int = 24) -> Triangles:
    """A solid of revolution about the z axis; ``profile`` is a list of (radius, height) from bottom to top, metres."""
    profile = np.asarray(profile, dtype=np.float64)
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angles), np.sin(angles)], -1)
    triangles, uvs = [], []
    for k in range(len(profile) - 1):
        (low, z0), (high, z1) = profile[k], profile[k + 1]
        for i in range(sides):
            a, b = np.append(ring[i] * low, z0), np.append(ring[i + 1] * low, z0)
            c, d = np.append(ring[i + 1] * high, z1), np.append(ring[i] * high, z1)
            u0, u1, v0, v1 = i / sides, (i + 1) / sides, k / (len(profile) - 1), (k + 1) / (len(profile) - 1)
            if low > 0:
                triangles.append([a, b, c if high > 0 else d])
                uvs.append([[u0, v0], [u1, v0], [u1, v1]])
            if high > 0:
                triangles.append([a, c, d])
                uvs.append([[u0, v0], [u1, v1], [u0, v1]])
    return soup(triangles, uvs, texture, tint)


def ball(
    radius: float, texture: int, tint: ArrayLike = (1.0, 1.0, 1.0), height: float = 0.0, rings: int = 12
) -> Triangles:
    """A sphere of ``radius`` metres whose lowest point is at ``height``."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    profile = np.stack([radius * np.cos(angles), height + radius * (1 + np.sin(angles))], -1)
    profile[[0, -1], 0] = 0
    return revolved(profile, texture, tint)


def read_obj(path: Path, texture: int | None, white: int) -> Triangles:
    """A Wavefront OBJ file, y up, as triangles with z up; polygons are split into fans.

    If ``texture`` is given, all faces use it; otherwise each face uses texture ``white`` and the diffuse colour of its
    material in the .mtl file of the same name. Raises ValueError, naming the file, if it has no faces.
    """
    colours = {} if texture is not None else _diffuse_colours(path.with_suffix(".mtl"))
    points, coordinates, faces, uvs, tints = [], [], [], [], []
    tint = (1.0, 1.0, 1.0)
    for line in path.read_text().splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(value) for value in rest[:3]])
        elif word == "vt":
            coordinates.append([float(value) for value in rest[:2]])
        elif word == "usemtl":
            tint = colours.get(" ".join(rest), (1.0, 1.0, 1.0))
        elif word == "f":
            corners = [_corner(corner, len(points), len(coordinates)) for corner in rest]
            for k in range(1, len(corners) - 1):
                triangle = (corners[0], corners[k], corners[k + 1])
                faces.append([points[v] for v, _ in triangle])
                uvs.append([coordinates[t] if t is not None else [0.0, 0.0] for _, t in triangle])
                tints.append(tint)
    if not faces:
        raise ValueError(f"{path}: expected a Wavefront OBJ file with faces, found none")
    # Right-handed with y up becomes left-handed with z up: swapping y and z keeps the object unmirrored.
    vertices = np.array(faces)[:, :, [0, 2, 1]]
    result = soup(vertices, uvs, white if texture is None else texture)
    return replace(result, tint=np.array(tints, dtype=np.float64))


def _corner(text: str, points: int, coordinates: int) -> tuple[int, int | None]:
    """Zero-based vertex and texture-coordinate index of ``v``, ``v/t``, ``v//n`` or ``v/t/n``; negatives count back."""
    parts = text.split("/")
    vertex = int(parts[0])
    vertex = vertex - 1 if vertex > 0 else points + vertex
    if len(parts) < 2 or not parts[1]:
        return vertex, None
    coordinate = int(parts[1])
    return vertex, coordinate - 1 if coordinate > 0 else coordinates + coordinate


def _diffuse_colours(path: Path) -> dict[str, tuple[float, ...]]:
    """Diffuse colour (3,) of each material in an .mtl file; empty if there is no file."""
    colours: dict[str, tuple[float, ...]] = {}
    name = ""
    for line in path.read_text().splitlines() if path.is_file() else []:
        word, *rest = line.split() or [""]
        if word == "newmtl":
            name = " ".join(rest)
        elif word == "Kd":
            # The files give linear colours; frames are gamma-encoded.
            colours[name] = tuple(float(value) ** (1 / 2.2) for value in rest[:3])
    return colours
