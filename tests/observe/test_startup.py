"""Everything that a real interpreter runs at its start is found, and what a version of Python obeys counts for all."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.observe.site import PTH_LIMIT_BYTES, Site, SiteDirectory, find_site
from reconciler.observe.startup import find_startup_files
from tests.every_case import usually
from tests.installed_pythons import interpreters
from tests.observe.trees import build

SAYS = "import os; os.write(1, b'ran')\n"
# What is added to an environment. The interpreters that obey a file are not listed: each one says so itself.
ADDED: Mapping[str, Mapping[str, object]] = {
    "import line": {"SITE/x.pth": SAYS},
    "import and tab": {"SITE/x.pth": SAYS.replace(" ", "\t", 1)},
    "hidden": {"SITE/.x.pth": SAYS},
    "byte order mark": {"SITE/x.pth": f"\ufeff{SAYS}"},
    "form feed": {"SITE/x.pth": f"# a comment\f{SAYS}"},
    "carriage return": {"SITE/x.pth": f"# a comment\r{SAYS}"},
    "next line": {"SITE/x.pth": f"# a comment\x85{SAYS}"},
    "line separator": {"SITE/x.pth": f"# a comment\u2028{SAYS}"},
    "not UTF-8 at its end": {"SITE/x.pth": {"hex": f"{SAYS}{' ' * 20_000}\n".encode().hex() + "ff"}},
    "Latin-1": {"SITE/x.pth": {"hex": f"# \u00e4\n{SAYS}".encode("latin-1").hex()}},
    "sitecustomize": {"SITE/sitecustomize.py": SAYS},
    "sitecustomize as a package": {"SITE/sitecustomize/__init__.py": SAYS},
    "sitecustomize in an added directory": {"SITE/x.pth": "more\n", "SITE/more/sitecustomize.py": SAYS},
    "sitecustomize outside": {"SITE/x.pth": "@ENV@/../outside\n", "../outside/sitecustomize.py": SAYS},
    "usercustomize": {"SITE/usercustomize.py": SAYS},
    "sitecustomize in lib": {"lib/python3.12/sitecustomize.py": SAYS},
    "sitecustomize in bin": {"bin/sitecustomize.py": SAYS},
    "nothing to import": {"SITE/sitecustomize/module.py": SAYS},
    "no line": {"SITE/x.pth": f"# {SAYS} {SAYS}"},
    "start file": {"SITE/x.start": "module:main\n", "SITE/module.py": f"{SAYS}def main():\n    pass\n"},
}


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("series", usually([f"3.{sys.version_info.minor}"], sorted(interpreters())))
def test_what_an_interpreter_runs_at_its_start_is_found(series: str, added: str, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([interpreters()[series], "-m", "venv", "--without-pip", venv], check=True)
    tree = {name.replace("python3.12", f"python{series}"): content for name, content in ADDED[added].items()}
    build(venv, {name.replace("SITE/", f"lib/python{series}/site-packages/"): each for name, each in tree.items()})

    ran = subprocess.run([venv / "bin/python", "-c", ""], capture_output=True, check=False)

    found = find_startup_files(str(venv), find_site(str(venv), series))
    assert found or b"ran" not in ran.stdout


def test_an_interpreter_whose_import_path_a_file_next_to_it_replaces(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (venv / "bin/python._pth").write_text("/nowhere\n")
    ran = subprocess.run([venv / "bin/python", "-c", ""], capture_output=True, check=False)
    assert ran.returncode != 0, "it obeys the file, so it does not find its standard library"
    assert [each.path for each in find_startup_files(str(venv), find_site(str(venv), ""))] == ["bin/python._pth"]


def site_at(venv: Path, series: str) -> tuple[Site, Path]:
    relative = f"lib/python{series}/site-packages"
    (venv / relative).mkdir(parents=True)
    directory = SiteDirectory(path=f"{venv}/{relative}", relative=relative)
    return Site(directories=(directory,), series=series, findings=()), venv / relative


@pytest.mark.parametrize(("series", "read"), [("3.14", False), ("3.15", True), ("3.20", True), ("", True)])
def test_start_files_count_from_python_3_15_on(series: str, read: bool, tmp_path: Path) -> None:
    site, packages = site_at(tmp_path, series)
    (packages / "some.start").write_text("# PEP 829\nsome:main\n")
    (packages / "empty.start").write_text("# nothing\n\n")
    found = [each.path.rpartition("/")[2] for each in find_startup_files(str(tmp_path), site)]
    assert found == (["some.start"] if read else [])


def test_what_cannot_be_read_counts_as_a_startup_file(tmp_path: Path) -> None:
    site, packages = site_at(tmp_path, "3.15")
    os.mkfifo(packages / "pipe.pth")
    (packages / "zero.pth").symlink_to("/dev/zero")
    (packages / "zero.start").symlink_to("/dev/zero")
    (packages / "directory.pth").mkdir()
    with (packages / "large.pth").open("wb") as file:
        file.truncate(PTH_LIMIT_BYTES + 1)
    found = {each.path.rpartition("/")[2]: each.detail for each in find_startup_files(str(tmp_path), site)}
    assert found.keys() == {"pipe.pth", "zero.pth", "zero.start", "directory.pth", "large.pth"}
    assert all("could not be read (" in each for each in found.values())
