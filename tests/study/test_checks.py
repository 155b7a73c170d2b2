"""What the sections of a study mean to each other."""

import json

import pytest

from echo.study import shipped
from echo.study.config import ConfigError, parse_study
from tests.study.studies import RECORDED, RECORDINGS, ROWS, accepted, changed, refused

WAN = {"kind": "wan", "channels": 8, "downsample": 8, "options": {"dim_mult": [1, 2, 2, 2]}}
KL = {"kind": "autoencoder", "channels": 8, "downsample": 8, "options": {}}
PRETRAINED = {"path": "wan"}
DECODER = {"decoder": "convolutional"}
UNTRAINED = {"source": "pretrained", "steps": 0}


@pytest.mark.parametrize(
    ("key", "message", "sections"),
    [
        ("world.size", "multiple of codec.downsample x backbone.patch = 16", {"world": {"size": 60}}),
        ("world.size", "needs 31 pixels along each side", {"world": {"size": 16}}),
        ("world.size", "needs 31 pixels", {"world": {**RECORDINGS, "size": [16, 64]},
                                           "evaluate": {"branches": RECORDED}}),
        ("world.open_domain_rooms", "cases of two scenes", {"world": {"open_domain_rooms": 1, "identities": 4},
                                                            "evaluate": {"cases": 4, "probe_cases": 4}}),
        ("world.held_out_videos", "cases of two scenes",
         {"world": {**RECORDINGS, "held_out_videos": 1}, "evaluate": {"branches": RECORDED}}),
        ("evaluate.branches", "recordings have no revisit_near, .* expected some of replay, loop, return_45, ",
         {"world": RECORDINGS}),
        ("evaluate.splits", "rooms alone have a choosing split",
         {"world": RECORDINGS, "evaluate": {"splits": "choosing"}}),
        ("evaluate.cases", "more than world.choosing_rooms = 20",
         {"world": {"choosing_rooms": 20}, "evaluate": {"splits": "choosing"}}),
        ("world.choosing_rooms", "cases of two scenes",
         {"world": {"choosing_rooms": 1, "identities": 4},
          "evaluate": {"splits": "choosing", "cases": 4, "probe_cases": 4}}),
        ("backbone.heads", "is wider than 65536", {"backbone": {"heads": 256, "head_dim": 1024}}),
        ("evidence.frames", "more than the transformer's 1024", {"evidence": {"frames": 900},
                                                                 "segment": {"frames": 200}}),
        ("evidence.frames", "is the anchor alone; row spatial", {"evidence": {"frames": 1}, "rows": ["i2v", "spatial"],
                                                                 "row_options": {}}),
        ("evidence.rule", "world.poses = false; use evidence.rule: recent", {"world": {"poses": False}}),
        ("evidence.eviction", "world.poses = false; use evidence.eviction: fifo",
         {"world": {"poses": False}, "evidence": {"policy": "streaming", "rule": "recent"}}),
        ("rows", "keeps 1020 frames, with the 8 latents of a segment more than the transformer's 1024 frames",
         {"evidence": {"policy": "streaming"}, "row_options": {"context": {"frames": 1020}},
          "rows": ["i2v", "context_k5"]}),
        ("text.kind", "set pretrained.repo or pretrained.path", {"text": {"kind": "umt5"}}),
        ("evaluate.cases", "more than world.in_domain_rooms = 63", {"world": {"in_domain_rooms": 63}}),
        ("evaluate.cases", "open_domain_rooms x identities = 16", {"world": {"open_domain_rooms": 2, "identities": 8}}),
        ("evaluate.probe_cases", "more than evaluate.cases = 64", {"evaluate": {"probe_cases": 65}}),
        ("evaluate.judge", "no such judge; expected one of .*embedded", {"evaluate": {"judge": "nobody"}}),
        ("evaluate.judge", "no such judge", {"evaluate": {"judge": "../embedded"}}),
        ("evaluate.judges", "no such judge; expected one of panel, .*embedded",
         {"evaluate": {"judges": ["nobody"]}, "judges": {"panel": {"kind": "embedded"}}}),
        ("evaluate.judges", "no such judge", {"evaluate": {"judges": ["vision_language", "_shared"]}}),
        ("evaluate.judges", "is evaluate.judge already", {"evaluate": {"judges": ["embedded"]}}),
        ("judges.people.answers", "is missing", {"evaluate": {"judge": "people"}}),
        ("judges.panel.answers", "is missing", {"judges": {"panel": {"kind": "people"}}}),
        ("judges.panel.kind", "no such judge; echo/judge/judges has .*embedded", {"judges": {"panel": {}}}),
        ("judges.panel.kind", "no such judge", {"judges": {"panel": {"kind": "nobody"}}}),
        ("judges.embedded.model", "unknown key", {"judges": {"embedded": {"model": "x"}}}),
        ("judges.qwen.repeat", "unknown key", {"judges": {"qwen": {"kind": "vision_language", "repeat": 2}}}),
        ("judges.qwen.repeats", "expected a whole number", {"judges": {"qwen": {"kind": "vision_language",
                                                                                 "repeats": "2"}}}),
        ("judges.qwen.endpoint", "a key belongs into the environment",
         {"judges": {"qwen": {"kind": "vision_language", "endpoint": "https://me:key@host/v1"}}}),
        ("reference", "not among rows", {"reference": "other"}),
        ("train.row_lr.other", "other is not among rows", {"train": {"row_lr": {"other": 0.1}}}),
        ("train.batch", "multiple of processes x train.accumulate = 3 x 1", {"compute": {"processes": 3}}),
        ("train.trainable", "fits no parameter of the backbone", {"train": {"trainable": ["nope"]}}),
        ("train.trainable", "fits no parameter of the backbone", {"train": {"trainable": ["*", "*.nope"]}}),
        ("train.trainable", "leaves nothing of i2v to train", {"train": {"trainable": ["memory.*"]}}),
    ],
)  # fmt: skip
def test_what_a_later_stage_would_refuse_is_refused(key, message, sections):
    refused(key, message, **sections)


