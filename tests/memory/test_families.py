"""What every row's memory must do, whatever its family, and what each family computes, against slow references."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from echo.memory.bank import pool_groups
from echo.memory.base import state_size
from echo.memory.compression.memory import mix_views
from echo.memory.state_space.cells import AverageCell, ConvolutionCell, GatedAverageCell
from echo.model import flow
from tests.conftest import Setting, of_each_kind, tiny_study
from tests.memory.rows_of_tests import build, velocity

NAMES = of_each_kind()
STUDY = tiny_study()
INERT = {name for name in NAMES if not STUDY.profiles[name].remembers}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("segment", [1, 2, 4])
def test_velocity_has_the_targets_shape(name, segment, setting):
    row = build(name)
    state = row.write(None, setting.evidence(segment), setting.text)
    out = velocity(row, setting, segment, state)
    assert out.shape == setting.target(segment).latents.shape
    assert out.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_history_reaches_the_target_just_where_it_should(name, setting):
    """Other history, same anchor: the output moves for rows that remember and for no other, to the last bit."""
    row, segment = build(name), 3
    other = setting.latents.clone()
    other[:, : 2 * 4] += 1  # all of history but the anchor, frame 8
    outs = [
        velocity(row, setting, segment, row.write(None, setting.evidence(segment, latents), setting.text))
        for latents in (setting.latents, other)
    ]
    assert torch.equal(*outs) == (name in INERT)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in INERT])
def test_gradients_reach_every_parameter_of_the_memory(name, setting):
    row = build(name)
    state = row.write(None, setting.evidence(3), setting.text)
    target = setting.target(3)
    flow.loss(velocity(row, setting, 3, state), target.latents, torch.zeros_like(target.latents)).backward()
    for part, parameter in row.memory.named_parameters():
        assert parameter.grad is not None, part
        assert parameter.grad.abs().max() > 0, part


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_of_tensors_batch_first(name, setting):
    row = build(name)
    state = row.write(None, setting.evidence(3), setting.text)
    assert all(value.shape[0] == 2 for value in state.values())
    one = {key: value[:1] for key, value in state.items()}
    assert state_size(one) == state_size(state)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_does_not_depend_on_its_batch(name, study):
    """Two cases together give what each gives alone."""
    both = Setting(study, clips=2)
    row = build(name)
    together = velocity(row, both, 3, row.write(None, both.evidence(3), both.text))
    alone = Setting(study, clips=1)
    alone.latents, alone.text = both.latents[:1], both.text[:1]
    target, anchor = alone.target(3), alone.evidence(3, anchor_only=True)
    state = row.write(None, alone.evidence(3), alone.text)
    single = row(target, torch.tensor([0.3]), anchor, alone.text, state)
    torch.testing.assert_close(single[0], together[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    ["context_k20", "compress_length_r2", "framepack_len_r8", "spatial", "ssm_blockwise", "ssm_blockwise_causal_v2"],
)
def test_the_order_of_retrieved_frames_does_not_matter(name, setting):
    """Evidence is a ranked set; a memory that keeps all of it sees the same set in any order."""
    row, evidence = build(name), setting.evidence(3)
    swap = torch.tensor([0, *reversed(range(1, evidence.count))]).expand(2, -1)
    states = [row.write(None, given, setting.text) for given in (evidence, evidence.take(swap))]
    outs = [velocity(row, setting, 3, state) for state in states]
    torch.testing.assert_close(*outs, rtol=1e-4, atol=1e-5)


def test_context_keeps_the_first_frames_of_the_evidence(setting):
    evidence = setting.evidence(3)
    state = build("context_k5").write(None, evidence, setting.text)
    assert torch.equal(state["latents"], evidence.latents[:, 1:5])
    read = build("context_k5").read(state, setting.target(3), setting.evidence(3, anchor_only=True))
    assert read.frames.index.diff(dim=1).gt(0).all()


def test_weights_fall_with_age(setting):
    state = build("compress_weight").write(None, setting.evidence(3), setting.text)
    np.testing.assert_allclose(state["weight"][0], [0.9**4, 0.9**3, 0.9**2, 0.9], rtol=1e-6)


def test_hybrid_pools_before_it_weighs(setting):
    state = build("compress_hybrid_r2").write(None, setting.evidence(3), setting.text)
    kept = -(-(setting.evidence(3).count - 1) // 2)
    assert state["latents"].shape[1] == kept
    np.testing.assert_allclose(state["weight"][0], 0.95 ** np.arange(kept, 0, -1), rtol=1e-6)


def test_views_are_averages_over_larger_and_larger_cells():
    """A constant stays, a coarse pattern keeps its coarse views, and a fine one loses all but its own weight."""
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    constant, fine = torch.full((8, 8), 3.0), (-1) ** (rows + columns)
    latents = torch.stack([constant, fine])[None, :, None]  # (1, F=2, C=1, 8, 8)
    mixed = mix_views(latents, (0.6, 0.25, 0.15))
    torch.testing.assert_close(mixed[:, 0], latents[:, 0])
    torch.testing.assert_close(mixed[:, 1], 0.6 * latents[:, 1])
    blocks = torch.randn(1, 1, 1, 2, 2).repeat_interleave(2, -1).repeat_interleave(2, -2)
    coarse = mix_views(blocks, (0.0, 0.0, 1.0))
    torch.testing.assert_close(coarse, blocks.mean().expand_as(blocks))


def test_framepack_keeps_groups_of_eight_from_the_newest_back():
    study = tiny_study(evidence={"frames": 12})
    evidence = Setting(study).evidence(4)
    state = build("framepack_len_r8", study).write(None, evidence, Setting(study).text)
    frames = evidence.span(1, None).chronological()
    assert frames.count == 11 and state["latents"].shape[1] == 2
    torch.testing.assert_close(state["actions"][:, 1], frames.actions[:, 3:].mean(1))
    expected = mix_views(frames.latents[:, 3:].mean(1, keepdim=True), (0.6, 0.25, 0.15))
    torch.testing.assert_close(state["latents"][:, 1:], expected)


def test_spatial_state_does_not_grow(setting):
    row = build("spatial")
    states = [row.write(None, setting.evidence(segment), setting.text) for segment in (1, 2, 4)]
    assert {state["tokens"].shape for state in states} == {(2, 3, 16)}


def test_a_streams_spatial_cells_are_the_average_of_all_frames(setting):
    """In pieces or at once the same, but for rounding; read, it gives what evidence of these frames gives."""
    row, frames = build("spatial"), setting.segments.seen(
        setting.latents, np.tile(np.arange(9), (2, 1)), 8, torch.Generator())  # fmt: skip
    parts = [frames.span(0, 1), frames.span(1, 5), frames.span(5, 9)]
    whole, state = row.memory.append(None, frames, setting.text, row.backbone), None
    for part in parts:
        state = row.memory.append(state, part, setting.text, row.backbone)
    torch.testing.assert_close(state["cells"], whole["cells"])
    assert state["seen"].tolist() == [[9.0], [9.0]]
    anchor, target = setting.evidence(3, anchor_only=True), setting.target(3)
    tokens = row.memory.write(None, frames, setting.text, row.backbone)["tokens"]
    torch.testing.assert_close(row.read(state, target, anchor).text, tokens)


@pytest.mark.parametrize("name", ["ssm_blockwise", "ssm_hybrid", "ssm_blockwise_causal_v2"])
def test_a_stream_in_pieces_leaves_a_recurrence_what_the_whole_does(name, setting):
    row, frames = build(name), setting.segments.seen(
        setting.latents, np.tile(np.arange(9), (2, 1)), 8, torch.Generator())  # fmt: skip
    whole, state = row.memory.append(None, frames, setting.text, row.backbone), None
    for part in (frames.span(0, 1), frames.span(1, 5), frames.span(5, 9)):
        state = row.memory.append(state, part, setting.text, row.backbone)
    for key in whole:
        torch.testing.assert_close(state[key], whole[key])


def test_a_streams_compression_weighs_and_mixes_what_it_reads(setting):
    frames = setting.segments.seen(setting.latents, np.tile(np.arange(9), (2, 1)), 8, torch.Generator())
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    row = build("compress_hybrid_r2")
    read = row.read(row.memory.append(None, frames, setting.text, row.backbone), target, anchor).frames
    torch.testing.assert_close(read.latents, pool_groups(setting.latents[:, :8], 2))
    np.testing.assert_allclose(read.weight[0], 0.95 ** np.arange(4, 0, -1), rtol=1e-6)
    coarse = build("framepack_len_r8")
    read = coarse.read(coarse.memory.append(None, frames, setting.text, coarse.backbone), target, anchor)
    expected = mix_views(setting.latents[:, :8].mean(1, keepdim=True), (0.6, 0.25, 0.15))
    torch.testing.assert_close(read.frames.latents, expected)
    assert read.mixture == 1.0


def test_average_cell_against_a_loop():
    cell = AverageCell(6, "bounded").double()
    tokens, state = torch.randn(2, 5, 3, 6).double(), torch.randn(2, 3, 6).double()
    moved, final = cell(tokens, state)
    keep, s, expected = cell.rate.sigmoid(), state, []
    for frame in range(5):
        value, gate = cell.enter(cell.norm(tokens[:, frame])).chunk(2, -1)
        s = keep * s + (1 - keep) * value
        expected.append(tokens[:, frame] + (0.1 + 0.9 * 0.5) * cell.leave(s * functional.silu(gate)))
    torch.testing.assert_close(moved, torch.stack(expected, 1))
    torch.testing.assert_close(final, s)


def test_gated_average_cell_against_a_loop():
    cell = GatedAverageCell(6, "narrow").double()
    assert (cell.rate.sigmoid() == 0.5).all()
    torch.nn.init.normal_(cell.rate)
    torch.nn.init.constant_(cell.residual.gate, 0.7)
    tokens, state = torch.randn(2, 5, 3, 6).double(), torch.randn(2, 3, 6).double()
    moved, final = cell(tokens, state)
    keep, s, expected = cell.rate.sigmoid(), state, []
    for frame in range(5):
        value, gate = cell.enter(cell.norm(tokens[:, frame])).chunk(2, -1)
        s = keep * s + (1 - keep) * value.tanh()
        scale = 0.1 + 0.1 * torch.tensor(0.7).double().sigmoid()
        expected.append(tokens[:, frame] + scale * cell.leave(s * gate.sigmoid()))
    torch.testing.assert_close(moved, torch.stack(expected, 1))
    torch.testing.assert_close(final, s)


def test_convolution_cell_against_torchs():
    cell = ConvolutionCell(6, "zero").double()
    torch.nn.init.constant_(cell.residual.gate, 0.5)
    tokens = torch.randn(2, 5, 3, 6).double()
    moved, _ = cell(tokens, cell.start(tokens))
    inner = cell.enter(cell.norm(tokens)).permute(0, 2, 3, 1).flatten(0, 1)  # (B N, 2D, F)
    mixed = functional.conv1d(functional.pad(inner, (2, 0)), cell.kernel.T[:, None], groups=12)
    mixed = mixed.unflatten(0, (2, 3)).permute(0, 3, 1, 2)
    expected = tokens + torch.tensor(0.5).tanh() * cell.leave(functional.silu(mixed))
    torch.testing.assert_close(moved, expected)


@pytest.mark.parametrize("cell", [AverageCell(4, "bounded"), GatedAverageCell(4, "narrow"), ConvolutionCell(4, "zero")])
@pytest.mark.parametrize("cut", [1, 3, 6])
def test_a_scan_in_pieces_equals_the_whole(cell, cut):
    tokens = torch.randn(2, 7, 3, 4)
    whole, end = cell(tokens, cell.start(tokens))
    first, state = cell(tokens[:, :cut], cell.start(tokens))
    second, last = cell(tokens[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(last, end)


@pytest.mark.parametrize("name", ["ssm_blockwise", "ssm_blockwise_causal_v2", "ssm_hybrid"])
def test_the_state_is_carried(name, setting):
    """A second write goes on from the first one's state and does not zero it."""
    row = build(name)
    first = row.write(None, setting.evidence(2), setting.text)
    carried = row.write(first, setting.evidence(3), setting.text)
    fresh = row.write(None, setting.evidence(3), setting.text)
    block = next(iter(carried))
    if name != "ssm_hybrid":  # its kernel has forgotten the first write by then
        assert not torch.allclose(carried[block], fresh[block])
    empty = row.write(first, setting.evidence(2, anchor_only=True), setting.text)
    assert all(torch.equal(empty[key], first[key]) for key in first)


