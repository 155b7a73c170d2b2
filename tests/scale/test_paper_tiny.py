"""The paper's study at tiny sizes, whole: model folder, recordings, caching, two processes, rollouts, measures, tables.

Takes minutes: run by ``.ci/run``, or ``python -m pytest tests/scale``.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch

from echo.io.tensors import read_header
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.endpoint import Endpoint
from echo.judge.vision_language.local import LocalModel
from echo.judge.vision_language.question import Question, png
from tests.conftest import ROOT
from tests.copied import copy_project
from tests.judge.tiny_model import save_tiny_model, served
from tests.scale.paper_tiny import SIZES_AND_PATHS, write_study
from tests.scale.snakemake import snakemake

# Keys of paper.yaml that say how large something is, where it lies, or what machine runs it.
ALLOWED = {
    "study", "rows", "pretrained.path", "world.path", "world.size", "world.held_out_videos", "world.train_rooms",
    "world.in_domain_rooms", "world.open_domain_rooms", "segment.frames", "codec.channels", "text.dim", "text.tokens",
    "backbone.layers", "backbone.heads", "backbone.head_dim", "backbone.ffn_dim", "train.steps", "train.batch",
    "train.checkpoint_every", "sampler.steps", "evaluate.references", "evaluate.cases", "evaluate.probe_cases",
    "evaluate.bootstrap", "judges.qwen3_vl.model", "judges.qwen3_vl.revision", "judges.qwen3_vl.endpoint",
    "judges.qwen3_vl.max_tokens", "judges.qwen3_vl.side", "compute.processes", "compute.latent_shares",
    "compute.device", "open_domain.images",
}  # fmt: skip


def flat(mapping: dict, prefix: str = "") -> dict:
    """Keys like ``world.size`` of a nested mapping."""
    found = {}
    for name, value in mapping.items():
        found.update(flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return found


@pytest.fixture(scope="module")
def judge(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """The files of a tiny random model of the judge's class, and where `transformers serve` serves it."""
    folder = save_tiny_model(tmp_path_factory.mktemp("judge"))
    with served(folder) as url:
        yield folder, url


@pytest.fixture(scope="module")
def run(tmp_path_factory, judge) -> Path:
    """A copy of the repository in which the whole study has run."""
    folder = copy_project(tmp_path_factory.mktemp("paper"), "resources/weights")
    model, endpoint = judge
    study = write_study(folder / "data", judge={"model": str(model), "endpoint": endpoint})
    tables = "results/paper_tiny/tables/tables.md"  # figures and notebooks of another study are tested elsewhere
    snakemake(folder, tables, "open_domain", "--configfile", str(study))
    return folder


def record(run: Path, name: str) -> dict:
    return json.loads((run / "runs" / "paper_tiny" / name).read_text())


def test_the_study_differs_from_the_papers_in_sizes_and_paths_alone(tmp_path):
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    tiny = flat({**paper, **{k: {**paper[k], **v} if isinstance(v, dict) else v for k, v in SIZES_AND_PATHS.items()}})
    paper = flat(paper)
    changed = {key for key in tiny.keys() | paper.keys() if tiny.get(key) != paper.get(key)}
    assert changed <= ALLOWED and "train.precision" not in changed


def test_every_training_ran_in_two_processes_in_bfloat16(run):
    records = [record(run, f"train/{row}-0/model.record.json") for row in SIZES_AND_PATHS["rows"]]
    for found in records:
        assert found["processes"] == 2 and found["precision"] == "bf16" and np.isfinite(found["final_loss"])
    assert len({found["base_sha256"] for found in records}) == 1


def test_training_starts_from_the_pretrained_weights(run):
    """The shared base holds the folder's weights, to the last bit."""
    from echo.encoding.pretrained import load_transformer

    base = load_file(run / "runs/paper_tiny/base.safetensors")
    pretrained = load_transformer(run / "data" / "wan").state_dict()
    for name, value in pretrained.items():
        np.testing.assert_array_equal(base[f"backbone.transformer.{name}"], value.numpy())


def test_segments_are_coded_as_a_whole_and_shared_out(run):
    folder = run / "runs/paper_tiny/latents/train"
    shards = [load_torch(path) for path in folder.rglob("*.safetensors")]  # bfloat16, which numpy does not know
    videos = {name.split("/")[0] for shard in shards for name in shard}
    assert len(videos) == 8
    one = sorted(videos)[0]
    tensors = {name: value for shard in shards for name, value in shard.items() if name.startswith(f"{one}/")}
    assert tensors[f"{one}/latents"].shape == (21, 4, 4, 6) and tensors[f"{one}/targets"].shape == (4, 2, 4, 4, 6)
    assert tensors[f"{one}/latents"].dtype == torch.bfloat16
    throughput = [record(run, f"latents/train/shares/{n}/record.json")["throughput"] for n in range(2)]
    assert sum(one["frames"] for one in throughput) == 8 * 21
    assert max(one["frames_per_second"] for one in throughput) > 0