@pytest.mark.parametrize(
    ("codec", "key", "message"),
    [
        ({"channels": 800}, "channels", "a patch has only 768 numbers"),
        ({"train_steps": 5}, "train_steps", "its decoder.s steps are options.decoder_steps"),
        ({"temporal": 4}, "temporal", "needs codec.kind: wan, got patch"),
        ({"options": {"whiten": 1.5}}, "options.whiten", "expected at most 1"),
        ({"options": {"whiten": float("nan")}}, "options.whiten", "finite"),
        ({"options": {"whiten": "0"}}, "options.whiten", "expected a number"),
        ({"options": {"base_dim": 8}}, "options.base_dim", "unknown key"),
        ({"options": {"decoder": "other"}}, "options.decoder", "linear"),
        ({"options": {"decoder_steps": 5}}, "options.decoder_steps", "is read with decoder: convolutional alone"),
        ({"options": {**DECODER, "decoder_rate": 0}}, "options.decoder_rate", "expected more than 0"),
        ({"options": {**DECODER, "decoder_lpips": -1}}, "options.decoder_lpips", "at least 0"),
        ({"options": {**DECODER, "base_dim": 8}}, "options.base_dim", "unknown key"),
        ({"options": DECODER, "train_frames": 1}, "train_frames", "holds back one"),
        ({"options": DECODER, "downsample": 2, "channels": 4}, "downsample", "needs a multiple of 4"),
        ({**WAN, "options": {**WAN["options"], **DECODER}}, "options.decoder", "unknown key"),
        ({**KL, "options": DECODER}, "options.decoder", "unknown key"),
        ({**WAN, "temporal": 4}, "temporal", r"needs segment.frames = 1 \+ 4 n, got 8"),
        ({**WAN, "downsample": 16}, "downsample", "the 4 levels of codec.options.dim_mult cover 8 pixels"),
        ({**WAN, "options": {"temperal_downsample": [True]}}, "options.temperal_downsample", "expected 3 values"),
        ({**WAN, "options": {"z_dim": 4}}, "options.z_dim", "unknown key"),
        ({**WAN, "options": {"base_dim": True}}, "options.base_dim", "expected a whole number"),
        ({**KL, "downsample": 4, "options": {"block_out_channels": [8, 8]}}, "downsample", "2 levels .* cover 2"),
        ({**KL, "options": {"norm_num_groups": 5}}, "options.norm_num_groups", "does not divide the 16 channels"),
        ({**KL, "options": {"latent_channels": 5}}, "options.latent_channels", "unknown key"),
    ],
)
def test_codecs_whose_parts_do_not_fit_are_refused(codec, key, message):
    refused(f"codec.{key}", message, codec=codec)


