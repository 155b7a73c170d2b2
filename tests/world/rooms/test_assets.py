import json
import zipfile

import pytest

from echo.io.files import sha256
from echo.io.packages import Package, PackageError
from echo.world.rooms import assets as module
from echo.world.rooms.assets import MARKER, MESHES, SURFACES, AssetError, fetch_assets, split_portraits, surfaces

MEMBERS = {
    "miniworld/textures/brick.png": b"brick",
    "miniworld/textures/portraits/dali1.png": b"portrait",
    "miniworld/meshes/key.obj": b"key",
    "miniworld/meshes/key.mtl": b"material",
    "miniworld/textures/readme.txt": b"no texture",
    "miniworld/fonts/font.png": b"no texture",
    "elsewhere/textures/brick.png": b"of another package",
    "miniworld/env.py": b"raise SystemExit",
}
FILES = {"textures/brick.png": 5, "portraits/dali1.png": 8, "meshes/key.obj": 3, "meshes/key.mtl": 8}


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """A folder that holds a small wheel, in place of the real package's."""
    folder = tmp_path / "archives"
    folder.mkdir()
    wheel = folder / "pack-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as bundle:
        for name, content in MEMBERS.items():
            bundle.writestr(name, content)
    monkeypatch.setattr(module, "PACKAGE", Package("pack==1.0", wheel.name, sha256(wheel)))
    return folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def test_textures_portraits_and_meshes_are_unpacked_and_nothing_else(archives, tmp_path):
    out = tmp_path / "resources" / "assets"
    assert fetch_assets(out, archives) == out
    assert files(out) == FILES
    assert (out / "textures" / "brick.png").read_bytes() == b"brick"
    assert json.loads((out / MARKER).read_text())["files"] == FILES
    assert [path.name for path in out.parent.iterdir()] == ["assets"]


def test_a_whole_pack_is_kept_and_needs_no_archive(archives, tmp_path):
    out = tmp_path / "assets"
    fetch_assets(out, archives)
    before = (out / MARKER).stat().st_mtime_ns
    fetch_assets(out, tmp_path / "no archives")
    assert (out / MARKER).stat().st_mtime_ns == before


@pytest.mark.parametrize("harm", ["no marker", "old marker", "no file", "cut file", "extra texture", "empty folder"])
def test_an_incomplete_pack_is_replaced(harm, archives, tmp_path):
    out = tmp_path / "assets"
    fetch_assets(out, archives)
    if harm == "no marker":  # what Snakemake leaves before it runs the rule again
        (out / MARKER).unlink()
    elif harm == "old marker":
        (out / MARKER).write_text('{"sha256": "0"}')
    elif harm == "no file":
        (out / "meshes" / "key.obj").unlink()
    elif harm == "cut file":
        (out / "meshes" / "key.obj").write_bytes(b"k")
    elif harm == "extra texture":
        (out / "textures" / "old.png").write_bytes(b"of an older pack")
    else:
        out = tmp_path / "empty"
        out.mkdir()
    fetch_assets(out, archives)
    assert files(out) == FILES and (out / MARKER).is_file()
    assert (out / "meshes" / "key.obj").read_bytes() == b"key"


@pytest.mark.parametrize("path", ["mine.txt", "textures/mine.txt", "meshes/mine/key.obj", "results/brick.png"])
def test_a_folder_with_anything_else_is_refused_by_name_and_left_alone(path, archives, tmp_path):
    out = tmp_path / "home"
    fetch_assets(out, archives)
    (out / MARKER).unlink()
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    (out / path).write_text("kept")
    with pytest.raises(AssetError, match=f"{out}/.*: is no part of an asset pack"):
        fetch_assets(out, archives)
    assert (out / path).read_text() == "kept" and not (out / MARKER).exists()


def test_a_file_in_the_place_of_the_folder_is_refused(archives, tmp_path):
    (tmp_path / "assets").write_text("kept")
    with pytest.raises(AssetError, match="assets: is no part of an asset pack"):
        fetch_assets(tmp_path / "assets", archives)
    assert (tmp_path / "assets").read_text() == "kept"


def test_of_a_link_its_target_is_filled(archives, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "assets").symlink_to(tmp_path / "shared")
    fetch_assets(tmp_path / "assets", archives)
    assert (tmp_path / "assets").is_symlink() and files(tmp_path / "shared") == FILES


def test_without_the_archive_nothing_is_touched(archives, tmp_path):
    out = tmp_path / "assets"
    fetch_assets(out, archives)
    (out / MARKER).unlink()
    with open(archives / "pack-1.0-py3-none-any.whl", "ab") as file:
        file.write(b"!")
    with pytest.raises(PackageError, match="sha256 is"):
        fetch_assets(out, archives)
    assert files(out) == FILES and [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_open_domain_rooms_share_no_surface_mesh_or_painter_with_training_rooms():
    for use in SURFACES:
        assert not set(surfaces(use, "train")) & set(surfaces(use, "open_domain"))
        assert surfaces(use, "in_domain") == surfaces(use, "train")
    assert not set(MESHES["train"]) & set(MESHES["open_domain"])
    names = [f"{painter}{i}" for painter in "abcdefgh" for i in (1, 2)]
    assert split_portraits(names, "open_domain") == ["d1", "d2"]
    assert split_portraits(names, "choosing") == ["h1", "h2"]
    assert split_portraits(names, "train") == [name for name in names if name[0] not in "dh"]
