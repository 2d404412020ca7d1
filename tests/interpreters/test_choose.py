"""Which interpreter is chosen for a request."""

import itertools
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from reconciler.errors import InterpreterError, RefusedInterpreterError
from reconciler.interpreters import permitted, query, search_path
from reconciler.interpreters.choose import (
    Interpreters,
    Surveyed,
    choose_for,
)
from reconciler.interpreters.model import UNKNOWN, Interpreter
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.interpreters.request import Request, best_for, lower_bound, parse_request
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.manifest.python_request import validate_python
from tests.interpreters.fakes import fake_interpreter, script, times_started
from tests.state.edited import stored_in, write_stored


@pytest.fixture(autouse=True)
def _no_system_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_path, "FIXED", ())


def on(*directories: Path, outside: Path | None = None, cache: Path | None = None) -> Interpreters:
    places = ForbiddenPlaces(directories={str(outside): "the repository of the manifest"} if outside else {})
    return Interpreters({"PATH": ":".join(map(str, directories))}, places=places, cache=cache)


# Requests


@pytest.mark.parametrize(
    ("request_", "version", "fits"),
    [
        ("3.12", "3.12.7", True),
        ("3.12", "3.1.2", False),
        ("3", "3.13.0", True),
        ("3.12.1", "3.12.1", True),
        ("3.12.1", "3.12.10", False),
        (">=3.11,<3.14", "3.13.0", True),
        (">=3.11,<3.14", "3.14.0", False),
        ("~=3.11", "3.13.0", True),
        ("3.13.0rc1", "3.13.0rc1", True),
        ("3.13.0rc1", "3.13.0", False),
        ("!=3.12.*", "3.12.3", False),
    ],
)
def test_a_request_is_a_version_or_specifiers(request_: str, version: str, fits: bool) -> None:
    wanted = parse_request(request_)
    assert wanted is not None
    assert wanted.allows(version) is fits


@pytest.mark.parametrize(
    "written",
    ["~=3.12", "~= 3.12.1", "==3.12", "==3.12.*", "!=3.12.0", "<=3.12", ">=3.12", "<3.12", ">3.12", "===3.12.1"],
)
def test_every_specifier_of_pep_440_is_a_request(written: str, tmp_path: Path) -> None:
    wanted = parse_request(validate_python(written, tmp_path))
    assert wanted == Request(specifiers=SpecifierSet(written))
    for series, patch in itertools.product(range(9, 15), (0, 1, 12)):
        if wanted.allows(f"3.{series}.{patch}"):  # its interpreter must not be ruled out by its name
            assert wanted.may_be_satisfied_in(f"3.{series}")


@pytest.mark.parametrize(
    ("request_", "version", "path"),
    [
        ("3.13t", "3.13.1", "python3.13t"),
        ("3.13", "3.13.2", "python3.13"),
        (">=3.11", "3.13.2", "python3.13"),
        ("3.13.1t", "3.13.1", "python3.13t"),
        ("3.13.1", "3.13.1", "python3.13t"),
        ("3.14t", "3.14.0", "python3.14"),
        ("3.14", "3.14.0", "python3.14"),
    ],
)
def test_a_t_asks_for_a_build_without_the_global_interpreter_lock(
    request_: str, version: str, path: str, tmp_path: Path
) -> None:
    """Without it, such a build is chosen only if no other satisfies the request."""
    fake_interpreter(tmp_path, "python3.13", "3.13.2")
    fake_interpreter(tmp_path, "python3.13t", "3.13.1", free_threaded=True)
    fake_interpreter(tmp_path, "python3.14", "3.14.0", free_threaded=True)
    fake_interpreter(tmp_path, "python3.11", "3.11.9")
    assert validate_python(request_, tmp_path / "elsewhere") == request_
    interpreters = on(tmp_path)
    chosen = interpreters.choose(request_)
    assert (chosen.version, Path(chosen.path).name) == (version, path)
    assert lower_bound(request_, chosen) == (request_.removesuffix("t") if request_[0] == "3" else "3.11")
    assert interpreters.choose(request_, keep=chosen.path, keep_version=chosen.version) == chosen


