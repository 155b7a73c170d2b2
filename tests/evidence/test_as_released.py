"""Evidence as the release hands it: its rules once more in slow words, and what training and rollout get of them."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from echo.cost.row import RowPlan
from echo.evidence.as_released import continued, sampled
from echo.evidence.policy import policy_of
from echo.evidence.segments import Segments
from echo.io.draws import BatchSlice
from echo.model.base import BASE
from echo.model.released import LISTED
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.config import load_study, parse_study
from echo.study.profile import Evidence, parse_row
from echo.study.sections import EvidenceConfig
from echo.training.objective import draw
from echo.world.camera import overlap
from tests.conftest import ROOT, ROWS, Setting, tiny_study
from tests.study.studies import refused

MATCHED = tiny_study(rows=["i2v", "context_k5", "context_k20", "compress_weight", "spatial", "ssm_blockwise"])
STUDY = MATCHED.model_copy(update={"evidence": EvidenceConfig(policy="as_released", drop=0.25)})
T = STUDY.segment.frames
SOURCES = {
    "anchor": Evidence(source="anchor", frames=1),
    "fov_retrieval": Evidence(source="fov_retrieval", frames=5),
    "previous_chunk_tail": Evidence(source="previous_chunk_tail", frames=81),
    "causal_previous_prefix": Evidence(source="causal_previous_prefix", frames=3, continuation="latents"),
    "replay": Evidence(source="replay", frames=5),
}


def row_of(source: str | Evidence, name: str = "context_k20") -> Row:
    entry = SOURCES[source] if isinstance(source, str) else source
    return Row(STUDY, STUDY.profiles[name].model_copy(update={"evidence": entry}))


def setting(kind: str = "train", clips: int = 2) -> Setting:
    made = Setting(STUDY, clips=clips, kind=kind)
    made.ranking = policy_of(STUDY).rank(STUDY, dict(zip(made.videos, made.poses, strict=True)))
    made.segments = Segments(STUDY, made.videos, made.poses, made.ranking)
    return made


def trained_on(source: str | Evidence, segment: int, made: Setting, seed: int = 0, **given) -> torch.Tensor:
    """Frame numbers (B, K) of the evidence of a training sample."""
    row = row_of(source)
    chain = row.policy.chain(row.memory, made.segments, made.latents, segment, torch.Generator().manual_seed(seed),
                             **given)  # fmt: skip
    (offered,) = chain
    assert offered.latents.equal(made.latents[torch.arange(len(made.latents))[:, None], offered.index])
    return offered.index


def release_continuation(frames: list[int], k: int) -> list[int]:
    """The last frame, then k - 1 evenly spaced ones of those before it: the release's rule, case by case."""
    n = min(k, len(frames))
    if n == 1:
        return [frames[-1]]
    if n == 2:
        return [frames[-1], frames[0]]
    return [frames[-1]] + [frames[round(i * (len(frames) - 2) / (n - 2))] for i in range(n - 1)]


@pytest.mark.parametrize("held", [1, 2, 4, 8, 81])
def test_a_continuation_is_the_last_frame_and_evenly_spaced_ones(held):
    frames = list(range(held))
    for k in (1, 2, 3, 5, 20, 81):
        assert continued(held, min(k, held)).tolist() == release_continuation(frames, k)
    assert continued(81, 81).tolist() == [80, *range(80)]


def test_a_rollout_continues_from_the_segment_before_alone():
    made = setting("return_strict")
    for source, expected in {
        "anchor": [[0], [4], [8]],
        "fov_retrieval": [[0], [4, 1, 2, 3], [8, 5, 6, 7]],
        "replay": [[0], [4, 1, 2, 3], [8, 5, 6, 7]],
        "causal_previous_prefix": [[0], [4, 3, 2], [8, 7, 6]],
    }.items():
        row = row_of(source)
        for segment, numbers in enumerate(expected, 1):
            offered = row.policy.offer(made.segments, made.latents, segment, torch.Generator())
            assert offered.index.tolist() == [numbers] * 2
            anchor = made.segments.anchor(made.latents, segment, torch.Generator())
            assert torch.equal(anchor.actions, offered.span(0, 1).actions)
            alone = row.policy.offer(made.segments, made.latents, segment, torch.Generator(), anchor_only=True)
            assert alone.index.tolist() == [numbers[:1]] * 2
            assert row.policy.sizes_in_rollouts(STUDY, segment, True) == (len(numbers),)


def test_a_rollout_looks_at_no_frame_that_is_not_there_yet():
    made = setting("return_strict")
    for source in SOURCES:
        for segment in (1, 2, 3):
            ahead = made.latents.clone()
            ahead[:, 1 + T * (segment - 1) :] = float("nan")
            offered = row_of(source).policy.offer(made.segments, ahead, segment, torch.Generator())
            assert offered.latents.isfinite().all()


