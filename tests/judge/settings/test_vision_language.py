"""Settings that no endpoint could be asked with are refused."""

import pytest
from pydantic import ValidationError

from echo.judge.settings.vision_language import Settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"endpoint": "localhost:8000/v1"}, "starts with http"),
        ({"endpoint": "https://user:key@host/v1"}, "a key belongs into the environment"),
        ({"endpoint": "https://host/v1?key=abc"}, "a key belongs into the environment"),
        ({"key": "sk-abc"}, "Extra inputs"),
        ({"key_variable": "MY KEY"}, "match pattern"),
        ({"model": ""}, "at least 1"),
        ({"repeats": 0}, "greater than or equal to 1"),
        ({"repeats": 3}, "the same answer"),
        ({"temperature": -1}, "greater than or equal to 0"),
        ({"lost": 1.5}, "less than or equal to 1"),
        ({"timeout": 0}, "greater than 0"),
    ],
)
def test_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate(values)


def test_an_endpoint_is_taken_without_its_last_slash():
    assert Settings(endpoint="https://host/v1/").endpoint == "https://host/v1"
    assert Settings(repeats=3, temperature=0.7).repeats == 3
