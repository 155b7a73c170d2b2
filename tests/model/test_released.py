"""Released checkpoints: every key has its place, and converted rows compute what the release's formula says.

The formula stands in ``tests/model/released_formula.py``.
"""

import json

import pytest
import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import save_file
from torch.nn import functional

from echo.__main__ import main
from echo.evidence.frames import Frames
from echo.io.files import sha256
from echo.io.tensors import TensorFileError, read_header
from echo.model import released
from echo.model.released import ReleasedError, fill, import_released, key_map, released_name
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from echo.study.config import Study
from echo.study.profile import Evidence
from echo.study.sections import EvidenceConfig
from tests import released_files
from tests.conftest import ROOT, ROWS, Setting, tiny_study
from tests.model.released_formula import (
    CELLS,
    CHANNELS,
    FFN,
    HEADS,
    LAYERS,
    PATCH,
    TEXT,
    WIDTH,
    apply,
    embed,
    embed_time,
    first_half,
    formula,
    turns,
)
from tests.released_files import Sizes, released_shapes

SIZES = {"layers": LAYERS, "heads": HEADS, "head_dim": WIDTH // HEADS, "ffn_dim": FFN, "patch": PATCH}
RECURRENT = (0, 4)  # every 4th block


def study_of(row: str, **backbone) -> Study:
    layout = "context_first" if row.startswith("ssm") else "target_first"
    rig = {"ray_frequencies": 0, "camera": "attention", "clean_timestep": "target", "layout": layout}
    return tiny_study(
        rows=["i2v", row] if row != "i2v" else ["i2v"],
        row_options={},
        world={"size": 8 * PATCH * CELLS},
        codec={"channels": CHANNELS, "downsample": 8},
        text={"dim": TEXT},
        backbone={**SIZES, **rig, **backbone},
    )


def sizes(recurrent: tuple[int, ...] = (), layers: int = LAYERS) -> Sizes:
    return Sizes(layers, WIDTH, FFN, CHANNELS, TEXT, PATCH, recurrent)


def released_weights(recurrent: tuple[int, ...] = ()) -> dict[str, torch.Tensor]:
    return released_files.released_weights(sizes(recurrent))


def write(path, weights: dict[str, torch.Tensor]):
    save_file(weights, path)
    return path


# Rows of converted weights against it.


def some_frames(count: int, first: int = 0, seed: int = 0) -> Frames:
    draw = torch.Generator().manual_seed(seed)
    return Frames(
        torch.randn(2, count, CHANNELS, PATCH * CELLS, PATCH * CELLS, generator=draw),
        torch.randn(2, count, 12, generator=draw),
        torch.randn(2, count, CELLS, CELLS, 6, generator=draw),
        torch.arange(first, first + count).expand(2, -1),
    )


def converted(row: str, weights, path) -> Row:
    study = study_of(row)
    model = Row(study, study.profiles[row])
    fill(model, write(path, weights))
    return model


TIMESTEP = torch.tensor([0.3, 0.8])
WORDS = torch.randn(2, 4, TEXT, generator=torch.Generator().manual_seed(9))


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())


def test_context_computes_the_released_formula(tmp_path):
    """context_k1: the target, then the clean frame, all at one timestep, at positions 0, 1, 2, ..."""
    weights = released_weights()
    row = converted("i2v", weights, tmp_path / "k1.safetensors")
    target, anchor = some_frames(4, 8), some_frames(1, 7, seed=1)
    ours = row(target, TIMESTEP, anchor, WORDS, row.write(None, anchor, WORDS))
    latents = torch.cat([target.latents, anchor.latents], 1)
    actions = torch.cat([target.actions, anchor.actions], 1)
    theirs = formula(weights, latents, TIMESTEP, WORDS, actions, torch.arange(5))
    close(ours, theirs[:, :4])


def test_the_recurrence_computes_the_released_formula(tmp_path):
    """Causal v2: clean frames before the target, at positions -K..-1; the state starts at zero."""
    weights = released_weights(RECURRENT)
    row = converted("ssm_blockwise_causal_v2", weights, tmp_path / "v2.safetensors")
    target, context = some_frames(4, 8), some_frames(3, 5, seed=1)
    state = row.write(None, context.span(2, None), WORDS)
    assert not any(value.any() for value in state.values())
    ours = row(target, TIMESTEP, context, WORDS, state)
    latents = torch.cat([context.latents, target.latents], 1)
    actions = torch.cat([context.actions, target.actions], 1)
    theirs = formula(weights, latents, TIMESTEP, WORDS, actions, torch.arange(-3, 4))
    close(ours, theirs[:, 3:])
    without = formula(
        {k: v for k, v in weights.items() if "ssm" not in k}, latents, TIMESTEP, WORDS, actions, torch.arange(-3, 4)
    )
    assert not torch.allclose(theirs, without, rtol=1e-2)


