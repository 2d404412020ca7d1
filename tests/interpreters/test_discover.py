"""Which executables count as base interpreters, and in which order; none of them is started."""

from pathlib import Path

import pytest

from reconciler.interpreters import search_path
from reconciler.interpreters.discover import Discovered, discover_interpreters, would_be_found
from reconciler.interpreters.permitted import ForbiddenPlaces
from tests.interpreters.fakes import script, times_started
from tests.unprivileged import reachable_directory, unprivileged


@pytest.fixture(autouse=True)
def _no_system_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_path, "FIXED", ())


def discovered(ambient: dict[str, str], outside: Path | None = None) -> Discovered:
    places = ForbiddenPlaces(directories={str(outside): "the repository of the manifest"} if outside else {})
    return discover_interpreters(ambient, places)


def paths(ambient: dict[str, str], *, outside: Path | None = None) -> list[str]:
    found = [each.path for each in discovered(ambient, outside).candidates]
    assert all(would_be_found(each, ambient) for each in found), "what a record names is compared with this"
    return found


def plant(directory: Path, *names: str) -> list[str]:
    return [str(script(directory, name, "exit 1\n")) for name in names]


def test_versioned_names_come_first_with_the_newest_at_the_top(tmp_path: Path) -> None:
    plant(tmp_path / "bin", "python3.9", "python3.12", "python3", "python", "pypy3", "python3.10")
    found = discovered({"PATH": str(tmp_path / "bin")}).candidates
    assert [Path(each.path).name for each in found] == [
        "python3.12", "python3.10", "python3.9", "python3", "python", "pypy3",
    ]  # fmt: skip
    assert [each.series for each in found] == ["3.12", "3.10", "3.9", "", "", ""]
    assert not any(times_started(Path(each.path)) for each in found)


def test_other_programs_are_not_candidates(tmp_path: Path) -> None:
    plant(
        tmp_path, "python3-config", "python3.12-config", "python2", "python3.12.1", "ipython3", "python3.x", "pythonw"
    )
    (tmp_path / "python3.11").write_text("not executable")
    (tmp_path / "python3.10").mkdir()
    (tmp_path / "python3.9").symlink_to("gone")
    assert paths({"PATH": str(tmp_path)}) == []


def test_the_order_is_path_pyenv_uv_and_each_file_is_listed_once(tmp_path: Path) -> None:
    [first] = plant(tmp_path / "bin", "python3.12")
    (tmp_path / "bin/python3").symlink_to("python3.12")
    [old] = plant(tmp_path / "home/.pyenv/versions/3.9.2/bin", "python3.9")
    [new] = plant(tmp_path / "home/.pyenv/versions/3.10.1/bin", "python3.10")
    (tmp_path / "home/.pyenv/versions/3.10.1/bin/python").symlink_to("python3.10")
    [managed] = plant(tmp_path / "home/.local/share/uv/python/cpython-3.13.0-linux/bin", "python3.13")
    ambient = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}
    assert paths(ambient) == [first, new, old, managed]


def test_the_variables_of_pyenv_and_uv_are_used(tmp_path: Path) -> None:
    [one] = plant(tmp_path / "penv/versions/3.9.2/bin", "python3.9")
    [two] = plant(tmp_path / "uvs/x/bin", "python3.13")
    assert paths({"PYENV_ROOT": str(tmp_path / "penv"), "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uvs")}) == [one, two]


