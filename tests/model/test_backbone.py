import pytest
import torch
from diffusers import WanTransformer3DModel

from echo.memory.base import Estimate, ReadOut
from echo.model.backbone import Backbone
from echo.model.row import Row
from tests.conftest import tiny_study


def own_forward(backbone: Backbone) -> WanTransformer3DModel:
    """A transformer of diffusers' own blocks with a backbone's weights."""
    theirs = WanTransformer3DModel(**{k: v for k, v in backbone.transformer.config.items() if not k.startswith("_")})
    theirs.load_state_dict(backbone.transformer.state_dict())
    return theirs


def test_agrees_with_diffusers_own_forward(setting):
    """Rays off, actions at zero: the same numbers as WanTransformer3DModel with a timestep a token."""
    study = tiny_study(backbone={"ray_frequencies": 0})
    backbone = Backbone(study.backbone, study.codec.channels, study.text.dim).eval()
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    t = torch.tensor([0.3, 0.8])
    ours = backbone(target, t, anchor, setting.text, ReadOut(frames=setting.evidence(3).span(1, 4)))
    frames = torch.cat([setting.evidence(3).span(1, 4).latents, anchor.latents, target.latents], 1).transpose(1, 2)
    cells = study.grid[0] * study.grid[1]
    per_token = torch.cat([torch.zeros(2, 4 * cells), (t * 1000)[:, None].expand(-1, 4 * cells)], 1)
    theirs = own_forward(backbone)(frames, per_token, setting.text, return_dict=False)[0]
    torch.testing.assert_close(ours, theirs.transpose(1, 2)[:, 4:], rtol=1e-4, atol=1e-5)


def test_the_time_embedding_is_not_rounded_by_autocast():
    """Wan embeds the timestep in float32 whatever the precision of the blocks; in bfloat16 it is off by 0.5 %."""
    study = tiny_study()
    backbone = Backbone(study.backbone, study.codec.channels, study.text.dim)
    timesteps = torch.linspace(0, 1, 7)
    exact = backbone.time(timesteps)
    with torch.autocast("cpu", torch.bfloat16):
        found = backbone.time(timesteps)
    assert all(torch.equal(a, b) for a, b in zip(found, exact, strict=True))


def test_actions_start_at_zero_and_are_added_to_every_token():
    study = tiny_study()
    backbone = Backbone(study.backbone, study.codec.channels, study.text.dim)
    tokens, actions = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 12)
    assert torch.equal(backbone.inject_actions(0, tokens, actions), tokens)
    torch.nn.init.normal_(backbone.actions[0].weight)
    added = backbone.inject_actions(0, tokens, actions) - tokens
    torch.testing.assert_close(added, backbone.actions[0](actions)[:, :, None].expand_as(added), rtol=1e-4, atol=1e-5)


def test_clean_frames_of_a_clean_pass_do_not_see_each_other(setting, study):
    row = Row(study, study.profiles["ssm_blockwise"])
    frames, outs = setting.evidence(3), {}
    changed = frames.with_latents(frames.latents.clone())
    changed.latents[:, 0] += 1

    def keep(name):
        def hook(tokens):
            outs.setdefault(name, []).append(tokens)
            return tokens

        return dict.fromkeys(range(4), hook)

    row.backbone.clean_pass(frames, setting.text, keep("before"))
    row.backbone.clean_pass(changed, setting.text, keep("after"))
    for before, after in zip(outs["before"], outs["after"], strict=True):
        torch.testing.assert_close(before[:, 1:], after[:, 1:])
        assert not torch.allclose(before[:, 0], after[:, 0])


def test_a_weight_scales_a_frames_tokens(setting, study):
    backbone = Row(study, study.profiles["i2v"]).backbone
    frames = setting.evidence(3)
    weight = torch.full(frames.index.shape, 0.5)
    half = type(frames)(frames.latents, frames.actions, frames.rays, frames.index, weight)
    torch.testing.assert_close(backbone.embed(half), 0.5 * backbone.embed(frames))


def test_attention_logits_start_at_the_gain():
    backbone = Backbone(tiny_study(backbone={"attention_gain": 1.5}).backbone, 5, 6)
    for block in backbone.transformer.blocks:
        assert (block.attn1.norm_q.weight == 1.5).all() and (block.attn1.norm_k.weight == 1.5).all()
        assert (block.attn2.norm_q.weight == 1).all()


