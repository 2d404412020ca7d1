"""What a program prints of the values that are not public is removed, in every spelling."""

import base64
import json
import shlex
from urllib.parse import quote

import pytest

from reconciler.processes.credentials import credentials_of, without_secrets
from tests.secret_shapes import MARK, SHAPES, spellings


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_is_removed_as_it_is_and_encoded(name: str) -> None:
    text = SHAPES[name]
    secrets = credentials_of({"HOME": "/nonexistent"}, (text,))
    encoded = base64.b64encode(text.encode()).decode("ascii")
    printed = [
        text,
        f"value: {text} end",
        repr(text),
        json.dumps(text),
        shlex.quote(text),
        quote(text, safe=""),
        encoded,
    ]
    for output in printed:
        for line in output.splitlines():
            shown = without_secrets(secrets, line)
            assert not any(each in shown for each in spellings(text)), shown


@pytest.mark.parametrize(
    "text", [f"--password={MARK}", f"X-Api-Key: {MARK}", f"Authorization: Bearer {MARK}", f"mysql://app:{MARK}@db/x"]
)
def test_the_value_of_an_option_a_header_or_a_url_is_removed_alone_too(text: str) -> None:
    secrets = credentials_of({"HOME": "/nonexistent"}, (text,))
    assert without_secrets(secrets, f"access denied for {MARK}") == "access denied for ****"


def test_a_short_value_stays_because_it_is_part_of_many_words() -> None:
    assert without_secrets(credentials_of({}, ("on", "1", "")), "only 1 on") == "only 1 on"
