"""Section ``open_domain``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import OpenDomain
from tests.study.studies import accepted, refused


def test_no_pictures_are_the_default_and_the_papers_way_is_the_cameras():
    assert OpenDomain().images is None and OpenDomain().branches == ("return_45",)
    assert accepted(open_domain={"images": "pictures"}).open_domain.images == "pictures"


@pytest.mark.parametrize(
    "values",
    [{"images": ""}, {"images": 3}, {"branches": []}, {"branches": ["recall"]}, {"branches": ["loop"]},
     {"branches": ["return_far_8"]}, {"branches": ["return_45", "return_45"]}, {"masks": "folder"}],
)  # fmt: skip
def test_ways_that_do_not_end_at_the_only_frame_there_is_are_refused(values):
    with pytest.raises(ValidationError):
        OpenDomain.model_validate(values)


def test_the_refusal_names_the_key():
    refused("open_domain.branches.0", "return_45", open_domain={"branches": ["recall"]})


def test_reference_rows_of_pictures_need_neither_depth_nor_truth():
    assert accepted().open_references == ("copy_best", "copy_first", "mean_colour", "ridge")
    assert accepted(evaluate={"references": ["codec_ceiling", "copy_first"]}).open_references == ("copy_first",)
