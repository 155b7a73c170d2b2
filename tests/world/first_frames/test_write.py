"""Writing a pool of lone first frames: the camera's ways, and what the stage makes anew or leaves alone."""

import numpy as np
import pytest

from echo.io.files import FolderError
from echo.study.provenance import read_record
from echo.world.errors import PoolError
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from echo.world.stages import first_frames
from tests.conftest import tiny_study
from tests.pictures import write_pictures

BRANCHES = ["return_45", "return_strict"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures") / "own")


@pytest.fixture(scope="module")
def study(folder):
    return tiny_study(open_domain={"images": str(folder), "branches": BRANCHES})


@pytest.fixture(scope="module")
def pool(study, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("pool")
    assert write_pool(study, read_listing(folder), out) == {"pictures": 2, "masks": 1}
    return FirstFramePool(out)


def test_the_camera_turns_away_in_place_and_comes_back(pool):
    for video in pool.cases("return_45"):
        poses = pool.poses(video)
        np.testing.assert_array_equal(poses[[0, -2, -1]], np.zeros((3, 6)))
        assert abs(poses[4, 5]) == pytest.approx(45) and not poses[:, :5].any()


def test_the_way_depends_on_seed_and_name_alone(study, folder, pool, tmp_path):
    write_pool(study, read_listing(folder)[1:], tmp_path / "one")
    one = FirstFramePool(tmp_path / "one")
    for video in one.videos:
        np.testing.assert_array_equal(one.poses(video), pool.poses(video))
    write_pool(tiny_study(seed=1, open_domain=study.open_domain.model_dump(mode="json")), read_listing(folder),
               tmp_path / "seed")  # fmt: skip
    other = FirstFramePool(tmp_path / "seed")
    assert any((other.poses(v) != pool.poses(v)).any() for v in pool.cases("return_strict"))


def test_the_stage_makes_it_and_makes_it_anew_of_other_pictures(study, tmp_path):
    folder = write_pictures(tmp_path / "own")
    study = tiny_study(open_domain={"images": str(folder)})
    first_frames.run(study, tmp_path / "pool")
    assert read_record(tmp_path / "pool" / "record.json")["pictures"] == 2
    lines = (folder / "images.csv").read_text().splitlines()
    (folder / "images.csv").write_text("\n".join(lines[:2]) + "\n")
    first_frames.run(study, tmp_path / "pool")
    assert FirstFramePool(tmp_path / "pool").videos == ["garden__return_45"]
    assert not (tmp_path / "pool" / "frames" / "inside-hall__return_45").exists()


def test_without_pictures_the_stage_says_what_to_set(tmp_path):
    with pytest.raises(PoolError, match="set open_domain.images to a folder"):
        first_frames.run(tiny_study(), tmp_path / "pool")


def test_a_folder_of_other_files_is_not_touched(study, tmp_path):
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match="move these files elsewhere"):
        first_frames.run(study, tmp_path / "pool")
    assert (tmp_path / "pool" / "mine.txt").read_text() == "mine"
