"""The comparison of two installations finds what differs, and nothing that must differ."""

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.lock.build_inputs import read_build_inputs
from tests.layouts.catalog import LAYOUTS
from tests.layouts.contents import differences, installed
from tests.layouts.edits import EDITS
from tests.layouts.layout import write
from tests.layouts.source_tree import changes, source_tree
from tests.layouts.table import faults, keep_results, section, table
from tests.layouts.trial import Result, Verdict

SITE = "lib/python3.12/site-packages"
INFO = f"{SITE}/acme-1.0.dist-info"


def write_venv(venv: Path) -> Path:
    files = {
        "pyvenv.cfg": f"home = {venv}\n",
        "bin/acme": f"#!{venv}/bin/python\nimport acme\n",
        "bin/activate": f"VIRTUAL_ENV={venv}\n",
        f"{SITE}/acme/__init__.py": "WORD = 1\n",
        f"{SITE}/acme.pth": f"{venv.parent}/sources/src\n",
        f"{INFO}/METADATA": "Name: acme\n",
        f"{INFO}/INSTALLER": "uv",
        f"{INFO}/RECORD": f"acme/__init__.py,sha256=abc,9\nacme-1.0.dist-info/RECORD,,\n"
        f"../../../bin/acme,sha256={venv},1\n",
        f"{INFO}/direct_url.json": json.dumps({"url": f"file://{venv.parent}/copy", "dir_info": {"editable": False}}),
    }
    for path, text in files.items():
        (venv / path).parent.mkdir(parents=True, exist_ok=True)
        (venv / path).write_text(text)
    (venv / "bin/acme").chmod(0o755)
    return venv


def in_venv(venv: Path) -> dict[str, str]:
    return installed(venv, {venv.parent / "sources": Path("/sources"), venv: Path("/venv")})


def test_two_installations_of_the_same_are_equal(tmp_path: Path) -> None:
    one, two = write_venv(tmp_path / "one/venv"), write_venv(tmp_path / "another/environment")
    (two / f"{INFO}/REQUESTED").write_text("")
    (two / f"{SITE}/acme/__pycache__").mkdir()
    (two / f"{SITE}/acme/__pycache__/__init__.cpython-312.pyc").write_text("")
    assert differences(in_venv(one), in_venv(two)) == []
    assert f"{SITE}/acme/__init__.py" in in_venv(one)


