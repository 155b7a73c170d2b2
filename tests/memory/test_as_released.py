"""The rows as released, against the release's own formulas (Echo-Memory at 194be71) in plain torch."""

import csv

import pytest
import torch
from torch import nn
from torch.nn import functional

from echo.memory.base import Sizes
from echo.memory.registry import build_memory
from echo.model.blocks import weight_by_similarity
from echo.study.profile import parse_row
from tests.conftest import ROOT, ROWS, Setting, tiny_study
from tests.memory.rows_of_tests import build, velocity

LAYOUTS = ("target_first", "context_first")
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
RECIPES = ROOT / "echo" / "tables" / "reference" / "released_recipes.csv"


def study_of(row: str, layout: str = "context_first", **sections):
    """One row at a size whose latents have 4 x 4 cells, without rays, which the release does not have."""
    return tiny_study(
        rows=[row],
        row_options={"spatial": {"grid": 2, "tokens": 3}},
        reference=row,
        backbone={"layout": layout, "ray_frequencies": 0},
        world={"size": 32},
        **sections,
    )


def entering(row, setting, segment, state):
    """Tokens (B, F, N, D) as they come to the first block, and what came of them, (B, T, C, H, W)."""
    seen, run = [], row.backbone.run
    row.backbone.run = lambda step, tokens: seen.append(tokens) or run(step, tokens)
    out = velocity(row, setting, segment, state)
    row.backbone.run = run
    return seen[0], out


def patches(row, latents):
    """Tokens (B, F, N, D) of latents (B, F, C, H, W), by Wan's convolution."""
    embed = row.backbone.transformer.patch_embedding
    return (
        functional.conv3d(latents.transpose(1, 2), embed.weight, embed.bias, embed.stride)
        .permute(0, 2, 3, 4, 1)
        .flatten(2, 3)
    )


def released_packing(context, ratio):
    """framepack_length.py:39-64 on context (B, C, K, H, W), newest first."""
    pad = (ratio - context.shape[2] % ratio) % ratio
    context = torch.cat([context, context[:, :, -1:].repeat(1, 1, pad, 1, 1)], 2)
    scales = [context]
    for cells in (2, 4):
        coarse = functional.avg_pool3d(context, (1, cells, cells), (1, cells, cells))
        scales.append(functional.interpolate(coarse, size=context.shape[2:], mode="trilinear", align_corners=False))
    groups = [part.unflatten(2, (-1, ratio)).mean(3) for part in scales]
    return 0.6 * groups[0] + 0.25 * groups[1] + 0.15 * groups[2]


def released_mixture(target, context):
    """mixture_of_contexts.py:46-62."""
    query = functional.normalize(target.mean((1, 2)), dim=-1)
    keys = functional.normalize(context.mean(2), dim=-1)
    return context * (torch.einsum("bd,bkd->bk", query, keys).softmax(-1) * context.shape[1])[..., None, None]


@pytest.mark.parametrize(
    ("name", "ratio", "decay", "gain"),
    [
        ("compress_weight_released", 1, 0.9, 1.0),
        ("compress_length_r4_released", 4, 1.0, 1.0),
        ("compress_hybrid_r2_released", 2, 0.95, 1.1),
        ("compress_hybrid_r4_released", 4, 0.95, 1.1),
        ("framepack_len_r8_released", 8, 1.0, 1.0),
    ],
)
def test_compressed_frames_as_they_come_to_the_first_block(name, ratio, decay, gain):
    """The anchor is the newest of them, of age 0; 11 frames, so that the last group is padded."""
    study = study_of(name, "target_first", evidence={"frames": 11})
    setting = Setting(study)
    row, evidence = build(name, study), setting.evidence(4)
    assert evidence.count == 11
    newest_first = evidence.take(evidence.index.argsort(1, descending=True))
    context = newest_first.latents.transpose(1, 2)
    packed = (released_packing(context, ratio) if ratio > 1 else context).transpose(1, 2)
    target = patches(row, setting.target(4).latents)
    context = released_mixture(target, patches(row, packed))
    context = context * (gain * decay ** torch.arange(context.shape[1]))[:, None, None]  # framepack_weight.py:33-41
    state = row.write(None, evidence, setting.text)
    torch.testing.assert_close(entering(row, setting, 4, state)[0], torch.cat([target, context], 1), **CLOSE)
    pad = -11 % ratio
    cameras = torch.cat([newest_first.actions, newest_first.actions[:, -1:].repeat(1, pad, 1)], 1)
    read = row.read(state, setting.target(4), setting.evidence(4, anchor_only=True)).frames
    torch.testing.assert_close(read.actions.flip(1), cameras.unflatten(1, (-1, ratio)).mean(2), **CLOSE)


