"""One row: the shared backbone and the row's memory, built from a profile and saved with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from jaxtyping import Float
from torch import Tensor, nn

from echo.evidence.frames import Frames
from echo.evidence.policy import policy_of
from echo.io.errors import UserError
from echo.io.seeding import derive
from echo.io.tensors import load_tensors, read_header, save_tensors
from echo.memory.base import ReadCameras, ReadOut, State, sizes_of
from echo.memory.registry import build_memory
from echo.model.backbone import Backbone
from echo.study.config import Study
from echo.study.profile import Profile
from echo.study.study import model_sizes


class CheckpointError(UserError):
    """A checkpoint that is not what the study asks for."""


class Row(nn.Module):
    """Backbone and memory."""

    def __init__(
        self,
        study: Study,
        profile: Profile,
        train_seed: int = 0,
        transformer: WanTransformer3DModel | None = None,
    ) -> None:
        """Build the row; its memory's weights depend on ``train_seed``, the backbone's on the study's seed alone.

        ``transformer``: pretrained, in place of one with drawn weights.
        """
        super().__init__()
        config = study.backbone.model_copy(update={"layout": profile.layout_in(study.backbone.layout)})
        with torch.random.fork_rng(devices=[]):
            # The same initial backbone for all rows and training seeds; a base replaces it.
            torch.manual_seed(derive(study.seed, "backbone"))
            self.backbone = Backbone(config, study.codec.channels, study.text.dim, transformer)
        self.memory = build_memory(profile, sizes_of(study, profile), derive(study.seed, "row", train_seed))
        self.profile, self.study, self.policy = profile, study, policy_of(study, profile)

    @property
    def timestep_shift(self) -> float:
        """The shift s of t' = s t / (1 + (s-1) t) in training and sampling: the profile's own, or else the study's."""
        own = self.profile.timestep_shift
        return self.study.train.timestep_shift if own is None else own

    def write(self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"]) -> State:
        """W(M, E) -> M of what the study's policy offers; arguments as ``Memory.write``'s or ``Memory.append``'s."""
        return self.policy.write(self.memory, state, frames, text, self.backbone)

    def read(self, state: State, target: Frames, anchor: Frames) -> ReadOut:
        """R(M), for the cameras of a target and an anchor; their latents are not shown to the memory."""
        return self.memory.read(state, self.backbone, ReadCameras(target.cameras, anchor.cameras))

    def forward(
        self,
        target: Frames,
        timestep: Float[Tensor, " B"],
        anchor: Frames,
        text: Float[Tensor, "B L E"],
        state: State,
    ) -> Float[Tensor, "B T C H W"]:
        """Velocity (B, T, C, H, W) of the noisy target, given the anchor and what the memory reads out of ``state``."""
        return self.backbone(target, timestep, anchor, text, self.read(state, target, anchor))

    def save(self, path: Path, weights: dict[str, Tensor] | None = None, **metadata: str) -> None:
        """Weights as safetensors, with profile, rig and ``metadata`` in the header; atomic.

        ``weights``: saved in place of the module's own (an average of them, or tensors gathered from shards).
        """
        header = {"profile": profile_text(self.profile), "rig": rig_text(self.study), **metadata}
        save_tensors(path, self.state_dict() if weights is None else weights, header, finite=True)

    def load(self, path: Path) -> dict[str, str]:
        """Load weights saved by ``save``; returns the header.

        Raises CheckpointError naming both sides where the checkpoint is of another row or another rig.
        """
        header = self._checked_header(path, self.profile)
        self.load_state_dict(load_tensors(path))
        return header

    def start_from(self, path: Path, profile: Profile) -> None:
        """Load the backbone's weights from the base at ``path``, whose profile is ``profile``; errors as ``load``'s.

        A base was made without a memory: of its rig, only the sizes must be the study's.
        """
        self._checked_header(path, profile, sizes_text)
        held = {name: value for name, value in load_tensors(path).items() if name.startswith("backbone.")}
        self.backbone.load_state_dict({name.removeprefix("backbone."): value for name, value in held.items()})

    def _checked_header(
        self, path: Path, profile: Profile, rig: Callable[[Study], str] | None = None
    ) -> dict[str, str]:
        """The header of a checkpoint; raises CheckpointError where its profile or rig is another.

        ``rig``: what must be equal of the rig, all of it by default.
        """
        header = read_header(path)
        for part, asked in (("profile", profile_text(profile)), ("rig", (rig or rig_text)(self.study))):
            held = _only(header.get(part), asked) if rig else header.get(part)
            if held != asked:
                held, wanted = _differences(held, asked)
                raise CheckpointError(f"{path}: the checkpoint's {part} has {held}, the study asks for {wanted}")
        return header


def profile_text(profile: Profile) -> str:
    """A profile as JSON with sorted keys."""
    return json.dumps(profile.model_dump(), sort_keys=True)


def rig_text(study: Study) -> str:
    """All that training and inference must share, as JSON: sizes, camera, evidence and context handling."""
    rig = {
        **model_sizes(study),
        "evidence": study.evidence.shared(),
        "train": study.train.model_dump(mode="json", include={"timestep_shift", "context_noise"}),
    }
    return json.dumps(rig, sort_keys=True)


def sizes_text(study: Study) -> str:
    """The part of a rig that a base must share with the study, as JSON."""
    return json.dumps(model_sizes(study), sort_keys=True)


def _only(held: str | None, asked: str) -> str | None:
    """Of a JSON mapping the keys that another one has."""
    if held is None:
        return None
    wanted = json.loads(asked)
    return json.dumps({key: value for key, value in json.loads(held).items() if key in wanted}, sort_keys=True)


def _differences(held: str | None, asked: str) -> tuple[str, str]:
    """The parts in which two JSON mappings differ, the held one's and the asked one's."""
    if held is None:
        return "none", asked
    first, second = json.loads(held), json.loads(asked)
    keys = [key for key in sorted(first.keys() | second.keys()) if first.get(key) != second.get(key)]
    return json.dumps({k: first.get(k) for k in keys}), json.dumps({k: second.get(k) for k in keys})
