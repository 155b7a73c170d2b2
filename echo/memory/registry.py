"""From a profile to its memory, by family name alone."""

from __future__ import annotations

import importlib

import torch

from echo.memory.base import Memory, Sizes
from echo.memory.profile import Profile
from echo.seeding import derive


def build_memory(profile: Profile, sizes: Sizes, seed: int) -> Memory:
    """The row's memory with fresh parameters, drawn from the row's own named stream of ``seed``."""
    module = importlib.import_module(f"echo.memory.{profile.family}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "memory", profile.family, profile.seed_stream))
        return module.build(module.Settings.model_validate(profile.model_dump()), sizes)
