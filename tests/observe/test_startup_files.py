"""Each startup file in full: its path, how Python runs it, its state, and the package that it belongs to."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.observe import startup
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Finding, FindingCode, Occupant
from reconciler.observe.actual import StartupFile as File
from reconciler.observe.actual import StartupState as State
from reconciler.observe.site import PTH_LIMIT_BYTES, SiteDirectory, find_site
from reconciler.observe.startup import (
    adds_directories,
    base_startup_files,
    compare_startup_files,
    find_startup_files,
    pth_lines,
)
from reconciler.observe.startup_listing import list_startup_files, with_packages
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import take_inventory
from tests.observe.trees import build

SITE = "lib/python3.12/site-packages"
IMPORTED = "Python imports it"
LINES = "Python runs its `import` lines"
CALLS = "Python calls the functions that it names"


def found(top: Path, tree: dict[str, Any], series: str = "3.12") -> list[File]:
    venv = top / "venv"
    build(venv, {f"lib/python{series}/site-packages": {"directory": True}, **tree})
    return list(find_startup_files(str(venv), find_site(str(venv), series)))


@pytest.mark.parametrize(
    ("tree", "files"),
    [
        ({"bin/python._pth": "x", "bin/other.pth": "import x\n"}, [
            ("bin/python._pth", "it replaces the import path of the interpreter next to it"),
        ]),
        ({"SITE/a.pth": "import os\n", "SITE/b.pth": "more\n", "SITE/more/x.py": ""}, [(f"{SITE}/a.pth", LINES)]),
        ({"SITE/sitecustomize.cpython-312-x86_64-linux-gnu.so": "", "SITE/usercustomize.so": ""}, [
            (f"{SITE}/sitecustomize.cpython-312-x86_64-linux-gnu.so", IMPORTED),
            (f"{SITE}/usercustomize.so", IMPORTED),
        ]),
        # A package: its files, or the link to it and its files.
        ({"SITE/sitecustomize/__init__.py": "", "SITE/sitecustomize/__init__.pyc": "", "SITE/sitecustomize/x.py": ""}, [
            (f"{SITE}/sitecustomize/__init__.py", IMPORTED),
            (f"{SITE}/sitecustomize/__init__.pyc", IMPORTED),
        ]),
        ({"src/__init__.py": "", "src/x.py": "", "SITE/sitecustomize": {"link": "@ENV@/src"}}, [
            (f"{SITE}/sitecustomize", IMPORTED),
            ("src/__init__.py", IMPORTED),
        ]),
        ({"src/x.py": "", "SITE/sitecustomize": {"link": "@ENV@/src"}}, []),
        # Links to files: the target counts too if it is inside.
        ({"src/hook.py": "", "SITE/sitecustomize.py": {"link": "@ENV@/src/hook.py"}}, [
            (f"{SITE}/sitecustomize.py", IMPORTED),
            ("src/hook.py", IMPORTED),
        ]),
        ({"SITE/sitecustomize.py": {"link": "/etc/hostname"}}, [(f"{SITE}/sitecustomize.py", IMPORTED)]),
        # A directory inside that a `.pth` file adds: only its own files count.
        ({"SITE/x.pth": "../more\n", "lib/python3.12/more/usercustomize.py": ""}, [
            ("lib/python3.12/more/usercustomize.py", IMPORTED),
        ]),
        ({"SITE/x.pth": ".\n\nnone\nx\0y\n", "SITE/sitecustomize.py": ""}, [(f"{SITE}/sitecustomize.py", IMPORTED)]),
        # A file that both runs a line and adds a directory.
        ({"SITE/x.pth": "import os\nmore\n", "SITE/more/sitecustomize.py": ""}, [
            (f"{SITE}/more/sitecustomize.py", IMPORTED),
            (f"{SITE}/x.pth", LINES),
        ]),
        ({"SITE/x.start": "module:main\n"}, []),
    ],
)  # fmt: skip
def test_the_startup_files_inside(tmp_path: Path, tree: dict[str, Any], files: list[tuple[str, str]]) -> None:
    assert found(tmp_path, tree) == [File(path=path, detail=detail) for path, detail in files]


def test_start_files_since_python_3_15(tmp_path: Path) -> None:
    site = "lib/python3.15/site-packages"
    tree = {f"{site}/x.start": "# a comment\nmodule:main\n", f"{site}/y.start": {"link": "/etc/hostname"}}
    refused = "a symbolic link to a file outside the environment"  # and not: too many of them
    assert found(tmp_path, tree, "3.15") == [
        File(path=f"{site}/x.start", detail=CALLS),
        File(
            path=f"{site}/y.start",
            detail=f"it could not be read ({refused}), and Python may run code that it names or contains",
        ),
    ]


@pytest.mark.parametrize("line", ["", "import os\n"])
def test_a_directory_outside_makes_the_file_that_adds_it_a_startup_file(tmp_path: Path, line: str) -> None:
    outside = tmp_path / "outside"
    build(outside, {"sitecustomize.py": "", "usercustomize.py": ""})
    adds = f"it adds `{outside}` to the import path, and Python imports from it `sitecustomize.py`"
    assert found(tmp_path, {"SITE/x.pth": f"{line}{outside}\n"}) == [
        File(path=f"{outside}/sitecustomize.py", detail=IMPORTED, state=State.OUTSIDE),
        File(path=f"{outside}/usercustomize.py", detail=IMPORTED, state=State.OUTSIDE),
        File(path=f"{SITE}/x.pth", detail=LINES if line else adds),
    ]


def write_zip(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "")


@pytest.mark.parametrize(
    ("members", "first"),
    [
        (("other.py", "sitecustomize.py"), "sitecustomize.py"),
        (("other.py", "usercustomize/__init__.pyc"), "usercustomize/__init__.pyc"),
        (
            ("sitecustomize", "usercustomize/other.py", "usercustomize/__init__.py", "sitecustomize.py"),
            "usercustomize/__init__.py",
        ),
    ],
)
def test_a_zip_archive_on_the_import_path_is_listed_with_its_first_module(
    tmp_path: Path, members: tuple[str, ...], first: str
) -> None:
    for place in (tmp_path / f"venv/{SITE}/inside.zip", tmp_path / "outside.zip"):
        write_zip(place, *members)
    write_zip(tmp_path / f"venv/{SITE}/harmless.zip", "sub/sitecustomize.py")
    lines = f"inside.zip\nharmless.zip\n{tmp_path}/outside.zip\nbad.zip\n"
    module = f"Python imports `{first}` from it"
    adds = f"it adds `{tmp_path}/outside.zip` to the import path, and Python imports from it `outside.zip`"
    assert found(tmp_path, {"SITE/x.pth": lines, "SITE/bad.zip": "not a zip archive"}) == [
        File(path=f"{tmp_path}/outside.zip", detail=module, state=State.OUTSIDE),
        File(path=f"{SITE}/inside.zip", detail=module),
        File(path=f"{SITE}/x.pth", detail=adds),
    ]


def test_a_zip_archive_with_too_many_members_is_listed(tmp_path: Path) -> None:
    names = ("x" * 60_000 + f"{number}.py" for number in range(40))  # more than 2 MiB
    write_zip(tmp_path / f"venv/{SITE}/large.zip", *names)
    detail = "it has too many members to find out whether Python imports code from it"
    assert found(tmp_path, {"SITE/x.pth": "large.zip\n"}) == [File(path=f"{SITE}/large.zip", detail=detail)]


def test_the_startup_files_of_a_base_interpreter(tmp_path: Path) -> None:
    build(
        tmp_path,
        {
            "lib/python3.12/sitecustomize.py": "",
            "lib/python3.12/sitecustomize.txt": "",
            f"{SITE}/base.pth": "import base\n",
            f"{SITE}/sitecustomize.py": "",
            "lib/python3/dist-packages/system.pth": "import system\n",
            "local/lib/python3.12/dist-packages/local.pth": "import local\n",
        },
    )
    library, system = f"{tmp_path}/lib/python3.12", f"{tmp_path}/lib/python3/dist-packages"
    own = File(path=f"{library}/sitecustomize.py", detail=IMPORTED, state=State.OUTSIDE)
    more = (
        File(path=f"{library}/site-packages/base.pth", detail=LINES, state=State.OUTSIDE),
        File(path=f"{library}/site-packages/sitecustomize.py", detail=IMPORTED, state=State.OUTSIDE),
        own,
        File(path=f"{system}/system.pth", detail=LINES, state=State.OUTSIDE),
        File(path=f"{tmp_path}/local/lib/python3.12/dist-packages/local.pth", detail=LINES, state=State.OUTSIDE),
    )
    for home in (f"{tmp_path}/bin", f"{tmp_path}/bin/"):
        assert base_startup_files(home, "3.12", site_packages=False) == (own,)
        assert base_startup_files(home, "3.12", site_packages=True) == more
    assert base_startup_files(f"{tmp_path}/bin", "3.11", site_packages=False) == ()


@pytest.mark.parametrize(
    ("tree", "adds"),
    [
        ({}, False),
        ({"x.pth": "import os\n# nothing\n\n"}, False),
        ({"x.pth": "import os\nmore\n"}, True),
        ({"x.txt": "more\n"}, False),
        ({"x.pth": {"directory": True}}, True),  # it cannot be read
        ({"a.pth": "import os\n", "x.pth": "missing\n"}, True),
    ],
)
def test_whether_a_site_directory_may_add_to_the_import_path(tmp_path: Path, tree: dict[str, Any], adds: bool) -> None:
    build(tmp_path / "site", {".": {"directory": True}})
    build(tmp_path / "site", tree)
    assert adds_directories(str(tmp_path), SiteDirectory(path=f"{tmp_path}/site", relative="site")) is adds


def test_a_pth_file_over_the_limit_may_add_to_the_import_path(tmp_path: Path) -> None:
    build(tmp_path / "site", {"x.pth": "# " + "x" * (PTH_LIMIT_BYTES - 2)})
    site = SiteDirectory(path=f"{tmp_path}/site", relative="site")
    assert not adds_directories(str(tmp_path), site)
    build(tmp_path / "site", {"x.pth": "# " + "x" * (PTH_LIMIT_BYTES - 1)})
    assert adds_directories(str(tmp_path), site)


def test_the_lines_of_a_pth_file_in_any_encoding() -> None:
    text = "\ufeffone\n#two\n \nthr\u00e9e\nfour\x0c#five\n"
    assert pth_lines(text.encode("utf-8")) == ["one", "thr\u00e9e", "four", "thr\u00c3\u00a9e"]
    assert pth_lines(b"one\none\n") == ["one"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# A file as it was sealed and as it is now, its state, and the digest in the finding.
COMPARED: dict[str, tuple[Any, Any, State, str]] = {
    "same.pth": ("import a\n", "import a\n", State.SEALED, ""),
    "edited.pth": ("import a\n", "import b\n", State.CHANGED, sha256("import b\n")),
    "grown.pth": ("import a\n", "import a, b\n", State.CHANGED, sha256("import a, b\n")),
    "same-link.pth": ({"link": "same.pth"}, {"link": "same.pth"}, State.SEALED, ""),
    "other-link.pth": ({"link": "same.pth"}, {"link": "edited.pth"}, State.CHANGED, sha256("edited.pth")),
    "now-a-link.pth": ("import a\n", {"link": "same.pth"}, State.CHANGED, sha256("same.pth")),
    "gone.pth": ("import a\n", None, State.CHANGED, ""),
    "program.pth": ({"mode": "755"}, {"mode": "644"}, State.SEALED, ""),
    "now-a-program.pth": ({"mode": "644"}, {"mode": "755"}, State.SEALED, ""),
    "pipe.pth": ("import a\n", {"fifo": True}, State.CHANGED, ""),
    "added.pth": (None, "import new\n", State.ADDED, sha256("import new\n")),
}


def test_startup_files_are_compared_with_the_inventory(tmp_path: Path) -> None:
    build(tmp_path, {"SITE/program.pth": "import a\n", "SITE/now-a-program.pth": "import a\n"})
    build(tmp_path, {f"SITE/{name}": sealed for name, (sealed, *_) in COMPARED.items()})
    inventory = take_inventory(tmp_path, InodeHashes())
    build(tmp_path, {"SITE/pipe.pth": None})  # to make the named pipe there
    build(tmp_path, {f"SITE/{name}": now for name, (_, now, *_) in COMPARED.items()})
    files = [File(path=f"{SITE}/{name}", detail=name) for name in COMPARED]
    outside = File(path="/outside/sitecustomize.py", detail=IMPORTED, state=State.OUTSIDE)
    compared, findings = compare_startup_files(str(tmp_path), [*files, outside], inventory)
    assert compared == (*(replace(each, state=COMPARED[each.detail][2]) for each in files), outside)
    codes = {State.CHANGED: FindingCode.STARTUP_CHANGED, State.ADDED: FindingCode.STARTUP_ADDED}
    assert findings == [
        Finding(code=codes[state], path=f"{SITE}/{name}", detail=name, content=content)
        for name, (_, _, state, content) in COMPARED.items()
        if state in codes
    ]


def test_a_large_startup_file_of_another_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "LARGEST_HASHED", 5)
    build(tmp_path, {"SITE/x.pth": "import a\n"})
    inventory = take_inventory(tmp_path, InodeHashes())
    file = File(path=f"{SITE}/x.pth", detail="x")
    assert compare_startup_files(str(tmp_path), [file], inventory)[0][0].state is State.SEALED
    for text, content in (("import a, b\n", ""), ("impor", sha256("impor")), ("import", "")):
        build(tmp_path, {"SITE/x.pth": text})
        assert [each.content for each in compare_startup_files(str(tmp_path), [file], inventory)[1]] == [content]


def test_the_package_of_a_startup_file_is_the_first_that_lists_it(tmp_path: Path) -> None:
    rows = {"one": "x.pth,,\nboth.pth,,\n", "two": "both.pth,,\ntwo.pth,,\n"}
    build(tmp_path, {f"SITE/{name}-1.0.dist-info/RECORD": text for name, text in rows.items()})
    distributions = [
        Distribution(key=name, name=name, version="1.0", place=f"{SITE}/{name}-1.0.dist-info") for name in rows
    ]
    packages = {f"{SITE}/x.pth": "one", f"{SITE}/both.pth": "one", f"{SITE}/two.pth": "two", f"{SITE}/own.pth": ""}
    files = [File(path=path, detail=LINES) for path in packages]
    outside = File(path="/outside/sitecustomize.py", detail=IMPORTED, state=State.OUTSIDE)
    assert with_packages([*files, outside], str(tmp_path), distributions) == (
        *(File(path=path, detail=LINES, package=package) for path, package in packages.items()),
        outside,
    )
    assert with_packages([outside], str(tmp_path), distributions) == (outside,)


@pytest.mark.parametrize("system", [False, True])
def test_what_python_runs_at_every_start_is_listed_with_that_of_its_base(tmp_path: Path, system: bool) -> None:
    build(tmp_path / "base", {"lib/python3.12/sitecustomize.py": "", f"{SITE}/base.pth": "import base\n"})
    build(tmp_path / "web", {"SITE/acme-1.0.dist-info/RECORD": "acme.pth,,\n"})
    acme = File(path=f"{SITE}/acme.pth", detail=LINES)
    actual = ActualEnvironment(
        name="web",
        path=f"{tmp_path}/web",
        occupant=Occupant.PUBLISHED,
        depth=Depth.FILES,
        python="3.12.1",
        home=f"{tmp_path}/base/bin",
        system_site_packages=system,
        distributions=(Distribution(key="acme", name="acme", version="1", place=f"{SITE}/acme-1.0.dist-info"),),
        startup=(acme,),
    )
    places = [f"{SITE}/acme.pth", *([f"{tmp_path}/base/{SITE}/base.pth"] if system else [])]
    listed = list_startup_files(actual)
    assert [each.path for each in listed] == [*places, f"{tmp_path}/base/lib/python3.12/sitecustomize.py"]
    assert [each.package for each in listed] == ["acme", *([""] if system else []), ""]
