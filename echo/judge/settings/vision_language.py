"""Settings of the judge ``vision_language``; no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from echo.study.sections.section import Exponent, Flag, Integer, Number, Path, Section


class Settings(Section):
    """A vision-language model, reached at an OpenAI-compatible endpoint or run in this process."""

    model: str = Field(
        default="Qwen/Qwen3-VL-30B-A3B-Instruct",
        min_length=1,
        description="the model's name, as the endpoint or the Hugging Face hub knows it; without an endpoint a folder "
        "may be given",
    )
    revision: str | None = Field(
        default="9c4b90e1e4ba969fd3b5378b57d966d725f1b86c",
        description="commit of the model on the hub; an endpoint is not told of it, answers are kept under it. Null "
        "for a model that has none",
    )
    endpoint: str | None = Field(
        default=None,
        description="base URL of an OpenAI-compatible server, such as http://localhost:8000/v1 (vLLM, SGLang, "
        "`transformers serve`, a commercial one); null: the model runs in this process",
    )
    key_variable: str = Field(
        default="ECHO_JUDGE_KEY",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="environment variable with the endpoint's key; none is sent where it is not set",
    )
    json_schema: Flag = Field(
        default=True, description="ask the endpoint to hold the answer to the JSON schema (guided decoding)"
    )
    repeats: Annotated[Integer, Field(ge=1, le=100)] = Field(
        default=1, description="answers in each order of the frames; more than one needs a temperature above 0"
    )
    temperature: Annotated[Number, Field(ge=0, le=2)] = Field(default=0.0, description="of the model's sampling")
    max_tokens: Annotated[Integer, Field(ge=16, le=65_536)] = Field(
        default=256, description="longest answer; one that is cut off is missing"
    )
    side: Annotated[Integer, Field(ge=28, le=4096)] = Field(
        default=448,
        description="pixels that the shorter side of a frame is enlarged to; larger frames stay as they are",
    )
    parallel: Annotated[Integer, Field(ge=1, le=256)] = Field(
        default=8, description="questions that wait for the endpoint at the same time, in each job"
    )
    timeout: Annotated[float, Field(gt=0, le=3600), Exponent] = Field(
        default=120.0, description="seconds after which an attempt counts as failed"
    )
    attempts: Annotated[Integer, Field(ge=1, le=20)] = Field(
        default=6, description="attempts at one question where the endpoint fails, with growing pauses between them"
    )
    longest_pause: Annotated[float, Field(ge=0, le=3600), Exponent] = Field(
        default=60.0, description="seconds; the longest pause between attempts, also where the endpoint asks for more"
    )
    lost: Annotated[float, Field(ge=0, le=1), Exponent] = Field(
        default=0.05,
        description="share of the questions that may stay without any answer, and count as missing; above it the job "
        "fails, and keeps what was answered",
    )
    answers: Path = Field(
        default="runs/answers", description="folder in which every answer is kept by its content, and not asked again"
    )

    @field_validator("endpoint")
    @classmethod
    def _a_url(cls, endpoint: str | None) -> str | None:
        """An address without a key in it."""
        if endpoint is None:
            return None
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError("expected a URL that starts with http:// or https://")
        if "@" in endpoint or "?" in endpoint:
            raise ValueError("expected a URL without user, password or query: a key belongs into the environment")
        return endpoint.rstrip("/")

    @model_validator(mode="after")
    def _repeats_that_differ(self) -> Settings:
        """At temperature 0 every repeat would be the first one again, paid for twice."""
        if self.repeats > 1 and not self.temperature:
            raise ValueError(
                f"repeats = {self.repeats} at temperature 0 are the same answer; set a temperature above 0"
            )
        return self