def test_shims_and_virtual_environments_are_left_out(tmp_path: Path) -> None:
    plant(tmp_path / "shims", "python3.12")
    plant(tmp_path / "venv/bin", "python3.12")
    (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/python3.12").symlink_to(tmp_path / "venv/bin/python3.12")
    (tmp_path / "venv-bin").symlink_to(tmp_path / "venv/bin")
    every = [tmp_path / name for name in ("shims", "venv/bin", "linked", "venv-bin")]
    ambient = {"PATH": ":".join(map(str, every))}
    assert paths(ambient) == []
    refused = [str(tmp_path / name / "python3.12") for name in ("linked", "venv-bin")]
    assert [each.path for each, _ in discovered(ambient).refused] == refused, "the path does not say what they are"


def test_nothing_from_the_directory_of_the_manifest_is_used_even_through_links(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    plant(repository / "tools", "python3.12")
    [good] = plant(tmp_path / "good", "python3.11")
    (repository / "links").mkdir()
    (repository / "links/python3.11").symlink_to(good)  # a commit can change its target
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/python3.12").symlink_to(repository / "tools/python3.12")
    (tmp_path / "through").mkdir()
    (tmp_path / "through/python3.11").symlink_to(repository / "links/python3.11")
    (tmp_path / "alias").symlink_to(repository)
    every = ["repository/tools", "repository/links", "outside", "through", "alias/links", "alias/tools"]
    ambient = {"PATH": ":".join(str(tmp_path / name) for name in every)}
    assert paths(ambient, outside=repository) == []
    assert paths({"PATH": str(tmp_path / "good")}, outside=repository) == [good]


@pytest.mark.parametrize("variable", ["PATH", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "HOME", "XDG_DATA_HOME"])
def test_a_relative_directory_is_never_searched(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("bin", "versions/1/bin", "x/bin", ".pyenv/versions/1/bin", "uv/python/x/bin"):
        plant(tmp_path / place, "python3.12")
    monkeypatch.chdir(tmp_path)
    assert paths({"HOME": "/nowhere", variable: "bin" if variable == "PATH" else ""}) == []
    assert paths({"HOME": "/nowhere", variable: "."}) == []


def test_an_unreadable_directory_is_skipped() -> None:
    with reachable_directory() as place:
        closed = place / "closed"
        plant(closed / "bin", "python3.12")
        closed.chmod(0)
        try:
            with unprivileged():
                assert paths({"PATH": f"{closed}/bin:/etc/hostname/bin:/no/such", "HOME": str(closed)}) == []
        finally:
            closed.chmod(0o700)


def test_symbolic_links_in_a_circle_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "python3.12").symlink_to("python3.11")
    (tmp_path / "python3.11").symlink_to("python3.12")
    assert paths({"PATH": str(tmp_path)}) == []


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1777])
def test_a_directory_of_path_that_others_may_write_to_is_not_searched(mode: int, tmp_path: Path) -> None:
    """Also with the sticky bit: others could add an interpreter that this user never installed."""
    shared = tmp_path / "shared"
    plant(shared, "python3.12")
    [own] = plant(tmp_path / "own", "python3.11")
    shared.chmod(mode)
    assert paths({"PATH": f"{shared}:{tmp_path}/own"}) == [own]
    shared.chmod(0o755)
    assert paths({"PATH": f"{shared}:{tmp_path}/own"}) == [f"{shared}/python3.12", own]


def test_an_empty_or_relative_entry_of_path_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "python3.12")
    plant(tmp_path / "bin", "python3.11")
    monkeypatch.chdir(tmp_path)
    for path in ("", ":", "::", ".:", "./", "bin", ":bin", "bin:", "./bin", "../" + tmp_path.name, "~/bin"):
        assert paths({"PATH": path, "HOME": "/nowhere"}) == []


def test_what_must_not_be_started_is_listed_with_the_reason(tmp_path: Path) -> None:
    [open_to_all] = plant(tmp_path / "bin", "python3.12")
    Path(open_to_all).chmod(0o777)
    [(candidate, why)] = discovered({"PATH": str(tmp_path / "bin")}).refused
    assert (candidate.path, candidate.series) == (open_to_all, "3.12")
    assert why.message == f"`{open_to_all}` can be changed by every user"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/usr/bin/python3.12", True),
        ("/opt/one/bin/python3", True),
        ("/home/u/.pyenv/versions/3.12.1/bin/python3.12", True),
        ("/home/u/.local/share/uv/python/cpython-3.12-linux/bin/python3.12", True),
        ("/opt/one/bin/python3.12-config", False),
        ("/opt/two/bin/python3.12", False),
        ("/opt/one/bin/../bin/python3.12", False),
        ("/home/u/.pyenv/shims/python3.12", False),
        ("/home/u/.pyenv/versions/bin/python3.12", False),
        ("/home/u/.pyenv/versions//bin/python3.12", False),
        ("/home/u/.pyenv/versions/3.12.1/lib/python3.12", False),
        ("relative/python3.12", False),
        ("bin/python3.12", False),
        ("python3.12", False),
    ],
)
def test_a_path_is_found_if_the_search_looks_into_its_directory(
    path: str, *, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_path, "FIXED", ("/usr/bin",))
    ambient = {"PATH": "/opt/one/bin/:/home/u/.pyenv/shims:bin::relative", "HOME": "/home/u"}
    assert would_be_found(path, ambient) is found
