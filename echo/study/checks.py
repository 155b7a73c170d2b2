"""What the sections of a study mean to each other: what a later stage would refuse is refused before the first job.

Each check yields refusals: the key, what it holds, and why that cannot work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from echo.study.batches import BatchError, micro_batch
from echo.study.chosen import chosen_values, missing
from echo.study.errors import from_pydantic, refuse
from echo.study.judges import KIND, judge_names, kind_of, settings_of
from echo.study.parameters import pattern_that_fits_nothing, row_with_nothing_to_train
from echo.study.references import reference_names
from echo.study.released import backbone_misfits, recurrence_misfits
from echo.study.rows import frames_of
from echo.study.sections.codec import OPTIONS, AutoencoderOptions, PatchOptions, WanOptions
from echo.study.shipped import ShippedError, find_shipped, misfits, read_shipped
from echo.study.study import Study
from echo.study.words import BRANCHES, EVALUATED

POSITIONS = 1024  # rotary positions along each axis in diffusers' Wan transformer
SMALLEST = 31  # pixels along each side that LPIPS needs: below, a pooled map of AlexNet is empty
CELL = 4  # pixels along each side of a cell of the convolutional decoder (``echo.encoding.decoder``)
WIDEST = 65_536

Refusals = Iterator[tuple[str, Any, str]]


def check(study: Study, file: str, whole: bool = True) -> None:
    """Raise ConfigError for the first key of ``file`` that cannot work.

    whole: whether every stage runs for every row, to the measures; otherwise frames may have any size.
    """
    options = _options(study, file)
    _judges(study, file)
    refusals = [*_sizes(study), *_codec(study, options), *_sources(study), *_cases(study), *_rows(study)]
    refusals += [*_checkpoints(study), *_base(study), *_text_guidance(study), *_guide(study), *_training(study)]
    refusals += [*(_whole(study) if whole else ()), *_perceptual(study), *_chosen(study)]
    for key, value, reason in refusals:
        raise refuse(file, key, value, reason)


def _chosen(study: Study) -> Refusals:
    """Tables of choices that are there, with a record that can be read."""
    for folder in study.chosen_in:
        reason = missing(folder)
        if reason is not None:
            yield "chosen_in", folder, reason
            continue
        try:
            chosen_values(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            reason = f"its chosen.json is damaged; make it again: python -m bench.choose --choices FILE --out {folder}"
            yield "chosen_in", folder, reason


def _options(study: Study, file: str) -> Any:
    """``codec.options`` checked as those of the codec's kind."""
    options = dict(study.codec.options)
    try:
        return OPTIONS[study.codec.kind].model_validate(options)
    except ValidationError as error:
        raise from_pydantic(error, file, options, "codec.options") from None


def _judges(study: Study, file: str) -> None:
    """A judge there is, and entries with settings that their modules have."""
    names = ", ".join(judge_names())
    for name, entry in study.judges.items():
        kind = kind_of(name, study.judges)
        if kind not in judge_names():
            raise refuse(file, f"judges.{name}.{KIND}", kind, f"no such judge; echo/judge/judges has {names}")
        _check_settings(name, kind, {key: value for key, value in entry.items() if key != KIND}, file)
    known = ", ".join(dict.fromkeys([*study.judges, *judge_names()]))
    beside = [("evaluate.judges", name) for name in study.evaluate.judges]
    for key, name in [("evaluate.judge", study.evaluate.judge), *beside]:
        if kind_of(name, study.judges) not in judge_names():
            raise refuse(file, key, name, f"no such judge; expected one of {known}")
        if name not in study.judges:  # named by its module, whose settings have their defaults, or have none
            _check_settings(name, name, {}, file)
    if study.evaluate.judge in study.evaluate.judges:
        reason = "is evaluate.judge already; these are judged beside it"
        raise refuse(file, "evaluate.judges", study.evaluate.judge, reason)


def _check_settings(judge: str, kind: str, given: dict[str, Any], file: str) -> None:
    """Raise ConfigError unless ``given`` are settings of the module ``kind``."""
    try:
        settings_of(kind).model_validate(given)
    except ValidationError as error:
        raise from_pydantic(error, file, given, f"judges.{judge}") from None


