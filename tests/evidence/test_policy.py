"""The two policies in one: chains of offers, and what must survive for them."""

import pytest
import torch

from echo.evidence.policy import Policy, policy_of
from echo.model.row import Row
from tests.conftest import Setting, tiny_study

STUDIES = {name: tiny_study(evidence={"policy": name}) for name in ("matched", "streaming")}


@pytest.mark.parametrize("name", list(STUDIES))
def test_a_policy_is_the_module_of_its_name(name):
    policy = policy_of(STUDIES[name])
    assert isinstance(policy, Policy) and type(policy).__module__ == f"echo.evidence.{name}"


@pytest.mark.parametrize("name", list(STUDIES))
@pytest.mark.parametrize("row", ["context_k5", "ssm_blockwise"])
@pytest.mark.parametrize("anchor_only", [False, True])
def test_a_chain_has_the_sizes_that_the_plan_counts_with(name, row, anchor_only):
    study = STUDIES[name]
    made, built = Setting(study), Row(study, study.profiles[row])
    for segment in (1, 2, 4):
        chain = list(
            built.policy.chain(built.memory, made.segments, made.latents, segment, torch.Generator(), anchor_only)
        )
        expected = built.policy.sizes(study, segment, built.memory.carries, anchor_only)
        assert tuple(frames.count for frames in chain) == expected


@pytest.mark.parametrize("name", list(STUDIES))
def test_no_offer_looks_at_the_segment_or_beyond(name):
    """Not a number is read of frames that are not there yet when a segment begins."""
    study = STUDIES[name]
    made, policy = Setting(study), policy_of(study)
    for segment in (1, 2, 4):
        ahead = made.latents.clone()
        ahead[:, 1 + 4 * (segment - 1) :] = float("nan")
        for offered in (policy.offer(made.segments, ahead, segment, torch.Generator(), only) for only in (False, True)):
            assert offered.latents.isfinite().all() and (offered.index < 1 + 4 * (segment - 1)).all()
