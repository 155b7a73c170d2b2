"""Released weights: a study that could not take them is refused before any job."""

from typing import Any

import pytest

from echo.study.config import parse_study
from tests.conftest import ROWS
from tests.study.studies import accepted, changed, refused

FILE = {"path": "epoch-0.safetensors"}
RELEASED = {"camera": "attention", "ray_frequencies": 0, "clean_timestep": "target", "layout": "target_first"}
ALONE: dict[str, Any] = {"rows": ["i2v", "framepack_len_r8"], "row_options": {}, "backbone": RELEASED}
BOTH = {**ALONE, "rows": ["i2v", "framepack_len_r8", "ssm_blockwise_causal_v2"]}
OWN_LAYOUT = {**ROWS, "ssm_blockwise_causal_v2": {**ROWS["ssm_blockwise_causal_v2"], "layout": "context_first"}}


def test_rows_with_a_checkpoint_are_not_trained():
    study = accepted(checkpoints={"framepack_len_r8": FILE}, **ALONE)
    assert study.trained_rows == ("i2v",)
    assert accepted(**ALONE).trained_rows == ("i2v", "framepack_len_r8")


@pytest.mark.parametrize(
    ("sections", "key", "message"),
    [
        ({"checkpoints": {"spatial": FILE}}, "checkpoints.spatial", "not among rows: i2v, framepack_len_r8"),
        ({"checkpoints": {"i2v": FILE}, "train_seeds": [0, 1]}, "train_seeds", "would count as several"),
        ({"checkpoints": {"i2v": FILE}, "backbone": {**RELEASED, "camera": "add"}}, "backbone.camera", "attention"),
        ({"checkpoints": {"i2v": FILE}, "backbone": {**RELEASED, "layout": "context_first"}}, "backbone.layout",
         "row i2v was trained with target_first"),
        ({"checkpoints": {"i2v": {}}}, "checkpoints.i2v", "expected either path"),
    ],
)  # fmt: skip
def test_what_released_weights_cannot_be_rolled_out_in_is_refused(sections, key, message):
    refused(key, message, **{**ALONE, **sections})


def test_a_row_may_have_its_own_layout():
    """The released rows need two of them, and come into one study."""
    refused("backbone.layout", "row ssm_blockwise_causal_v2 reads its history before the target", **BOTH)
    checkpoints = {name: FILE for name in BOTH["rows"]}
    study = parse_study(changed(checkpoints=checkpoints, **BOTH), OWN_LAYOUT)
    assert study.trained_rows == ()
    wrong = {**OWN_LAYOUT, "ssm_blockwise_causal_v2": {**ROWS["ssm_blockwise_causal_v2"], "layout": "target_first"}}
    refused("ssm_blockwise_causal_v2.layout", "needs context_first", wrong, **BOTH)


def test_a_recurrence_that_is_not_the_released_one_is_refused():
    sections = {**ALONE, "rows": ["i2v", "ssm_hybrid"], "backbone": {**RELEASED, "layout": "context_first"}}
    refused("checkpoints.ssm_hybrid", "cell = convolution, but the released recurrence has gated_average",
            checkpoints={"ssm_hybrid": FILE}, **sections)  # fmt: skip
