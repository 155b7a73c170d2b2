"""Ray casting: rgb, planar depth and object id of every pixel, in one pass.

Embree finds the first triangle that each pixel's ray hits; a numba kernel samples its texture (bilinear on the two
nearest mip levels) and shades the face. The room and its anchor are two layers, traced separately and composited by
depth. So the anchor cannot affect a pixel outside its mask (by a shadow or a tie between triangles), and a room with
eight anchors is traced only once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Float32, UInt8
from numba import njit

from echo.world.camera import ArrayLike, as_poses, pixel_rays, rotation_matrices
from echo.world.rooms.library import Library, mip_offsets
from echo.world.rooms.meshes import Triangles

BACKGROUND = (0, 0, 0)


@dataclass(frozen=True)
class Light:
    """A lamp without shadows: ``position`` (3,) metres, ``ambient`` and ``strength`` relative to a texture's colour."""

    position: tuple[float, float, float]
    ambient: float
    strength: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Frames:
    """Rendered frames: colours, planar depth in metres (infinite where nothing is hit) and object ids."""

    rgb: UInt8[np.ndarray, "frames height width 3"]
    depth: Float32[np.ndarray, "frames height width"]
    ids: UInt8[np.ndarray, "frames height width"]


class RoomLike(Protocol):
    """The rendered parts of a room (``rooms.Room``): all but the anchor, the anchor, and the lamp."""

    @property
    def triangles(self) -> Triangles:
        """All but the anchor."""
        ...

    @property
    def anchor(self) -> Triangles:
        """The identity anchor."""
        ...

    @property
    def light(self) -> Light:
        """The lamp."""
        ...


@njit(cache=True, nogil=True)
def _sample(texels: np.ndarray, offset: int, side: int, u: float, v: float, out: np.ndarray) -> None:
    """Add to ``out`` (3,) the bilinear sample at (u, v), v upwards, of the square level at ``offset`` of ``texels``."""
    x = (u - np.floor(u)) * side - 0.5
    y = (1.0 - (v - np.floor(v))) * side - 0.5
    x0 = int(np.floor(x))
    y0 = int(np.floor(y))
    fx = x - x0
    fy = y - y0
    xa, xb = x0 % side, (x0 + 1) % side
    ya, yb = y0 % side, (y0 + 1) % side
    for c in range(3):
        top = texels[offset + ya * side + xa, c] * (1 - fx) + texels[offset + ya * side + xb, c] * fx
        low = texels[offset + yb * side + xa, c] * (1 - fx) + texels[offset + yb * side + xb, c] * fx
        out[c] = top * (1 - fy) + low * fy


@njit(cache=True, nogil=True)
def _shade(
    primitives: np.ndarray,
    us: np.ndarray,
    vs: np.ndarray,
    depths: np.ndarray,
    origins: np.ndarray,
    rays: np.ndarray,
    pixels: int,
    vertices: np.ndarray,
    normals: np.ndarray,
    density: np.ndarray,
    uvs: np.ndarray,
    textures: np.ndarray,
    tints: np.ndarray,
    ids: np.ndarray,
    texels: np.ndarray,
    offsets: np.ndarray,
    lamp: np.ndarray,
    ambient: float,
    strength: float,
    colour: np.ndarray,
    pixel: float,
    rgb: np.ndarray,
    object_ids: np.ndarray,
) -> None:  # fmt: skip
    """Fill ``rgb`` (N, 3) and ``object_ids`` (N,) for N rays; rays without a hit (``primitives`` < 0) are skipped."""
    near, far = np.empty(3), np.empty(3)
    levels = len(offsets) - 1
    for i in range(len(primitives)):
        k = primitives[i]
        if k < 0:
            continue
        frame = i // pixels
        u, v = us[i], vs[i]
        w = 1 - u - v
        s = w * uvs[k, 0, 0] + u * uvs[k, 1, 0] + v * uvs[k, 2, 0]
        t = w * uvs[k, 0, 1] + u * uvs[k, 1, 1] + v * uvs[k, 2, 1]
        length, facing = 0.0, 0.0
        towards, distance = 0.0, 0.0
        for axis in range(3):
            ray = rays[i, axis]
            length += ray * ray
            facing += ray * normals[k, axis]
            lamp_offset = lamp[axis] - (origins[frame, axis] + depths[i] * ray)
            distance += lamp_offset * lamp_offset
            towards += lamp_offset * normals[k, axis]
        # Faces are lit on the visible side, whatever their winding order in the mesh.
        if facing > 0:
            towards = -towards
        cosine = max(abs(facing) / np.sqrt(length), 0.1)
        light = ambient
        if towards > 0:
            light += strength * towards / np.sqrt(distance) / (1.0 + 0.12 * distance)
        # Texels per pixel; the square root is a compromise between sharp and smooth at grazing angles.
        footprint = depths[i] * pixel * density[k] / np.sqrt(cosine)
        level = min(max(np.log2(max(footprint, 1e-6)), 0.0), levels - 1.0)
        low = int(level)
        blend = level - low
        row = texels[textures[k]]
        side = 1 << (levels - 1 - low)
        _sample(row, offsets[low], side, s, t, near)
        if blend > 0 and side > 1:
            _sample(row, offsets[low + 1], side >> 1, s, t, far)
        else:
            blend = 0.0
        for c in range(3):
            value = near[c] if blend == 0 else near[c] * (1 - blend) + far[c] * blend
            value = value * tints[k, c] * light * colour[c] + 0.5
            rgb[i, c] = np.uint8(min(max(value, 0.0), 255.0))
        object_ids[i] = ids[k]


