"""The facts of an interpreter are those that it would find itself, and the query runs no other code."""

import json
import subprocess
from importlib.metadata import metadata
from pathlib import Path

import packaging
import pytest
from packaging.specifiers import SpecifierSet

from reconciler.errors import InterpreterError
from reconciler.interpreters.query import query_interpreter
from reconciler.lock.wheel_order import tags_in_order
from tests.interpreters.fakes import fake_interpreter, script

_QUERY = """
import json, platform, sys
sys.path.insert(0, sys.argv[1])  # no other packaging
from packaging.markers import default_environment
from packaging.tags import sys_tags
print(json.dumps([platform.python_version(), default_environment(), [str(tag) for tag in sys_tags()]]))
"""


@pytest.mark.parametrize("series", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_facts_are_those_that_packaging_finds_in_the_interpreter(series: str, pythons: dict[str, Path]) -> None:
    if series not in pythons:
        pytest.skip(f"no Python {series} on this machine")
    if series not in SpecifierSet(metadata("packaging")["Requires-Python"]):
        pytest.skip(f"this packaging does not run on Python {series}: see the next test")
    path = str(pythons[series])
    directory = str(Path(packaging.__file__).parent.parent)
    done = subprocess.run([path, "-I", "-c", _QUERY, directory], capture_output=True, check=True)
    version, markers, tags = json.loads(done.stdout)
    found = query_interpreter(path)
    assert found.version == version
    assert found.series == series
    assert found.implementation == "cpython"
    assert dict(found.markers) == markers
    assert tags_in_order(found.tags) == tags_in_order(tags)


@pytest.mark.parametrize("series", ["3.8", "3.9"])
def test_an_interpreter_that_packaging_does_not_support_can_be_queried(series: str, pythons: dict[str, Path]) -> None:
    if series not in pythons:
        pytest.skip(f"no Python {series} on this machine")
    found = query_interpreter(str(pythons[series]))
    tag = f"cp{series.replace('.', '')}"
    assert found.markers["python_full_version"] == found.version == found.markers["implementation_version"]
    assert found.tags[0].startswith(f"{tag}-{tag}-")


def test_the_query_runs_only_its_own_code(
    pythons: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(list(pythons.values())[-1])
    series = next(series for series, each in pythons.items() if str(each) == path)
    mark = tmp_path / "executed"
    canary = f"open({str(mark)!r}, 'a').close()\n"
    user_site = tmp_path / f"home/.local/lib/python{series}/site-packages"
    user_site.mkdir(parents=True)
    (user_site / "x.pth").write_text(f"import os; {canary}")
    for module in ("sitecustomize", "usercustomize", "json", "platform", "sysconfig"):
        for place in (user_site, tmp_path):
            (place / f"{module}.py").write_text(canary)
    (tmp_path / "startup.py").write_text(canary)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "home/.local"))
    assert subprocess.run([path, "-c", "pass"], check=True, capture_output=True).returncode == 0
    assert mark.exists()  # without the precautions of the query, the canaries run
    mark.unlink()
    query_interpreter(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "body",
    [
        "exit 1\n",
        "exit 0\n",
        "echo Python 3.12.1\n",
        "echo null\n",
        "echo []\n",
        "echo '{}'\n",
        "echo '{\"markers\": []}'\n",
        "echo '{\"markers\": {}}'\n",
        'echo \'{"version": 3, "markers": {"implementation_name": "cpython"}}\'\n',
        'echo \'{"version": "three", "markers": {"implementation_name": "cpython"}}\'\n',
        'echo \'{"version": "3.12.1", "markers": {"implementation_name": "cpython", "python_version": "3"}}\'\n',
        'echo \'{"version": "3.12.1", "markers": {"implementation_name": "cpython", "python_version": "3.12"}}\'\n',
        r"printf '\377\376\000'" + "\n",
        "head -c 200000 /dev/zero | tr '\\0' '['\n",
    ],
)
def test_a_program_that_is_not_an_interpreter_is_an_error_that_names_it(body: str, tmp_path: Path) -> None:
    path = script(tmp_path, "python3.12", body)
    with pytest.raises(InterpreterError, match=r"python3\.12` (is not a Python|did not report its version)"):
        query_interpreter(str(path))


def test_the_error_contains_its_output(tmp_path: Path) -> None:
    path = script(tmp_path, "python3.12", "echo 'error while loading libpython' >&2; exit 127\n")
    with pytest.raises(InterpreterError) as caught:
        query_interpreter(str(path))
    assert caught.value.message == f"`{path}` did not report its version"
    assert caught.value.details == ("error while loading libpython",)


def test_a_file_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "python3.12"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    with pytest.raises(InterpreterError) as caught:
        query_interpreter(str(path))
    assert caught.value.message == f"`{path}` could not be started: Exec format error"


def test_a_build_between_two_releases_has_the_version_of_the_first(tmp_path: Path) -> None:
    assert query_interpreter(str(fake_interpreter(tmp_path, "python3.13", "3.13.0+"))).version == "3.13.0"


@pytest.mark.parametrize(
    ("debug", "free_threaded", "first_tag"),
    [(False, False, "cp313-cp313-"), (False, True, "cp313-cp313t-"), (True, False, "cp313-cp313d-")],
)
def test_the_abi_is_in_the_tags(debug: bool, free_threaded: bool, first_tag: str, tmp_path: Path) -> None:
    path = fake_interpreter(tmp_path, "python3.13", "3.13.1", debug=debug, free_threaded=free_threaded)
    found = query_interpreter(str(path))
    assert found.tags[0].startswith(first_tag)
    assert found.tags[-1] == "py30-none-any"


@pytest.mark.parametrize(
    ("implementation", "soabi", "first_tag", "pure"),
    [
        ("pypy", "pypy310-pp73-x86_64-linux-gnu", "pp310-pypy310_pp73-", {"pp3-none-any", "py3-none-any"}),
        ("pypy", "", "pp310-none-", {"pp3-none-any", "py3-none-any"}),
        ("graalpy", "graalpy-310-native-x86_64-linux", "graalpy310-graalpy_310_native-", {"py3-none-any"}),
    ],
)
def test_other_implementations_have_their_own_tags(
    implementation: str, soabi: str, first_tag: str, pure: set[str], tmp_path: Path
) -> None:
    path = fake_interpreter(tmp_path, "python3.10", "3.10.14", implementation=implementation, soabi=soabi)
    found = query_interpreter(str(path))
    assert found.implementation == implementation
    assert found.tags[0].startswith(first_tag)
    assert {each for each in found.tags if each.endswith("-any") and not each.startswith(("py2", "py30"))} >= pure
    assert not any(tag.startswith("cp310") for tag in found.tags)
