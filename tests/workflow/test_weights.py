"""Where a study's weights come from: released checkpoints, a base of its own, a shipped one, a guide."""

import json
import re
import shutil

import pytest
import yaml

from echo.study.config import load_study
from tests.conftest import ROOT
from tests.workflow.running import jobs, snakemake

RELEASED = {
    "study": "authors", "rows": ["i2v", "context_k5", "framepack_len_r8"], "row_options": {},
    "base": {"source": "drawn"}, "train": {"steps": 1},
    "backbone": {"camera": "attention", "ray_frequencies": 0, "clean_timestep": "target", "layout": "target_first"},
    "checkpoints": {
        "i2v": {"path": "k1.safetensors", "sha256": "a" * 64},
        "framepack_len_r8": {"repo": "a/b", "file": "r8/epoch-0.safetensors", "revision": "0123456789abcdef"},
    },
}  # fmt: skip


UNGUIDED = "sampler={guide: null, guidance: 1}"  # a guide speaks the latents of the shipped codec


def test_rows_with_a_released_checkpoint_are_imported_and_not_trained(clone):
    """By one command: one file is there, the other one is downloaded; the third row is trained as ever."""
    (clone / "authors.yaml").write_text(yaml.safe_dump(RELEASED))
    arguments = ("results/authors/tables/tables.md", "-n", "-p", "--configfile", "authors.yaml")
    missing = snakemake(clone, *arguments)
    assert missing.returncode != 0 and "checkpoints.i2v: k1.safetensors: no such file" in missing.stderr
    (clone / "k1.safetensors").write_text("")
    done = snakemake(clone, *arguments)
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert [counts[rule] for rule in ("train", "import_released", "released_file", "rollout")] == ["1", "2", "1", "3"]
    commands = [line for line in done.stdout.splitlines() if " import-released " in line]
    held = "resources/released/a--b@0123456789ab/r8/epoch-0.safetensors"
    assert sorted(re.findall(r"--row (\w+) --checkpoint (\S+)", " ".join(commands))) == [
        ("framepack_len_r8", held), ("i2v", "k1.safetensors")
    ]  # fmt: skip
    assert f"--sha256 {'a' * 64} --out runs/authors/train/i2v-0/model.safetensors" in done.stdout
    assert f"released-file --study @authors --row framepack_len_r8 --out {held}" in done.stdout
    assert "--row i2v --seed 0 --latents" not in done.stdout

    alone = {**RELEASED, "rows": ["i2v", "framepack_len_r8"]}
    (clone / "authors.yaml").write_text(yaml.safe_dump(alone))
    done = snakemake(clone, *arguments)
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert counts.get("train") is None and counts.get("base") is None and counts["latents"] == "2"  # none to train on


def test_a_base_is_trained_on_shards_of_its_own_and_shipped_by_one_command(clone):
    recipe = "base={source: trained, rooms: 30, shard_rooms: 10, shipped: own}"
    out = snakemake(clone, "-n", "ship", "--config", recipe, UNGUIDED).stdout
    assert [jobs(out, rule) for rule in ("base_clips", "base_train", "ship", "train", "base")] == [3, 1, 1, 0, 0]
    assert "shipped/own/base.safetensors" in out
    assert all(f"runs/mini/base/clips/{number}.safetensors" in out for number in range(3))
    drawn = snakemake(clone, "-n", "runs/mini/base.safetensors", "--config", "base={source: drawn}", UNGUIDED).stdout
    assert jobs(drawn, "base") == 1 and not jobs(drawn, "pool")  # drawn weights need no frames


@pytest.mark.parametrize("name", ["mini", "longer", "guide"])
def test_the_command_that_made_a_shipped_base_makes_it_again_where_it_is_shipped(clone, name):
    """Without ``--force`` Snakemake finds the committed files and has nothing to do."""
    shutil.copytree(ROOT / "shipped" / name, clone / "shipped" / name, dirs_exist_ok=True)
    command = re.search(r"^# +snakemake (ship .*)$", (ROOT / f"config/base_{name}.yaml").read_text(), re.MULTILINE)
    assert command and f"snakemake {command[1]}" in (ROOT / "docs/run.md").read_text()
    done = snakemake(clone, *command[1].split(), "-n")
    assert done.returncode == 0, done.stderr
    assert [jobs(done.stdout, rule) for rule in ("base_train", "ship")] == [1, 1]
    assert jobs(done.stdout, "base_clips") > 1


def test_a_shipped_base_is_an_input_and_brings_its_codec(clone, tmp_path):
    from echo.study.study import model_sizes

    folder = clone / "shipped" / "own"
    folder.mkdir()
    sizes = model_sizes(load_study(clone / "config" / "config.yaml"))
    files = {name: {"sha256": "0"} for name in ("base", "codec")}
    (folder / "record.json").write_text(json.dumps({"sizes": sizes, "files": files}))
    for name in files:
        (folder / f"{name}.safetensors").touch()
    out = snakemake(clone, "-n", "runs/mini/base.safetensors", "runs/mini/codec.safetensors", "--config",
                    "base={source: shipped, shipped: own}", UNGUIDED).stdout  # fmt: skip
    assert jobs(out, "base") == jobs(out, "codec") == 1 and not jobs(out, "base_clips")
    for name in files:
        assert re.search(rf"input: .*shipped/own/{name}.safetensors", out)
    refused = snakemake(clone, "-n", "--config", "base={source: shipped, shipped: own}", "codec={channels: 32}",
                        UNGUIDED)  # fmt: skip
    assert refused.returncode != 0
    assert "`codec.channels` = 32: the shipped base own is for 64" in refused.stderr.splitlines()[-1]


def test_what_a_training_begins_with_and_what_guides_are_inputs(clone):
    recipe = "base={source: trained, rooms: 20, shard_rooms: 10, shipped: own, begin: mini}"
    out = snakemake(clone, "-n", "ship", "--config", recipe).stdout
    assert [jobs(out, rule) for rule in ("base_clips", "base_train", "ship", "weights")] == [2, 1, 1, 0]
    assert re.search(r"input: .*clips/1.safetensors, shipped/mini/base.safetensors", out)
    assert re.search(r"input: .*shipped/mini/codec.safetensors", out)  # no codec is fitted, so no weights are fetched
    guided = "sampler={steps: 12, guide: guide, guidance: 1.5}"
    out = snakemake(clone, "-n", "--config", guided, "rows=[i2v]", "reference=i2v").stdout
    used = re.findall(r"^rule (\w+):\n    input: .*shipped/guide/base.safetensors", out, re.MULTILINE)
    assert sorted(used) == ["probe", "rollout"]
    refused = snakemake(clone, "-n", "--config", "sampler={guide: null, guidance: 1.5}")
    assert refused.returncode != 0 and "`sampler.guidance` = 1.5: needs sampler.guide" in refused.stderr
