"""A study's row by the public interface gives the study's own frames, and its scores the study's own numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from echo.encoding.codec import build_codec
from echo.encoding.text import Texts, write_texts
from echo.evidence.clips import Clips
from echo.evidence.policy import policy_of
from echo.measures.cases import measure_branch
from echo.measures.lpips import Lpips
from echo.measures.seen import see_branch
from echo.protocol.adapters.study_row import ShippedBase, StudyRow
from echo.protocol.case import load_case
from echo.protocol.errors import ProtocolError
from echo.protocol.export import write_set
from echo.protocol.measure import Meter
from echo.protocol.pools import scenes
from echo.protocol.scenes import Setting
from echo.protocol.truth import TrueCases
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.rollout.sampler import CaseBatch, Sampler
from echo.world.pool import open_pool
from echo.world.rooms.build import build_pool
from tests.conftest import ROOT, ROWS, Held, tiny_study
from tests.rollout.cases_of_tests import moved_row

STUDY = tiny_study(
    rows=["context_k5"],
    reference="context_k5",
    world={"size": 32, "open_domain_rooms": 2, "identities": 1},
    evaluate={"cases": 2, "probe_cases": 2, "branches": ["return_45", "recall"], "batch": 1},
)


@pytest.fixture(scope="module")
def pool(assets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "open_domain"
    build_pool(STUDY, "open_domain", folder, assets)
    return open_pool(folder)


@pytest.fixture(scope="module")
def row(pool):
    """A codec and a row that were trained on nothing, and give some frames all the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        codec = build_codec(STUDY.codec)
        signal = torch.from_numpy(pool.frames(pool.videos[0])).permute(0, 3, 1, 2) / 127.5 - 1
        codec.fit(signal.float(), 0)
        return codec, Sampler(STUDY, moved_row("context_k5", STUDY), "cpu", codec)


@pytest.fixture(scope="module")
def cases(pool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    setting = Setting("tiny", (32, 32), STUDY.world.field_of_view, STUDY.segment.frames, 8.0)
    made = scenes(setting, pool, 2, STUDY.evaluate.branches, STUDY)
    write_set(setting, made, folder / "cases", folder / "truth")
    return TrueCases(folder / "cases", folder / "truth")


@pytest.mark.parametrize("branch", ["return_45", "recall"])
def test_its_frames_and_its_numbers_are_the_studys(branch, pool, row, cases, weights, tmp_path):
    codec, sampler = row
    videos = [str(video) for video in choose_cases(STUDY, branch, pool.info).index]
    write_texts(STUDY.text, {video: pool.caption(video) for video in videos}, tmp_path / "text.safetensors")
    latents = [codec.encode(torch.from_numpy(pool.frames(video))) for video in videos]
    poses = np.stack([pool.poses(video) for video in videos])
    held = Held(videos, torch.stack(latents), poses, None)
    ranking = policy_of(STUDY).rank(STUDY, dict(zip(videos, poses, strict=True)))
    clips = Clips(held, Texts(tmp_path / "text.safetensors", STUDY.text), ranking)
    own = [sampler.rollout(CaseBatch.load(STUDY, branch, [video], clips, "cpu")) for video in videos]
    frames = np.stack([codec.decode_segments(generated[0]).numpy() for generated, _ in own])

    model, entries = StudyRow.of(STUDY, codec, sampler), [e for e in cases.set.cases if e.branch == branch]
    answers = [model.generate(cases.of(entry.name)) for entry in entries]
    assert [cases.of(entry.name).about.video for entry in entries] == videos
    assert np.array_equal(answers, frames) and frames.std() > 0

    rollout, seen = Rollout(frames, own[0][1], videos), see_branch(STUDY, branch, pool)
    view, segment = STUDY.world.field_of_view, STUDY.segment.frames
    _, table = measure_branch(rollout, branch, segment, view, pool, Lpips(weights), seen)
    meter = Meter(cases, weights)
    for (_, line), entry, answer in zip(table.iterrows(), entries, answers, strict=True):
        values = meter.measure(entry, answer).values
        for name in ("psnr", "ssim", "lpips", "first_psnr", "psnr_seen", "seen_past", "departure", "sharpness"):
            assert values[name] == line[name] or np.isnan(values[name]) and np.isnan(line[name]), name


def test_a_case_of_another_size_is_one_line(row, exported):
    with pytest.raises(ProtocolError, match=r"size is \(48, 64\), the row was trained with \(32, 32\)"):
        StudyRow.of(STUDY, *row).generate(load_case(exported[0], "return_45_000"))


def test_a_folder_without_the_row_is_one_line(tmp_path):
    (tmp_path / "study.json").write_text(STUDY.model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    with pytest.raises(ProtocolError, match="row = i2v: .* has context_k5"):
        StudyRow(str(tmp_path), "i2v")
    with pytest.raises(ProtocolError, match="model.safetensors: missing; train the row first"):
        StudyRow(str(tmp_path), "context_k5")


def test_the_shipped_base_is_a_model_of_64_pixels(exported):
    model = ShippedBase(str(ROOT / "config" / "config.yaml"))
    assert model.sampler.guide is not None
    with pytest.raises(ProtocolError, match=r"size is \(48, 64\), the row was trained with \(64, 64\)"):
        model.generate(load_case(exported[0], "return_45_000"))
