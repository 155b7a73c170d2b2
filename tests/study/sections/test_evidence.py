"""Section ``evidence``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import EvidenceConfig


@pytest.mark.parametrize("values", [{"frames": 0}, {"frames": 1001}, {"drop": 1}, {"drop": -0.1}, {"policy": "own"}])
def test_evidence_of_no_size_is_refused(values):
    with pytest.raises(ValidationError):
        EvidenceConfig.model_validate(values)


def test_the_anchor_alone_is_a_size():
    assert EvidenceConfig(frames=1, drop=0).frames == 1


def test_what_a_policy_does_not_read_is_no_part_of_what_must_be_shared():
    """So that a checkpoint is not refused for a key that changes nothing."""
    matched = EvidenceConfig(frames=7, rule="recent", eviction="fifo")
    assert matched.shared() == {"frames": 7, "rule": "recent", "policy": "matched"}
    assert (matched.most_frames, matched.needs_poses) == (7, None)
    stream = EvidenceConfig(frames=7, rule="fov_cover", policy="streaming")
    assert stream.shared() == {"eviction": "redundancy", "policy": "streaming"}
    assert (stream.most_frames, stream.needs_poses) == (None, "eviction")
    assert EvidenceConfig(rule="fov_mid").needs_poses == "rule"
    assert EvidenceConfig(policy="streaming", eviction="fifo").needs_poses is None
    released = EvidenceConfig(policy="as_released")
    assert released.shared() == {"policy": "as_released"}
    assert (released.most_frames, released.needs_poses) == (None, "policy")