def _sizes(study: Study) -> Refusals:
    """Frames of whole tokens, and no more tokens than there are positions."""
    world, codec, backbone = study.world, study.codec, study.backbone
    unit = codec.downsample * backbone.patch
    if world.height % unit or world.width % unit:
        size = world.size if isinstance(world.size, int) else list(world.size)
        yield "world.size", size, f"must be a multiple of codec.downsample x backbone.patch = {unit}"
    width = backbone.heads * backbone.head_dim
    if width > WIDEST:
        yield "backbone.heads", backbone.heads, f"heads x head_dim = {width} is wider than {WIDEST}"
    reason = f"with the {study.target_latents} latents of a segment more than the transformer's {POSITIONS} frames"
    handed, left = study.evidence.most_frames, POSITIONS - study.target_latents
    if handed is not None and handed > left:
        yield "evidence.frames", handed, reason
    for name, profile in study.profiles.items() if handed is None else ():
        kept = max(frames_of(profile), profile.evidence.frames if profile.evidence else 0)
        if kept > left:
            yield "rows", name, f"keeps {kept} frames, {reason}"


def _codec(study: Study, options: Any) -> Refusals:
    """A codec whose parts fit each other."""
    codec, frames = study.codec, study.segment.frames
    given = study.pretrained.given and codec.kind == "wan"
    if codec.temporal > 1 and codec.kind != "wan":
        yield "codec.temporal", codec.temporal, f"needs codec.kind: wan, got {codec.kind}"
    elif codec.temporal > 1 and (frames - 1) % codec.temporal:
        yield "codec.temporal", codec.temporal, f"needs segment.frames = 1 + {codec.temporal} n, got {frames}"
    if given and codec.options:
        yield "codec.options", codec.options, "the pretrained autoencoder is taken as it is; remove the options"
    elif codec.kind == "patch":
        pixels = 3 * codec.downsample**2
        if codec.channels > pixels:
            yield "codec.channels", codec.channels, f"a patch has only {pixels} numbers"
        if codec.train_steps:
            reason = "the patch codec is fitted by least squares; its decoder's steps are options.decoder_steps"
            yield "codec.train_steps", codec.train_steps, reason
        yield from _decoder(study, options)
    elif isinstance(options, AutoencoderOptions):
        yield from _autoencoder(study, options)
    elif isinstance(options, WanOptions) and not given:
        yield from _wan(study, options)
    if not given and codec.train_frames * study.latent_size[0] * study.latent_size[1] < 2:
        yield "codec.train_frames", codec.train_frames, "the scale of the latents needs two cells at least"


def _decoder(study: Study, options: PatchOptions) -> Refusals:
    """A convolutional decoder that can be built and trained; no settings of one that is not there."""
    codec = study.codec
    if options.decoder == "linear":
        for key in sorted(codec.options):
            if key.startswith("decoder_"):
                yield f"codec.options.{key}", codec.options[key], "is read with decoder: convolutional alone"
        return
    if codec.downsample % CELL:
        yield "codec.downsample", codec.downsample, f"decoder: convolutional needs a multiple of {CELL}"
    if codec.train_frames < 2:
        yield "codec.train_frames", codec.train_frames, "decoder: convolutional holds back one and trains on the others"


def _perceptual(study: Study) -> Refusals:
    """Frames that a decoder can be trained on; of a whole study, frames that small are refused before."""
    decoder, world = study.codec.convolutional, study.world
    if decoder is not None and decoder.decoder_lpips and min(world.height, world.width) < SMALLEST:
        reason = f"LPIPS needs frames of {SMALLEST} pixels along each side; 0 trains on the absolute error alone"
        yield "codec.options.decoder_lpips", decoder.decoder_lpips, reason


def _autoencoder(study: Study, options: AutoencoderOptions) -> Refusals:
    side, channels = study.codec.downsample, options.block_out_channels
    covered = 2 ** (len(channels) - 1) if channels else 1 << (side.bit_length() - 1)
    if covered != side:
        if channels:
            yield "codec.downsample", side, f"{len(channels)} levels of options.block_out_channels cover {covered}"
        else:
            yield "codec.downsample", side, "codec.kind: autoencoder halves the frame level by level: a power of two"
    for count in channels or [16]:
        if count % options.norm_num_groups:
            reason = f"does not divide the {count} channels of a level"
            yield "codec.options.norm_num_groups", options.norm_num_groups, reason


