"""Section ``world``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import World
from echo.study.words import SPLITS
from tests.study.studies import RECORDINGS


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 15}, "16"),
        ({"size": 1025}, "1024"),
        ({"size": [32, 48]}, "rendered rooms are square"),
        ({"path": "videos"}, "renders its own frames"),
        ({"stride": 2}, "world.stride = 2 is of videos on disk"),
        ({"held_out_videos": 1}, "world.held_out_videos = 1 is of videos on disk"),
        ({"source": "spatialvid", "held_out_videos": 1}, "set world.path to their folder"),
        ({"source": "spatialvid", "path": "", "held_out_videos": 1}, "at least 1 character"),
        ({**RECORDINGS, "held_out_videos": 0}, "held_out_videos must be at least 1"),
        ({"field_of_view": 150}, "less than 150"),
        ({"identities": 9}, "less than or equal to 8"),
    ],
)
def test_frames_that_cannot_be_had_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        World.model_validate(values)


def test_sides_of_a_frame():
    assert (World(size=32).height, World(size=32).width) == (32, 32)
    wide = World.model_validate({**RECORDINGS, "size": [32, 48]})
    assert (wide.height, wide.width) == (32, 48)


def test_rooms_of_every_split():
    world = World(train_rooms=5, in_domain_rooms=3, open_domain_rooms=2, choosing_rooms=7, identities=4)
    assert [world.rooms(split) for split in SPLITS] == [5, 3, 2, 7]
    assert [world.scenes(split) for split in SPLITS] == [5, 3, 8, 28]
    assert World.model_validate({**RECORDINGS, "open_domain_rooms": 2}).scenes("open_domain") == 2


def test_only_a_format_that_leaves_a_choice_has_a_convention():
    spatial = {**RECORDINGS, "source": "spatialvid", "poses_are": "camera_to_world"}
    assert World.model_validate(spatial).poses_are == "camera_to_world"
    with pytest.raises(ValidationError, match="only world.source = spatialvid leaves a choice"):
        World.model_validate({**spatial, "source": "realestate10k"})
    with pytest.raises(ValidationError, match="world.returning = 0.5 is of videos on disk"):
        World.model_validate({"returning": 0.5})
