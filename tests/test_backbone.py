import torch

from echo.backbone import Backbone, Rays, ReadOut
from echo.memory.base import Memory
from echo.model import Row
from tests.conftest import tiny_study


def test_agrees_with_diffusers_own_forward(setting):
    """Rays off, actions at zero: the same numbers as WanTransformer3DModel with a timestep a token."""
    study = tiny_study(backbone={"ray_frequencies": 0})
    backbone = Backbone(study.backbone, study.codec.channels, study.text.dim).eval()
    target, anchor = setting.target(3), setting.evidence(3, anchor_only=True)
    t = torch.tensor([0.3, 0.8])
    ours = backbone(target, t, anchor, setting.text, Memory(), ReadOut(frames=setting.evidence(3).span(1, 4)))
    frames = torch.cat([setting.evidence(3).span(1, 4).latents, anchor.latents, target.latents], 1).transpose(1, 2)
    cells = study.grid[0] * study.grid[1]
    per_token = torch.cat([torch.zeros(2, 4 * cells), (t * 1000)[:, None].expand(-1, 4 * cells)], 1)
    theirs = backbone.transformer(frames, per_token, setting.text, return_dict=False)[0]
    torch.testing.assert_close(ours, theirs.transpose(1, 2)[:, 4:], rtol=1e-4, atol=1e-5)


def test_actions_start_at_zero_and_are_added_to_every_token():
    study = tiny_study()
    backbone = Backbone(study.backbone, study.codec.channels, study.text.dim)
    tokens, actions = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 12)
    assert torch.equal(backbone.act(0, tokens, actions), tokens)
    torch.nn.init.normal_(backbone.actions[0].weight)
    added = backbone.act(0, tokens, actions) - tokens
    torch.testing.assert_close(added, backbone.actions[0](actions)[:, :, None].expand_as(added), rtol=1e-4, atol=1e-5)


def test_clean_frames_of_a_clean_pass_do_not_see_each_other(setting, study):
    row = Row(study, study.profiles["ssm_blockwise"])
    frames, outs = setting.evidence(3), {}
    changed = frames.with_latents(frames.latents.clone())
    changed.latents[:, 0] += 1

    def keep(name):
        def after(index, tokens):
            outs.setdefault(name, []).append(tokens)
            return tokens

        return after

    row.backbone.clean_pass(frames, setting.text, 3, keep("before"))
    row.backbone.clean_pass(changed, setting.text, 3, keep("after"))
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


def test_rays_of_one_direction_have_one_embedding():
    rays = Rays(3, 8)
    same = torch.randn(6).expand(2, 5, 6)
    out = rays(same)
    torch.testing.assert_close(out, out[:1, :1].expand_as(out))
    assert not torch.allclose(rays(torch.zeros(6)), rays(torch.ones(6)))
