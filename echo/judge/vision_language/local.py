"""A model in this process, by transformers: for a judge without an endpoint.

Nothing holds its answers to the schema, and it answers one question after the other; for many an endpoint is the faster
way. Weights are read from safetensors alone, and no code comes with them.
"""

from __future__ import annotations

import io
import time
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from echo.io.device import device
from echo.io.errors import UserError
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.answers import Reply
from echo.judge.vision_language.question import RULES, Question


class ModelError(UserError):
    """A model that cannot be loaded."""


class LocalModel:
    """``reply`` asks the model that transformers has loaded."""

    def __init__(self, settings: Settings) -> None:
        """Raises ModelError where model or revision cannot be had."""
        self.settings = settings
        try:
            self.processor: Any = AutoProcessor.from_pretrained(settings.model, revision=settings.revision)
            model: Any = AutoModelForImageTextToText.from_pretrained(
                settings.model, revision=settings.revision, dtype="auto", use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise ModelError(
                f"the judge's model {settings.model} (revision {settings.revision}) cannot be loaded: "
                f"{' '.join(str(error).split())[:300]}; give a folder, a model of the hub, or an endpoint"
            ) from None
        self.model = model.to(device()).eval()

    def reply(self, question: Question) -> Reply:
        """The model's reply to one question."""
        started, settings = time.monotonic(), self.settings
        content = [
            {"type": "image", "image": Image.open(io.BytesIO(held))} if isinstance(held, bytes) else
            {"type": "text", "text": held} for _, held in question.parts
        ]  # fmt: skip
        turns = [{"role": "system", "content": [{"type": "text", "text": RULES}]}, {"role": "user", "content": content}]
        inputs = self.processor.apply_chat_template(
            turns, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        ).to(self.model.device)
        sampling = (
            {"do_sample": True, "temperature": settings.temperature} if settings.temperature else {"do_sample": False}
        )
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(question.repeat)
            tokens = self.model.generate(**inputs, max_new_tokens=settings.max_tokens, **sampling)
        new = tokens[0, inputs["input_ids"].shape[1] :]
        finish = "length" if len(new) >= settings.max_tokens else "stop"
        text = self.processor.decode(new, skip_special_tokens=True)
        return Reply(text, settings.model, finish, round(time.monotonic() - started, 3))
