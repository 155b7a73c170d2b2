"""A tiny random Wan 2.1 in the real diffusers folder layout, sharded weights included, and a study that uses it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import yaml

from echo.study.config import Study, parse_study
from tests.conftest import ROOT, ROWS

SIZES = {
    "patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 4, "out_channels": 4,
    "text_dim": 16, "freq_dim": 48, "ffn_dim": 48, "num_layers": 4,
}  # fmt: skip
VAE = {
    "base_dim": 8, "z_dim": 4, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1,
    "temperal_downsample": [False, True, True],
    "latents_mean": [0.1, -0.2, 0.0, 0.3], "latents_std": [0.9, 1.1, 1.0, 1.3],
}  # fmt: skip
TEXT = {"vocab_size": 384, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}


def save_wan_folder(folder: Path) -> Path:
    """Write the folder and return it; random weights, drawn from fixed seeds."""
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = WanTransformer3DModel(**SIZES)
        vae = AutoencoderKLWan(**VAE)
        encoder = UMT5EncoderModel(UMT5Config(**TEXT))
    transformer.save_pretrained(folder / "transformer", max_shard_size="100KB")
    vae.save_pretrained(folder / "vae")
    encoder.save_pretrained(folder / "text_encoder", max_shard_size="20KB")
    save_tokenizer(folder / "tokenizer")
    UniPCMultistepScheduler().save_pretrained(folder / "scheduler")
    classes = {"transformer": ["diffusers", "WanTransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"],
               "text_encoder": ["transformers", "UMT5EncoderModel"], "tokenizer": ["transformers", "T5TokenizerFast"],
               "scheduler": ["diffusers", "UniPCMultistepScheduler"]}  # fmt: skip
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline", **classes}))
    return folder


def save_tokenizer(folder: Path) -> None:
    """A sentence-piece-like tokenizer of single letters, of the class that Wan's folder names."""
    from transformers import T5TokenizerFast

    letters = "▁abcdefghijklmnopqrstuvwxyz0123456789.,"
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -1.0) for letter in letters)]
    T5TokenizerFast(vocab=vocabulary, extra_ids=0).save_pretrained(folder)


def wan_sections(folder: Path | None) -> dict:
    """What a study needs to use the folder; without one, to download it."""
    source = {"path": str(folder)} if folder else {"repo": "org/wan", "revision": "a" * 40}
    return {
        "pretrained": source,
        "base": {"source": "pretrained", "steps": 0},
        "codec": {"kind": "wan", "temporal": 4, "channels": 4, "downsample": 8},
        "text": {"kind": "umt5", "dim": 16, "tokens": 24},
        "backbone": {"layers": 4, "heads": 2, "head_dim": 12, "ffn_dim": 48, "patch": 2, "ray_frequencies": 0},
    }


def wan_study(folder: Path | None, **sections) -> Study:
    """A study of tiny sizes on that model."""
    data = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    data |= {"world": {**data["world"], "train_rooms": 4}, "segment": {"frames": 5}, **wan_sections(folder), **sections}
    families = {ROWS[row]["family"] for row in data["rows"]}
    data["row_options"] = {family: options for family, options in data["row_options"].items() if family in families}
    return parse_study(data, ROWS)