def test_the_hybrid_writes_the_best_frame_last(setting):
    """So the frames that its short kernel still reaches are those that the retriever ranked first."""
    row, evidence = build("ssm_hybrid"), setting.evidence(3)
    whole = row.write(None, evidence, setting.text)
    best = row.write(None, evidence.span(0, 3), setting.text)
    torch.testing.assert_close(whole["0"], best["0"])
    last = row.write(None, evidence.take(torch.tensor([0, 2, 1]).expand(2, -1)), setting.text)
    assert not torch.allclose(whole["0"], last["0"], atol=1e-3)


@pytest.mark.parametrize(("gate", "low", "high"), [("bounded", 0.1, 1.0), ("narrow", 0.1, 0.2)])
def test_a_bounded_gate_stays_within_its_bounds(gate, low, high):
    cell = AverageCell(4, gate)
    for value, bound in ((-50, low), (50, high)):
        with torch.no_grad():
            cell.residual.gate.fill_(value)
        assert cell.residual(torch.ones(())).item() == pytest.approx(bound)


def test_rows_of_another_stream_start_elsewhere():
    base, again, other = (build(name) for name in ("spatial", "spatial", "spatial_concat_text"))
    assert torch.equal(base.memory.place, again.memory.place)
    assert not torch.equal(base.memory.place, other.memory.place)
    one = base.backbone.state_dict()["transformer.patch_embedding.weight"]
    assert torch.equal(one, other.backbone.state_dict()["transformer.patch_embedding.weight"])


def test_the_rows_that_are_inert_by_design():
    assert {"i2v", "spatial_inject_none", "ssm_blockwise_v1"} <= INERT
    assert not INERT & {"context_k5", "compress_weight", "spatial", "ssm_blockwise", "ssm_hybrid"}
