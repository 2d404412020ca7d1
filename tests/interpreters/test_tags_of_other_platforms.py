"""What an interpreter of another platform takes is computed from its own facts: as pip would choose inside of it."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from reconciler.interpreters.query import SCRIPT, supported_tags
from reconciler.lock.wheel_order import tags_in_order, wheels_in_order
from tests.interpreters.faked_facts import FAKED, Faked, facts_and_tags

_FIXED = ("py3-none-any", "py2.py3-none-any", "py30-none-any", "cp36-abi3-any", "cp312-cp312-win_amd64")


@cache
def everything() -> dict[str, tuple[dict[str, Any], list[str]]]:
    return facts_and_tags(SCRIPT)


def own_tags(faked: Faked) -> list[str]:
    return list(supported_tags(everything()[faked.name][0]))


@pytest.mark.parametrize("faked", FAKED, ids=str)
def test_its_tags_are_those_that_it_would_find_itself(faked: Faked) -> None:
    assert tags_in_order(own_tags(faked)) == tags_in_order(everything()[faked.name][1])


# Plain `linux` comes last, as in uv and in pip before 26.3: see reconciler/lock/wheel_order.py.
def wheel_names(faked: Faked) -> st.SearchStrategy[list[str]]:
    """Names of wheels that differ in their tags and builds: some that fit, and some of other interpreters."""
    others = [each for other in FAKED for each in everything()[other.name][1][::97]]
    tags = st.sampled_from(sorted({*everything()[faked.name][1], *others, *_FIXED}))
    builds = st.sampled_from(["", "1-", "2a-", "10-"])
    names = st.builds(lambda tag, build: f"package-1.0-{build}{tag}.whl", tags, builds)
    return st.lists(names, min_size=1, max_size=12, unique=True)


@cache
def pip_inside(name: str) -> Any:
    """Return the part of pip that chooses among files, with the tags of an interpreter."""
    from pip._internal.index.package_finder import CandidateEvaluator
    from pip._vendor.packaging import tags as vendored
    from pip._vendor.packaging.specifiers import SpecifierSet

    tags = tags_in_order(everything()[name][1])
    supported = [vendored.Tag(each.interpreter, each.abi, each.platform) for each in tags]
    return CandidateEvaluator("package", supported_tags=supported, specifier=SpecifierSet())


def rank_by_pip(name: str, faked: Faked, tags: list[Tag]) -> Any:
    """Return the key by which pip sorts a wheel, the best one last; None if it is not supported."""
    from pip._internal.models.candidate import InstallationCandidate
    from pip._internal.models.link import Link

    if parse_wheel_filename(name)[3].isdisjoint(tags):
        return None
    link = Link(f"https://index.example/{name}")
    return pip_inside(faked.name)._sort_key(InstallationCandidate("package", "1.0", link))


def chosen(names: list[str], tags: list[str]) -> str | None:
    """Return the wheel that envsync installs from a lock with these wheels."""
    wheels = [{"name": each, "url": f"https://index.example/{each}", "hashes": {"sha256": "0" * 64}} for each in names]
    package = {"name": "package", "version": "1.0", "wheels": wheels}
    pylock = Pylock.from_dict({"lock-version": "1.0", "created-by": "test", "packages": [package]})
    try:
        [(_, artifact)] = wheels_in_order(pylock).select(tags=tags_in_order(tags))
    except PylockSelectError:
        return None
    assert isinstance(artifact, PackageWheel)
    return artifact.filename


@given(st.data())
def test_it_gets_the_wheel_that_pip_would_choose(data: st.DataObject) -> None:
    faked = data.draw(st.sampled_from(FAKED))
    names = data.draw(wheel_names(faked))
    tags = tags_in_order(everything()[faked.name][1])
    ranks = {each: rank for each in names if (rank := rank_by_pip(each, faked, tags)) is not None}
    found = chosen(names, own_tags(faked))
    if found is None:
        assert not ranks
    else:
        assert ranks[found] == max(ranks.values())
