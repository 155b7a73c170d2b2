"""Generate a row's returns again with its memory erased, swapped, shuffled, or left in part."""

from __future__ import annotations

from pathlib import Path

from echo.encoding.codec import load_codec
from echo.evidence.clips import Clips
from echo.io.device import device
from echo.io.files import sha256
from echo.measures.probes import check_probed, probe
from echo.rollout.cases import choose_cases
from echo.rollout.guide import Guide
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.study.words import BRANCHES, RETURN_FRAMES
from echo.world.pool import open_pool

READS = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train", "sampler", "grid",
         "target_latents", "evaluate.splits", "evaluate.cases", "evaluate.batch",
         "evaluate.probe_cases", "evaluate.probe_threshold")  # fmt: skip
CHOOSES = {"codec.kind": "echo.encoding.codecs.{}", "evidence.policy": "echo.evidence.{}"}


def run(
    study: Study,
    row: str,
    seed: int,
    model: Path,
    codec: Path,
    pool: Path,
    latents: Path,
    text: Path,
    evidence: Path,
    out: Path,
    guide: Path | None = None,
) -> None:
    """Write the probed frames of ``row`` to the file ``out``, then fail if its memory contradicts its profile.

    guide: a shipped base's folder.
    """
    part = part_of(study, "probe")
    with recorded(record_of(out), study, "probe", row) as record:
        decoder = load_codec(codec)
        guiding = Guide.load(part, guide, decoder) if guide else None
        sampler = Sampler(part, load_row(part, study.profiles[row], seed, model), device(), decoder, guiding)
        opened = open_pool(pool, (BRANCHES["recall"].split(part.evaluate.splits),))
        info = choose_cases(part, "recall", opened.info)[: part.evaluate.probe_cases]
        clips = Clips.load(part, latents, text, evidence)
        batch = CaseBatch.load(part, "recall", list(info.index), clips, "cpu")
        probed = probe(sampler, batch, list(info.room), lambda some: decoder.decode_end(some, RETURN_FRAMES).numpy())
        probed.save(out)
        record |= {"checkpoint_sha256": sha256(model), "train_seed": seed}
        record["changes"] = {name: float(values.mean()) for name, values in probed.changes.items()}
    check_probed(study.profiles[row], probed, part)
