"""The user's own package cache is refused where something else than the user's own uv could have written to it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.engines.user_cache import refuse_unsafe_cache
from reconciler.errors import UnsafeCacheError
from reconciler.interpreters.permitted import ForbiddenPlaces
from tests.fs.access_lists import GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, set_access_list

SOME_USER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")


class Place:
    """A machine with a repository, a root and a home directory; `cache` is the cache of the user."""

    def __init__(self, top: Path) -> None:
        self.top = top
        for each in ("repository/.git", "root/.envsync", "other/.envsync", "home/.cache/uv/wheels-v6", "elsewhere"):
            (top / each).mkdir(parents=True)
        (top / "venv").mkdir()
        (top / "venv/pyvenv.cfg").touch()
        (top / "repository/cache").mkdir()
        self.cache = top / "home/.cache/uv"
        self.places = ForbiddenPlaces.of(top / "repository/envs.yaml", top / "root")

    def link(self, name: str, target: str) -> Path:
        path = self.top / name
        if path.is_dir():
            path.rename(self.top / "moved")
        path.symlink_to(self.top / target)
        return path

    def refused(self) -> str:
        """Return why the cache is refused, without its path; "" if it is not."""
        try:
            refuse_unsafe_cache(self.cache, self.places)
        except UnsafeCacheError as error:
            return error.message.replace(f"{self.top}/", "")
        return ""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Path(os.path.realpath(tmp_path)))


@pytest.mark.parametrize(
    ("cache", "where"),
    [
        ("repository/cache", "the repository of the manifest `repository`"),
        ("repository", "the repository of the manifest `repository`"),
        ("repository/missing/cache", "the repository of the manifest `repository`"),
        ("repository/.git/cache", "the repository of the manifest `repository`"),
        ("root/cache", "the root `root`"),
        ("root/.envsync/cache/uv", "the root `root`"),
        ("other/cache", "the root `other`"),
        ("venv/cache", "the virtual environment `venv`"),
    ],
)
def test_a_place_whose_contents_come_from_a_commit_or_an_apply(cache: str, where: str, place: Place) -> None:
    place.cache = place.top / cache
    assert place.refused() == f"the package cache `{cache}` is in {where}"


@pytest.mark.parametrize(
    ("link", "target", "shown"),
    [
        ("home/.cache/uv", "repository/cache", "home/.cache/uv"),
        ("home/.cache", "repository", "home/.cache/uv"),
        ("home/.cache/uv/wheels-v6", "repository/cache", "home/.cache/uv/wheels-v6"),
        ("home/.cache/uv/new", "repository/cache/missing", "home/.cache/uv/new"),
    ],
)
def test_a_link_into_the_repository(link: str, target: str, shown: str, place: Place) -> None:
    place.link(link, target)
    assert place.refused() == f"the package cache `{shown}` is in the repository of the manifest `repository`"


def test_a_link_that_leads_through_the_repository(place: Place) -> None:
    (place.top / "repository/through").symlink_to(place.top / "elsewhere")
    place.link("home/.cache/uv", "repository/through")
    assert "is in the repository" in place.refused()


def open_to_all(place: Place) -> str:
    place.cache.chmod(0o777)
    return "every user may write to `home/.cache/uv`"


def below_a_directory_that_is_open_to_all(place: Place) -> str:
    place.cache.parent.chmod(0o757)
    return "every user may write to `home/.cache`"


def missing_below_a_directory_that_is_open_to_all(place: Place) -> str:
    place.cache = place.top / "elsewhere/uv"
    (place.top / "elsewhere").chmod(0o777)
    return "every user may write to `elsewhere`"


def of_an_unknown_group(place: Place) -> str:
    os.chown(place.cache, -1, 4_000_001)
    place.cache.chmod(0o775)
    return "the group `4000001` may write to `home/.cache/uv`"


def with_an_access_control_list(place: Place) -> str:
    rest = [(USER_OBJ, 7, NOBODY), (GROUP_OBJ, 5, NOBODY), (MASK, 7, NOBODY), (OTHER, 5, NOBODY)]
    set_access_list(place.cache, [(USER, 7, 4242), *rest])
    return "users in its access control list may write to `home/.cache/uv`"


def of_another_user(place: Place) -> str:
    os.chown(place.cache, 4_000_000, -1)
    return "`home/.cache/uv` belongs to user `4000000`"


def below_a_directory_of_another_user(place: Place) -> str:
    os.chown(place.cache.parent, 4_000_000, -1)
    return "`home/.cache` belongs to user `4000000`"


def a_link_of_another_user(place: Place) -> str:
    os.chown(place.link("home/.cache/uv", "elsewhere"), 4_000_000, -1, follow_symlinks=False)
    return "`home/.cache/uv` belongs to user `4000000`"


@needs_root
@pytest.mark.parametrize(
    "change",
    [
        open_to_all,
        below_a_directory_that_is_open_to_all,
        missing_below_a_directory_that_is_open_to_all,
        of_an_unknown_group,
        with_an_access_control_list,
        of_another_user,
        below_a_directory_of_another_user,
        a_link_of_another_user,
    ],
    ids=lambda change: change.__name__,
)
def test_a_place_that_another_user_may_write_to(change: Callable[[Place], str], place: Place) -> None:
    why = change(place)
    shown = str(place.cache).replace(f"{place.top}/", "")
    assert place.refused() == f"the package cache `{shown}` is not safe: {why}"


@needs_root
def test_a_part_of_the_cache_that_is_a_link_to_a_place_of_another_user(place: Place) -> None:
    (place.top / "elsewhere").chmod(0o777)
    place.link("home/.cache/uv/archive-v0", "elsewhere")
    assert place.refused() == (
        "the package cache `home/.cache/uv/archive-v0` is not safe: every user may write to `elsewhere`"
    )


@pytest.mark.parametrize("kind", ["as it is", "missing", "a link elsewhere", "below a sticky directory"])
def test_a_cache_of_ones_own_is_accepted(kind: str, place: Place) -> None:
    match kind:
        case "missing":
            place.cache = place.top / "home/.cache/none/uv"
        case "a link elsewhere":
            place.link("home/.cache/uv", "elsewhere")
            place.link("elsewhere/archive-v0", "moved")
        case "below a sticky directory":
            place.cache.parent.chmod(0o1777)
    assert place.refused() == ""
