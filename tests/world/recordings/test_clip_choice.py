"""Which frames clips play: shares of videos, starts, and what happens where there are too few."""

import numpy as np
import pytest

from echo.world.recordings import open_recordings
from echo.world.recordings.clip_choice import Wanted, find_clips, frames_in_a_row, returning_asked, splits
from echo.world.recordings.clip_paths import RECORDED
from tests.world.recordings.samples import clip_study


@pytest.fixture(scope="module")
def recordings(turning_pool, tmp_path_factory):
    return open_recordings("context_as_memory", turning_pool, tmp_path_factory.mktemp("index") / "index.safetensors")


def wanted(**world: object) -> Wanted:
    return Wanted.of(clip_study(**world))


def test_stretches_share_no_frame_and_cover_every_video(recordings):
    study = wanted()
    taken = [(s.video, n) for stretches in splits(study, recordings).values() for s in stretches
             for n in range(s.first, s.stop)]  # fmt: skip
    assert len(taken) == len(set(taken)) == sum(recordings.length(video) for video in recordings.videos)


@pytest.mark.parametrize("kind", ["train", "replay", "loop", "return_45"])
def test_as_many_clips_as_are_asked_for_or_as_there_are(recordings, kind):
    study = wanted()
    split = next(split for split, kinds in RECORDED.items() if kind in kinds)
    stretches = splits(study, recordings)[split]
    all_of_them = find_clips(study, recordings, kind, 100_000, stretches)
    assert 3 < len(all_of_them) < 100_000
    assert len(find_clips(study, recordings, kind, 3, stretches)) == 3
    spans = {clip.last - clip.start + 1 for clip in all_of_them if clip.stride == study.world.stride}
    assert spans <= {frames_in_a_row(study, kind)}


def test_clips_that_should_come_back_are_not_replaced_by_others(recordings):
    study = wanted(returning=0.5)
    stretches = splits(study, recordings)["train"]
    everything = find_clips(study, recordings, "train", 4000, stretches)
    starts = find_clips(wanted(), recordings, "train", 4000, stretches)
    assert returning_asked(study, 4000) == 2000
    back = find_clips(wanted(returning=1.0), recordings, "train", 2000, stretches)
    assert len(everything) == min(len(starts), 2000) + len(back)
    assert np.unique([(clip.video, clip.start) for clip in starts], axis=0).shape[0] == len(starts)
