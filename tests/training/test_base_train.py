"""The base: without memory, trained by its recipe, shipped, and what every row starts from."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from echo.__main__ import main
from echo.encoding.codec import load_codec
from echo.encoding.fit import fit_codec
from echo.io.tensors import read_header, save_tensors, stored_hash
from echo.model.base import BASE
from echo.model.row import CheckpointError, Row
from echo.study.provenance import stage_digest
from echo.training.resume import RESUME
from echo.training.stages import base as stage
from echo.world.rooms.assets import fetch_assets
from tests.conftest import ROOT, ROWS, tiny_study
from tests.encoding.videos import Videos
from tests.killed import killed

RECIPE = {"source": "trained", "rooms": 4, "shard_rooms": 2, "steps": 150, "warmup": 5, "checkpoint_every": 5}
STUDY = tiny_study(rows=["i2v", "context_k5"], base=RECIPE)


def echo(*arguments) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with the study, its codec and the shards of its clips."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "study.json").write_text(STUDY.model_dump_json())
    (folder / "rows.yaml").write_text(json.dumps(ROWS))
    fit_codec(STUDY.codec, 0, Videos(), folder / "codec.safetensors")
    assets = fetch_assets(ROOT / "resources" / "assets")
    for number in range(STUDY.base.shards):
        assert not echo("base-clips", "--study", folder / "study.json", "--shard", number, "--assets", assets,
                        "--codec", folder / "codec.safetensors", "--out", folder / f"{number}.safetensors")  # fmt: skip
    return folder


def training(made: Path, out: Path) -> list[str]:
    shards = [part for number in range(2) for part in ("--shards", str(made / f"{number}.safetensors"))]
    return ["base-train", "--study", str(made / "study.json"), *shards, "--out", str(out)]


@pytest.fixture(scope="module")
def trained(made) -> Path:
    """The base that the recipe makes without an interruption."""
    torch.set_num_threads(1)
    assert not echo(*training(made, made / "whole" / "base.safetensors"))
    return made / "whole" / "base.safetensors"


@pytest.fixture(scope="module")
def shipped(made, trained) -> Path:
    assert not echo("ship", "--base", trained, "--codec", made / "codec.safetensors", "--out", made / "shipped/tiny")
    return made / "shipped" / "tiny"


def test_a_recipe_that_was_killed_ships_the_same_bytes(made, trained, shipped, tmp_path):
    out = tmp_path / "base.safetensors"
    killed(main, training(made, out), once=(tmp_path / "base" / RESUME).is_file, after=0.1)
    assert not out.exists()
    assert 0 < read_header(tmp_path / "base" / RESUME)["counters"]["step"] < RECIPE["steps"]
    torch.set_num_threads(1)
    assert not echo(*training(made, out))
    assert not echo("ship", "--base", out, "--codec", made / "codec.safetensors", "--out", tmp_path / "again")
    for name in ("base", "codec"):
        assert (tmp_path / "again" / f"{name}.safetensors").read_bytes() == (
            shipped / f"{name}.safetensors"
        ).read_bytes()
    lines = (tmp_path / "base" / "progress.csv").read_text().splitlines()[1:]
    whole = (made / "whole" / "base" / "progress.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [line.split(",")[:2] for line in whole]
    assert len(whole) == RECIPE["steps"] // RECIPE["checkpoint_every"]


def test_the_recipe_lowers_the_loss_and_ships_the_average(made, trained):
    losses = [float(line.split(",")[1]) for line in (made / "whole/base/progress.csv").read_text().splitlines()[1:]]
    assert sum(losses[-5:]) < 0.97 * sum(losses[:5])
    record = json.loads((made / "whole" / "base.record.json").read_text())
    assert record["recipe"]["steps"] == record["steps"] == 150 and record["windows"] == 16
    assert record["shards"] == [stored_hash(made / f"{number}.safetensors") for number in range(2)]
    assert record["encoder"] == load_codec(made / "codec.safetensors").encoder_digest()


def test_a_training_of_another_recipe_is_not_thrown_away(made, tmp_path, capsys):
    (tmp_path / "base").mkdir()
    header = {"fingerprint": "other", "counters": {"step": 4000}}
    save_tensors(tmp_path / "base" / RESUME, {"a": torch.zeros(1)}, header)
    before = (tmp_path / "base" / RESUME).read_bytes()
    assert echo(*training(made, tmp_path / "base.safetensors")) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "4000 steps of a training of another configuration or code" in line and "rm '" in line
    assert (tmp_path / "base" / RESUME).read_bytes() == before


def shipped_study(**sections):
    return tiny_study(rows=["i2v", "context_k5"], **sections)


def take(shipped: Path, out: Path) -> None:
    study = shipped_study().model_copy(update={"base": STUDY.base.model_copy(update={"source": "shipped"})})
    stage.run(study, out, shipped=shipped)


def test_rows_start_from_a_shipped_base_in_single_precision(trained, shipped, tmp_path):
    take(shipped, tmp_path / "base.safetensors")
    row = Row(STUDY, STUDY.profiles["context_k5"])
    row.start_from(tmp_path / "base.safetensors", BASE)
    full, half = load_file(trained), load_file(shipped / "base.safetensors")
    for name, value in row.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, half[name].float())
        torch.testing.assert_close(value, full[name], rtol=1e-3, atol=1e-6)
    assert all(value.dtype == torch.float16 for value in half.values())
    other = tiny_study(text={"dim": 8})
    with pytest.raises(CheckpointError, match='rig has .*"dim": 6.* asks for .*"dim": 8'):
        Row(other, other.profiles["i2v"]).start_from(tmp_path / "base.safetensors", BASE)


def test_a_row_may_read_other_evidence_than_its_base_knew(shipped, tmp_path):
    take(shipped, tmp_path / "base.safetensors")
    study = tiny_study(evidence={"rule": "recent"}, train={"timestep_shift": 3.0})
    Row(study, study.profiles["context_k5"]).start_from(tmp_path / "base.safetensors", BASE)


@pytest.mark.parametrize("damage", ["byte", "other", "gone"])
def test_a_damaged_shipped_base_is_one_line(shipped, tmp_path, damage, made, capsys, monkeypatch):
    folder = tmp_path / "shipped" / "tiny"
    folder.mkdir(parents=True)
    for path in shipped.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    target = folder / "base.safetensors"
    if damage == "byte":
        content = bytearray(target.read_bytes())
        content[-3] ^= 1
        target.write_bytes(content)
    elif damage == "other":  # whole, but not what the record lists
        tensors = load_file(target)
        save_tensors(target, {name: value + 1 for name, value in tensors.items()}, read_header(target))
    else:
        target.unlink()
    monkeypatch.chdir(tmp_path)
    study = json.loads(STUDY.model_dump_json())
    study["base"] |= {"source": "shipped", "shipped": "tiny"}
    (tmp_path / "study.json").write_text(json.dumps(study))
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    assert echo("base", "--study", "study.json", "--shipped", "shipped/tiny", "--out", tmp_path / "b.safetensors") == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "base.safetensors" in line and "git checkout -- shipped/tiny" in line
    assert not (tmp_path / "b.safetensors").exists()


def begun(shipped: Path, tmp_path: Path, **recipe) -> list[str]:
    """The command that trains on the clips of the codec that ``shipped`` has, in half precision, beginning with it."""
    study = json.loads(STUDY.model_dump_json())
    study["base"] |= {"begin": "tiny", "steps": 10, "seed": 1, **recipe}
    (tmp_path / "study.json").write_text(json.dumps(study))
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    clips, codec, assets = tmp_path / "0.safetensors", shipped / "codec.safetensors", ROOT / "resources" / "assets"
    assert not echo("base-clips", "--study", tmp_path / "study.json", "--shard", 0, "--codec", codec,
                    "--assets", assets, "--out", clips)  # fmt: skip
    return ["base-train", "--study", str(tmp_path / "study.json"), "--shards", str(clips),
            "--shipped", str(shipped), "--out", str(tmp_path / "base.safetensors")]  # fmt: skip


def first_loss(folder: Path) -> float:
    return float((folder / "base" / "progress.csv").read_text().splitlines()[1].split(",")[1])


def test_a_training_goes_on_from_a_shipped_base(made, shipped, tmp_path, monkeypatch):
    """Its loss begins where the shipped base's ended, far below that of drawn weights, and the record says so."""
    monkeypatch.chdir(made)  # where shipped/tiny is
    (tmp_path / "drawn").mkdir()
    assert not echo(*begun(shipped, tmp_path))
    assert not echo(*begun(shipped, tmp_path / "drawn", begin_with="codec"))
    assert first_loss(tmp_path) < 0.9 * first_loss(tmp_path / "drawn")
    record = json.loads((tmp_path / "base.record.json").read_text())
    assert record["begun_from"] == {"name": "tiny", "sha256": stored_hash(shipped / "base.safetensors")}
    assert "begun_from" not in json.loads((tmp_path / "drawn" / "base.record.json").read_text())
    assert not echo("ship", "--base", tmp_path / "base.safetensors", "--codec", shipped / "codec.safetensors",
                    "--out", tmp_path / "longer")  # fmt: skip
    first, longer = (json.loads((folder / "record.json").read_text()) for folder in (shipped, tmp_path / "longer"))
    assert longer["training"]["begun_from"] == record["begun_from"]
    assert longer["files"]["codec"]["sha256"] == first["files"]["codec"]["sha256"]  # what a guide is compared by


