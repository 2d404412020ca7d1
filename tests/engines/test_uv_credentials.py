"""Credentials of an index reach only its host, and no variable of a run that is not about it."""

import stat
import tomllib
from pathlib import Path

import pytest

from reconciler.engines.uv_credentials import index_host, uv_credentials
from reconciler.errors import IndexForbiddenError
from reconciler.manifest.desired import Index

ACME = Index(name="acme", url="https://pypi.acme.example/simple/")
GIVEN = {
    "UV_INDEX_ACME_USERNAME": "joe",
    "UV_INDEX_ACME_PASSWORD": 's3"cret\\ü',
    "UV_INDEX_ACME_HOST": "pypi.acme.example",
}


def test_they_are_in_a_store_that_only_the_user_can_read_and_that_ends_with_the_run() -> None:
    with uv_credentials((ACME,), GIVEN) as variables:
        assert list(variables) == ["UV_CREDENTIALS_DIR"]
        file = Path(variables["UV_CREDENTIALS_DIR"]) / "credentials.toml"
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        pages, files = tomllib.loads(file.read_text(encoding="utf-8"))["credential"]
        assert pages == {"service": ACME.url, "username": "joe", "scheme": "basic", "password": 's3"cret\\ü'}
        assert files == pages | {"service": "https://pypi.acme.example/"}
        if Path("/proc/self/fd").is_dir():
            assert "memfd" in str(file.readlink().readlink()), "it is not on disk"
    assert not file.parent.exists()


@pytest.mark.parametrize("indexes", [(), (Index(name="other", url="https://other.example/simple/"),)])
def test_a_run_without_the_index_gets_none(indexes: tuple[Index, ...]) -> None:
    with uv_credentials(indexes, GIVEN) as variables:
        assert variables == {}


@pytest.mark.parametrize(
    ("url", "bound"),
    [
        ("https://evil.example/simple/", "pypi.acme.example"),
        ("https://pypi.acme.example.evil.example/", "pypi.acme.example"),
        ("https://pypi.acme.example:8443/simple/", "pypi.acme.example"),
        ("http://pypi.acme.example:443/simple/", "pypi.acme.example"),
        ("https://pypi.acme.example/simple/", ""),
        ("https://pypi.acme.example/simple/", "acme.example"),
        ("https://pypi.acme.example@evil.example/", "pypi.acme.example"),
    ],
)
def test_they_are_refused_for_a_host_that_they_are_not_for(url: str, bound: str) -> None:
    index = Index(name="acme", url=url)
    with (
        pytest.raises(IndexForbiddenError) as caught,
        uv_credentials((index,), GIVEN | {"UV_INDEX_ACME_HOST": bound}),
    ):
        pytest.fail("they would be sent")
    binding = f"for `{bound}`" if bound else "not bound to a host"
    assert caught.value.message == f"index `acme` (`{index_host(url)}`): its credentials are {binding}"
    assert caught.value.hint == f"if this host may have them, set `UV_INDEX_ACME_HOST={index_host(url)}`"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://PyPI.acme.example/simple", "pypi.acme.example"),
        ("https://pypi.acme.example:443/", "pypi.acme.example"),
        ("http://127.0.0.1:8080/simple", "127.0.0.1:8080"),
        ("http://[::1]:80/simple", "[::1]"),
        ("https://[::1]/simple", "[::1]"),
    ],
)
def test_the_usual_port_is_left_out_of_a_host(url: str, host: str) -> None:
    assert index_host(url) == host


def test_a_host_without_https_gets_them_in_variables_because_the_store_refuses_it() -> None:
    index = Index(name="acme", url="http://pypi.internal.example/simple/")
    given = GIVEN | {"UV_INDEX_ACME_HOST": "pypi.internal.example"}
    with uv_credentials((index,), given) as variables:
        assert variables == {name: given[name] for name in ("UV_INDEX_ACME_USERNAME", "UV_INDEX_ACME_PASSWORD")}