def test_history_is_written_as_the_released_recurrence_would_frame_by_frame(tmp_path):
    """Block 0's state after three frames of history, each passed through at timestep 0 without the others."""
    weights = released_weights(RECURRENT)
    row = converted("ssm_blockwise_causal_v2", weights, tmp_path / "v2.safetensors")
    history = some_frames(4)
    written = row.write(None, history.take(torch.tensor([[3, 1, 0, 2]] * 2)), WORDS)["0"]

    name, state = "blocks.0.block_wise_ssm", torch.zeros_like(written)
    modulation = embed_time(weights, torch.zeros(2))[1]
    for frame in range(3):
        one = history.span(frame, frame + 1)
        x, grid = embed(weights, one.latents)
        x = first_half(weights, 0, x, modulation, turns(torch.arange(1), *grid[1:]), one.actions)
        inputs = functional.layer_norm(x, (WIDTH,), weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"])
        update = apply(weights, f"{name}.in_proj", inputs)[..., :WIDTH].tanh()
        decay = weights[f"{name}.decay_logit"].sigmoid()
        state = decay * state + (1 - decay) * update
    close(written, state)


def test_compression_computes_the_released_formula(tmp_path):
    """framepack_len_r8: groups of 8 from the newest back, coarse views mixed in, frames weighed by their likeness."""
    weights = released_weights()
    row = converted("framepack_len_r8", weights, tmp_path / "r8.safetensors")
    target, history = some_frames(4, 18), some_frames(18, seed=1)
    newest_first = torch.arange(18).flip(0).expand(2, -1)
    evidence = history.take(newest_first)  # anchor first
    state = row.write(None, evidence, WORDS)
    ours = row(target, TIMESTEP, evidence.span(0, 1), WORDS, state)

    latents, actions = [target.latents, evidence.latents[:, :1]], [target.actions, evidence.actions[:, :1]]
    for start in (1, 9, 17):
        fine = evidence.latents[:, start : start + 8].mean(1)
        views = [fine]
        for size in (2, 4):
            side = PATCH * CELLS
            coarse = torch.stack([
                torch.stack([fine[:, :, i : i + size, j : j + size].mean((-1, -2)) for j in range(0, side, size)], -1)
                for i in range(0, side, size)
            ], -2)  # fmt: skip
            views.append(functional.interpolate(coarse, (side, side), mode="bilinear", align_corners=False))
        latents.append((0.6 * views[0] + 0.25 * views[1] + 0.15 * views[2])[:, None])
        actions.append(evidence.actions[:, start : start + 8].mean(1, keepdim=True))
    theirs = formula(
        weights, torch.cat(latents, 1), TIMESTEP, WORDS, torch.cat(actions, 1), torch.arange(8), mixed=4
    )  # fmt: skip
    close(ours, theirs[:, :4])


def test_the_map_covers_the_825_keys_of_the_transformer_at_30_blocks():
    with torch.device("meta"):
        transformer = WanTransformer3DModel(num_layers=30, num_attention_heads=1, attention_head_dim=12, ffn_dim=8)
    names = {released_name(f"backbone.transformer.{name}") for name in transformer.state_dict()}
    listed = {n for n in released_shapes(sizes(layers=30)) if "action" not in n}
    assert names == listed and len(listed) == 825


@pytest.mark.parametrize(("row", "recurrent"), [("i2v", ()), ("ssm_blockwise_causal_v2", RECURRENT)])
def test_every_key_and_every_parameter_has_its_place(row, recurrent):
    study = study_of(row)
    model = Row(study, study.profiles[row])
    names = key_map(model)
    assert set(names) == set(released_shapes(sizes(recurrent)))
    assert sorted(names.values()) == sorted(model.state_dict())


def test_the_listed_files_are_of_rows_there_are_and_the_document_lists_the_same():
    document = (ROOT / "docs" / "released.md").read_text()
    for digest, row in released.LISTED.items():
        assert row in ROWS
        assert any(f"`{row}`" in line and digest in line for line in document.splitlines())


def test_a_block_is_converted_to_the_last_bit_and_bfloat16_widens(tmp_path):
    weights = {name: value.bfloat16() for name, value in released_weights(RECURRENT).items()}
    row = converted("ssm_blockwise_causal_v2", weights, tmp_path / "v2.safetensors")
    values = row.state_dict()
    for name, ours in key_map(row).items():
        assert values[ours].dtype == torch.float32
        assert torch.equal(values[ours].flatten(), weights[name].float().flatten())


def test_the_command_writes_a_checkpoint_that_the_row_loads(tmp_path):
    study = study_of("ssm_blockwise_causal_v2")
    (tmp_path / "study.json").write_text(study.model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    path = write(tmp_path / "epoch-0.safetensors", released_weights(RECURRENT))
    out = tmp_path / "train" / "model.safetensors"
    arguments = ["import-released", "--study", tmp_path / "study.json", "--row", "ssm_blockwise_causal_v2"]
    assert main([str(a) for a in (*arguments, "--checkpoint", path, "--out", out)]) == 0
    row = Row(study, study.profiles["ssm_blockwise_causal_v2"])
    assert row.load(out)["released_sha256"] == read_header(out)["released_sha256"]
    assert torch.equal(
        row.state_dict()["memory.cells.4.rate"], released_weights(RECURRENT)["blocks.4.block_wise_ssm.decay_logit"]
    )
    record = json.loads((tmp_path / "train" / "model.record.json").read_text())
    assert record["released_sha256"] == read_header(out)["released_sha256"]
    assert record["base_sha256"].startswith("released ") and record["rejected_steps"] == "not known"


def test_a_released_row_in_its_own_layout_equals_the_studys(tmp_path):
    """The same weights, sequence and frames, whether the study or the row says the layout."""
    weights, target = released_weights(RECURRENT), some_frames(2, seed=1)
    path = write(tmp_path / "v2.safetensors", weights)
    study, other = study_of("ssm_blockwise_causal_v2"), study_of("i2v")
    profile = study.profiles["ssm_blockwise_causal_v2"]
    rows = []
    for one, row in ((study, profile), (other, profile.model_copy(update={"layout": "context_first"}))):
        import_released(one, row, path, tmp_path / f"{row.layout}.safetensors")
        rows.append(Row(one, row))
        rows[-1].load(tmp_path / f"{row.layout}.safetensors")
    text, level, anchor = torch.randn(len(target.index), 4, TEXT), torch.full((len(target.index),), 0.4), some_frames(1)
    with torch.no_grad():
        outputs = [row(target, level, anchor, text, row.write(None, some_frames(4), text)) for row in rows]
    assert torch.equal(*outputs) and not rows[1].backbone.target_first


def test_a_released_row_is_rolled_out_by_the_releases_protocol(tmp_path):
    """Imported from a file of released names, continued from the segment before, guided away from a prompt."""
    entry = Evidence(source="previous_chunk_tail", frames=81, continuation="tail")
    study = study_of("framepack_len_r8")
    sampler = study.sampler.model_copy(update={"text_guidance": 5.0, "negative_prompt": "static", "steps": 2})
    study = study.model_copy(update={"evidence": EvidenceConfig(policy="as_released"), "sampler": sampler})
    profile = study.profiles["framepack_len_r8"].model_copy(update={"evidence": entry, "timestep_shift": 15.0})
    import_released(
        study, profile, write(tmp_path / "r8.safetensors", released_weights()), tmp_path / "row.safetensors"
    )
    row, made = load_row(study, profile, 0, tmp_path / "row.safetensors"), Setting(study, kind="loop")
    negative = torch.randn(study.text.tokens, study.text.dim)
    batch = CaseBatch("loop", made.videos, made.segments, made.latents, made.text, negative)
    seen, write_memory = [], row.memory.write
    row.memory.write = lambda state, frames, *rest: (
        seen.append(frames.index[0].tolist()) or write_memory(state, frames, *rest)
    )
    frames, _ = Sampler(study, row).rollout(batch)
    assert seen == [[0], [4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]] and frames.isfinite().all()


def test_the_sha256_that_was_asked_for_is_checked(tmp_path):
    path = write(tmp_path / "k1.safetensors", released_weights())
    study, out = study_of("i2v"), tmp_path / "out.safetensors"
    held = sha256(path)
    with pytest.raises(ReleasedError, match=f"its sha256 is {held}, expected {'0' * 64}"):
        import_released(study, study.profiles["i2v"], path, out, "0" * 64)
    assert not out.exists()
    assert import_released(study, study.profiles["i2v"], path, out, held) == held


def test_a_listed_file_may_be_the_row_as_released(tmp_path, monkeypatch):
    path = write(tmp_path / "r8.safetensors", released_weights())
    monkeypatch.setitem(released.LISTED, sha256(path), "framepack_len_r8")
    study = study_of("framepack_len_r8")
    named = study.profiles["framepack_len_r8"].model_copy(update={"name": "framepack_len_r8_released"})
    import_released(study, named, path, tmp_path / "out.safetensors")
    with pytest.raises(ReleasedError, match="this is the authors' framepack_len_r8, not i2v"):
        import_released(study, study.profiles["i2v"], path, tmp_path / "other.safetensors")


# What does not fit.


def refuse(row: str, path, message: str, error: type[Exception] = ReleasedError, **backbone) -> None:
    study = study_of(row, **backbone)
    out = path.with_name("out.safetensors")
    with pytest.raises(error, match=message) as caught:
        import_released(study, study.profiles[row], path, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_missing_and_extra_keys_are_counted_and_listed(tmp_path):
    weights = released_weights()
    del weights["blocks.2.ffn.0.bias"]
    weights["blocks.2.surprise"] = torch.zeros(3)
    refuse(
        "i2v",
        write(tmp_path / "a.safetensors", weights),
        r"a.safetensors: not a checkpoint of row i2v at these sizes: 1 keys that the row does not use: "
        r"blocks.2.surprise; 1 keys that the file does not hold: blocks.2.ffn.0.bias$",
    )


def test_a_wrong_shape_names_both(tmp_path):
    weights = {**released_weights(), "blocks.1.cross_attn.k.weight": torch.zeros(WIDTH, WIDTH + 1)}
    refuse(
        "i2v",
        write(tmp_path / "a.safetensors", weights),
        r"blocks.1.cross_attn.k.weight has shape \(24, 25\), but backbone.transformer.blocks.1.attn2.to_k.weight has "
        r"\(24, 24\)",
    )


def test_a_truncated_file_says_so(tmp_path):
    path = write(tmp_path / "a.safetensors", released_weights())
    path.write_bytes(path.read_bytes()[:-50])
    refuse("i2v", path, "a.safetensors: truncated or not a safetensors file", TensorFileError)


def test_a_checkpoint_of_another_row_is_refused(tmp_path, monkeypatch):
    plain = write(tmp_path / "k1.safetensors", released_weights())
    recurrent = write(tmp_path / "v2.safetensors", released_weights(RECURRENT))
    refuse("i2v", recurrent, r"16 keys that the row does not use: blocks.0.block_wise_ssm.decay_logit, .*, \.\.\.; 0 ")
    refuse("ssm_blockwise_causal_v2", plain, r"0 keys that the row does not use; 16 keys that the file does not hold: ")
    refuse("ssm_blockwise", recurrent, r"row ssm_blockwise has cell = average, but the released recurrence has gated")
    refuse("spatial", plain, r"row spatial has \d+ parameters that no released checkpoint has: memory.place, ")
    monkeypatch.setitem(released.LISTED, released.sha256(plain), "framepack_len_r8")
    refuse("i2v", plain, r"k1.safetensors: by its sha256 this is the authors' framepack_len_r8, not i2v")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"ray_frequencies": 2},
            "backbone.ray_frequencies = 2, but the released .* row i2v was trained with 0",
        ),
        ({"camera": "add"}, "backbone.camera = add, but .* was trained with attention"),
        ({"layout": "context_first"}, "backbone.layout = context_first, but .* was trained with target_first"),
        ({"clean_timestep": "zero"}, "backbone.clean_timestep = zero, but .* was trained with target"),
    ],
)
def test_a_backbone_the_weights_were_not_trained_in_is_refused(tmp_path, setting, message):
    refuse("i2v", write(tmp_path / "a.safetensors", released_weights()), message, **setting)
