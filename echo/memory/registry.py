"""From a profile to its memory, by the family's name alone."""

from __future__ import annotations

import importlib

import torch

from echo.io.seeding import derive
from echo.memory.base import Memory, Sizes
from echo.study.profile import Profile


def build_memory(profile: Profile, sizes: Sizes, seed: int) -> Memory:
    """A row's memory with fresh parameters, drawn from the row's own named stream of ``seed``."""
    module = importlib.import_module(f"echo.memory.{profile.family}.memory")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "memory", profile.family, profile.seed_stream))
        return module.build(profile, sizes)
