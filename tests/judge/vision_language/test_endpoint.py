"""Endpoints that fail: what is tried again, what is given up, what stops the job, and that no key is ever shown."""

import email.utils
import json
import time

import pytest

from echo.judge.rubric import WEIGHTS
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.endpoint import LARGEST, Endpoint, EndpointError, Lost
from echo.judge.vision_language.question import RULES, SCHEMA, Question
from tests.judge.endpoints import GOOD, completion, images_of, serving

QUESTION = Question(b"first", (b"one", b"two"), "sofa", "first_view_first", 3)
KEY = "sk-a-secret-that-nobody-may-read"


class Pauses(list):
    """Collects the seconds that would be slept."""

    def __call__(self, seconds):
        self.append(seconds)


def settings(server, **given):
    return Settings(endpoint=server.url, model="judge", timeout=5, **given)


def failing(times, **how):
    """A server's behaviour: the first attempts fail, the next is answered."""
    return lambda attempt, body: how if attempt < times else {}


def test_a_request_holds_rules_frames_schema_and_the_key(monkeypatch):
    monkeypatch.setenv("ECHO_JUDGE_KEY", KEY)
    with serving(failing(0)) as server:
        reply = Endpoint(settings(server, temperature=0.5, max_tokens=99)).reply(QUESTION)
        ((body, headers),) = server.requests
    assert json.loads(reply.text) == GOOD and (reply.model, reply.finish) == ("served", "stop") and reply.seconds > 0
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert images_of(body) == [b"first", b"one", b"two"]
    assert body["messages"][0] == {"role": "system", "content": RULES}
    assert (body["model"], body["temperature"], body["max_tokens"], body["seed"]) == ("judge", 0.5, 99, 3)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_without_key_none_is_sent_and_without_schema_none_is_asked_for(monkeypatch):
    monkeypatch.delenv("ECHO_JUDGE_KEY", raising=False)
    with serving(failing(0)) as server:
        Endpoint(settings(server, json_schema=False)).reply(QUESTION)
        ((body, headers),) = server.requests
    assert "Authorization" not in headers and "response_format" not in body


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"status": 429}, "status 429"),
        ({"status": 500, "body": "<html>oops</html>"}, "status 500"),
        ({"status": 503}, "status 503"),
        ({"status": 408}, "status 408"),
        ({"reset": True}, "no whole response"),
        ({"cut": 20}, "no whole response"),
        ({"sleep": 0.6}, "timeout"),
        ({"body": "<html>a proxy's page</html>", "headers": {"Content-Type": "text/html"}}, "no chat completion"),
        ({"body": completion("x")[:-9]}, "no chat completion"),
        ({"body": ""}, "no chat completion"),
        ({"body": "[]"}, "no chat completion"),
        ({"body": '{"choices": []}'}, "no chat completion"),
        ({"body": '{"choices": [{"message": null}]}'}, "no chat completion"),
        ({"body": completion(4.5)}, "no chat completion"),
        ({"body": completion(None)}, "no chat completion"),
        ({"body": completion([{"type": "text", "text": "x"}])}, "no chat completion"),
        ({"body": "[" * 100_000}, "no chat completion"),
        ({"headers": {"Content-Encoding": "gzip"}}, "cannot be decoded"),
        ({"body": "x" * (LARGEST + 1)}, "more than"),
    ],
)
def test_what_may_pass_is_tried_again_and_given_up_after_the_last_attempt(how, reason):
    for times, sleep in ((2, Pauses()), (3, Pauses())):
        with serving(failing(times, **how)) as server:
            endpoint = Endpoint(settings(server, attempts=3).model_copy(update={"timeout": 0.3}), sleep)
            if times < 3:
                assert json.loads(endpoint.reply(QUESTION).text) == GOOD
            else:
                with pytest.raises(Lost, match=reason):
                    endpoint.reply(QUESTION)
            assert len(server.requests) == 3 and len(sleep) == 2


def test_nobody_listening_is_a_lost_question():
    with serving(failing(0)) as server:
        given = settings(server, attempts=2)
    with pytest.raises(Lost, match="no whole response"):
        Endpoint(given, Pauses()).reply(QUESTION)


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7), ("1000", 30), ("date", 20), ("soon", 0), ("nan", 0), ("-5", 0)]
)
def test_retry_after_is_obeyed_up_to_the_longest_pause(asked, waited):
    asked = email.utils.formatdate(time.time() + 20, usegmt=True) if asked == "date" else asked
    pauses = Pauses()
    with serving(failing(1, status=429, headers={"Retry-After": asked})) as server:
        Endpoint(settings(server, longest_pause=30), pauses).reply(QUESTION)
    assert waited - 2 <= pauses[0] <= waited + 1


def test_pauses_grow_and_stay_below_the_longest():
    longest = []
    for _ in range(6):
        pauses = Pauses()
        with serving(failing(9, status=500)) as server, pytest.raises(Lost):
            Endpoint(settings(server, attempts=8, longest_pause=4), pauses).reply(QUESTION)
        longest.append(pauses)
    assert max(map(max, longest)) <= 4
    assert max(pauses[0] for pauses in longest) <= 0.5 * 2 and max(pauses[-1] for pauses in longest) > 1


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
def test_a_wrong_key_model_or_address_stops_at_once_and_shows_no_key(status, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    with serving(failing(9, status=status, body=f'{{"error": "{KEY}: no such\n model"}}')) as server:
        with pytest.raises(EndpointError, match=f'status {status} .*no such model".*variable MY_KEY') as error:
            Endpoint(settings(server, key_variable="MY_KEY")).reply(QUESTION)
        assert len(server.requests) == 1
    assert KEY not in str(error.value) and "\n" not in str(error.value)


def test_a_question_that_is_refused_is_lost_at_once():
    with serving(failing(9, status=400, body="content policy")) as server:
        with pytest.raises(Lost, match=r"status 400 \(content policy\)"):
            Endpoint(settings(server)).reply(QUESTION)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [completion(None, refusal="I will not."), completion(None).replace('"stop"', '"content_filter"')]
)
def test_a_models_refusal_is_a_reply(body):
    """It was given, and is kept like one; what it says are no scores."""
    with serving(failing(1, body=body)) as server:
        reply = Endpoint(settings(server)).reply(QUESTION)
    assert not set(WEIGHTS) & set(reply.text.split()) and reply.text in ("", "I will not.")