def backbone_of(study, **given) -> Backbone:
    return Backbone(study.backbone, study.codec.channels, study.text.dim, **given)


@pytest.mark.parametrize("clean_timestep", ["zero", "target"])
def test_the_released_layout_agrees_with_diffusers_own_forward(setting, clean_timestep):
    """Target, anchor, then the memory's frames from the newest back; clean frames at timestep 0 or the target's."""
    rig = {"ray_frequencies": 0, "layout": "target_first", "clean_timestep": clean_timestep}
    study = tiny_study(rows=["i2v"], backbone=rig)
    backbone = backbone_of(study).eval()
    target, evidence = setting.target(3), setting.evidence(3)
    anchor, read = evidence.span(0, 1), evidence.span(1, 4)
    t = torch.tensor([0.3, 0.8])
    ours = backbone(target, t, anchor, setting.text, ReadOut(frames=read))
    frames = torch.cat([target.latents, anchor.latents, read.latents.flip(1)], 1).transpose(1, 2)
    cells = study.grid[0] * study.grid[1]
    noisy = (t * 1000)[:, None].expand(-1, 4 * cells)
    clean = noisy if clean_timestep == "target" else torch.zeros_like(noisy)
    theirs = own_forward(backbone)(frames, torch.cat([noisy, clean], 1), setting.text, return_dict=False)[0]
    torch.testing.assert_close(ours, theirs.transpose(1, 2)[:, :4], rtol=1e-4, atol=1e-5)


def test_the_camera_enters_through_an_attention_that_starts_at_zero():
    backbone = backbone_of(tiny_study(backbone={"camera": "attention"}))
    tokens, actions = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 12)
    assert torch.equal(backbone.inject_actions(0, tokens, actions), tokens)
    torch.nn.init.normal_(backbone.actions[0].weight)
    torch.nn.init.normal_(backbone.cameras[0].attention.to_out[0].weight)
    whole = backbone.inject_actions(0, tokens, actions)
    acted = tokens + backbone.actions[0](actions)[:, :, None]
    path = backbone.cameras[0].attention(acted[:1, :, 2])  # one position of one clip
    torch.testing.assert_close(whole[:1, :, 2], tokens[:1, :, 2] + path)
    alone = backbone.inject_actions(0, tokens, actions, per_frame=True)
    torch.testing.assert_close(alone[:, 1:2], backbone.inject_actions(0, tokens[:, 1:2], actions[:, 1:2]))
    assert not torch.allclose(alone, whole, atol=1e-3)


def test_with_camera_attention_frames_of_a_clean_pass_do_not_see_each_other(setting):
    backbone = backbone_of(tiny_study(backbone={"camera": "attention"}))
    for camera in backbone.cameras:
        torch.nn.init.normal_(camera.attention.to_out[0].weight)
    frames, outs = setting.evidence(3), []
    changed = frames.with_latents(frames.latents.clone())
    changed.latents[:, 0] += 1
    for given in (frames, changed):
        kept = []
        backbone.clean_pass(given, setting.text, {3: lambda tokens, kept=kept: kept.append(tokens) or tokens})
        outs.append(kept[-1])
    torch.testing.assert_close(outs[0][:, 1:], outs[1][:, 1:])
    assert not torch.allclose(outs[0][:, 0], outs[1][:, 0])


@pytest.mark.parametrize("name", ["context_k5", "spatial_cross_attn", "ssm_blockwise", "ssm_blockwise_causal_v2"])
def test_checkpointing_changes_no_gradient(name, setting, monkeypatch):
    from echo.model import backbone

    study, calls, gradients = tiny_study(row_options={"state_space": {"every": 2}}), [], []
    recompute = backbone.checkpoint
    monkeypatch.setattr(backbone, "checkpoint", lambda *a, **k: calls.append(1) or recompute(*a, **k))
    for checkpointing in (False, True):
        row = Row(study, study.profiles[name])
        torch.manual_seed(0)
        for parameter in row.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        row.backbone.checkpointing = checkpointing
        state = row.write(None, setting.evidence(3), setting.text)
        anchor = setting.evidence(3, anchor_only=True)
        row(setting.target(3), torch.tensor([0.3, 0.8]), anchor, setting.text, state).square().sum().backward()
        gradients.append({part: p.grad for part, p in row.named_parameters() if p.grad is not None})
        assert bool(calls) == checkpointing
    assert gradients[0].keys() == gradients[1].keys()
    for part, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][part], gradient)