def test_rollouts_have_every_frame_of_every_branch(run):
    for branch, frames in (("replay", 15), ("loop", 20), ("return_45", 10), ("return_strict", 15), ("recall", 5)):
        path = run / f"runs/paper_tiny/rollout/i2v-0/{branch}.safetensors"
        assert load_file(path)["frames"].shape == (4, frames, 32, 48, 3)
        assert len(read_header(path)["cases"]) == 4


def test_measures_and_tables_are_whole(run):
    cases = pd.read_csv(run / "results/paper_tiny/tables/cases.csv.xz")
    measured = [*SIZES_AND_PATHS["rows"], *SIZES_AND_PATHS["evaluate"]["references"]]
    assert set(cases.row_name) == set(measured) and len(cases) == len(measured) * 5 * 4
    assert np.isfinite(cases[["psnr", "ssim", "lpips"]]).all(axis=None)
    assert "ssm_blockwise_causal_v2" in (run / "results/paper_tiny/tables/summary.csv").read_text()


def test_the_judge_was_asked_and_what_is_no_answer_is_missing_and_counted(run):
    """A random model says nothing that is a score: all is missing, nothing is 0, and every reply is kept."""
    cases = pd.read_csv(run / "results/paper_tiny/tables/cases.csv.xz")
    assert cases.judge.isna().all()
    kept = [json.loads(path.read_text()) for path in (run / "runs" / "answers").rglob("*.json")]
    asked = 0
    for name in (*(f"{row}-0" for row in SIZES_AND_PATHS["rows"]), *SIZES_AND_PATHS["evaluate"]["references"]):
        report = record(run, f"judge/qwen3_vl/{name}.record.json")["judge"]
        # Two orders of four cases of three branches that return, less what other rows drew alike.
        assert report["questions"] == 24 and report["asked"] + report["kept"] == 24 and report["lost"] == 0
        assert report["cases without scores"] == 12 and sum(report["missing"].values()) == 24
        assert all(reason.startswith("no answer: ") for reason in report["missing"])
        asked += report["asked"]
    assert len(kept) >= asked > 24
    assert {answer["asked"]["order"] for answer in kept} == {"first_view_first", "first_view_last"}
    assert all(answer["reply"]["model"] and len(answer["asked"]["images"]) == 3 for answer in kept)


def test_pictures_without_truth_are_rolled_out_and_judged(run):
    """By every row, and by what can be drawn of a lone frame; the judge is asked about pictures without a mask too."""
    folder = run / "runs/paper_tiny/open_domain"
    assert record(run, "open_domain/pool/record.json")["pictures"] == 2
    frames = load_file(folder / "rollout/ssm_blockwise_causal_v2-0/return_45.safetensors")["frames"]
    assert frames.shape == (2, 10, 32, 48, 3) and frames.std() > 0
    rows = [*SIZES_AND_PATHS["rows"], *SIZES_AND_PATHS["evaluate"]["references"]]
    cases = pd.read_csv(run / "results/paper_tiny/open_domain/open_domain.csv")
    assert cases[["row_name", "picture"]].values.tolist() == [[r, p] for r in rows for p in ("garden", "inside-hall")]
    assert cases.judge.isna().all() and (cases["missing"] == "the judge gave no score").all()
    assert np.isfinite(cases[["first_psnr", "first_lpips"]]).all(axis=None)
    for name in (*(f"{row}-0" for row in SIZES_AND_PATHS["rows"]), *SIZES_AND_PATHS["evaluate"]["references"]):
        asked = record(run, f"open_domain/judge/qwen3_vl/{name}.record.json")
        assert asked["judge"]["questions"] == 4 and asked["missing"] == {"the judge gave no score": 2}
    strips = sorted(path.name for path in (run / "results/paper_tiny/open_domain/strips").iterdir())
    assert strips == ["garden__return_45.jpg", "inside-hall__return_45.jpg"]


def test_the_server_replies_what_the_same_model_in_this_process_does(judge):
    model, endpoint = judge
    settings = Settings(model=str(model), revision=None, endpoint=endpoint, max_tokens=24, side=56)
    frame = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    question = Question(png(frame, 56), (png(frame[::-1].copy(), 56),), "sofa", "first_view_last", 0)
    served, own = Endpoint(settings).reply(question), LocalModel(settings).reply(question)
    assert served.text == own.text and len(own.text) > 4 and served.finish == own.finish == "length"


def test_the_records_say_what_the_recordings_lack_and_which_clips_were_cut(run):
    assert record(run, "index/recordings.record.json")["missing"] == {}
    assert record(run, "pool/open_domain/record.json")["clips"] == {"return_45": 4, "return_strict": 4}
