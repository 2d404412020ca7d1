"""The rules of indexes, hashes and credentials, without an engine."""

import pytest

from reconciler.errors import LockError
from reconciler.lock.checks import check_indexes, plain_url
from reconciler.manifest.desired import Index


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://index.example/simple", "https://index.example/simple"),
        ("https://user:pass@index.example/simple", "https://index.example/simple"),
        ("https://token@index.example/simple", "https://index.example/simple"),
        ("https://user:p@ss@index.example:8443/x?y#z", "https://index.example:8443/x?y#z"),
        ("git+https://token@index.example/r.git", "git+https://index.example/r.git"),
        ("git+ssh://git@index.example/r.git", "git+ssh://git@index.example/r.git"),
        ("ssh://git@index.example/r.git", "ssh://git@index.example/r.git"),
        ("git+ssh://git:pass@index.example/r.git", "git+ssh://index.example/r.git"),
        ("https://index.example/a@b", "https://index.example/a@b"),
        ("file:///srv/a@b", "file:///srv/a@b"),
    ],
)
def test_credentials_are_taken_out_of_a_url(url: str, plain: str) -> None:
    assert plain_url(url) == plain


@pytest.mark.parametrize(
    "url",
    [
        "https://own.index.example/simple",
        "https://own.index.example/simple/",
        "https://OWN.Index.Example/simple",
        "HTTPS://own.index.example:443/simple",
        "https://user:pass@own.index.example/simple",
    ],
)
def test_an_index_is_the_same_however_its_url_is_written(url: str) -> None:
    indexes = (Index(name="own", url=url, packages=("acme-*",)), Index(name="public", url="https://index.example"))
    found = [{"name": "acme-web", "index": "https://own.index.example/simple"}]
    check_indexes("web", found, indexes)
    with pytest.raises(LockError, match="other-thing was resolved from index own"):
        check_indexes("web", [{"name": "other-thing", "index": "https://own.index.example/simple"}], indexes)


def test_different_ports_and_paths_are_different_indexes() -> None:
    indexes = (Index(name="own", url="https://own.index.example:8443/a", packages=("acme",)),)
    for url in ("https://own.index.example/a", "https://own.index.example:8443/A", "http://own.index.example:8443/a"):
        with pytest.raises(LockError, match=r"acme is pinned to index own \(https://own\.index\.example:8443/a\)"):
            check_indexes("web", [{"name": "acme", "index": url}], indexes)


def test_a_package_may_be_pinned_to_several() -> None:
    indexes = tuple(Index(name=name, url=f"https://{name}.index.example", packages=("acme",)) for name in "ab")
    check_indexes("web", [{"name": "acme", "index": "https://b.index.example"}], indexes)
    with pytest.raises(LockError, match=r"pinned to index a \(https://a\.index\.example\) or b"):
        check_indexes("web", [{"name": "acme", "index": "https://c.index.example"}], indexes)


def test_a_package_that_is_from_no_index_is_not_held_to_them() -> None:
    indexes = (Index(name="own", url="https://own.index.example", packages=("*",)),)
    check_indexes("web", [{"name": "acme", "vcs": {}}], indexes)


def test_a_pattern_is_no_prefix() -> None:
    indexes = (Index(name="own", url="https://own.index.example", packages=("acme-*",)),)
    with pytest.raises(LockError, match="should come from no other index"):
        check_indexes("web", [{"name": "acme", "index": "https://own.index.example/"}], indexes)