def forward(backbone, setting, read: ReadOut):
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    return backbone(target, torch.tensor([0.3, 0.8]), anchor, setting.text, read)


def test_a_hook_sees_the_whole_sequence_of_its_block(setting, study):
    backbone, seen = backbone_of(study), {}
    # Not the same number for all channels: the norms after the hook would take it out again.
    change = torch.linspace(-1, 1, backbone.width)
    for index in (0, 2):
        backbone_out = forward(
            backbone, setting, ReadOut(hooks={index: lambda tokens, i=index: seen.setdefault(i, tokens) + change})
        )
        assert not torch.allclose(backbone_out, forward(backbone, setting, ReadOut()))
    cells = study.grid[0] * study.grid[1]
    assert {tuple(tokens.shape) for tokens in seen.values()} == {(2, 1 + study.segment.frames, cells, backbone.width)}
    assert not torch.equal(seen[0], seen[2])


@pytest.mark.parametrize("block", [-1, 4])
def test_a_hook_on_a_block_there_is_not_is_refused(setting, study, block):
    backbone, hooks = backbone_of(study), {block: lambda tokens: tokens}
    message = rf"hooks on blocks \[{block}\], but the backbone has blocks 0 to 3"
    with pytest.raises(ValueError, match=message):
        forward(backbone, setting, ReadOut(hooks=hooks))
    with pytest.raises(ValueError, match=message):
        backbone.clean_pass(setting.evidence(3), setting.text, hooks)


def test_an_estimate_is_refused_until_something_uses_it(setting, study):
    latents = setting.target(3).latents
    estimate = Estimate(latents, torch.ones(*latents.shape[:2], 4))
    with pytest.raises(NotImplementedError, match="ReadOut.estimate is set"):
        forward(backbone_of(study), setting, ReadOut(estimate=estimate))


def pretrained(study, **given) -> WanTransformer3DModel:
    """A transformer as it comes out of a folder, its sizes the study's unless given."""
    backbone = study.backbone
    sizes = {"patch_size": [1, 1, 1], "num_attention_heads": backbone.heads, "attention_head_dim": backbone.head_dim,
             "in_channels": 5, "out_channels": 5, "text_dim": 6, "freq_dim": 10, "ffn_dim": backbone.ffn_dim,
             "num_layers": backbone.layers}  # fmt: skip
    return WanTransformer3DModel(**sizes | given)


def test_a_pretrained_transformer_is_used_as_it_is():
    study = tiny_study()
    transformer = pretrained(study)
    before = {name: value.clone() for name, value in transformer.state_dict().items()}
    backbone = backbone_of(study, transformer=transformer)
    assert backbone.transformer is transformer
    assert all(torch.equal(value, before[name]) for name, value in transformer.state_dict().items())
    fresh = backbone_of(study)
    assert backbone.state_dict().keys() == fresh.state_dict().keys()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_layers": 5}, "num_layers = 5, but backbone.layers asks for 4"),
        ({"num_attention_heads": 4}, "num_attention_heads = 4, but backbone.heads asks for 2"),
        ({"attention_head_dim": 10}, "attention_head_dim = 10, but backbone.head_dim asks for 8"),
        ({"ffn_dim": 25}, "ffn_dim = 25, but backbone.ffn_dim asks for 24"),
        ({"patch_size": [1, 2, 2]}, r"patch_size = \(1, 2, 2\), but backbone.patch asks for \(1, 1, 1\)"),
        ({"in_channels": 36}, "in_channels = 36, but codec.channels asks for 5"),
        ({"text_dim": 8}, "text_dim = 8, but text.dim asks for 6"),
        ({"image_dim": 8}, "image_dim = 8; expected a text-to-video one"),
    ],
)
def test_a_pretrained_transformer_of_other_sizes_is_named(given, message):
    study = tiny_study()
    with pytest.raises(ValueError, match=f"the pretrained transformer has {message}") as error:
        backbone_of(study, transformer=pretrained(study, **given))
    assert "\n" not in str(error.value)
