"""The rules for indexes and credentials in locks, without an engine."""

import pytest

from reconciler.errors import LockError
from reconciler.lock.checks import check_indexes
from reconciler.manifest.desired import Index


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
def test_different_spellings_of_a_url_are_the_same_index(url: str) -> None:
    indexes = (Index(name="own", url=url, packages=("acme-*",)), Index(name="public", url="https://index.example"))
    found = [{"name": "acme-web", "index": "https://own.index.example/simple"}]
    check_indexes(found, indexes)
    with pytest.raises(LockError, match="`other-thing` comes from index `own`"):
        check_indexes([{"name": "other-thing", "index": "https://own.index.example/simple"}], indexes)


def test_different_ports_and_paths_are_different_indexes() -> None:
    indexes = (Index(name="own", url="https://own.index.example:8443/a", packages=("acme",)),)
    for url in ("https://own.index.example/a", "https://own.index.example:8443/A", "http://own.index.example:8443/a"):
        with pytest.raises(
            LockError, match=r"`acme` is pinned to index `own` \(`https://own\.index\.example:8443/a`\)"
        ):
            check_indexes([{"name": "acme", "index": url}], indexes)


def test_a_package_can_be_pinned_to_several_indexes() -> None:
    indexes = tuple(Index(name=name, url=f"https://{name}.index.example", packages=("acme",)) for name in "ab")
    check_indexes([{"name": "acme", "index": "https://b.index.example"}], indexes)
    with pytest.raises(LockError, match=r"pinned to index `a` \(`https://a\.index\.example`\) or `b`"):
        check_indexes([{"name": "acme", "index": "https://c.index.example"}], indexes)


def test_a_package_that_is_not_from_an_index_is_not_checked() -> None:
    indexes = (Index(name="own", url="https://own.index.example", packages=("*",)),)
    check_indexes([{"name": "acme", "vcs": {}}], indexes)
    with pytest.raises(LockError, match="pinned to index `own`"):
        check_indexes([{"name": "acme", "index": "https://other.index.example"}], indexes)


def test_a_pattern_is_not_a_prefix() -> None:
    indexes = (Index(name="own", url="https://own.index.example", packages=("acme-*",)),)
    with pytest.raises(LockError, match=r"is only for `acme-\*`"):
        check_indexes([{"name": "acme", "index": "https://own.index.example/"}], indexes)


def test_an_index_that_the_environment_does_not_use_is_refused() -> None:
    indexes = (Index(name="one", url="https://one.index.example"),)
    with pytest.raises(LockError, match="which is not an index of this environment"):
        check_indexes([{"name": "acme", "index": "https://two.index.example/"}], indexes)
    with pytest.raises(LockError, match=r"it uses the default index \(PyPI\)"):
        check_indexes([{"name": "acme", "index": "https://two.index.example/"}], ())
