"""Captions to text tokens, each caption once.

The small study's encoder is a fixed random vector per word, in place of a language model; with a pretrained model it is
that model's own UMT5.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from echo.encoding.pretrained import load_text_encoder
from echo.io.device import device
from echo.io.errors import UserError
from echo.io.files import digest
from echo.io.seeding import torch_generator
from echo.io.tensors import open_tensors, read_header, save_tensors
from echo.study.config import Text

WORD = re.compile(r"[a-z0-9]+")
BATCH = 8  # captions that the language model reads at once


class TextError(UserError):
    """Embeddings that are missing, or not those the study asks for."""


def embed(config: Text, captions: list[str]) -> list[Tensor]:
    """Text tokens (l, dim) float32 of each caption, without a language model.

    ``hashed``: every lower-case word is a vector of unit-variance numbers drawn from a stream named by the word, the
    same in every process; a caption is cut to ``config.tokens`` words. ``none``: one zero token.
    """
    if config.kind == "none":
        return [torch.zeros(1, config.dim) for _ in captions]
    words = [WORD.findall(caption.lower())[: config.tokens] for caption in captions]
    return [
        torch.stack([torch.randn(config.dim, generator=torch_generator(0, "word", word)) for word in one])
        if one
        else torch.zeros(0, config.dim)
        for one in words
    ]


@torch.no_grad()
def encode(config: Text, captions: list[str], folder: Path) -> list[Tensor]:
    """Text tokens (l, dim) of each caption from the UMT5 of a pretrained model's ``folder``, padding left out.

    As in Wan 2.1: cleaned captions (``ftfy``, entities, white space), up to ``config.tokens`` tokens, the last hidden
    state; what is padded later is zero.
    """
    from diffusers.pipelines.wan.pipeline_wan import prompt_clean  # here: it loads whole pipelines

    captions = [prompt_clean(caption) for caption in captions]
    tokenizer, encoder = load_text_encoder(folder)
    encoder = encoder.to(device())  # pyright: ignore[reportArgumentType] its decorator hides that it is a method
    if encoder.config.d_model != config.dim:
        raise TextError(f"text.dim = {config.dim}, but this text encoder is {encoder.config.d_model} wide")
    hidden_states: list[Tensor] = []
    for start in tqdm(range(0, len(captions), BATCH), desc="text", mininterval=5):
        tokens = tokenizer(
            captions[start : start + BATCH], padding=True, truncation=True, max_length=config.tokens,
            add_special_tokens=True, return_attention_mask=True, return_tensors="pt",
        ).to(device())  # fmt: skip
        hidden = encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state.float().cpu()
        hidden_states += [one[: int(mask.sum())] for one, mask in zip(hidden, tokens.attention_mask, strict=True)]
    return hidden_states


def write_texts(
    config: Text,
    captions: dict[str, str],
    path: Path,
    pretrained: Path | None = None,
    negative: str | None = None,
) -> None:
    """Embed every caption once; ``captions``: video name to caption. One tensor per caption, videos in the header.

    ``pretrained``: folder of the pretrained model, for ``text.kind: umt5``. ``negative``: a prompt that is embedded
    beside the captions, for guidance. Raises TextError without it, and
    NotFiniteError, with nothing written, for embeddings that are not finite.
    """
    texts = [*captions.values(), *([] if negative is None else [negative])]
    names = {caption: digest(caption) for caption in texts}
    wanted = sorted(names)
    if config.kind == "umt5":
        if pretrained is None:
            raise TextError("text.kind = umt5 needs a pretrained model; none was handed over")
        tokens = encode(config, wanted, pretrained)
    else:
        tokens = embed(config, wanted)
    videos = {video: names[caption] for video, caption in captions.items()}
    tensors = {names[caption]: one for caption, one in zip(wanted, tokens, strict=True)}
    header = {"text": config.model_dump(mode="json"), "videos": videos}
    header |= {} if negative is None else {"negative": {"prompt": negative, "name": names[negative]}}
    save_tensors(path, tensors, header, finite=True)


class Texts:
    """Reads what ``write_texts`` wrote, one caption at a time."""

    def __init__(self, path: Path, config: Text) -> None:
        """Open the file.

        Raises TextError where it is missing or holds the embeddings of another configuration, and TensorFileError
        where it is damaged.
        """
        if not Path(path).is_file():
            raise TextError(f"{path}: no text embeddings there; write them with `python -m echo text`")
        header = read_header(path)
        if header.get("text") != config.model_dump(mode="json"):
            raise TextError(f"{path}: embeddings of {header.get('text')}, the study asks for {config.model_dump()}")
        self.path, self.videos = Path(path), header["videos"]
        self._negative = header.get("negative", {})
        self.length = 1 if config.kind == "none" else config.tokens
        self._file = open_tensors(path)

    def of(self, video: str) -> Tensor:
        """Text tokens (L, dim) float32 of a video's caption, padded with zeros to the configured length L."""
        if video not in self.videos:
            raise TextError(f"{self.path}: no caption of {video!r} among {len(self.videos)} videos")
        return self._padded(self.videos[video])

    def negative(self, prompt: str) -> Tensor:
        """Text tokens (L, dim) float32 of the negative prompt, padded alike; TextError where it is another one."""
        if self._negative.get("prompt") != prompt:
            raise TextError(f"{self.path}: no embedding of the negative prompt {prompt!r}; embed the captions again")
        return self._padded(self._negative["name"])

    def _padded(self, name: str) -> Tensor:
        tokens = self._file.get_tensor(name)
        return torch.cat([tokens, tokens.new_zeros(self.length - len(tokens), tokens.shape[1])])
