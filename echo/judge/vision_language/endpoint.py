"""A model behind an OpenAI-compatible endpoint (``POST <endpoint>/chat/completions``), which may fail in every way.

- What may pass is tried again, with growing random pauses, ``Settings.attempts`` times: no connection, a timeout, a
  reset, statuses 408, 409, 425, 429 and 5xx, and a body that is no chat completion (HTML, cut JSON, other types,
  endless). A ``Retry-After`` is obeyed, up to ``longest_pause``.
- 401, 403, 404 and redirections stop the job: key, model or address are wrong, and every question would end so.
- Any other status is the endpoint's answer to this question, such as that a filter refuses it: the question is lost.

A reply that arrives is returned as it is, whatever it says: ``echo.judge.vision_language.scores`` reads it.
"""

from __future__ import annotations

import base64
import email.utils
import json
import os
import time
from collections.abc import Callable
from typing import Any

import httpx
import tenacity

from echo.io.errors import UserError
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.answers import Reply
from echo.judge.vision_language.question import RULES, SCHEMA, Question

PASSING = (408, 409, 425, 429)  # statuses that a later attempt may not have, beside 5xx
WRONG = (401, 403, 404)
LARGEST = 1 << 20  # bytes of a body; an answer has a few hundred
FIRST_PAUSE = 0.5  # seconds; the longest doubles with each attempt
SHOWN = 200  # characters of a body that a message quotes


class EndpointError(UserError):
    """An endpoint that cannot be used at all."""


class Lost(Exception):
    """A question that stays without a reply; the message says why, without what differs from case to case."""


class _Passing(Exception):
    """A failed attempt that may pass; ``pause``: seconds that the endpoint asks to wait."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Endpoint:
    """``reply`` may be called from several threads."""

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        """Settings with an ``endpoint``; ``sleep``: how pauses are waited for."""
        self.settings = settings
        # Never shown: neither httpx nor this module puts headers into messages.
        self._key = os.environ.get(settings.key_variable)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        limits = httpx.Limits(max_connections=settings.parallel)
        self.client = httpx.Client(headers=headers, timeout=settings.timeout, limits=limits)
        self.attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=tenacity.stop_after_attempt(settings.attempts),
            wait=self._pause,
            sleep=sleep,
            reraise=True,
        )

    def reply(self, question: Question) -> Reply:
        """The model's reply; raises Lost where all attempts failed, EndpointError where none can succeed."""
        body = self.body(question)
        try:
            return self.attempts.copy()(self._attempt, body)
        except _Passing as error:
            raise Lost(str(error)) from None

    def body(self, question: Question) -> dict[str, Any]:
        """The request: rules as the system's turn, words and frames as the user's."""
        settings = self.settings
        content: list[dict[str, Any]] = []
        for kind, held in question.parts:
            if isinstance(held, bytes):
                url = f"data:image/png;base64,{base64.b64encode(held).decode()}"
                content.append({"type": "image_url", "image_url": {"url": url}})
            else:
                content.append({"type": kind, "text": held})
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": "system", "content": RULES}, {"role": "user", "content": content}],
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "seed": question.repeat,
        }
        if settings.json_schema:
            form = {"name": "scores", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def _attempt(self, body: dict[str, Any]) -> Reply:
        """One request, from the first byte sent to the last one read in at most ``timeout`` seconds or so."""
        started = time.monotonic()
        try:
            with self.client.stream("POST", f"{self.settings.endpoint}/chat/completions", json=body) as response:
                held = b""
                for part in response.iter_bytes():
                    held += part
                    if len(held) > LARGEST:
                        raise _Passing(f"a body of more than {LARGEST} bytes")
                    if time.monotonic() - started > self.settings.timeout:
                        raise _Passing("timeout")
        except httpx.TimeoutException:
            raise _Passing("timeout") from None
        except httpx.TransportError as error:
            raise _Passing(f"no whole response ({type(error).__name__})") from None
        except httpx.DecodingError:
            raise _Passing("a body that cannot be decoded") from None
        self._check(response, held)
        return _reply(held, time.monotonic() - started)

    def _check(self, response: httpx.Response, held: bytes) -> None:
        """Raise unless the status is 200."""
        status = response.status_code
        if status == 200:
            return
        if status in PASSING or status >= 500:
            raise _Passing(f"status {status}", _seconds(response.headers.get("retry-after")))
        text = held.decode(errors="replace")
        text = text.replace(self._key, "***") if self._key else text  # some endpoints repeat it
        quoted = " ".join(text.split())[:SHOWN]
        if status in WRONG or 300 <= status < 400:  # a redirected question would take the key elsewhere
            raise EndpointError(
                f"{self.settings.endpoint} answers with status {status} ({quoted}); check the judge's endpoint and "
                f"model = {self.settings.model}, and the key in the environment variable {self.settings.key_variable}"
            )
        raise Lost(f"status {status} ({quoted})")

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Seconds before the next attempt: what the endpoint asks for, or a random time that grows."""
        error = state.outcome.exception() if state.outcome else None
        grown = tenacity.wait_random_exponential(multiplier=FIRST_PAUSE, max=self.settings.longest_pause)(state)
        asked = error.pause if isinstance(error, _Passing) and error.pause is not None else 0.0
        return min(max(asked, grown), self.settings.longest_pause)


def _reply(held: bytes, seconds: float) -> Reply:
    """The first choice of a chat completion."""
    try:
        completion = json.loads(held)
        choice = completion["choices"][0]
        message, model, finish = choice["message"], completion.get("model"), choice.get("finish_reason")
        text = message.get("content")
        if text is None and (isinstance(message.get("refusal"), str) or finish in ("content_filter", "length")):
            text = message.get("refusal") or ""
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _Passing("a body that is no chat completion") from None
    named = model if isinstance(model, str) else ""
    return Reply(text, named, finish if isinstance(finish, str) else None, round(seconds, 3))


def _seconds(header: str | None) -> float | None:
    """A Retry-After header's seconds, from now where it names a date; None where it says nothing."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds == seconds else None
