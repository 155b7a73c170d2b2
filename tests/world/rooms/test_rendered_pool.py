"""Both layouts read alike, what is missing is named, and a pool of the real dataset's making opens."""

import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest

from echo.study.words import SPLITS
from echo.world.errors import PoolError
from echo.world.rooms.build import OVERLAPS
from echo.world.rooms.rendered_pool import RenderedPool


def test_packed_and_unpacked_pools_read_alike(pools):
    packed, unpacked = RenderedPool(pools["packed"]), RenderedPool(pools["unpacked"])
    assert packed.videos == unpacked.videos and len(packed.videos) == 2 * 3 * len(SPLITS["open_domain"].trajectories)
    for video in packed.videos[:3]:
        for read in ("frames", "poses", "depth", "masks", "caption"):
            assert np.array_equal(getattr(packed, read)(video), getattr(unpacked, read)(video)), read
        assert packed.overlapping(video, 2) == unpacked.overlapping(video, 2)
        assert np.array_equal(packed.frames(video, [3, 1]), packed.frames(video)[[3, 1]])


def test_a_pool_made_by_hand_without_our_tables_opens(tmp_path):
    """Only what the dataset has: frames, jsons, captions of stretches, overlap labels."""
    (tmp_path / "frames" / "scene").mkdir(parents=True)
    (tmp_path / "jsons").mkdir()
    (tmp_path / "overlap_labels" / "scene").mkdir(parents=True)
    cameras = {}
    for i in range(6):
        imageio.imwrite(tmp_path / "frames" / "scene" / f"{i:04d}.png", np.full((8, 12, 3), 40 * i, np.uint8))
        cameras[str(i)] = {"position": [100.0 * i, 2, 3], "rotation": [0, 5, 10 * i]}
        label = tmp_path / "overlap_labels" / "scene" / f"{i}.json"
        label.write_text(json.dumps({"overlapping_frames": [0, i]}))
    (tmp_path / "jsons" / "scene.json").write_text(json.dumps({"CineCameraActor": cameras}))
    (tmp_path / "captions.txt").write_text("scene/0_2.mp4\ta hall\nscene/3_5.mp4\ta garden, later\n")
    pool = RenderedPool(tmp_path)
    assert pool.videos == ["scene"] and pool.length("scene") == 6
    assert pool.frames("scene", [4])[0, 0, 0].tolist() == [160] * 3
    assert pool.poses("scene")[2].tolist() == [200, 2, 3, 0, 5, 20]
    assert (pool.caption("scene", 1), pool.caption("scene", 5)) == ("a hall", "a garden, later")
    assert pool.overlapping("scene", 3) == [0, 3]
    with pytest.raises(PoolError, match="depth of scene is missing"):
        pool.depth("scene")


@pytest.fixture
def copy(pools, tmp_path):
    shutil.copytree(pools["unpacked"], tmp_path / "pool")
    return tmp_path / "pool"


def test_what_is_missing_is_named(copy):
    pool, video = RenderedPool(copy), "open_001_building__return_strict"
    (copy / "frames" / video / "0003.png").unlink()
    with pytest.raises(PoolError, match=f"frame 3 of {video} is missing"):
        pool.frames(video)
    path = copy / "jsons" / f"{video}.json"
    cameras = json.loads(path.read_text())
    del cameras["CineCameraActor"]["5"]
    path.write_text(json.dumps(cameras))
    with pytest.raises(PoolError, match=rf"pose 5 of {video} is missing \(1 in all\)"):
        pool.poses(video)
    cameras["CineCameraActor"]["5"] = {"position": [1, 2]}
    path.write_text(json.dumps(cameras))
    with pytest.raises(PoolError, match=f"poses of {video} are malformed"):
        pool.poses(video)
    path.unlink()
    with pytest.raises(PoolError, match=f"poses of {video} are missing"):
        pool.poses(video)
    (copy / "overlap_labels" / video / "2.json").unlink()
    with pytest.raises(PoolError, match=f"overlap labels of frame 2 of {video} are missing"):
        pool.overlapping(video, 2)
    with pytest.raises(PoolError, match="no video 'ghost'"):
        pool.frames("ghost")
    with pytest.raises(PoolError, match=f"{video} has no frame 99; it has 13"):
        pool.frames(video, [99])
    with pytest.raises(PoolError, match=f"no caption covers frame 50 of {video}"):
        pool.caption(video, 50)


def test_a_malformed_caption_line_is_named(copy):
    (copy / "captions.txt").write_text("open_00/0_8.mp4 no tab here\n")
    with pytest.raises(PoolError, match="captions.txt, line 1: expected <video>/<start>_<end>.mp4<TAB>caption"):
        RenderedPool(copy).caption("open_00")


def test_no_pool_is_an_error(tmp_path):
    with pytest.raises(PoolError, match="no pool there"):
        RenderedPool(tmp_path)


def test_all_identities_of_a_room_share_its_paths_and_caption(pools):
    pool = RenderedPool(pools["packed"])
    info = pool.info[(pool.info.room == "open_001") & (pool.info.trajectory == "return_strict")]
    assert sorted(info.anchor) == ["building", "duckie", "medkit"]
    assert len({pool.poses(video).tobytes() for video in info.index}) == 1
    assert len({pool.caption(video) for video in info.index}) == 1


def test_returns_show_the_anchor_first_lose_sight_of_the_view_and_come_back(pools):
    pool = RenderedPool(pools["packed"])
    for video in pool.info.index[pool.info.trajectory == "return_strict"]:
        rgb, masks = pool.frames(video), pool.masks(video)
        assert 0.025 <= masks[0].mean() <= 0.25
        assert np.array_equal(rgb[-1], rgb[0]) and np.array_equal(rgb[-2], rgb[0])
        assert not masks[8].any()  # the far end of the way out
        assert 8 not in pool.overlapping(video, 0) and 12 in pool.overlapping(video, 0)
    assert 0 < OVERLAPS < 1


def test_the_far_end_sees_no_surface_of_the_first_view(pools):
    """By depth: no point that the first frame shows projects into the frame at the far end."""
    from echo.world.camera import pixel_rays, rotation_matrices

    pool = RenderedPool(pools["packed"])
    for video in pool.info.index[pool.info.trajectory == "return_strict"][:3]:
        poses, depth = pool.poses(video), pool.depth(video)[0]
        rays = pixel_rays(depth.shape[0], 75.0) @ rotation_matrices(poses[:1])[0].T
        points = poses[0, :3] + depth[..., None] * rays
        local = (points - poses[8, :3]) @ rotation_matrices(poses[8:9])[0]
        edge = np.tan(np.deg2rad(37.5)) * local[..., 0]
        seen = (local[..., 0] > 0) & (np.abs(local[..., 1]) <= edge) & (np.abs(local[..., 2]) <= edge)
        assert not seen.any()