def test_an_autoencoder_without_options_needs_a_power_of_two():
    refused("codec.downsample", "a power of two", world={"size": 72}, codec={**KL, "downsample": 6})


def test_a_decoder_trained_on_lpips_needs_frames_of_its_size():
    """Also where the study is never measured; 32 pixels are enough, and without LPIPS fewer are."""
    small = {"world": {"size": 16}, "codec": {"channels": 8, "downsample": 8, "options": DECODER}}
    with pytest.raises(ConfigError, match="codec.options.decoder_lpips.* 31 pixels along each side"):
        parse_study(changed(**small), ROWS, whole=False)
    assert accepted(**{**small, "world": {"size": 32}}).codec.needs_lpips
    small["codec"]["options"] = {**DECODER, "decoder_lpips": 0}
    assert not parse_study(changed(**small), ROWS, whole=False).codec.needs_lpips


def test_temporal_latents_need_a_codec_that_joins_as_many_frames():
    short = {**WAN, "temporal": 4, "options": {"dim_mult": [1, 2, 2, 2], "temperal_downsample": [False, False, True]}}
    refused("codec.temporal", "joins 2 frames", codec=short, segment={"frames": 9})
    assert accepted(codec={**WAN, "temporal": 4}, segment={"frames": 9}).target_latents == 3


def test_a_pretrained_codec_takes_no_options():
    refused("codec.options", "taken as it is", pretrained=PRETRAINED, codec=WAN, base=UNTRAINED)


def test_the_scale_of_latents_needs_two_of_them():
    codec = {"channels": 8, "downsample": 64, "train_frames": 1, "options": {}}
    refused("codec.train_frames", "two cells at least", codec=codec)
    assert accepted(codec={**codec, "train_frames": 2})


def test_a_memory_of_its_own_may_be_all_that_trains():
    two = {"rows": ["spatial", "ssm_hybrid"], "reference": "spatial", "train": {"trainable": ["memory.*"]}}
    assert accepted(**two)
    pretrained = {"pretrained": PRETRAINED, "base": UNTRAINED}
    assert accepted(**two, **pretrained)
    pretrained["base"] = {"source": "pretrained", "steps": 1}
    refused("train.trainable", "leaves nothing of base to train", **two, **pretrained)


@pytest.mark.parametrize(
    ("message", "sections"),
    [
        ("needs pretrained", {"base": UNTRAINED}),
        ("no other base than `pretrained`", {"pretrained": PRETRAINED}),
        ("no other base than `pretrained`", {"pretrained": PRETRAINED, "base": {"source": "trained"}}),
        ("world.source = context_as_memory", {"base": {"source": "trained"},
                                              "world": {**RECORDINGS, "open_domain_rooms": 64},
                                              "evaluate": {"branches": RECORDED}}),
        ("codec.temporal = 4", {"base": {"source": "trained"}, "codec": {**WAN, "temporal": 4},
                                "segment": {"frames": 9}}),
    ],
)  # fmt: skip
def test_a_base_that_no_stage_could_make_is_refused(message, sections):
    refused("base.source", message, **sections)


def test_guidance_by_text_has_texts_and_is_the_only_one():
    assert accepted(sampler={"text_guidance": 5.0, "negative_prompt": "blurry"}).sampler.text_guidance == 5
    assert accepted(sampler={"text_guidance": 5.0}).sampler.negative_prompt == ""
    refused("sampler.negative_prompt", "has no effect while sampler.text_guidance is 1",
            sampler={"negative_prompt": "blurry"})  # fmt: skip
    refused("sampler.text_guidance", "text.kind: none has no captions", sampler={"text_guidance": 5.0},
            text={"kind": "none"})  # fmt: skip
    refused(
        "sampler.text_guidance",
        "goes with no sampler.guide",
        sampler={"text_guidance": 5.0, "guide": "weak", "guidance": 2.0},
    )


