"""Two processes train as one does, resume from each other's files, stop together and fail together."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from echo.__main__ import main
from echo.encoding.text import write_texts
from echo.io.files import write_json
from echo.io.tensors import save_tensors, stored_hash
from echo.training.preemption import PREEMPTED
from echo.training.resume import RESUME
from tests import workers
from tests.conftest import ROOT, ROWS, Setting, tiny_study
from tests.training.runs import assert_close

JOBS = {  # what two processes train; before or after them one process, where the name says so
    "ddp": ("ssm_blockwise", {"optimizer": "muon"}),
    "ddp_unread": ("spatial_inject_none", {}),
    "ddp_accumulated": ("context_k5", {"accumulate": 2}),
    "ddp_half": ("ssm_hybrid", {"precision": "bf16", "ema": 0.9}),
    "fsdp": ("ssm_hybrid", {"sharding": "fsdp", "gradient_checkpointing": True}),
    "one_then_ddp": ("spatial_cross_attn", {"optimizer": "muon", "ema": 0.5}),
    "one_then_fsdp_half": ("ssm_hybrid", {"sharding": "fsdp", "precision": "bf16", "ema": 0.9, "fused": True}),
    "ddp_then_one": ("spatial_cross_attn", {"optimizer": "muon", "ema": 0.5}),
    "fsdp_then_one": ("spatial_cross_attn", {"sharding": "fsdp", "ema": 0.5}),
}


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """Accelerate keeps the precision of the first run of a process."""
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Folder of all JOBS after two processes have run them."""
    folder, jobs = tmp_path_factory.mktemp("jobs"), []
    for name, (row, train) in JOBS.items():
        jobs.append({"name": name, "row": row, "train": train})
        (folder / name).mkdir()
        if name.startswith("one_then"):
            workers.run(folder / name, {**jobs[-1], "signal_rank": 0})
            assert (folder / name / "stopped.0").is_file()
        if name.endswith("then_one"):
            jobs[-1]["signal_rank"] = 1
    write_json(folder / "jobs.json", jobs)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, "-m", "tests.workers", str(folder)], cwd=ROOT, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def alone(folder, name) -> dict:
    """The weights of the same run in one process that nothing interrupts."""
    row, train = JOBS[name]
    one = workers.trainer(folder, row, {**train, "accumulate": 1})
    one.run()
    return one.weights()


@pytest.mark.parametrize("name", [name for name in JOBS if not name.endswith("then_one")])
def test_two_processes_end_with_the_weights_of_one(both, tmp_path, name):
    expected = alone(tmp_path, name)
    # Rounding, which AdamW's first steps enlarge where a gradient is close to zero; a step moves a weight by 2e-3.
    assert_close(load_file(both / name / "weights.safetensors"), expected, 5e-3 if "half" in name else 1e-4)
    start = workers.trainer(tmp_path / "start", JOBS[name][0], {}).weights()
    assert max((start[key] - expected[key]).abs().max().item() for key in start) > 5e-3


@pytest.mark.parametrize("name", ["ddp_then_one", "fsdp_then_one"])
def test_one_process_resumes_what_two_began(both, tmp_path, name):
    """A signal to the second process stopped both after the same step; the file is whole, and one process goes on."""
    texts = {(both / name / f"stopped.{rank}").read_text() for rank in (0, 1)}
    assert len(texts) == 1 and "after step 2 of 4" in texts.pop()
    assert (both / name / RESUME).is_file() and not (both / name / "weights.safetensors").exists()
    row, train = JOBS[name]
    resumed = workers.trainer(both / name, row, train)
    resumed.run()
    assert resumed.accepted == 4
    assert_close(resumed.weights(), alone(tmp_path, name), 1e-4)


def test_the_record_says_what_ran(both):
    facts = json.loads((both / "one_then_fsdp_half" / "facts.json").read_text())
    assert facts["processes"] == 2 and facts["precision"] == "bf16" and facts["steps_per_second"] > 0
    assert facts["device"] and facts["rejected_steps"] == 0


def test_micro_batches_give_the_weights_of_one_batch(tmp_path):
    runs = [workers.trainer(tmp_path / str(n), "ssm_hybrid", {"accumulate": n, "context_noise": 0.3}) for n in (1, 4)]
    for one in runs:
        one.run()
    assert_close(*(one.weights() for one in runs), 1e-4)


# The command line, on a cache as the stages before it leave it.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Study, latents, text, evidence and base of a tiny study; ``python -m echo train`` reads nothing else."""
    place = tmp_path_factory.mktemp("run")
    study = tiny_study(world={"size": 32}, train={"steps": 40, "batch": 2, "checkpoint_every": 1000})
    (place / "study.json").write_text(study.model_dump_json())
    (place / "rows.yaml").write_text(json.dumps(ROWS))
    made = Setting(study, clips=5)
    tensors = {}
    for number, video in enumerate(made.videos):
        tensors |= {f"{video}/latents": made.latents[number], f"{video}/poses": torch.from_numpy(made.poses[number])}
    (place / "latents").mkdir()
    save_tensors(place / "latents" / "0.safetensors", tensors)
    shard = {"file": "0.safetensors", "videos": made.videos, "sha256": stored_hash(place / "latents" / "0.safetensors")}
    write_json(place / "latents" / "index.json", {"settings": {}, "shards": [shard]})
    write_texts(study.text, {video: f"a room with {video}" for video in made.videos}, place / "text.safetensors")
    made.ranking.save(place / "evidence.safetensors")
    assert main([*map(str, command(place, "base", "base.safetensors"))]) == 0
    return place