def test_a_build_with_the_lock_is_not_kept_if_one_without_it_is_requested(tmp_path: Path) -> None:
    usual = fake_interpreter(tmp_path, "python3.13", "3.13.2")
    assert on(tmp_path).choose("3.13", keep=str(usual)).path == str(usual)
    with pytest.raises(InterpreterError, match=r"no interpreter on this machine satisfies python `3\.13t`"):
        on(tmp_path).choose("3.13t", keep=str(usual), keep_version="3.13.2")


def test_a_path_is_not_a_specifier() -> None:
    assert parse_request("/usr/bin/python3") is None


@pytest.mark.parametrize(
    ("request_", "bound"),
    [
        ("3.12", "3.12"),
        ("3", "3"),
        ("3.12.1", "3.12.1"),
        (">=3.11", "3.11"),
        (">=3.11,<3.14", "3.11"),
        (">=3.9,>=3.11.2", "3.11.2"),
        ("==3.12.*", "3.12"),
        ("~=3.11", "3.11"),
        ("~=3.11.4", "3.11.4"),
        (">3.11", "3.11.1"),
        (">3.11.2", "3.11.2"),
        (">=3.10,>3.11", "3.11.1"),
        (">3.10,>=3.12", "3.12"),
        ("<3.13", "3.9"),
        ("!=3.12.*", "3.9"),
        ("===3.12.1", "3.12.1"),
        ("===foo", "3.9"),
        ("/usr/bin/python3", "3.9"),
        ("3.13.0rc1", "3.13.0rc1"),
    ],
)
def test_the_lower_bound_depends_on_the_request_and_if_possible_not_on_the_machine(request_: str, bound: str) -> None:
    interpreter = Interpreter(path="/x", version="3.9.18", implementation="cpython", markers={}, tags=())
    assert lower_bound(request_, interpreter) == bound


# Choice


