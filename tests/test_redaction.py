"""One policy for secrets: validation, observation and output treat every URL in the same way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.urls import forbid_credentials
from reconciler.redaction import is_secret_name, redact, redact_source_line, redact_url

URLS = {
    "https://index.example/a.whl": "https://index.example/a.whl",
    "https://me:secret@index.example/a": "https://****@index.example/a",
    "https://me:se@cret@index.example/a": "https://****@index.example/a",
    "https://me:se/cret@index.example/a": "https://****@index.example/a",
    "https://token@index.example/a": "https://****@index.example/a",
    "https://me:se`cret@index.example/a": "https://****@index.example/a",
    "https://a.example/x?token=se`cret": "https://a.example/x?token=****",
    "https://${USER}:${PASS}@index.example/a": "https://${USER}:${PASS}@index.example/a",
    "https://me:secret@[::1/x": "https://****@[::1/x",
    "https://[::1]:8080/x@y": "https://[::1]:8080/x@y",
    "git+https://git@git.example/a.git": "git+https://git@git.example/a.git",
    "ssh://git@git.example/a.git": "ssh://git@git.example/a.git",
    "ssh://me@git.example/a.git": "ssh://me@git.example/a.git",
    "ssh://me:secret@git.example/a.git": "ssh://****@git.example/a.git",
    "git@git.example:a/b.git": "git@git.example:a/b.git",
    "https://a.example/x?token=secret&n=1": "https://a.example/x?token=****&n=1",
    "https://a.example/x?credential=secret": "https://a.example/x?credential=****",
    "https://a.example/x?api-key=secret": "https://a.example/x?api-key=****",
    "https://a.example/x?passphrase=secret": "https://a.example/x?passphrase=****",
    "https://a.example/x?pwd=secret": "https://a.example/x?pwd=****",
    "https://a.example/x?sig=secret;n=1": "https://a.example/x?sig=****",
    "https://a.example/x?AWSAccessKeyId=secret": "https://a.example/x?AWSAccessKeyId=****",
    "https://a.example/x?Key-Pair-Id=secret": "https://a.example/x?Key-Pair-Id=****",
    "https://a.example/x?X-Amz-Signature=secret#f": "https://a.example/x?X-Amz-Signature=****#f",
    "https://a.example/x#auth=secret": "https://a.example/x#auth=****",
    "https://a.example/x?n=1&design=2&monkey=3#egg=acme": "https://a.example/x?n=1&design=2&monkey=3#egg=acme",
    "https://a.example/x#sha256=00ff": "https://a.example/x#sha256=00ff",
}


@pytest.mark.parametrize(("url", "shown"), URLS.items())
def test_every_function_redacts_a_url_in_the_same_way(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact(url) == shown
    assert redact(f'see "{url}" there') == f'see "{shown}" there'
    assert redact(f"see `{url}`, or (`{url}`)") == f"see `{shown}`, or (`{shown}`)"
    assert redact(shown) == redact_url(shown) == shown


@pytest.mark.parametrize(("url", "shown"), URLS.items())
def test_validate_refuses_exactly_the_urls_that_would_be_redacted(url: str, shown: str) -> None:
    if url == shown:
        forbid_credentials(url)
    else:
        with pytest.raises(Exception, match="credentials in a URL"):
            forbid_credentials(url)


@given(password=st.text(min_size=8).filter(lambda text: not set(text) & set("/?#") and text.strip(":@$ ")))
def test_no_password_of_any_characters_stays_in_a_url(password: str) -> None:
    shown = redact_url(f"https://user:{password}@index.example/simple")
    assert shown.endswith("****@index.example/simple")
    assert "user:" not in shown.removesuffix("index.example/simple")


@pytest.mark.parametrize("name", ["API_TOKEN", "DB_PASSWORD", "aws_secret_access_key", "MY_API-KEY", "Credential"])
def test_a_variable_with_such_a_name_is_secret(name: str) -> None:
    assert is_secret_name(name)
    assert redact_source_line(f'  {name}: "hunter2"') == f"  {name}: ****"


@pytest.mark.parametrize("name", ["PWD", "HOME", "MONKEY", "DESIGN", "AUTHOR", "KEYBOARD"])
def test_variables_with_other_names_are_not_secret(name: str) -> None:
    assert not is_secret_name(name)
    assert redact_source_line(f'  {name}: "plain"') == f'  {name}: "plain"'


@pytest.mark.timeout(30)  # seconds; a quadratic pattern takes many minutes
@pytest.mark.parametrize(
    "unit", ["?", "a", "?key", "token", "https://", "https://a:b@", "k: ", "token\t:", "`", "`.", "?key=`"]
)
def test_the_time_for_a_long_text_is_not_quadratic(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert redact_source_line(text)
