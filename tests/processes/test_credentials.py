"""Where credentials are found: the variables of uv and of proxies, and netrc."""

from pathlib import Path

import pytest

from reconciler.processes.credentials import credentials_of


@pytest.mark.parametrize(
    "variables",
    [
        {"UV_INDEX_A_PASSWORD": "s3cret"},
        {"UV_INDEX_A_USERNAME": "s3cret"},
        {"UV_INDEX_A_USERNAME": "user", "UV_INDEX_A_PASSWORD": "s3cret"},
        {"HTTPS_PROXY": "http://user:s3cret@proxy.example:80"},
        {"all_proxy": "socks5://user:s3cret@proxy.example"},
        {"http_proxy": "user:s3cret@proxy.example:80"},
        {"http_proxy": "s3cret@proxy.example:80"},
    ],
)
def test_a_variable_with_a_password_or_a_token_is_a_secret(variables: dict[str, str]) -> None:
    assert "s3cret" in credentials_of({"HOME": "/nonexistent", **variables}, others=())
    assert "user" not in credentials_of({"HOME": "/nonexistent", **variables}, others=())


@pytest.mark.parametrize("named", [True, False])
def test_the_passwords_of_netrc_are_secrets(tmp_path: Path, named: bool) -> None:
    (tmp_path / ".netrc").write_text(
        "machine a.example login user password s3cret\ndefault login user password 0ther\n"
    )
    env = {"NETRC": str(tmp_path / ".netrc"), "HOME": "/nonexistent"} if named else {"HOME": str(tmp_path)}
    assert {"s3cret", "0ther"} <= {*credentials_of(env, others=())}
    assert "user" not in credentials_of(env, others=())


PARTS = {
    "s3cret": {"s3cret"},
    "--password=correct horse": {"--password=correct horse", "correct horse", "horse"},
    "machine: s3cret": {"machine: s3cret", "s3cret"},
    "see s3cret": {"see s3cret"},
    "https://user:s3cret@index.example/": {"https://user:s3cret@index.example/", "s3cret"},
}


@pytest.mark.parametrize("given", PARTS)
def test_a_secret_counts_as_a_whole_and_by_its_parts(given: str) -> None:
    found = credentials_of({"HOME": "/nonexistent"}, others=(given,))
    assert {*found} & set().union(*PARTS.values()) == PARTS[given], "others are only spelled differently"
