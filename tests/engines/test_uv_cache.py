"""What of uv's cache is not needed any more."""

import os
from pathlib import Path

from reconciler.engines.engine import CachedPackage
from reconciler.engines.uv import UvEngine
from reconciler.engines.uv_cache import MOST_INTERPRETERS, unused_entries, unused_names


def place(cache: Path, *names: str) -> None:
    for name in names:
        path = cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_only_versions_that_are_not_kept_and_names_that_are_understood_are_found(tmp_path: Path) -> None:
    unused = (
        "wheels-v8/pypi/idna/3.7-py3-none-any.http",
        "wheels-v8/index/0123/torch/2.1.0+cpu-cp311-cp311-linux_x86_64",
        "wheels-v8/url/0123/six/1.0-py3-none-any.msgpack",
        "sdists-v11/pypi/typing-extensions/4.0/revision.http",
    )
    others = (
        "wheels-v8/pypi/idna/3.10-py3-none-any.http",
        "wheels-v8/index/0123/torch/2.1.0+cu118-cp311-cp311-linux_x86_64",
        "wheels-v8/pypi/idna/unknown",
        "wheels-v8/pypi/file",
        "wheels-v8/new/0123/idna/3.7-py3-none-any.http",
        "sdists-v11/path/0123/4567/revision.rev",
        "archive-v0/idna/3.7-py3-none-any.http",
    )
    place(tmp_path, *unused, *others)
    (tmp_path / "outside/zope").mkdir(parents=True)
    place(tmp_path, "outside/zope/1.0-py3-none-any.http")
    (tmp_path / "wheels-v8/pypi/zope").symlink_to(tmp_path / "outside/zope")
    keep = frozenset({CachedPackage(name="idna", version="3.10.0"), CachedPackage(name="torch", version="2.1.0+cu118")})
    found = {each.relative_to(tmp_path).as_posix() for each in unused_entries(tmp_path, keep)}
    assert found == {*unused[:3], "sdists-v11/pypi/typing-extensions/4.0"}
    assert unused_names(tmp_path, keep) == ["six", "typing-extensions"]


def test_the_interpreters_in_the_cache_are_bounded(tmp_path: Path) -> None:
    place(tmp_path, *(f"interpreter-v5/0123/{number}.msgpack" for number in range(MOST_INTERPRETERS)))
    engine = UvEngine(ambient={}, cache=tmp_path)
    engine.bound_cache()
    assert len(os.listdir(tmp_path / "interpreter-v5/0123")) == MOST_INTERPRETERS
    for number in range(MOST_INTERPRETERS):
        os.utime(tmp_path / f"interpreter-v5/0123/{number}.msgpack", (0, number))
    place(tmp_path, "interpreter-v5/4567/new.msgpack")
    engine.bound_cache()
    kept = sorted(int(each.partition(".")[0]) for each in os.listdir(tmp_path / "interpreter-v5/0123"))
    assert kept == list(range(MOST_INTERPRETERS // 2 + 1, MOST_INTERPRETERS))
    assert (tmp_path / "interpreter-v5/4567/new.msgpack").exists()
