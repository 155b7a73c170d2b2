"""The formula of the released rows, in plain torch on tensors under their released names: a slow reference.

Sizes are those of the tests' models.
"""

import math

import torch
from torch.nn import functional

LAYERS, HEADS, WIDTH, FFN, CHANNELS, TEXT, PATCH, CELLS = 5, 2, 24, 40, 5, 6, 2, 3


def apply(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def rms(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def layer_norm(x):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-6).sqrt()


def attend(weights, name, x, y, turn=None):
    """Multi-head attention of x (B, N, D) to y (B, M, D); turn (N, head_dim / 2): complex rotations of each token."""
    query = rms(apply(weights, f"{name}.q", x), weights[f"{name}.norm_q.weight"])
    key = rms(apply(weights, f"{name}.k", y), weights[f"{name}.norm_k.weight"])
    query, key, value = (
        v.unflatten(-1, (HEADS, -1)).transpose(1, 2) for v in (query, key, apply(weights, f"{name}.v", y))
    )
    if turn is not None:
        query, key = (
            torch.view_as_real(torch.view_as_complex(v.unflatten(-1, (-1, 2)).contiguous()) * turn).flatten(-2)
            for v in (query, key)
        )
    logits = query @ key.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
    return apply(weights, f"{name}.o", (logits.softmax(-1) @ value).transpose(1, 2).flatten(2))


def turns(times, height, width):
    """Complex rotations (F height width, head_dim / 2): time, row and column each turn a third of a head."""

    def angles(positions, size):
        return torch.outer(positions, 10000.0 ** (-torch.arange(0, size, 2) / size))

    third = WIDTH // HEADS // 3
    sizes = (WIDTH // HEADS - 2 * third, third, third)
    grid = torch.meshgrid(times.float(), torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    angle = torch.cat([angles(g.flatten(), size) for g, size in zip(grid, sizes, strict=True)], 1)
    return torch.polar(torch.ones_like(angle), angle)


def recur(weights, name, x, frames):
    """x + scale W (s_f sigmoid(g_f)), s_f = a s_(f-1) + (1 - a) tanh(v_f), from zero, each position on its own."""
    paths = x.unflatten(1, (frames, -1))
    inputs = functional.layer_norm(
        paths, (WIDTH,), weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"], eps=1e-5
    )
    update, gate = apply(weights, f"{name}.in_proj", inputs).chunk(2, -1)
    decay, state, outs = weights[f"{name}.decay_logit"].sigmoid(), torch.zeros_like(update[:, 0]), []
    for frame in range(frames):
        state = decay * state + (1 - decay) * update[:, frame].tanh()
        outs.append(state * gate[:, frame].sigmoid())
    scale = 0.1 + 0.1 * weights[f"{name}.residual_logit"].sigmoid()
    return x + scale * apply(weights, f"{name}.out_proj", torch.stack(outs, 1)).flatten(1, 2)


def first_half(weights, n, x, modulation, turn, actions):
    """A block up to the end of its self-attention."""
    name, frames = f"blocks.{n}", actions.shape[1]
    acted = x.unflatten(1, (frames, -1)) + apply(weights, f"{name}.action_mlp.proj", actions)[:, :, None]
    along = acted.transpose(1, 2).flatten(0, 1)
    along = attend(weights, f"{name}.self_attn_with_action", along, along)
    x = x + along.unflatten(0, (len(x), -1)).transpose(1, 2).flatten(1, 2)

    shift, scale, gate = (weights[f"{name}.modulation"] + modulation).chunk(6, 1)[:3]
    inputs = layer_norm(x) * (1 + scale) + shift
    return x + gate * attend(weights, f"{name}.self_attn", inputs, inputs, turn)


def second_half(weights, n, x, words, modulation):
    name = f"blocks.{n}"
    shift, scale, gate = (weights[f"{name}.modulation"] + modulation).chunk(6, 1)[3:]
    inputs = layer_norm(x) * weights[f"{name}.norm3.weight"] + weights[f"{name}.norm3.bias"]
    x = x + attend(weights, f"{name}.cross_attn", inputs, words)
    inputs = layer_norm(x) * (1 + scale) + shift
    hidden = functional.gelu(apply(weights, f"{name}.ffn.0", inputs), approximate="tanh")
    return x + gate * apply(weights, f"{name}.ffn.2", hidden)


def mix(x, frames, clean):
    """Mixture of contexts: the last ``clean`` frames by their mean tokens' cosine with the mean target token."""
    grid = x.unflatten(1, (frames, -1)).clone()
    target = grid[:, : frames - clean].mean((1, 2))
    for clip in range(len(x)):
        likeness = torch.stack(
            [functional.cosine_similarity(target[clip], grid[clip, f].mean(0), dim=0) for f in range(-clean, 0)]
        )
        grid[clip, frames - clean :] = grid[clip, frames - clean :] * (clean * likeness.softmax(0))[:, None, None]
    return grid.flatten(1, 2)


def embed(weights, latents):
    """Tokens (B, F height width, D) of latents (B, F, C, H, W), and the grid (F, height, width)."""
    x = functional.conv3d(
        latents.transpose(1, 2),
        weights["patch_embedding.weight"],
        weights["patch_embedding.bias"],
        stride=(1, PATCH, PATCH),
    )
    return x.flatten(2).transpose(1, 2), x.shape[2:]


def embed_time(weights, timestep):
    """Time embedding (B, D) and modulation (B, 6, D)."""
    angle = 1000 * timestep[:, None] * 10000.0 ** (-torch.arange(WIDTH) / WIDTH)
    time = apply(weights, "time_embedding.0", torch.cat([angle.cos(), angle.sin()], 1))
    time = apply(weights, "time_embedding.2", functional.silu(time))
    return time, apply(weights, "time_projection.1", functional.silu(time)).unflatten(1, (6, WIDTH))


def formula(weights, latents, timestep, text, actions, times, mixed: int = 0):
    """Velocity (B, F, C, H, W) of all frames of latents (B, F, C, H, W) at positions ``times`` (F,)."""
    x, (frames, height, width) = embed(weights, latents)
    if mixed:
        x = mix(x, frames, mixed)
    time, modulation = embed_time(weights, timestep)
    words = functional.gelu(apply(weights, "text_embedding.0", text), approximate="tanh")
    words = apply(weights, "text_embedding.2", words)
    turn = turns(times, height, width)
    for n in range(LAYERS):
        x = first_half(weights, n, x, modulation, turn, actions)
        if f"blocks.{n}.block_wise_ssm.decay_logit" in weights:
            x = recur(weights, f"blocks.{n}.block_wise_ssm", x, frames)
        x = second_half(weights, n, x, words, modulation)
    shift, scale = (weights["head.modulation"] + time[:, None]).chunk(2, 1)
    x = apply(weights, "head.head", layer_norm(x) * (1 + scale) + shift)
    x = x.unflatten(1, (frames, height, width)).unflatten(-1, (PATCH, PATCH, CHANNELS))
    return x.permute(0, 1, 6, 2, 4, 3, 5).reshape(latents.shape)