def test_a_stream_holds_the_anchor_in_an_entry_that_stays():
    """Of a stream, groups fill from its beginning; what the newest frame is in is never given up."""
    study = study_of("compress_length_r2_released", evidence={"policy": "streaming"})
    row, setting = build("compress_length_r2_released", study), Setting(study)
    row.memory.bank.capacity, state = 2, None
    for start, stop in ((0, 1), (1, 5), (5, 9), (9, 14)):
        index = torch.arange(start, stop).expand(2, -1).numpy()
        frames = setting.segments.seen(setting.latents, index, stop - 1, torch.Generator())
        state = row.memory.append(state, frames, setting.text, row.backbone)
        read = row.memory.bank.frames(state, frames.poses[:, -1])
        first = stop - 2 + stop % 2  # of the newest group, whole or not
        assert read.count == min(2, -(-stop // 2))
        torch.testing.assert_close(read.latents[:, -1], setting.latents[:, first:stop].mean(1))
    shown = row.read(state, setting.target(4), setting.evidence(4, anchor_only=True))
    assert shown.replaces_anchor and shown.frames.count == 2


@pytest.mark.parametrize("name", ["spatial_released", "spatial_concat_text_released", "spatial_cross_attn_released"])
def test_spatial_tokens(name):
    """spatial_grid_memory.py:37-41, of the anchor's tokens, whatever else is handed; a stream's newest frame too."""
    study = study_of(name)
    row, setting = build(name, study), Setting(study)
    evidence = setting.evidence(3)
    tokens = patches(row, evidence.latents[:, :1]).mean(1)
    pooled = functional.adaptive_avg_pool1d(tokens.transpose(1, 2), 4).transpose(1, 2)
    expected = torch.einsum("bgd,gm->bmd", pooled, torch.softmax(row.memory.shares, 0))
    torch.testing.assert_close(row.write(None, evidence, setting.text)["tokens"], expected, **CLOSE)
    streamed = row.memory.append(None, evidence.take(torch.tensor([[2, 1, 0]] * 2)), setting.text, row.backbone)
    torch.testing.assert_close(streamed["cells"], pooled, **CLOSE)


def test_flat_pooling_is_not_the_grid():
    """4 x 4 tokens in a row, cut in four, are the rows of the frame; the grid's cells are its quarters."""
    study = study_of("spatial_released")
    row, setting = build("spatial_released", study), Setting(study)
    frames = setting.evidence(3).span(0, 1)
    flat = row.memory._averaged(frames, row.backbone)
    grid = build("spatial", study_of("spatial")).memory._averaged(frames, row.backbone)
    torch.testing.assert_close(flat[:, 0], row.backbone.embed(frames)[:, 0, :4].mean(1), **CLOSE)
    assert not torch.allclose(flat, grid)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_read_before_the_first_block(layout):
    """spatial_grid_memory.py:56-68, wan_video_new.py:2048-2059: the target's tokens alone ask, by torch's attention."""
    name = "spatial_cross_attn_released"
    study = study_of(name, layout)
    row, setting = build(name, study), Setting(study)
    state, reader = row.write(None, setting.evidence(3), setting.text), row.memory.readers["0"]
    theirs = nn.MultiheadAttention(row.backbone.width, 8, batch_first=True)
    with torch.no_grad():
        layers = (reader.query, reader.key, reader.value)
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        theirs.out_proj.load_state_dict(reader.out.state_dict())
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    read = row.read(state, target, anchor)
    assert read.hook_point == "before_block" and list(read.hooks) == [0] and read.frames is None and read.text is None
    frames = [target, anchor] if layout == "target_first" else [anchor, target]
    tokens = torch.cat([patches(row, part.latents) for part in frames], 1)
    place = slice(target.count) if layout == "target_first" else slice(-target.count, None)
    asking, memory = tokens[:, place].flatten(1, 2), state["tokens"]
    added = torch.tanh(reader.gate) * theirs(asking, memory, memory, need_weights=False)[0]
    expected = tokens.clone()
    expected[:, place] += added.unflatten(1, (target.count, -1))
    seen = []
    inject = row.backbone.inject_actions
    row.backbone.inject_actions = lambda block, *rest: seen.append(rest[0]) or inject(block, *rest)
    row(target, torch.tensor([0.3, 0.8]), anchor, setting.text, state)
    torch.testing.assert_close(seen[0], expected, **CLOSE)  # before the camera enters, too


def released_average(cell, x):
    """block_wise_ssm.py:65-93, on x (B, F, S, D): as ``causal_v2`` where the cell has a norm."""
    update, gate = cell.enter(cell.norm(x)).chunk(2, -1)
    decay, state, outputs = torch.sigmoid(cell.rate), torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        state = decay * state + (1 - decay) * torch.tanh(update[:, t])
        outputs.append(state * torch.sigmoid(gate[:, t]))
    gated = cell.residual.gate
    scale = torch.tanh(gated) if cell.residual.bounds is None else 0.1 + 0.1 * torch.sigmoid(gated)
    return x + scale * cell.leave(torch.stack(outputs, 1))


def released_convolution(cell, x):
    """videossm_hybrid.py:31-38, on x (B, F, S, D)."""
    hidden = cell.kernel.shape[1]
    convolution = nn.Conv1d(hidden, hidden, 3, groups=hidden, padding=2)
    with torch.no_grad():
        convolution.weight.copy_(cell.kernel.T[:, None])
        convolution.bias.copy_(cell.bias)
    y = cell.enter(x).permute(0, 2, 3, 1).flatten(0, 1)  # (B S, hidden, F)
    y = convolution(y)[..., : x.shape[1]].unflatten(0, (len(x), -1)).permute(0, 3, 1, 2)
    return x + torch.tanh(cell.residual.gate) * cell.leave(y)


@pytest.mark.parametrize(
    ("name", "layout", "formula"),
    [
        *(("ssm_blockwise_released", layout, released_average) for layout in LAYOUTS),
        *(("ssm_hybrid_released", layout, released_convolution) for layout in LAYOUTS),
        ("ssm_blockwise_causal_v2_released", "context_first", released_average),
    ],
)
def test_recurrence_over_frames_that_stand_in_self_attention(name, layout, formula):
    """The scan runs from zeros, target first and then the context from its newest frame, or the context before it."""
    study = study_of(name, layout)
    row, setting = build(name, study), Setting(study)
    state = row.write(None, setting.evidence(3), setting.text)
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    read, cell = row.read(state, target, anchor), row.memory.cells["0"]
    assert read.hook_point == "after_attention" and read.frames.count == 4 and list(read.hooks) == [0]
    clean, ours = torch.randn(2, 5, 4, 16), torch.randn(2, target.count, 4, 16)  # clean: oldest first
    if row.profile.needs_context_first:
        expected = formula(cell, torch.cat([clean, ours], 1))
        moved = read.hooks[0](torch.cat([clean, ours], 1))
    else:
        theirs = formula(cell, torch.cat([ours, clean.flip(1)], 1))
        sequence = [ours, clean.flip(1)] if layout == "target_first" else [clean, ours]
        moved = read.hooks[0](torch.cat(sequence, 1))
        expected = theirs
        if layout == "context_first":
            expected = torch.cat([theirs[:, target.count :].flip(1), theirs[:, : target.count]], 1)
    torch.testing.assert_close(moved, expected, **CLOSE)


def test_the_first_block_wise_recurrence_is_blind_and_its_row_is_not():
    """Its scan gives the target the same whatever the context is; self-attention does not."""
    name = "ssm_blockwise_released"
    row, setting = build(name, study_of(name)), Setting(study_of(name))
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    outs, scans = [], []
    ours = torch.randn(2, target.count, 4, 16)
    for shift in (0.0, 1.0):
        latents = setting.latents.clone()
        latents[:, :8] += shift
        state = row.write(None, setting.evidence(3, latents), setting.text)
        hook = row.read(state, target, anchor).hooks[0]
        scans.append(hook(torch.cat([torch.randn(2, 5, 4, 16) + shift, ours], 1))[:, -target.count :])
        outs.append(velocity(row, setting, 3, state))
    assert torch.equal(*scans) and not torch.allclose(*outs)


def test_one_clean_frame_is_not_weighted_by_a_mixture():
    """So the released spatial rows, which have K = 1, compute the same with the mixture that their recipes name."""
    tokens = torch.randn(2, 4, 3, 8)
    torch.testing.assert_close(weight_by_similarity(tokens, slice(0, 1), slice(1, None), 1.0), tokens)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("compress_hybrid_r4_released", 0),
        ("spatial_released", 4_096),
        ("spatial_inject_none_released", 4_096),
        ("spatial_cross_attn_released", 9_447_425),
        ("ssm_hybrid_released", 8 * 9_454_081),
        ("ssm_blockwise_released", 8 * 7_084_033),
        ("ssm_blockwise_causal_v2_released", 8 * 7_087_105),
    ],
)
def test_parameters_at_the_papers_size(name, numbers):
    sizes = Sizes(1536, 12, 30, (22, 40), 52.67, "redundancy")
    with torch.device("meta"):
        memory = build_memory(parse_row(name, ROWS[name]), sizes, 0)
    assert sum(parameter.numel() for parameter in memory.parameters()) == numbers


