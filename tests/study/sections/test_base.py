"""Section ``base``."""

import pytest
from pydantic import ValidationError

from echo.study.sections.base import FIRST_ROOM, Base, rooms_of_shard
from echo.study.sections.world import World


def test_the_rooms_are_dealt_out_once_each_beyond_every_training_pool():
    base = Base(rooms=40, shard_rooms=8)
    rooms = [room for number in range(base.shards) for room in rooms_of_shard(number, base.shard_rooms)]
    assert rooms == list(range(FIRST_ROOM, FIRST_ROOM + 40))
    World(train_rooms=FIRST_ROOM)  # numbers of these go up to FIRST_ROOM - 1
    with pytest.raises(ValidationError, match=str(FIRST_ROOM)):
        World(train_rooms=FIRST_ROOM + 1)


def test_more_rooms_leave_the_shards_that_are_there():
    with pytest.raises(ValidationError, match="rooms = 41 must be a multiple of base.shard_rooms = 8"):
        Base(rooms=41, shard_rooms=8)


def test_steps_are_the_recipes_or_asked_for():
    assert Base(source="trained").steps > 0
    with pytest.raises(ValidationError, match="base.steps = 0, but base.source = trained"):
        Base(source="trained", steps=0)
    with pytest.raises(ValidationError, match="pretrained without base.steps"):
        Base(source="pretrained")
    assert Base(source="pretrained", steps=0).steps == 0


def test_a_batch_is_of_whole_micro_batches():
    with pytest.raises(ValidationError, match="base.batch = 8 must be a multiple of base.accumulate = 3"):
        Base(accumulate=3)
    assert Base(accumulate=4).accumulate == 4