def _wan(study: Study, options: WanOptions) -> Refusals:
    codec, levels = study.codec, len(options.dim_mult)
    if 2 ** (levels - 1) != codec.downsample:
        reason = f"the {levels} levels of codec.options.dim_mult cover {2 ** (levels - 1)} pixels"
        yield "codec.downsample", codec.downsample, reason
    joins = options.temperal_downsample
    if len(joins) != levels - 1:
        reason = f"expected {levels - 1} values, one for each level of dim_mult but the last"
        yield "codec.options.temperal_downsample", joins, reason
    if codec.temporal > 1 and 2 ** sum(joins) != codec.temporal:
        reason = f"codec.options.temperal_downsample joins {2 ** sum(joins)} frames"
        yield "codec.temporal", codec.temporal, reason


def _sources(study: Study) -> Refusals:
    """What is asked for is there to be had."""
    if study.text.kind == "umt5" and not study.pretrained.given:
        reason = "is the text encoder of a pretrained model: set pretrained.repo or pretrained.path"
        yield "text.kind", study.text.kind, reason
    if study.world.source != "rooms":
        if study.evaluate.splits == "choosing":
            reason = "rooms alone have a choosing split; a study of recordings needs evaluate.splits: reported"
            yield "evaluate.splits", study.evaluate.splits, reason
        for branch in study.evaluate.branches:
            if BRANCHES[branch].revisits:
                others = ", ".join(name for name, way in BRANCHES.items() if not way.revisits)
                reason = f"recordings have no {branch}, whose view lies between poses; expected some of {others}"
                yield "evaluate.branches", list(study.evaluate.branches), reason
                break
    key = study.evidence.needs_poses
    if key is not None and not study.world.poses:
        other = {"rule": "recent", "eviction": "fifo", "policy": "streaming"}[key]
        reason = f"compares frames by camera pose, but world.poses = false; use evidence.{key}: {other}"
        yield f"evidence.{key}", getattr(study.evidence, key), reason


def _cases(study: Study) -> Refusals:
    """As many scenes as cases."""
    evaluate, world = study.evaluate, study.world
    for split in EVALUATED[evaluate.splits]:
        if evaluate.cases > world.scenes(split):
            if world.scenes(split) == world.rooms(split):
                reason = f"more than world.{split}_rooms = {world.rooms(split)}; each case is a room of its own"
            else:
                reason = f"more than world.{split}_rooms x identities = {world.scenes(split)}"
            yield "evaluate.cases", evaluate.cases, reason
    if evaluate.probe_cases > evaluate.cases:
        yield "evaluate.probe_cases", evaluate.probe_cases, f"more than evaluate.cases = {evaluate.cases}"


def _rows(study: Study) -> Refusals:
    """Rows that are spoken of are among the study's."""
    listed = ", ".join(study.rows)
    if study.reference not in study.rows:
        yield "reference", study.reference, f"not among rows: {listed}"
    for row in study.rows:
        if row in reference_names():
            yield "rows", row, "is the name of a reference row (echo/rollout/references); give the row another one"
    if study.evidence.policy == "as_released":
        for row, profile in study.profiles.items():
            if profile.evidence is None:
                reason = "has no `evidence` in rows.yaml, which says what evidence.policy: as_released hands it; run"
                yield "rows", row, f"{reason} its row as released, or give it the entry"
    for row, rate in study.train.row_lr.items():
        if row not in study.rows:
            yield f"train.row_lr.{row}", rate, f"{row} is not among rows: {listed}"


def _checkpoints(study: Study) -> Refusals:
    """Released checkpoints of rows that run once, in what they were trained in."""
    for row in study.checkpoints:
        if row not in study.rows:
            yield f"checkpoints.{row}", row, f"not among rows: {', '.join(study.rows)}"
            continue
        if len(study.train_seeds) > 1:
            reason = f"checkpoints.{row} is one training; give one seed, or the same weights would count as several"
            yield "train_seeds", list(study.train_seeds), reason
        profile = study.profiles[row]
        for key, held, value in recurrence_misfits(profile):
            yield f"checkpoints.{row}", held, f"row {row} has {key} = {held}, but the released recurrence has {value}"
        for key, held, value in backbone_misfits(study, profile):
            yield f"backbone.{key}", held, f"the released checkpoint of row {row} was trained with {value}"