@pytest.mark.parametrize("name", ["spatial_released", "spatial_cross_attn_released"])
def test_gradients_reach_what_reads_the_anchor_alone(name):
    """The rows with more than one frame are among those of test_families."""
    row, setting = build(name, study_of(name)), Setting(study_of(name))
    velocity(row, setting, 3, row.write(None, setting.evidence(3), setting.text)).square().mean().backward()
    assert all(
        weight.grad.abs().max() > 0 for part, weight in row.memory.named_parameters() if part != "readers.0.key.bias"
    )


def test_gates_start_closed_and_decay_at_a_half():
    row = build_memory(parse_row("x", ROWS["ssm_blockwise_released"]), Sizes(16, 2, 4, (2, 2), 75.0, "fifo"), 0)
    assert row.cells["0"].residual.gate == 0 and (row.cells["0"].rate.sigmoid() == 0.5).all()


def test_entries_are_what_the_recipes_say():
    """Shift and K of every released recipe, and its mixture wherever more than one frame could be weighted."""
    with RECIPES.open() as file:
        recipes = {line["row"]: line for line in csv.DictReader(file)}
    for name, recipe in recipes.items():
        row = parse_row(name, ROWS[f"{name}_released"])
        kept = getattr(row, "frames", getattr(row, "attended", 1 if getattr(row, "averaged", "") == "anchor" else None))
        assert row.timestep_shift == float(recipe["timestep_shift"]), name
        assert kept == int(recipe["context_frames"]), name
        if kept > 1:
            assert getattr(row, "mixture", False) == (recipe["mixture_of_contexts"] == "yes"), name