def test_training_hands_each_source_its_frames():
    made = setting()
    for source, expected in {
        "anchor": [[0], [4], [8], [12]],
        "previous_chunk_tail": [[0], [4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]],
        "causal_previous_prefix": [[0], [4, 3, 2], [8, 7, 6], [12, 11, 10]],
        "replay": [[4] * 5, [8] * 5, [12] * 5, [16] * 5],  # copies of the target's last frame
    }.items():
        for segment, numbers in enumerate(expected, 1):
            assert trained_on(source, segment, made).tolist() == [numbers] * 2
            assert trained_on(source, segment, made, anchor_only=True).tolist() == [[4 * segment - 4]] * 2
            policy = row_of(source).policy
            assert policy.sizes(STUDY, segment, True) == (len(numbers),)
            assert policy.sizes(STUDY, segment, True, anchor_only=True) == (1,)


def release_sample(labels, start, frames, wanted, order, fill):
    """The release's steps, one list after the other; ``order`` and ``fill`` put frames in the order they are drawn."""
    context = [start - 1]
    context += [number for number in order if number in labels and number != start - 1][: wanted - 1]
    middle = (start + start + frames - 1) // 2
    for number in fill:
        if len(context) < wanted and number < middle and number != start - 1:
            context.append(number)
    kept = [context[0]] + [number for number in context[1:] if not start <= number <= start + frames - 1]
    while len(kept) < wanted:
        kept.append(kept[-1])
    return kept


@pytest.mark.parametrize("count", [0, 1, 3, 9])
@pytest.mark.parametrize("wanted", [1, 5, 20])
def test_the_sample_is_the_releases(count, wanted):
    draws = np.random.default_rng(count)
    for _ in range(20):
        keys, labels = draws.random((2, 33)), np.sort(draws.choice(33, count, replace=False))
        order, fill = (np.argsort(key).tolist() for key in keys)
        found = sampled(labels, 17, 8, wanted, keys).tolist()
        assert found == release_sample(labels.tolist(), 17, 8, wanted, order, fill) and len(found) == wanted


def test_training_samples_the_future_and_never_the_target():
    made, seen = setting(), set()
    for seed in range(40):
        index = trained_on("fov_retrieval", 2, made, seed)
        assert index.shape == (2, 5) and (index[:, 0] == 4).all()
        assert not ((index >= 5) & (index <= 8)).any()
        seen |= set(index.flatten().tolist())
    assert max(seen) > 8 and min(seen) < 4
    middle = made.poses[0][[6]]
    labels = made.ranking.order["clip_0"][1]
    assert labels[labels >= 0].tolist() == np.flatnonzero(overlap(middle, made.poses[0], 75.0)[0] > 1e-3).tolist()


def test_a_sample_is_its_steps_and_no_other_draw_moves():
    """The same however a batch is cut; levels, noise and targets are those of a row that draws nothing."""
    clips = setting(clips=6).clips
    study = STUDY.model_copy(update={"evidence": STUDY.evidence.model_copy(update={"drop": 0.0})})
    rows = [Row(study, STUDY.profiles["context_k5"].model_copy(update={"evidence": SOURCES[source]}))
            for source in ("fov_retrieval", "anchor")]  # fmt: skip
    for step in range(4):
        whole, other = (draw(row, clips, 0, step, BatchSlice(4, 0, 4), torch.device("cpu")) for row in rows)
        cut = [draw(rows[0], clips, 0, step, BatchSlice(4, a, b), torch.device("cpu")) for a, b in ((0, 1), (1, 4))]
        assert torch.equal(torch.cat([part.evidence.index for part in cut]), whole.evidence.index)
        for name in ("level", "noise", "text"):
            assert torch.equal(getattr(whole, name), getattr(other, name))
        assert torch.equal(whole.target.index, other.target.index) and whole.earlier == []


def test_v1_meets_its_own_target_as_the_anchor_in_training_and_the_past_in_rollouts():
    clips, row = setting(clips=6).clips, row_of("replay", "ssm_blockwise")
    steps = [draw(row, clips, 0, step, BatchSlice(3, 0, 3), torch.device("cpu")) for step in range(6)]
    anchored = {int(one.anchor.index[0, 0]) - int(one.target.index[0, 0]) for one in steps}
    assert anchored == {-1, T - 1}  # history dropped, or the target's last frame
    made = setting("loop")
    batch = CaseBatch("loop", made.videos, made.segments, made.latents, made.text)
    written, write = [], row.memory.write
    row.memory.write = lambda state, *rest: written.append(state) or write(state, *rest)
    made_frames, _ = Sampler(STUDY, row).rollout(batch)
    assert written == [None] * 4 and made_frames.isfinite().all()