def test_clips_of_another_codec_than_the_shipped_one_are_refused(made, shipped, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(made)
    command = begun(shipped, tmp_path)
    command[command.index("--shards") + 1] = str(made / "0.safetensors")  # of the codec before it was rounded
    assert echo(*command) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"the codec in {shipped} has encoder" in line and not (tmp_path / "base.safetensors").exists()


def test_a_drawn_base_is_what_a_row_draws(tmp_path):
    study = tiny_study()
    stage.run(study, tmp_path / "base.safetensors")
    Row(study, BASE).save(tmp_path / "row.safetensors")
    assert (tmp_path / "base.safetensors").read_bytes() == (tmp_path / "row.safetensors").read_bytes()


def test_the_source_and_the_recipe_are_in_the_fingerprints():
    drawn = tiny_study()
    shipped = drawn.model_copy(update={"base": drawn.base.model_copy(update={"source": "shipped"})})
    assert len({stage_digest(one, "base") for one in (drawn, shipped)}) == 2
    assert len({stage_digest(one, "codec") for one in (drawn, shipped)}) == 2
    digests = {stage_digest(tiny_study(base=RECIPE | change), "base_train") for change in (
        {}, {"steps": 9}, {"seed": 1}, {"muon_lr": 0.01}, {"ema": 0.5}, {"rooms": 6}, {"threads": 2})}  # fmt: skip
    assert len(digests) == 7
    trained = tiny_study(base=RECIPE)
    begun = [trained.model_copy(update={"base": trained.base.model_copy(update={"begin": "tiny", "begin_with": what})})
             for what in ("weights", "codec")]  # fmt: skip
    assert len({stage_digest(one, "base_train") for one in (trained, *begun)}) == 3
    assert len({stage_digest(one, "codec") for one in (trained, *begun)}) == 2
    assert stage_digest(tiny_study(base=RECIPE), "base_train") == stage_digest(
        tiny_study(base=RECIPE, train={"steps": 9}, seed=3, evidence={"rule": "recent"}), "base_train"
    )
    clips = {stage_digest(tiny_study(base=RECIPE | change), "base_clips") for change in (
        {}, {"rooms": 6}, {"steps": 9}, {"muon_lr": 0.01})}  # fmt: skip
    assert len(clips) == 1  # more rooms, or another training on them, render none again