class Layer:
    """Triangles ready to be traced: build once, render many poses."""

    def __init__(self, triangles: Triangles, library: Library) -> None:
        self.library = library
        self.scene = EmbreeScene()
        self.vertices = np.ascontiguousarray(triangles.vertices, dtype=np.float32)
        TriangleMesh(self.scene, self.vertices)
        a, b, c = self.vertices.astype(np.float64).transpose(1, 0, 2)
        cross = np.cross(b - a, c - a)
        area = np.linalg.norm(cross, axis=-1)
        self.normals = cross / np.maximum(area, 1e-20)[:, None]
        d, e = (triangles.uv[:, 1] - triangles.uv[:, 0]).T, (triangles.uv[:, 2] - triangles.uv[:, 0]).T
        uv_area = np.abs(d[0] * e[1] - d[1] * e[0])
        self.density = np.sqrt(uv_area / np.maximum(area, 1e-20)) * library.resolution
        self.triangles = triangles
        # Embree builds its acceleration structure on the first rays; two threads must not do so concurrently.
        self._lock = threading.Lock()

    def render(self, poses: ArrayLike, size: int | tuple[int, int], fov: float, light: Light) -> Frames:
        """The layer alone, seen from ``poses`` (F, 6), in frames of ``size``: pixels a side, or (height, width)."""
        poses = as_poses(poses)
        count, (height, width) = len(poses), (size, size) if isinstance(size, int) else size
        directions = pixel_rays(size, fov).reshape(-1, 3) @ rotation_matrices(poses).transpose(0, 2, 1)
        rays = np.ascontiguousarray(directions.reshape(-1, 3), dtype=np.float32)
        origins = np.repeat(poses[:, :3].astype(np.float32), height * width, 0)
        with self._lock:
            hit = self.scene.run(origins, rays, output=True)
        rgb = np.full((len(rays), 3), BACKGROUND, np.uint8)
        ids = np.zeros(len(rays), np.uint8)
        depth = hit["tfar"].astype(np.float32)
        primitives = hit["primID"].astype(np.int64)
        depth[primitives < 0] = np.inf
        part = self.triangles
        _shade(
            primitives, hit["u"], hit["v"], depth, poses[:, :3], rays, height * width, self.vertices, self.normals,
            self.density, part.uv, part.texture, part.tint, part.ids, self.library.texels,
            mip_offsets(self.library.resolution), np.asarray(light.position, dtype=np.float64), light.ambient,
            light.strength, np.asarray(light.tint, dtype=np.float64), 2 * np.tan(np.deg2rad(fov) / 2) / width, rgb, ids,
        )  # fmt: skip
        shape = (count, height, width)
        return Frames(rgb.reshape(*shape, 3), depth.reshape(shape), ids.reshape(shape))


def combine(back: Frames, front: Frames) -> Frames:
    """Two layers of the same poses composited: each pixel from the nearer one, from ``back`` on a tie."""
    nearer = front.depth < back.depth
    return Frames(
        np.where(nearer[..., None], front.rgb, back.rgb),
        np.where(nearer, front.depth, back.depth),
        np.where(nearer, front.ids, back.ids),
    )


def render_room(room: RoomLike, poses: ArrayLike, size: int | tuple[int, int], fov: float, library: Library) -> Frames:
    """A room with its anchor: rgb, depth and ids; the anchor's object id is ``echo.world.layout.ANCHOR_ID``."""
    walls = Layer(room.triangles, library).render(poses, size, fov, room.light)
    return combine(walls, Layer(room.anchor, library).render(poses, size, fov, room.light))