def test_the_newest_that_satisfies_is_chosen(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.9", "3.9.18")
    fake_interpreter(tmp_path / "a", "python3.10", "3.10.13")
    fake_interpreter(tmp_path / "b", "python3.10", "3.10.14")
    fake_interpreter(tmp_path / "b", "python3.11", "3.11.1")
    chosen = on(tmp_path / "a", tmp_path / "b")
    assert chosen.choose(">=3.9,<3.11").version == "3.10.14"
    assert chosen.choose("3.9").version == "3.9.18"
    assert chosen.choose("3.10.13").version == "3.10.13"
    assert chosen.choose(">=3.9").version == "3.11.1"
    assert chosen.choose("").version == "3.11.1"


def test_a_final_release_is_preferred_to_a_newer_prerelease(tmp_path: Path) -> None:
    fake_interpreter(tmp_path, "python3.14", "3.14.0rc2")
    fake_interpreter(tmp_path, "python3.13", "3.13.0")
    assert on(tmp_path).choose(">=3.12").version == "3.13.0"
    assert on(tmp_path).choose("3.14").version == "3.14.0rc2"


def test_cpython_is_preferred_to_a_newer_pypy(tmp_path: Path) -> None:
    fake_interpreter(tmp_path, "pypy3.11", "3.11.9", implementation="pypy")
    fake_interpreter(tmp_path, "python3.10", "3.10.1")
    assert on(tmp_path).choose(">=3.9").implementation == "cpython"
    assert on(tmp_path).choose("3.11").implementation == "pypy"


def test_the_usual_build_is_preferred_to_free_threaded_and_debug_builds(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.13t", "3.13.1", free_threaded=True)
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    fake_interpreter(tmp_path / "b", "python3.13", "3.13.2", debug=True)
    assert on(tmp_path / "a", tmp_path / "b").choose("3.13").version == "3.13.0"
    assert on(tmp_path / "a").choose("3.13.1").path.endswith("python3.13t")


def test_of_equal_interpreters_the_first_on_path_is_chosen(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.12", "3.12.1")
    fake_interpreter(tmp_path / "b", "python3.12", "3.12.1")
    assert on(tmp_path / "b", tmp_path / "a").choose("3.12").path == str(tmp_path / "b/python3.12")


def test_an_interpreter_whose_name_does_not_fit_is_not_started(tmp_path: Path) -> None:
    old = fake_interpreter(tmp_path, "python3.9", "3.9.18")
    new = fake_interpreter(tmp_path, "python3.12", "3.12.1")
    for request in ("3.12", ">=3.11", "~=3.12.0", "===3.12.1", "!=3.11.*,>3.10,<3.13"):
        assert on(tmp_path).choose(request).version == "3.12.1"
    assert times_started(old) == 0
    assert times_started(new) == 5


def test_a_wrong_name_is_detected(tmp_path: Path) -> None:
    fake_interpreter(tmp_path, "python3.12", "3.9.18")
    fake_interpreter(tmp_path, "python3", "3.12.4")
    assert on(tmp_path).choose("3.12").path.endswith("python3")


def test_an_interpreter_that_does_not_work_is_skipped(tmp_path: Path) -> None:
    script(tmp_path / "a", "python3.12", "exit 1\n")
    script(tmp_path / "b", "python3.12", "echo garbage\n")
    fake_interpreter(tmp_path / "c", "python3.12", "3.12.0")
    assert on(*(tmp_path / name for name in "abc")).choose("3.12").version == "3.12.0"


def test_the_current_interpreter_is_kept_if_it_satisfies_the_request(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    kept = str(fake_interpreter(tmp_path / "b", "python3.11", "3.11.4"))
    chosen = on(tmp_path / "a", tmp_path / "b")
    assert chosen.choose(">=3.11", keep=kept).path == kept
    assert chosen.choose(">=3.12", keep=kept).version == "3.13.0"
    assert chosen.choose(">=3.11", keep=str(tmp_path / "gone")).version == "3.13.0"


def test_what_only_a_record_names_is_never_started_and_not_replaced_in_silence(tmp_path: Path) -> None:
    found = fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    elsewhere = fake_interpreter(tmp_path / "elsewhere", "python3.11", "3.11.4")
    chosen = on(tmp_path / "a")
    with pytest.raises(RefusedInterpreterError, match="only the record of the environment names it") as caught:
        chosen.choose(">=3.11", keep=str(elsewhere), keep_version="3.11.4")
    assert caught.value.hint == "write this path as the value of `python`, or add its directory to `PATH`"
    assert times_started(elsewhere) == times_started(found) == 0
    assert chosen.choose(">=3.12", keep=str(elsewhere), keep_version="3.11.4").version == "3.13.0", "it would not do"
    assert chosen.choose(">=3.11", keep=str(elsewhere), keep_version="forged").version == "3.13.0"
    assert times_started(elsewhere) == 0
    assert on(tmp_path / "a", tmp_path / "elsewhere").choose(">=3.11", keep=str(elsewhere)).version == "3.11.4"
    assert chosen.choose(str(elsewhere)).version == "3.11.4"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "bin/python3.11",
        "./python3.11",
        "~/python3.11",
        "/\0",
        "/\ud800",
        "/usr/bin/\ud800/python3",
        "/no/such/python3.11",
    ],
)
def test_a_record_may_contain_anything(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    relative = fake_interpreter(tmp_path / "bin", "python3.11", "3.11.4")
    monkeypatch.chdir(tmp_path)
    assert on(tmp_path / "a").choose(">=3.11", keep=path, keep_version="3.11.4").version == "3.13.0"
    assert times_started(relative) == 0


def test_a_recorded_interpreter_that_others_can_change_is_not_replaced_in_silence(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    kept = fake_interpreter(tmp_path / "b", "python3.11", "3.11.4")
    kept.chmod(0o757)
    with pytest.raises(RefusedInterpreterError) as caught:
        on(tmp_path / "a", tmp_path / "b").choose(">=3.11", keep=str(kept), keep_version="3.11.4")
    assert caught.value.message == f"`{kept}` can be changed by every user"
    assert f"run `chmod go-w {kept}`" in str(caught.value.hint)
    assert times_started(kept) == 0
    kept.chmod(0o755)
    assert on(tmp_path / "a", tmp_path / "b").choose(">=3.11", keep=str(kept)).version == "3.11.4"


@pytest.mark.parametrize("place", ["repository/bin", "link", "venv/bin"])
def test_a_record_cannot_make_planning_run_a_program_of_the_repository_or_a_venv(place: str, tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    evil = fake_interpreter(tmp_path / "repository/bin", "python3.13", "3.13.1")
    (tmp_path / "link").symlink_to(tmp_path / "repository/bin")
    inside = fake_interpreter(tmp_path / "venv/bin", "python3.13", "3.13.1")
    (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    for path in (tmp_path / "a", tmp_path / place):  # whether the search finds it or not
        chosen = on(tmp_path / "a", path, outside=tmp_path / "repository")
        kept = str(tmp_path / place / "python3.13")
        assert chosen.choose("3.13", keep=kept, keep_version="3.13.1").version == "3.13.0"
    assert times_started(evil) == times_started(inside) == 0


def test_a_recorded_link_to_a_missing_file_is_replaced(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "a", "python3.13", "3.13.0")
    (tmp_path / "python3.13").symlink_to("gone")
    kept = str(tmp_path / "python3.13")
    assert on(tmp_path / "a").choose("3.13", keep=kept, keep_version="3.13.1").version == "3.13.0"


def test_a_recorded_interpreter_is_used_if_the_manifest_names_its_path(tmp_path: Path) -> None:
    path = str(fake_interpreter(tmp_path, "python3.13", "3.13.0"))
    assert on().recorded(path, request=path).version == "3.13.0"
    with pytest.raises(RefusedInterpreterError, match="only the record of the environment names it") as refused:
        on().recorded(path, request="3.13")
    assert refused.value.curable
    with pytest.raises(InterpreterError) as caught:
        on().recorded("bin/python3.13", request="bin/python3.13")
    assert caught.value.message == "not an absolute path: `bin/python3.13`"


@dataclass(frozen=True)
class Record:
    path: str
    version: str


@pytest.mark.parametrize(
    ("keep", "chosen"),
    [
        (None, [("3.12", "", "")]),
        (Record("/usr/bin/python3.12", "3.12.1"), [("3.12", "/usr/bin/python3.12", "3.12.1")]),
    ],
)
def test_an_environment_keeps_its_recorded_interpreter(keep: Record | None, chosen: list[tuple[str, str, str]]) -> None:
    made = []

    class Choosing:
        def choose(self, request: str, *, keep: str = "", keep_version: str = "") -> Interpreter:
            made.append((request, keep, keep_version))
            return UNKNOWN

    assert choose_for(DesiredEnvironment(name="web", python="3.12"), Choosing(), keep=keep) is UNKNOWN
    assert made == chosen


def test_of_interpreters_without_tags_the_newest_is_the_best() -> None:
    old, new = (
        Interpreter(path="/x", version=version, implementation="cpython", markers={}, tags=())
        for version in ("3.9.18", "3.10.1")
    )
    assert best_for(Request(specifiers=SpecifierSet()), [new, old]) is new
    assert best_for(Request(specifiers=SpecifierSet()), [old, new]) is new
    assert best_for(Request(specifiers=SpecifierSet("<3.9")), [old, new]) is None


# Refusals


def test_an_absolute_path_is_used_unchanged(tmp_path: Path) -> None:
    path = str(fake_interpreter(tmp_path, "python3.13", "3.10.1"))
    assert on().choose(path).path == path


def test_a_path_in_the_manifest_s_directory_or_a_venv_is_refused(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    evil = fake_interpreter(repository / "bin", "python", "3.13.0")
    good = fake_interpreter(tmp_path / "good", "python", "3.13.0")
    (repository / "python3").symlink_to(good)
    (tmp_path / "python").symlink_to(evil)
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to(good)
    (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    chosen = on(outside=repository)
    for path in (evil, repository / "python3", tmp_path / "python", repository / "../repository/bin/python"):
        with pytest.raises(InterpreterError, match="in the repository of the manifest"):
            chosen.choose(str(path))
    with pytest.raises(InterpreterError, match="in the virtual environment") as caught:
        chosen.choose(str(tmp_path / "venv/bin/python"))
    assert (
        caught.value.hint == "name a base interpreter outside of the repository, of roots and of virtual environments"
    )
    assert times_started(evil) == times_started(good) == 0


def test_the_error_for_a_missing_version_lists_the_existing_ones(tmp_path: Path) -> None:
    one = fake_interpreter(tmp_path / "a", "python3.9", "3.9.18")
    two = fake_interpreter(tmp_path / "b", "python3.13", "3.13.0")
    three = fake_interpreter(tmp_path / "c", "python3.10", "3.10.1")
    script(tmp_path / "c", "python3.8", "exit 1\n")
    with pytest.raises(InterpreterError) as caught:
        on(*(tmp_path / name for name in "abc")).choose("3.12")
    assert caught.value.message == "no interpreter on this machine satisfies python `3.12`"
    assert caught.value.details == ("found:", f"  3.13.0  {two}", f"  3.10.1  {three}", f"  3.9.18  {one}")
    assert caught.value.hint == "install one, or change `python`; envsync does not download interpreters"
    assert caught.value.found == ("3.13.0", "3.10.1", "3.9.18")
    assert caught.value.unused == ""


def test_the_error_for_a_missing_version_names_what_is_not_used_and_might_satisfy_it(tmp_path: Path) -> None:
    used = fake_interpreter(tmp_path, "python3.9", "3.9.18")
    [maybe, fits, other] = [
        fake_interpreter(tmp_path / name, name, "3.12.1") for name in ("python3", "python3.12", "python3.11")
    ]
    outside = fake_interpreter(tmp_path / "repository", "python3.12", "3.12.2")
    for path in (maybe, fits, other, outside):
        path.chmod(0o757)
    directories = (tmp_path, *(each.parent for each in (outside, maybe, fits, other, fits)))
    with pytest.raises(InterpreterError) as caught:
        on(*directories, outside=tmp_path / "repository").choose("3.12")
    assert caught.value.details == (
        *("found:", f"  3.9.18  {used}"),
        *("not used:", f"  `{maybe}` can be changed by every user", f"  `{fits}` can be changed by every user"),
    )
    hint = f"run `chmod go-w {maybe}`, or use an interpreter that only root and you can change"
    assert (caught.value.hint, caught.value.unused) == (hint, f"`{maybe}` can be changed by every user")
    assert caught.value.found == ("3.9.18",)


def test_the_error_for_a_missing_path_lists_the_existing_ones(tmp_path: Path) -> None:
    one = fake_interpreter(tmp_path, "python3.9", "3.9.18")
    with pytest.raises(InterpreterError) as caught:
        on(tmp_path).choose("/no/such/python")
    assert caught.value.message == "no interpreter at `/no/such/python`: No such file or directory"
    assert caught.value.details == ("found:", f"  3.9.18  {one}")
    assert caught.value.hint == "name an interpreter of this machine, or write a version such as `3.12`"


def test_the_error_for_a_path_that_is_not_an_interpreter_has_its_output(tmp_path: Path) -> None:
    path = script(tmp_path, "python3", "echo 'no libpython' >&2; exit 127\n")
    with pytest.raises(InterpreterError) as caught:
        on(tmp_path).choose(str(path))
    assert caught.value.message == f"`{path}` did not report its version"
    assert caught.value.details == ("no libpython",)
    assert caught.value.hint == "name an interpreter of this machine, or write a version such as `3.12`"


def test_the_error_on_a_machine_without_interpreters_says_so() -> None:
    with pytest.raises(InterpreterError) as caught:
        on().choose("3.12")
    assert caught.value.details == ("found none",)


@pytest.mark.parametrize("request_", ["three", "python3.12", ">=x", "3.12;import os", "-m evil", "3.13x"])
def test_an_invalid_request_is_refused(request_: str) -> None:
    with pytest.raises(InterpreterError) as caught:
        on().choose(request_)
    assert caught.value.message == f"not a python request: `{request_}`"


# The cache of facts


def test_facts_are_queried_once_and_kept_until_the_file_changes(tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    first = on(tmp_path / "bin", cache=cache)
    assert first.choose("3.12") == first.choose(">=3.11")
    first.save()
    again = on(tmp_path / "bin", cache=cache)
    assert again.choose("3.12") == first.choose("3.12")
    assert times_started(path) == 1
    fake_interpreter(tmp_path / "bin", "python3.12", "3.12.2")
    os.utime(path, ns=(0, 12345))
    assert on(tmp_path / "bin", cache=cache).choose("3.12").version == "3.12.2"


WRONG_TYPES: list[dict[str, object]] = [{"markers": 3}, {"markers": []}, {"tags": {}}, {"tags": "cp312"}]
FACTS = {"version": "3.12.9", "implementation": "cpython", "markers": {}, "tags": []}


@pytest.mark.parametrize(
    "damage",
    [
        *("", "[]", "{", "null", "[" * 100_000, "\0"),
        *({"x": 3}, {"interpreters": 3}, {"interpreters": ["PATH"]}),
        *({"interpreters": {"PATH": each}} for each in (3, {}, {"signature": "SIGNATURE"})),
        *({"interpreters": {"PATH": {**FACTS, "signature": "SIGNATURE", **each}}} for each in WRONG_TYPES),
    ],
    ids=lambda damage: str(damage)[-40:],
)
def test_a_damaged_cache_is_ignored(damage: str | dict[str, Any], tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    before = on(tmp_path / "bin", cache=cache)
    before.choose("3.12")
    before.save()
    signature = stored_in(cache)["interpreters"][str(path)]["signature"]
    if isinstance(damage, str):
        cache.write_text(damage)
    else:
        text = json.dumps(damage).replace("PATH", str(path)).replace('"SIGNATURE"', json.dumps(signature))
        write_stored(cache, json.loads(text))
    assert on(tmp_path / "bin", cache=cache).choose("3.12").version == "3.12.1"
    assert times_started(path) == 2


def test_facts_of_a_cache_are_used_only_for_what_the_search_finds(tmp_path: Path) -> None:
    """A program that only the cache names is neither started nor chosen."""
    elsewhere = fake_interpreter(tmp_path / "elsewhere", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    before = on(tmp_path / "elsewhere", cache=cache)
    before.choose("3.12")
    before.save()
    fake_interpreter(tmp_path / "bin", "python3.11", "3.11.1")
    with pytest.raises(InterpreterError, match="no interpreter on this machine satisfies"):
        on(tmp_path / "bin", cache=cache).choose("3.12")
    assert times_started(elsewhere) == 1


@pytest.mark.parametrize("what", ["device", "inode", "size", "mtime", "ctime"])
def test_facts_are_queried_again_if_anything_in_the_signature_differs(what: str, tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    before = on(tmp_path / "bin", cache=cache)
    before.choose("3.12")
    before.save()
    stored = stored_in(cache)
    facts = stored["interpreters"][str(path)]
    status = path.stat()
    assert facts["signature"][:5] == [
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    ]  # fmt: skip
    facts["version"] = "3.12.99"
    write_stored(cache, stored)
    assert on(tmp_path / "bin", cache=cache).choose("3.12").version == "3.12.99", "so far they are believed"
    facts["signature"][["device", "inode", "size", "mtime", "ctime"].index(what)] += 1
    write_stored(cache, stored)
    assert on(tmp_path / "bin", cache=cache).choose("3.12").version == "3.12.1"


def test_facts_from_a_different_machine_or_kernel_are_queried_again(tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    before = on(tmp_path / "bin", cache=cache)
    before.choose("3.12")
    before.save()
    text = json.dumps(stored_in(cache))
    assert os.uname().release in text
    write_stored(cache, json.loads(text.replace(os.uname().release, "0.0.1-other")))
    on(tmp_path / "bin", cache=cache).choose("3.12")
    assert times_started(path) == 2


def test_facts_that_envsync_did_not_write_are_queried_again(tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    cache = tmp_path / "interpreters.json"
    before = on(tmp_path / "bin", cache=cache)
    before.choose("3.12")
    before.save()
    cache.write_text(cache.read_text().replace("3.12.1", "3.12.9"))
    assert on(tmp_path / "bin", cache=cache).choose("3.12").version == "3.12.1"
    assert times_started(path) == 2


def test_a_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    fake_interpreter(tmp_path / "bin", "python3.12", "3.12.1")
    for cache in (tmp_path / "no/such/directory/x.json", Path("/proc/self/x.json"), None):
        chosen = on(tmp_path / "bin", cache=cache)
        assert chosen.choose("3.12").version == "3.12.1"
        chosen.save()
    assert not (tmp_path / "no").exists()


def test_without_queries_no_cache_is_written(tmp_path: Path) -> None:
    cache = tmp_path / "interpreters.json"
    on(cache=cache).save()
    assert not cache.exists()


@pytest.mark.parametrize("how", ["save", "collect"])
def test_facts_of_interpreters_that_are_gone_are_dropped(how: str, tmp_path: Path) -> None:
    gone, kept = (fake_interpreter(tmp_path / name, "python3.12", "3.12.1") for name in ("old", "new"))
    cache = tmp_path / "interpreters.json"
    for place in ("old", "new"):
        before = on(tmp_path / place, cache=cache)
        before.choose("3.12")
        before.save()
    assert stored_in(cache)["interpreters"].keys() == {str(gone), str(kept)}
    gone.unlink()
    if how == "collect":
        assert on(cache=cache).collect() == 1
    else:
        fake_interpreter(tmp_path / "new", "python3.12", "3.12.2")
        os.utime(kept, ns=(0, 12345))
        after = on(tmp_path / "new", cache=cache)
        after.choose("3.12")
        after.save()
    assert stored_in(cache)["interpreters"].keys() == {str(kept)}


def test_real_interpreters_are_found(pythons: dict[str, Path]) -> None:
    assert pythons, "no interpreter on this machine"
    chosen = on(*(path.parent for path in pythons.values()))
    for series in pythons:
        found = chosen.choose(series)
        assert found.series == series
        assert Path(found.path).is_absolute()


@pytest.mark.parametrize(
    ("specifiers", "series"),
    [
        ("", ["3.11", "3.12", "3.13"]),
        (">=3.12", ["3.12", "3.13"]),
        (">3.12", ["3.12", "3.13"]),
        (">=3.12.4", ["3.12", "3.13"]),
        ("<3.12", ["3.11", "3.12"]),  # a pre-release: packaging decides it
        ("<=3.12", ["3.11", "3.12"]),
        ("<=3.11.9", ["3.11"]),
        ("==3.12", ["3.12"]),
        ("==3.12.*", ["3.12"]),
        ("==3.12.4", ["3.12"]),
        ("==3", ["3.11", "3.12", "3.13"]),
        ("===3.12.4", ["3.12"]),
        ("~=3.12", ["3.11", "3.12", "3.13"]),
        ("~=3.12.4", ["3.12"]),
        ("!=3.12.*", ["3.11", "3.12", "3.13"]),
        (">=3.12,<=3.13.0a0", ["3.12", "3.13"]),
        (">=3.12.9999", ["3.12", "3.13"]),
        (">=3.12.99990", ["3.13"]),
        (">=3.13,<3.12", []),
    ],
)
def test_the_name_of_an_interpreter_rules_out_versions_that_its_series_cannot_have(
    specifiers: str, series: list[str]
) -> None:
    wanted = Request(specifiers=SpecifierSet(specifiers))
    possible = [each for each in ("3.11", "3.12", "3.13") if wanted.may_be_satisfied_in(each)]
    assert possible == series


@pytest.mark.parametrize(
    ("specifiers", "possible"),
    [("===custom", True), ("===custom,>=3.13", False), ("===custom,>=3.12", True), ("<3.11,===custom", False)],
)
def test_an_arbitrary_text_rules_out_no_series(specifiers: str, possible: bool) -> None:
    assert Request(specifiers=SpecifierSet(specifiers)).may_be_satisfied_in("3.12") is possible


# Interpreters that do not work


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "root/.envsync/cache").mkdir(parents=True)
    return tmp_path / "root/.envsync/cache/interpreters.json"


def test_an_interpreter_that_does_not_work_is_started_once_until_its_file_changes(tmp_path: Path, cache: Path) -> None:
    broken = script(tmp_path / "a", "python3.12", "echo 'libpython is missing' >&2; exit 127\n")
    for _ in range(2):
        interpreters = on(tmp_path / "a", cache=cache)
        for _ in range(2):
            with pytest.raises(InterpreterError) as caught:
                interpreters.choose("3.12")
            assert caught.value.details[-2:] == ("not used:", f"  `{broken}` did not report its version")
        interpreters.save()
    assert times_started(broken) == 1
    fake_interpreter(tmp_path / "a", "python3.12", "3.12.4")
    assert on(tmp_path / "a", cache=cache).choose("3.12").version == "3.12.4"


def test_one_that_the_manifest_names_by_its_path_is_started_once_in_each_run(tmp_path: Path, cache: Path) -> None:
    broken = script(tmp_path / "a", "python3.12", "echo 'libpython is missing' >&2; exit 127\n")
    for started in (1, 2):
        interpreters = on(tmp_path / "a", cache=cache)
        for _ in range(2):
            with pytest.raises(InterpreterError, match="did not report its version") as caught:
                interpreters.choose(str(broken))
            assert caught.value.details == ("libpython is missing",)
        interpreters.save()
        assert times_started(broken) == started


def test_a_survey_says_why_an_interpreter_is_not_used(tmp_path: Path, cache: Path) -> None:
    good = fake_interpreter(tmp_path / "a", "python3.13", "3.13.1")
    broken = script(tmp_path / "a", "python3.12", "exit 1\n")
    changeable = fake_interpreter(tmp_path / "b", "python3", "3.11.2")
    changeable.chmod(0o777)
    interpreters = on(tmp_path / "a", tmp_path / "b", cache=cache)
    found = interpreters.survey(again=True)
    assert found == (
        Surveyed(path=str(good), series="3.13", version="3.13.1"),
        Surveyed(path=str(broken), series="3.12", problem=f"`{broken}` did not report its version"),
        Surveyed(
            path=str(changeable),
            series="",
            problem=f"`{changeable}` can be changed by every user",
            hint=f"run `chmod go-w {changeable}`, or use an interpreter that only root and you can change",
            refused=True,
        ),
    )
    assert interpreters.survey(again=True) == found
    interpreters.save()
    assert on(tmp_path / "a", tmp_path / "b", cache=cache).survey(again=True) == found
    assert (times_started(good), times_started(broken), times_started(changeable)) == (1, 2, 0)


def test_damaged_facts_about_a_broken_interpreter_are_asked_again(tmp_path: Path, cache: Path) -> None:
    broken = script(tmp_path / "a", "python3.12", "exit 1\n")
    first = on(tmp_path / "a", cache=cache)
    first.survey()
    first.save()
    stored = stored_in(cache)
    stored["interpreters"][str(broken)]["details"] = "text"
    write_stored(cache, stored)
    on(tmp_path / "a", cache=cache).survey()
    assert times_started(broken) == 2


def test_one_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = script(tmp_path / "a", "python3.12", "sleep 60\n")
    monkeypatch.setattr(query, "_TIMEOUT_SECONDS", 0.5)
    [found] = on(tmp_path / "a").survey()
    assert found.problem == f"`{slow}` did not answer within 0.5 seconds"


@pytest.mark.parametrize("tools", [True, False])
def test_the_stub_of_xcode_is_started_only_if_the_command_line_tools_are_there(
    tools: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it opens a window."""
    stub = fake_interpreter(tmp_path / "a", "python3", "3.9.6")
    (tmp_path / "tools").mkdir()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(permitted, "_XCODE_STUBS", frozenset({str(stub)}))
    monkeypatch.setattr(permitted, "_DEVELOPER_TOOLS", (str(tmp_path / ("tools" if tools else "missing")),))
    [found] = on(tmp_path / "a").survey()
    assert times_started(stub) == tools
    if tools:
        assert found.version == "3.9.6"
    else:
        assert found.problem == f"`{stub}` is a stub, and the command line tools of Xcode are not installed"
        assert found.hint == "run `xcode-select --install`, or use a different interpreter"