def test_a_guide_is_there_fits_and_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "PROJECT", tmp_path / "project")
    base = {"source": "shipped", "shipped": "small"}
    guided = {"base": base, "sampler": {"guide": "weak", "guidance": 1.5}}

    def write(name: str, codec: str, **sizes) -> None:
        folder = tmp_path / "shipped" / name
        folder.mkdir(parents=True, exist_ok=True)
        files = {"base": {"sha256": name}, "codec": {"sha256": codec}}
        of = shipped.model_sizes(accepted())
        (folder / "record.json").write_text(json.dumps({"sizes": {**of, **sizes}, "files": files}))

    write("small", "one")
    refused("sampler.guide", "no record.json in shipped/weak", **guided)
    write("weak", "other")
    refused("sampler.guide", "its codec is not that of the shipped base small", **guided)
    write("weak", "one", text={**shipped.model_sizes(accepted())["text"], "tokens": 1})
    refused("text.tokens", "the guide weak is for 1; set that, or sampler.guide: null", **guided)
    write("weak", "one")
    assert accepted(**guided).sampler.guidance == 1.5
    refused("sampler.guidance", "needs sampler.guide", base=base, sampler={"guidance": 1.5})
    refused("sampler.guide", "has no effect while sampler.guidance is 1", base=base, sampler={"guide": "weak"})
    refused("sampler.guide", "speaks the latents of a shipped codec", sampler={"guide": "weak", "guidance": 2.0})


def test_a_training_begins_with_a_shipped_base_of_its_sizes_and_keeps_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "PROJECT", tmp_path / "project")
    trained = {"source": "trained", "begin": "small", "shipped": "longer"}
    refused("base.begin", "no record.json in shipped/small", base=trained)
    (tmp_path / "shipped" / "small").mkdir(parents=True)
    files = {name: {"sha256": "0"} for name in shipped.FILES}
    sizes = shipped.model_sizes(accepted())
    (tmp_path / "shipped/small/record.json").write_text(json.dumps({"sizes": sizes, "files": files}))
    assert accepted(base=trained).base.taken == "small" and accepted().base.taken is None
    refused("text.tokens", "base small is for .*; set that, or begin with drawn weights: base.begin: null",
            base=trained, text={"tokens": 3})  # fmt: skip
    refused("base.begin", "is base.shipped, which `snakemake ship` writes", base={**trained, "shipped": "small"})


def test_a_shipped_base_is_there_and_has_the_sizes_of_the_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "PROJECT", tmp_path / "project")
    shipping = {"base": {"source": "shipped", "shipped": "small"}}
    refused("base.shipped", "no record.json in shipped/small", **shipping)
    folder = tmp_path / "shipped" / "small"
    folder.mkdir(parents=True)
    files = {name: {"sha256": "0"} for name in shipped.FILES}
    (folder / "record.json").write_text(json.dumps({"sizes": shipped.model_sizes(accepted()), "files": files}))
    assert accepted(**shipping)
    other = {"codec.channels": {"codec": {"channels": 32}}, "segment.frames": {"segment": {"frames": 9}},
             "backbone.layers": {"backbone": {"layers": 5}}, "world.size": {"world": {"size": 128}},
             "text.dim": {"text": {"dim": 32}}}  # fmt: skip
    for key, sections in other.items():
        refused(key, r"the shipped base small is for \d+; set that, or train one: base.source: trained",
                **shipping, **sections)  # fmt: skip
    assert accepted(**shipping, codec={"options": {"whiten": 1}}, evidence={"rule": "recent"}, train={"steps": 3})
    (folder / "record.json").write_text("{}")
    refused("base.shipped", "not the record of a shipped base", **shipping)


def test_recent_frames_need_no_poses():
    assert accepted(world={"poses": False}, evidence={"rule": "recent"})


def test_a_judge_may_have_settings_under_a_name_of_its_own():
    judges = {"qwen": {"kind": "vision_language", "temperature": 1, "repeats": 3, "revision": None}}
    study = accepted(judges=judges, evaluate={"judge": "qwen"})
    assert study.judge_kind == "vision_language"
    assert study.judge_settings["repeats"] == 3 and study.judge_settings["model"].startswith("Qwen/")
    plain = accepted(judges=judges, evaluate={"judge": "vision_language"})
    assert plain.judge_kind == "vision_language" and plain.judge_settings["repeats"] == 1
    assert accepted().judge_kind == "embedded" and accepted().judge_settings == {}


def test_judges_beside_the_main_one_are_modules_or_entries():
    judges = {"one": {"kind": "vision_language", "side": 64}, "two": {"kind": "vision_language"}}
    study = accepted(judges=judges, evaluate={"judges": ["two", "vision_language", "one"]})
    assert study.all_judges == ("embedded", "two", "vision_language", "one")
    assert accepted(judges=judges, evaluate={"judges": []}).all_judges == ("embedded",)