def command(place, stage, out, *more) -> list:
    rest = ("--row", "context_k5", "--seed", 0, "--base", place / "base.safetensors") if stage == "train" else ()
    study, text, evidence = place / "study.json", place / "text.safetensors", place / "evidence.safetensors"
    return [stage, "--study", study, "--latents", place / "latents", "--text", text, "--evidence", evidence,
            "--out", place / out, *rest, *more]  # fmt: skip


def start(*arguments) -> subprocess.Popen:
    command = [sys.executable, "-m", "echo", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def uninterrupted(folder):
    assert main([*map(str, command(folder, "train", "whole/model.safetensors"))]) == 0
    return load_file(folder / "whole" / "model.safetensors")


def signal_two(arguments: list, out: Path) -> tuple[int, str]:
    """SIGTERM, once it trains, to the command that trains in two processes: its exit code and what it printed."""
    running = start(*arguments, "--processes", 2)
    deadline = time.monotonic() + 120
    while not list(out.glob("log/*")):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    running.send_signal(signal.SIGTERM)
    told = running.communicate(timeout=120)[1]
    return running.returncode, told


def signal_this(arguments: list, out: Path, capfd) -> tuple[int, str]:
    """SIGUSR1, once it trains, to the command in this process."""
    ended = threading.Event()

    def wish():
        while not list(out.glob("log/*")) and not ended.wait(0.01):
            pass
        while not ended.wait(0.1):  # until it is heard: the log may begin before the run listens
            os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=wish)
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # should it come too late, the test fails, not the process
    try:
        thread.start()
        code = main([*map(str, arguments)])
    finally:
        ended.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    return code, capfd.readouterr().err


@pytest.mark.parametrize("processes", [1, 2])
def test_a_signal_checkpoints_and_the_run_goes_on(folder, uninterrupted, processes, capfd):
    out = folder / f"stopped{processes}"
    arguments = command(folder, "train", out / "model.safetensors")
    code, told = signal_two(arguments, out) if processes == 2 else signal_this(arguments, out, capfd)
    assert code == PREEMPTED, told
    lines = [line for line in told.splitlines() if line.startswith("echo train: ")]
    assert len(lines) == 1 and "stopped by a signal after step" in lines[0] and "Traceback" not in told
    assert (out / RESUME).is_file() and not (out / "model.safetensors").exists()
    assert not list(out.glob("*record.json"))

    assert main([*map(str, command(folder, "train", out / "model.safetensors"))]) == 0
    resumed = load_file(out / "model.safetensors")
    if processes == 1:
        assert all(torch.equal(resumed[name], value) for name, value in uninterrupted.items())
    assert_close(resumed, uninterrupted, 1e-2)
    assert not (out / RESUME).exists() and (out / "model.record.json").is_file()


def test_a_number_of_processes_that_cannot_share_the_batch(folder, capsys):
    assert main([*map(str, command(folder, "train", "refused/model.safetensors", "--processes", 3))]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == ["echo train: train.batch = 2 must be a multiple of processes x train.accumulate = 3 x 1"]


def test_the_average_is_that_of_the_weights_after_every_step(tmp_path):
    one, history = workers.trainer(tmp_path, "i2v", {"ema": 0.3}), []
    name = "backbone.transformer.proj_out.weight"
    weight = dict(one.row.named_parameters())[name]
    expected = weight.detach().double().clone()
    step = one._one_step

    def watched():
        result = step()
        history.append(weight.detach().double().clone())
        return result

    one._one_step = watched
    one.run()
    for number, value in enumerate(history, 1):
        decay = min(0.3, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * value
    assert torch.allclose(one.weights()[name].double(), expected, atol=1e-6)
    one.finish(tmp_path / "model.safetensors")
    assert torch.equal(load_file(tmp_path / "model.safetensors")[name], one.average[name])
    assert not torch.equal(one.average[name], weight)


@pytest.mark.parametrize("row", ["ssm_blockwise", "ssm_hybrid"])
def test_half_precision_keeps_the_gradients(tmp_path, row):
    """Also of weights that were first used without gradients, by the writes of earlier segments."""
    both = []
    for precision in ("fp32", "bf16"):
        one = workers.trainer(tmp_path, row, {"precision": precision})
        one.step = 2
        one._gradients()
        both.append({name: weight.grad for name, weight in one.row.named_parameters() if weight.grad is not None})
    assert both[0].keys() == both[1].keys()
    for name, gradient in both[0].items():
        if gradient.norm() > 1e-3:
            assert torch.cosine_similarity(gradient.flatten(), both[1][name].flatten(), dim=0) > 0.98, name
            assert both[1][name].dtype == torch.float32