def editable(venv: Path, url: str) -> None:
    (venv / f"{INFO}/direct_url.json").write_text(json.dumps({"url": url, "dir_info": {"editable": True}}))


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "contents": (lambda venv: (venv / f"{SITE}/acme/__init__.py").write_text("WORD = 2\n"), f"{SITE}/acme/__init__.py"),
    "a new file": (lambda venv: (venv / f"{SITE}/acme/new.py").write_text(""), f"{SITE}/acme/new.py"),
    "a missing file": (lambda venv: (venv / f"{SITE}/acme/__init__.py").unlink(), f"{SITE}/acme/__init__.py"),
    "a mode": (lambda venv: (venv / "bin/acme").chmod(0o644), "bin/acme"),
    "a script": (lambda venv: (venv / "bin/acme").write_text("#!/x/python\nimport other\n"), "bin/acme"),
    "metadata": (lambda venv: (venv / f"{INFO}/METADATA").write_text("Name: x\n"), f"{INFO}/METADATA"),
    "recorded names": (lambda venv: (venv / f"{INFO}/RECORD").write_text("acme/other.py,,\n"), f"{INFO}/RECORD"),
    "an editable installation": (lambda venv: editable(venv, "file:///sources"), f"{INFO}/direct_url.json"),
    "a path": (lambda venv: (venv / f"{SITE}/acme.pth").write_text("/elsewhere\n"), f"{SITE}/acme.pth"),
    "a link": (lambda venv: (venv / f"{SITE}/link").symlink_to("acme"), f"{SITE}/link"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_a_difference(name: str, tmp_path: Path) -> None:
    change, place = CHANGES[name]
    venv = write_venv(tmp_path / "venv")
    before = in_venv(venv)
    change(venv)
    [line] = differences(before, in_venv(venv))
    assert line.split(": ")[1].split(" ")[0] == place


def test_an_editable_installation_from_another_directory_differs(tmp_path: Path) -> None:
    venv = write_venv(tmp_path / "venv")
    editable(venv, f"file://{tmp_path}/sources")
    before = in_venv(venv)
    editable(venv, "file:///elsewhere")
    assert len(differences(before, in_venv(venv))) == 1


def test_every_change_of_the_sources_is_seen(tmp_path: Path) -> None:
    for name in ("kept.py", "changed.py", "removed.py", ".git/index", "locks/pylock.prod.toml", ".envs/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    before = source_tree(tmp_path)
    (tmp_path / "removed.py").unlink()
    (tmp_path / "acme.egg-info").mkdir()
    for name in ("changed.py", ".git/index", "locks/pylock.prod.toml", ".envs/x"):
        (tmp_path / name).write_text("changed")
    found = changes(before, source_tree(tmp_path))
    assert found == ["added acme.egg-info", "removed removed.py", "changed .git/index", "changed changed.py"]


def test_the_table_names_each_fault() -> None:
    results = [
        Result(layout="hatch-vcs", edit="tag", environment="dev", verdict=Verdict.MISSED, reasons=("differs: x",)),
        Result(layout="hatch-vcs", edit="tag", environment="prod", verdict=Verdict.SAME, left_behind=("added build",)),
        Result(layout="hatch-vcs", edit="lock", environment="dev", verdict=Verdict.MISSED, reasons=("differs: x",)),
        Result(layout="hatch-vcs", edit="lock", environment="prod", verdict=Verdict.REPAIRED, reasons=("differs: y",)),
    ]
    assert table(results).splitlines()[-1] == "| hatch-vcs | missed / same, left files | missed / repaired |"
    assert faults(results).splitlines() == [
        "hatch-vcs, tag, dev: missed",
        "    differs: x",
        "hatch-vcs, tag, prod: same",
        "    left behind: added build",
        "hatch-vcs, lock, dev: missed, for the same reasons as after tag",
    ]


def test_results_of_earlier_runs_are_kept(tmp_path: Path) -> None:
    def result(edit: str, verdict: Verdict) -> Result:
        return Result(layout="hatch-vcs", edit=edit, environment="dev", verdict=verdict)

    path = tmp_path / "results.json"
    keep_results(path, [result("start", Verdict.SAME), result("tag", Verdict.MISSED)])
    kept = keep_results(path, [result("tag", Verdict.REPAIRED), result("commit", Verdict.SAME)])
    assert [(each.edit, each.verdict) for each in kept] == [
        ("start", Verdict.SAME),
        ("commit", Verdict.SAME),
        ("tag", Verdict.REPAIRED),
    ]
    text = section(kept, "Python 3.12.1")
    assert "| hatch-vcs | hatchling | the version comes from git's tags" in text
    assert "After the edits, 2 environments were compared: 1 same, 1 repaired." in text


@pytest.mark.parametrize("name", LAYOUTS)
def test_exactly_the_layouts_with_programs_may_read_any_file(name: str, tmp_path: Path) -> None:
    """Only there, a needless red has a name of its own."""
    layout = LAYOUTS[name]
    write(tmp_path / "repository", layout.files)
    inputs = read_build_inputs(tmp_path / "repository" / layout.project)
    assert (inputs.metadata_from is None or not inputs.declarative) is bool(layout.programs)
    for each in layout.programs:
        ast.parse(layout.files[each])


def test_there_are_twenty_layouts_of_five_backends_and_ten_edits() -> None:
    assert len(LAYOUTS) >= 20
    assert {each.backend for each in LAYOUTS.values()} >= {
        *("setuptools", "hatchling", "flit-core", "poetry-core", "pdm-backend")
    }
    assert len(EDITS) == 10
