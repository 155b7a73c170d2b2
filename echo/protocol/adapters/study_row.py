"""A trained row of a study as a model, by the same interface as anybody's.

    --model echo.protocol.adapters.study_row:StudyRow --option run=runs/mini --option row=context_k5

On the cases of the study itself (``python -m echo export CASES --study runs/mini/study.json --pool ...``) its noise is
that of the study's own rollout, whose frames it gives again where ``evaluate.batch`` is 1, and else but for the
rounding of another batch. On Echo-1's cases of the study's size and segments it is a row on rooms that no study has.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo.encoding.codec import Codec, load_codec
from echo.encoding.latents import STORAGE
from echo.encoding.pretrained import read_manifest
from echo.encoding.shipped import verified
from echo.encoding.text import Texts, write_texts
from echo.evidence.policy import policy_of
from echo.evidence.segments import Segments
from echo.io.device import device
from echo.io.tensors import load_tensors
from echo.model.base import BASE
from echo.model.row import Row
from echo.protocol.case import Case
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.rollout.guide import Guide, negative_of
from echo.rollout.sampler import CaseBatch, Sampler, load_row
from echo.study.config import Study, load_study
from echo.study.shipped import find_shipped


class StudyRow:
    """A row with its codec, its text encoder and, where the study has one, its guide."""

    swaps = True

    def __init__(self, run: str, row: str, seed: int = 0) -> None:
        """run: the folder of a study's runs, ``runs/<study>``; row, seed: of the training."""
        folder = Path(run)
        self.study = load_study(folder / "study.json", whole=False)
        if row not in self.study.profiles:
            raise ProtocolError(f"row = {row}: {folder} has {', '.join(self.study.profiles)}")
        rig = folder.parent / self.study.rig if self.study.rig else folder
        model = folder / "train" / f"{row}-{seed}" / "model.safetensors"
        for path in (model, rig / "codec.safetensors"):
            if not path.is_file():
                raise ProtocolError(f"{path}: missing; train the row first: snakemake --cores all")
        codec = load_codec(rig / "codec.safetensors")
        guide = self.study.sampler.guide
        guiding = Guide.load(self.study, find_shipped(guide), codec) if guide else None
        self._fill(self.study, codec, Sampler(
            self.study, load_row(self.study, self.study.profiles[row], seed, model), device(), codec, guiding
        ), rig / "pretrained.json")  # fmt: skip

    @classmethod
    def of(cls, study: Study, codec: Codec, sampler: Sampler) -> StudyRow:
        """A row that is in memory already."""
        made = cls.__new__(cls)
        made._fill(study, codec, sampler, None)
        return made

    def _fill(self, study: Study, codec: Codec, sampler: Sampler, pretrained: Path | None) -> None:
        self.study, self.codec, self.sampler = study, codec, sampler
        self.pretrained = pretrained if pretrained is not None and pretrained.is_file() else None

    def generate(self, case: Case) -> Frames:
        """The row's rollout of one case."""
        self._check(case)
        generated, _ = self.sampler.rollout(self._batch(case))
        return self.codec.decode_segments(generated[0]).numpy()

    def _check(self, case: Case) -> None:
        """Raise ProtocolError for a case of another size, segment or field of view than the study's."""
        world, about = self.study.world, case.about
        for name, own, wanted in (
            ("size", (world.height, world.width), tuple(about.size)),
            ("segment.frames", self.study.segment.frames, about.segment_frames),
            ("world.field_of_view", world.field_of_view, about.field_of_view),
        ):
            if own != wanted:
                raise ProtocolError(f"{case.name}: {name} is {wanted}, the row was trained with {own}")

    def _batch(self, case: Case) -> CaseBatch:
        """Latents of given frames, as a cache would hold them; those that nobody knows are NaN."""
        study, video, poses = self.study, case.about.video, case.poses
        segments = Segments(study, [video], poses[None], policy_of(study).rank(study, {video: poses}))
        frames = torch.from_numpy(np.ascontiguousarray(case.given_frames))
        given = self.codec.encode(frames).to(STORAGE[study.codec.storage]).float()
        latents = torch.full((1, len(poses), *given.shape[1:]), torch.nan)
        latents[0, : len(given)] = given
        text, negative = self._text(video, case.caption)
        return CaseBatch(case.about.branch, [video], segments, latents, text[None], negative).to(self.sampler.device)

    def _text(self, video: str, caption: str) -> tuple[Tensor, Tensor | None]:
        """The caption, embedded as the study embeds captions, and its negative prompt where it has one."""
        study = self.study
        negative = study.sampler.negative_prompt if study.sampler.text_guidance > 1 else None
        folder = read_manifest(self.pretrained, "text_encoder", "tokenizer") if self.pretrained else None
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "text.safetensors"
            write_texts(study.text, {video: caption}, path, folder, negative)
            texts = Texts(path, study.text)
            return texts.of(video).clone(), negative_of(study, texts)


class ShippedBase(StudyRow):
    """The base that all rows of a study start from, as it is shipped: it keeps nothing, and needs no training here.

    --model echo.protocol.adapters.study_row:ShippedBase
    """

    def __init__(self, config: str = "config/config.yaml") -> None:
        """config: the study whose base, codec and sampler it is."""
        study = load_study(Path(config), whole=False)
        folder, guide = find_shipped(study.base.shipped), study.sampler.guide
        codec, row = load_codec(verified(folder, "codec")), Row(study, BASE)
        row.load_state_dict(load_tensors(verified(folder, "base")))  # copied into float32 weights
        guiding = Guide.load(study, find_shipped(guide), codec) if guide else None
        self._fill(study, codec, Sampler(study, row, device(), codec, guiding), None)