def _base(study: Study) -> Refusals:
    """A base that there is, of the study's sizes; its clips are rooms."""
    base, given = study.base, study.pretrained.given
    if base.source == "pretrained" and not given:
        yield "base.source", base.source, "needs pretrained.repo or pretrained.path"
    if base.source != "pretrained" and given:
        yield "base.source", base.source, "a study with pretrained weights has no other base than `pretrained`"
    if base.source == "trained":
        if study.world.source != "rooms":
            yield "base.source", base.source, f"renders rooms, but world.source = {study.world.source}"
        if study.codec.temporal > 1:
            yield "base.source", base.source, f"codes frame by frame, but codec.temporal = {study.codec.temporal}"
    if base.source == "trained" and base.begin == base.shipped:
        yield "base.begin", base.begin, "is base.shipped, which `snakemake ship` writes; give the new one another name"
    if base.taken is not None:
        key, remedy = "base.shipped", "or train one: base.source: trained"
        if base.source == "trained":
            key, remedy = "base.begin", "or begin with drawn weights: base.begin: null"
        try:
            record = read_shipped(find_shipped(base.taken))
        except ShippedError as error:
            yield key, base.taken, str(error)
            return
        weights = base.source != "trained" or base.begin_with == "weights"
        for key, value, made_for in misfits(study, record, weights):
            yield key, value, f"the shipped base {base.taken} is for {made_for}; set that, {remedy}"


def _text_guidance(study: Study) -> Refusals:
    """Guidance by text where there is text, and one kind of guidance at a time."""
    sampler = study.sampler
    if sampler.text_guidance == 1:
        if sampler.negative_prompt:
            reason = "has no effect while sampler.text_guidance is 1; set that higher, or no prompt"
            yield "sampler.negative_prompt", sampler.negative_prompt, reason
        return
    if study.text.kind == "none":
        yield "sampler.text_guidance", sampler.text_guidance, "text.kind: none has no captions to guide by; set 1"
    if sampler.guide:
        yield "sampler.text_guidance", sampler.text_guidance, "goes with no sampler.guide; set one of the two alone"


def _guide(study: Study) -> Refusals:
    """A guide that there is, of the study's sizes and codec, and is used."""
    guide, scale = study.sampler.guide, study.sampler.guidance
    if guide is None:
        if scale != 1:
            yield "sampler.guidance", scale, "needs sampler.guide, the base that guides; without one it is 1"
        return
    if scale == 1:
        yield "sampler.guide", guide, "has no effect while sampler.guidance is 1; set that higher, or no guide"
    if study.base.taken is None:
        reason = "speaks the latents of a shipped codec, which this study's base does not take"
        yield "sampler.guide", guide, f"{reason}; set sampler.guide: null and sampler.guidance: 1"
        return
    try:
        record, own = read_shipped(find_shipped(guide)), read_shipped(find_shipped(study.base.taken))
    except ShippedError as error:
        yield "sampler.guide", guide, str(error)
        return
    for key, value, made_for in misfits(study, record):
        yield key, value, f"the guide {guide} is for {made_for}; set that, or sampler.guide: null"
    if record["files"]["codec"]["sha256"] != own["files"]["codec"]["sha256"]:
        reason = f"its codec is not that of the shipped base {study.base.taken}; begin the guide's training with that"
        yield "sampler.guide", guide, reason


def _training(study: Study) -> Refusals:
    """A batch of whole shares, and patterns that fit parameters."""
    train, processes = study.train, study.compute.processes
    try:
        micro_batch(train, processes)
    except BatchError as error:
        yield "train.batch", train.batch, str(error).removeprefix(f"train.batch = {train.batch} ")
    wrong = pattern_that_fits_nothing(study)
    if wrong is not None:
        key, pattern = wrong
        yield f"train.{key}", pattern, "fits no parameter of the backbone; names begin with backbone. or memory."


def _whole(study: Study) -> Refusals:
    """Something to train in every row, frames that can be measured, and evidence that can be probed."""
    row = row_with_nothing_to_train(study)
    if row is not None:
        key = "frozen" if study.train.frozen else "trainable"
        yield f"train.{key}", list(getattr(study.train, key)), f"leaves nothing of {row} to train"
    world = study.world
    if min(world.height, world.width) < SMALLEST:
        size = world.size if isinstance(world.size, int) else list(world.size)
        yield "world.size", size, f"LPIPS, which every study measures, needs {SMALLEST} pixels along each side"
    probed = BRANCHES["recall"].split(study.evaluate.splits)
    key = f"{probed}_rooms" if world.source == "rooms" else "held_out_videos"
    if getattr(world, key) < 2:
        yield f"world.{key}", getattr(world, key), "the swap probe needs cases of two scenes at least"
    reader = next((name for name, row in study.profiles.items() if row.remembers), None)
    handed = study.evidence.most_frames
    if handed is not None and handed < 2 and reader is not None:
        yield "evidence.frames", handed, f"is the anchor alone; row {reader} would find nothing in it"
