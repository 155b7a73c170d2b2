"""The asset pack in memory: every texture as a mip-mapped square in one array, every mesh as triangles."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from echo.world.rooms.assets import MARKER, RECOLOURED, SURFACES, AssetError
from echo.world.rooms.meshes import WHITE, Triangles, read_obj


def mip_offsets(resolution: int) -> np.ndarray:
    """(levels + 1,) int64: where each level of a texture starts in its row of texels, then the row's length."""
    sides = [resolution >> level for level in range(resolution.bit_length())]
    return np.concatenate([[0], np.cumsum([side * side for side in sides])]).astype(np.int64)


def mip_chain(image: np.ndarray) -> np.ndarray:
    """All levels (n, 3) uint8 of a square image (S, S, 3), S a power of two: each level averages 2 x 2 of the last."""
    level = image.astype(np.float32)
    rows = [image.reshape(-1, 3)]
    while len(level) > 1:
        level = (level[0::2, 0::2] + level[1::2, 0::2] + level[0::2, 1::2] + level[1::2, 1::2]) / 4
        rows.append(np.round(level).astype(np.uint8).reshape(-1, 3))
    return np.concatenate(rows)


def recoloured(image: np.ndarray) -> np.ndarray:
    """A texture (S, S, 3) uint8 with its colour channels rotated and its contrast inverted about the mean.

    So bright joints become dark, while the mean brightness stays in the range of the other rooms.
    """
    turned = np.roll(image.astype(np.float32), 1, axis=-1)
    return np.clip(np.round(2 * turned.mean((0, 1)) - turned), 0, 255).astype(np.uint8)


class Library:
    """Textures and meshes of an asset folder.

    ``names``: texture names; a name's position is the texture's index; ``portraits``: names of the portraits;
    ``texels`` (textures, n, 3) uint8: mip chains, top row first; ``resolution``: side of the largest level.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        if not (folder / MARKER).is_file():
            raise AssetError(
                f"{folder}: no asset pack ({MARKER}) there; fetch it with: python -m echo assets --out {folder}"
            )
        if resolution & (resolution - 1) or resolution < 1:
            raise ValueError(f"resolution: expected a power of two, got {resolution}")
        self.folder = folder
        self.resolution = resolution
        files = {
            kind: {path.stem: path for path in sorted((folder / kind).glob("*.png"))}
            for kind in ("textures", "portraits", "meshes")
        }
        self.portraits = list(files["portraits"])
        paths = [path for kind in files.values() for path in kind.values()]
        self.names = [path.stem if path.parent.name != "meshes" else f"mesh/{path.stem}" for path in paths]
        self._index = {name: i for i, name in enumerate(self.names)}
        images = [self._load(path) for path in paths]
        # Recoloured textures come last, so that the indices of the others do not change.
        used = sorted({name for columns in SURFACES.values() for name in columns["choosing"]})
        images += [recoloured(images[self._index[name.removeprefix(RECOLOURED)]]) for name in used]
        self.names += used
        self._index |= {name: i for i, name in enumerate(self.names)}
        self.texels = np.stack([mip_chain(image) for image in images])
        self._meshes: dict[str, Triangles] = {}

    def _load(self, path: Path) -> np.ndarray:
        """An image (S, S, 3) uint8; transparent parts become grey."""
        with Image.open(path) as image:
            if image.mode in ("RGBA", "P", "LA"):
                image = image.convert("RGBA")
                ground = Image.new("RGBA", image.size, (90, 90, 95, 255))
                image = Image.alpha_composite(ground, image)
            image = image.convert("RGB").resize((self.resolution, self.resolution), Image.Resampling.BOX)
            return np.asarray(image)

    def index(self, texture: str) -> int:
        """A texture's index; raises AssetError for a name that is not in the pack."""
        if texture not in self._index:
            raise AssetError(f"{self.folder}: no texture {texture!r}")
        return self._index[texture]

    def mesh(self, name: str) -> Triangles:
        """A mesh of the pack, in its own units, centred over the origin and standing on z = 0."""
        if name not in self._meshes:
            path = self.folder / "meshes" / f"{name}.obj"
            if not path.is_file():
                raise AssetError(f"{self.folder}: no mesh {name!r}")
            triangles = read_obj(path, self._index.get(f"mesh/{name}"), self.index(WHITE))
            low, high = triangles.bounds
            middle = (low + high) / 2
            self._meshes[name] = triangles.moved(shift=(-middle[0], -middle[1], -low[2]))
        return self._meshes[name]


@lru_cache(maxsize=2)
def load_library(folder: Path, resolution: int) -> Library:
    """The library of a folder, loaded once per process."""
    return Library(Path(folder), resolution)


def texture_resolution(size: int) -> int:
    """Texture side for frames of ``size`` pixels: more than 256 is visible only in frames above 128 pixels."""
    return 256 if size <= 128 else 512
