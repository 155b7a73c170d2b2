"""Roll a trained row out on every branch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.encoding.codec import load_codec
from echo.evidence.clips import Clips
from echo.io.device import device
from echo.io.files import digest, sha256
from echo.io.publish import publish
from echo.io.tensors import read_header
from echo.measures.cases import Rollout
from echo.rollout.cases import choose_cases
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.study.words import BRANCHES, HELD_OUT
from echo.world.pool import open_pool

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "sampler", "grid",
         "latent_size", "target_latents", "evaluate.cases", "evaluate.branches", "evaluate.batch")  # fmt: skip