def test_history_is_dropped_as_often_as_the_rows_entry_says():
    study = STUDY.model_copy(update={"segment": STUDY.segment.model_copy(update={"history_weights": (0, 0, 1.0, 0)})})
    clips = setting(clips=3).clips
    for own, expected in ((0.9, 0.9), (None, 0.25)):
        entry = Evidence(source="previous_chunk_tail", frames=4, drop=own)
        row = Row(study, study.profiles["i2v"].model_copy(update={"evidence": entry}))
        alone = [draw(row, clips, 0, step, BatchSlice(3, 0, 1), torch.device("cpu")).evidence.count == 1
                 for step in range(60)]  # fmt: skip
        assert np.mean(alone) == pytest.approx(expected, abs=0.15)
        assert row.policy.drop(study) == expected


def test_nothing_is_carried_and_what_is_kept_is_of_one_segment():
    row = row_of("fov_retrieval", "ssm_blockwise")
    assert row.memory.carries and row.policy.first(4, True) == 4 and not row.policy.keeps_state(row.memory)
    assert [row.policy.searched(segment, T, row.memory) for segment in (1, 2, 18)] == [0, 3, 3]
    assert row_of("anchor", "i2v").policy.searched(3, T, row_of("anchor", "i2v").memory) == 0


def test_the_base_which_has_no_entry_is_handed_the_anchor():
    made, row = setting(), Row(STUDY, BASE)
    (offered,) = row.policy.chain(row.memory, made.segments, made.latents, 2, torch.Generator())
    assert offered.index.tolist() == [[4]] * 2


def test_the_plan_counts_training_and_rollouts_apart():
    profile = STUDY.profiles["context_k20"].model_copy(update={"evidence": Evidence(source="fov_retrieval", frames=20)})
    planned = RowPlan(STUDY, profile)
    assert (planned.chain(2), planned.rollout_chain(2), planned.rollout_chain(1)) == ((20,), (4,), (1,))
    assert planned.tokens.read == 3 * 4
    assert sum(share for share, chain in planned.situations() if chain == (1,)) == pytest.approx(0.25)


def test_a_row_without_an_entry_is_refused_before_any_job():
    refused("rows", "has no `evidence` in rows.yaml", rows=["i2v"], row_options={}, evidence={"policy": "as_released"})
    refused("evidence.policy", "world.poses = false", rows=["i2v"], world={"poses": False}, row_options={},
            evidence={"policy": "as_released"})  # fmt: skip


RECIPES = pd.read_csv(ROOT / "echo/tables/reference/released_recipes.csv", index_col="row")


@pytest.mark.parametrize("name", [name for name in RECIPES.index if f"{name}_released" in ROWS])
def test_a_rows_entry_is_its_recipes(name):
    """As the recipes were read off by hand for the paper's Table 2."""
    row, recipe = parse_row(f"{name}_released", ROWS[f"{name}_released"]), RECIPES.loc[name]
    assert (row.evidence.source, row.evidence.frames) == (recipe["evidence_source"], recipe["context_frames"])
    assert row.timestep_shift == recipe["timestep_shift"]
    assert (row.evidence.drop == 0) == (np.isnan(recipe["context_drop_prob"]) and np.isnan(recipe["fov_top_k"]))


def test_the_study_as_released_has_all_rows_of_the_paper_and_the_releases_recipe():
    merged = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for key, value in yaml.safe_load((ROOT / "config/as_released.yaml").read_text()).items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) else value
    study = parse_study(merged, ROWS)
    plain = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert study.rows == tuple(f"{row}_released" for row in plain["rows"]) and study.rig == plain["study"]
    named = [[f"{row}_released" for row in pair] for pair in plain["evaluate"]["contrasts"]]
    assert [list(pair) for pair in study.evaluate.contrasts] == named
    train, sampler = study.train, study.sampler
    assert (train.frozen, train.loss_weight, train.clip_norm) == (("backbone.transformer.blocks.*",), "bell", None)
    assert (sampler.steps, sampler.text_guidance, sampler.guide) == (50, 5.0, None)
    for name in ("world", "segment", "codec", "backbone", "base"):
        assert getattr(study, name) == getattr(parse_study(plain, ROWS), name)


def test_the_released_study_trains_nothing_and_takes_the_authors_files():
    study = load_study(ROOT / "config/released.yaml")
    paper = load_study(ROOT / "config/paper.yaml")
    assert study.trained_rows == () and set(study.checkpoints) == set(study.rows)
    for name in ("world", "segment", "codec", "text", "sampler", "pretrained"):
        ours, theirs = (getattr(one, name).model_dump() for one in (study, paper))
        different = {key for key in ours if ours[key] != theirs[key]}
        assert different <= {"train_rooms", "returning"}, name
    listed = {one.sha256 for one in study.checkpoints.values()} - {None}
    assert listed == set(LISTED)
