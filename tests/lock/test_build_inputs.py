"""Which change of a local project is a change of its lock, of an editable install, and of a built one.

`lock`: what its dependencies are read from; `editable`: what its metadata is made from; `built`: what is in its wheel.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.lock import source_digests
from reconciler.lock.build_inputs import read_build_inputs
from reconciler.lock.file_digests import file_state
from tests.layouts.layout import commit, git
from tests.lock.nothing_generated import content_digest, metadata_digest, resolution_digest

SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
POETRY = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
FLIT = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
PDM = '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
STATIC = '[project]\nname = "own"\nversion = "1"\n'
DYNAMIC = '[project]\nname = "own"\ndynamic = ["version", "dependencies"]\n'

# By layout: the text of pyproject.toml and other files, then by file the digests that a change of it changes.
LAYOUTS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "static metadata, src": (
        {"pyproject.toml": SETUPTOOLS + STATIC + 'readme = "README.md"\n'},
        {
            "pyproject.toml": "built",  # the change is a comment
            "src/own/__init__.py": "built",
            "src/own/data.json": "",  # without `package-data` or a MANIFEST.in, setuptools leaves it out
            "src/own/py.typed": "built",
            "README.md": "editable built",
            "LICENSE": "editable built",
            "CHANGELOG.md": "",
            "docs/index.md": "",
            "tests/test_own.py": "",
            "setup.cfg": "lock editable built",
            ".github/workflow.yml": "",
        },
    ),
    "setuptools: data files by patterns": (
        {
            "pyproject.toml": SETUPTOOLS + STATIC + 'license-files = ["*/*/LICENSE"]\n'
            + '[tool.setuptools.package-data]\n"*" = ["*.json"]\nown = ["web/**/*.js", "./icons/*"]\n',
            "setup.cfg": "[options.package_data]\nown = *.csv, a.txt\n",
        },
        {
            "src/own/a.json": "built", "src/own/web/x.js": "built", "src/own/web/a/x.js": "built",
            "src/own/a.txt": "built", "src/own/b.txt": "", "src/own/web/x.map": "", "src/own/icons/a.svg": "built",
            "src/own/a.csv": "built", "src/own/LICENSE": "editable built", "src/own/a.so": "built",
            "src/own/a.pyi": "built",
        },
    ),
    "setuptools: data files by a MANIFEST.in": (
        {"pyproject.toml": SETUPTOOLS + STATIC, "MANIFEST.in": "graft src/own/web\n"},
        {"src/own/web/x.js": "built", "src/own/x.txt": "built"},
    ),
    "setuptools: data files by a plugin": (
        {
            "pyproject.toml": STATIC + '[build-system]\nrequires = ["setuptools", "setuptools_scm[toml]>=8"]\n'
            + 'build-backend = "setuptools.build_meta"\n'
        },
        {"src/own/x.txt": "built"},
    ),
    "static metadata, flat": (
        {"pyproject.toml": HATCH + STATIC},
        {"own/__init__.py": "built", "own/_generated.py": "built", "README.md": "", "tests/test_own.py": ""},
    ),
    "a pattern that takes more into the wheel": (
        {"pyproject.toml": HATCH + STATIC + '[tool.hatch.build.targets.wheel]\ninclude = ["*.md", "docs"]\n'},
        {"own/__init__.py": "built", "README.md": "built", "docs/index.html": "built", "notes.txt": ""},
    ),
    "setuptools: files": (
        {
            "pyproject.toml": SETUPTOOLS + DYNAMIC + "[tool.setuptools.dynamic]\n"
            'dependencies = {file = ["requirements.in"]}\nversion = {file = "VERSION"}\n'
        },
        {
            "requirements.in": "lock editable built",
            "VERSION": "editable built",
            "src/own/__init__.py": "built",
            "other.txt": "",
        },
    ),
    "setuptools: a literal attribute": (
        {
            "pyproject.toml": SETUPTOOLS + '[project]\nname = "own"\ndynamic = ["version"]\n'
            '[tool.setuptools.dynamic]\nversion = {attr = "own.__version__"}\n'
        },
        {"src/own/__init__.py": "editable built", "src/own/more.py": "built"},
    ),
    "setuptools: an attribute that is computed": (
        {
            "pyproject.toml": SETUPTOOLS + '[project]\nname = "own"\ndynamic = ["version"]\n'
            '[tool.setuptools.dynamic]\nversion = {attr = "own.computed"}\n'
        },
        {"src/own/__init__.py": "editable built", "src/own/more.py": "editable built"},
    ),
    "a setup.py that reads": (
        {"setup.py": "from setuptools import setup\nsetup(name='own', install_requires=open('r.txt').readlines())\n"},
        {"r.txt": "lock editable built", "own/__init__.py": "lock editable built", "setup.py": "lock editable built"},
    ),
    "a plain setup.py": (
        {"setup.py": "from setuptools import setup, find_packages\nsetup(name='own', packages=find_packages())\n"},
        {"setup.py": "lock editable built", "own/__init__.py": "built", "r.txt": ""},
    ),
    "setup.cfg": (
        {"setup.cfg": "[metadata]\nname = own\nversion = file: V\n[options]\ninstall_requires = file: r.txt\n"},
        {"setup.cfg": "lock editable built", "r.txt": "lock editable built", "V": "editable built"},
    ),
    "hatch: path": (
        {
            "pyproject.toml": HATCH + '[project]\nname = "own"\ndynamic = ["version"]\n'
            '[tool.hatch.version]\npath = "src/own/about.py"\n'
        },
        {"src/own/about.py": "editable built", "src/own/__init__.py": "built"},
    ),
    "hatch: a hook": (
        {"pyproject.toml": HATCH + DYNAMIC + '[tool.hatch.metadata.hooks.custom]\npath = "hook.py"\n'},
        {"hook.py": "lock editable built", "src/own/x.py": "lock editable built"},
    ),
    "hatch: a build hook": (
        {"pyproject.toml": HATCH + STATIC + "[tool.hatch.build.hooks.custom]\n"},
        {"hatch_build.py": "built", "README.md": "built", "frontend/app.js": "built"},
    ),
    "hatch: a file of a neighbor": (
        {
            "pyproject.toml": HATCH + STATIC
            + '[tool.hatch.build.targets.wheel.force-include]\n"../shared/x.py" = "own/x.py"\n"../data" = "own/data"\n'
        },
        {
            "../shared/x.py": "editable built", "../shared/y.py": "", "../data/z.txt": "editable built",
            "../data/__pycache__/z.pyc": "", "own/y.py": "built",
        },
    ),
    "poetry: a path dependency": (
        {
            "pyproject.toml": POETRY + '[tool.poetry]\nname = "own"\nversion = "1"\n'
            '[tool.poetry.dependencies]\ncore = {path = "../core", develop = true}\n',
            "../core/pyproject.toml": POETRY + '[tool.poetry]\nname = "core"\nversion = "1"\n',
        },
        {"own/__init__.py": "built", "../core/setup.cfg": "lock", "../core/core.py": ""},
    ),
    "flit": (
        {"pyproject.toml": FLIT + '[project]\nname = "own"\ndynamic = ["version", "description"]\n'},
        {"own/__init__.py": "editable built", "own/more.py": "built"},
    ),
    "licenses and data by pattern": (
        {
            "pyproject.toml": SETUPTOOLS + STATIC + 'license-files = ["legal/*"]\n'
            '[tool.setuptools.data-files]\n"share/own" = ["etc/*.conf"]\n'
        },
        {"legal/L.txt": "editable built", "etc/a.conf": "editable built", "own/data.json": "built"},
    ),
    "hatch: shared data and hatch.toml": (
        {
            "pyproject.toml": HATCH + '[project]\nname = "own"\ndynamic = ["version"]\n',
            "hatch.toml": '[version]\npath = "src/own/about.py"\n'
            '[build.targets.wheel.shared-data]\n"etc" = "etc/own"\n',
        },
        {
            "src/own/about.py": "editable built",
            "etc/deep/a.conf": "editable built",
            ".gitignore": "built",
            "hatch.toml": "built",  # a comment
        },
    ),
    "setup.cfg: a list of files": (
        {"setup.cfg": "[metadata]\nname = own\nlong_description = file: README.rst, CHANGES.rst\n"},
        {"README.rst": "editable built", "CHANGES.rst": "editable built"},
    ),
    "pdm: pdm_build.py": (
        {"pyproject.toml": PDM + STATIC, "pdm_build.py": "open('word.txt')\n"},
        {"word.txt": "built", "pdm_build.py": "editable built"},
    ),
    "an extension module": (
        {
            "pyproject.toml": SETUPTOOLS + STATIC,
            "setup.py": "from setuptools import *\nsetup(ext_modules=[Extension('own', ['src/own.c'])])\n",
        },
        {"src/own.c": "editable built", "src/own/fast.h": "editable built", "src/own/__init__.py": "built"},
    ),
    "a setup.py that reads from a neighbor": (
        {"setup.py": "import setuptools\nsetuptools.setup(install_requires=open('../shared/r.txt').read())\n"},
        {"../shared/r.txt": "lock editable built", "../shared/x": ""},
    ),
    "pdm: call": (
        {"pyproject.toml": PDM + DYNAMIC + '[tool.pdm.version]\nsource = "call"\ngetter = "x:y"\n'},
        {"src/x.py": "lock editable built"},
    ),
    "a backend of its own": (
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n' + STATIC,
        },
        {"b.py": "built", "anything.txt": "built"},
    ),
    "a file that the version is written to": (
        {
            "pyproject.toml": SETUPTOOLS + '[project]\nname = "own"\ndynamic = ["version"]\n'
            '[tool.setuptools_scm]\nversion_file = "src/own/_version.py"\n'
        },
        {"src/own/_version.py": "", "src/own/__init__.py": "built"},
    ),
    "git ignores it: hatchling leaves it out": (
        {
            "pyproject.toml": HATCH + STATIC + 'readme = "README_pb2.md"\n'
            '[tool.hatch.build.targets.wheel]\npackages = ["src/own"]\nartifacts = ["kept_*"]\n'
            'exclude = ["!src/own/again_pb2.py"]\n'
            '[tool.hatch.build.targets.wheel.force-include]\n"forced" = "own/f"\n',
            ".gitignore": "*_pb2.*\nout/\n!src/own/not_pb2.py\n",
        },
        {
            "src/own/a_pb2.py": "",
            "src/own/out/deep/a.json": "",
            "out/a.json": "",
            "src/own/kept_pb2.py": "built",
            "src/own/not_pb2.py": "built",
            "src/own/again_pb2.py": "built",
            "forced/a_pb2.py": "editable built",
            "README_pb2.md": "editable built",
            "src/own/a.py": "built",
        },
    ),
    "git ignores it, and hatchling takes the whole project": (
        {
            "pyproject.toml": HATCH + STATIC + '[tool.hatch.build.targets.wheel.force-include]\n"." = "own"\n',
            ".gitignore": "*_pb2.py\n",
        },
        {"src/own/a_pb2.py": "built"},
    ),
    "git ignores it, and `ignore-vcs` says that it does not matter": (
        {
            "pyproject.toml": HATCH + STATIC + "[tool.hatch.build.targets.wheel]\nignore-vcs = true\n",
            ".gitignore": "*_pb2.py\n",
        },
        {"src/own/a_pb2.py": "built"},
    ),
    "git ignores it, and the code of a hook may take it": (
        {
            "pyproject.toml": HATCH + STATIC + "[tool.hatch.build.hooks.custom]\n",
            ".gitignore": "*_pb2.py\n",
        },
        {"src/own/a_pb2.py": "built"},
    ),
    "git ignores it, and a hook may read it": (
        {
            "pyproject.toml": HATCH + STATIC + '[tool.hatch.metadata.hooks.custom]\npath = "hook.py"\n',
            ".gitignore": "*_pb2.py\n",
        },
        {"src/own/a_pb2.py": "built"},
    ),
    "git ignores the module with the name of the project": (
        {"pyproject.toml": HATCH + STATIC, ".gitignore": "own.py\nsrc/own.py\n"},
        {"own.py": "built", "src/own.py": ""},
    ),
    "Mercurial ignores too": (
        {"pyproject.toml": HATCH + STATIC, ".gitignore": "*_pb2.py\n", ".hgignore": "syntax: glob\n!a_pb2.py\n"},
        {"src/own/a_pb2.py": "built"},
    ),
    "git ignores it: setuptools packages it": (
        {"pyproject.toml": SETUPTOOLS + STATIC, ".gitignore": "*_pb2.py\n"},
        {"src/own/a_pb2.py": "built"},
    ),
    "poetry: what the wheel contains": (
        {
            "pyproject.toml": POETRY + '[tool.poetry]\nname = "own"\nversion = "1"\nreadme = "R.md"\n'
            'packages = [{include = "own", from = "src"}]\ninclude = ["src/own/named_pb2.py", "more/**/*.json"]\n'
            '[tool.poetry.scripts]\nrun = {reference = "run.sh", type = "file"}\n',
            ".gitignore": "*_pb2.py\nmore/\n",
            "src/own/sub/.gitignore": "!again_pb2.py\n*.out\n",
            ".git/HEAD": "ref: refs/heads/main\n",
        },
        {
            "src/own/named_pb2.py": "built",
            "src/own/a_pb2.py": "",
            "src/own/sub/again_pb2.py": "built",
            "src/own/sub/b_pb2.py": "",
            "src/own/sub/a.out": "",
            "src/own/a.out": "built",
            "more/deep/a.json": "built",
            "R.md": "editable built",
            "run.sh": "editable built",
        },
    ),
    "poetry: the repository is larger": (
        {
            "pyproject.toml": POETRY + '[tool.poetry]\nname = "own"\nversion = "1"\n',
            ".gitignore": "*_pb2.py\n",
            "../.git/HEAD": "ref: refs/heads/main\n",
        },
        {"own/a_pb2.py": "built"},
    ),
    "flit: a module": (
        {
            "pyproject.toml": FLIT + '[project]\nname = "own-app"\nversion = "1"\n'
            '[tool.flit.external-data]\ndirectory = "d"\n'
        },
        {
            "own_app.py": "built", "added.py": "", "other/x.py": "", "d/share/x": "editable built",
            "LICENSE": "editable built",
        },
    ),
    "flit: a package whose version a module computes": (
        {
            "pyproject.toml": FLIT + '[project]\nname = "own"\ndynamic = ["version"]\n',
            "own/__init__.py": "import added\n",
        },
        {"own/__init__.py": "editable built", "added.py": "editable built"},
    ),
    "setup.cfg: single modules": (
        {
            "setup.cfg": "[metadata]\nname = own\nversion = attr: version_of_own.__version__\n"
            "[options]\npy_modules =\n  own\n  helper\n",
            "setup.py": "from setuptools import setup\nsetup()\n",
            "version_of_own.py": "__version__ = '1'\n",
        },
        {
            "own.py": "built", "helper.py": "built", "added.py": "", "more/__init__.py": "",
            "version_of_own.py": "editable built",
        },
    ),
    "setuptools: a list of packages": (
        {"pyproject.toml": SETUPTOOLS + STATIC + '[tool.setuptools]\npackages = ["own.sub", "own"]\n'},
        {"own/__init__.py": "built", "own/x.json": "built", "added.py": "", "more/x.py": ""},
    ),
    "a plain setup.py with literal lists": (
        {"setup.py": "from setuptools import setup\nsetup(name='own', packages=['own'], py_modules=['single'])\n"},
        {"own/x.py": "built", "single.py": "built", "added.py": "", "more/x.py": ""},
    ),
    "setuptools: packages are searched for": (
        {"setup.cfg": "[metadata]\nname = own\n[options]\npackages = find:\npy_modules = own\n"},
        {"added.py": "built", "more/x.py": "built"},
    ),
    "setuptools: a list in a variable": (
        {
            "setup.py": "from setuptools import setup\nP = ['own', 'more']\nsetup(packages=P)\n",
            "setup.cfg": "[options]\npy_modules = own\n",
        },
        {"added.py": "built", "more/x.py": "built"},
    ),
    "setuptools: a plugin that may add files": (
        {
            "pyproject.toml": SETUPTOOLS.replace('"setuptools"', '"setuptools", "a-plugin"') + STATIC
            + '[tool.setuptools]\npackages = ["own"]\n'
        },
        {"added.py": "built"},
    ),
    "setuptools: a command of the project": (
        {
            "pyproject.toml": SETUPTOOLS + STATIC + '[tool.setuptools]\npackages = ["own"]\n'
            '[tool.setuptools.cmdclass]\nbuild_py = "commands.Build"\n'
        },
        {"commands.py": "built", "added.py": "built", "words.txt": "built"},
    ),
    "setuptools: a list, and an extension module": (
        {
            "pyproject.toml": SETUPTOOLS + STATIC
            + '[tool.setuptools]\npackages = ["own"]\next-modules = [{name = "own.x"}]\n'
        },
        {"include/x.h": "editable built", "added.py": "built"},
    ),
}  # fmt: skip
FIRST = {"own/__init__.py": '__version__ = "1"\ncomputed = str(1)\n'}


def digests(project: Path) -> dict[str, str]:
    return {
        "lock": resolution_digest(project),
        "editable": metadata_digest(project),
        "built": content_digest(project),
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_change_of_a_file_changes_exactly_what_is_made_from_it(layout: str, tmp_path: Path) -> None:
    files, changes = LAYOUTS[layout]
    project = tmp_path / "project"
    for name in {**files, **changes}:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            files.get(name) or FIRST.get(name.removeprefix("src/"), "first\n" if "." in name[1:] else "1\n")
        )
    for name, expected in changes.items():
        before = digests(project)
        with (project / name).open("a") as file:
            file.write("\n# changed\n")
        after = digests(project)
        assert {each for each in after if after[each] != before[each]} == set(expected.split()), name


def test_a_new_module_is_part_of_a_wheel_and_of_a_flat_editable_install(tmp_path: Path) -> None:
    for layout, expected in (("src/own", {"built"}), ("own", {"built"})):
        project = tmp_path / layout.replace("/", "-")
        (project / layout).mkdir(parents=True)
        (project / "pyproject.toml").write_text(SETUPTOOLS + STATIC)
        (project / layout / "__init__.py").write_text("")
        before = digests(project)
        (project / layout / "new.py").write_text("")
        after = digests(project)
        assert {each for each in after if after[each] != before[each]} == expected
        (project / layout).with_name("second").mkdir()
        (project / layout).with_name("second").joinpath("__init__.py").write_text("")
        assert metadata_digest(project) != after["editable"], "the list of packages of an editable install changed"


COMPILED = '[tool.hatch.build]\next-modules = ["own"]\n'


@pytest.mark.parametrize(
    ("pyproject", "layout", "listed"),
    [
        (SETUPTOOLS + STATIC, "src", True),
        (SETUPTOOLS + STATIC, ".", True),
        (HATCH + STATIC, "src", False),
        (HATCH + STATIC, ".", True),
        (HATCH + STATIC + COMPILED, "src", False),
        (HATCH + STATIC + COMPILED, ".", True),
    ],
)
def test_an_editable_install_of_setuptools_or_without_src_lists_its_packages(
    tmp_path: Path, pyproject: str, layout: str, listed: bool
) -> None:
    (tmp_path / layout / "own").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(pyproject)
    (tmp_path / layout / "own/__init__.py").touch()
    assert read_build_inputs(tmp_path).compiles is pyproject.endswith(COMPILED)
    before = metadata_digest(tmp_path)
    (tmp_path / layout / "second").mkdir()
    (tmp_path / layout / "second/__init__.py").touch()
    assert (metadata_digest(tmp_path) != before) is listed


@pytest.mark.parametrize(
    ("pyproject", "setup", "versioned"),
    [
        (SETUPTOOLS + STATIC, "", False),
        (SETUPTOOLS + STATIC + '[project.urls]\nhome = "https://git.index.example/own.git"\n', "", False),
        (SETUPTOOLS.replace('"setuptools"', '"setuptools", "setuptools-scm>=8"') + DYNAMIC, "", True),
        (HATCH.replace('"hatchling"', '"hatchling", "hatch-vcs"') + DYNAMIC, "", True),
        (PDM + DYNAMIC + '[tool.pdm.version]\nsource = "scm"\n', "", True),
        (POETRY + "[tool.poetry-dynamic-versioning]\nenable = true\n", "", True),
        (SETUPTOOLS + DYNAMIC, "import versioneer\n", True),
        (SETUPTOOLS + DYNAMIC, "subprocess.run(['git', 'describe'])\n", True),
        (SETUPTOOLS + DYNAMIC, "setup(url='https://github.example/own')\n", False),
        (SETUPTOOLS + '[project]\ndependencies = ["x @ git+https://git.index.example/x"]\n', "", False),
    ],
)
def test_a_build_that_asks_version_control_is_recognized(
    pyproject: str, setup: str, versioned: bool, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(pyproject)
    if setup:
        (tmp_path / "setup.py").write_text(setup)
    assert read_build_inputs(tmp_path).versioned is versioned


def test_files_that_are_not_valid_say_nothing_and_every_file_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / "setup.cfg").write_text("no section\n")
    (tmp_path / "setup.py").write_text("def (:\n")
    before = digests(tmp_path)
    (tmp_path / "x.py").write_text("")
    after = digests(tmp_path)
    assert all(after[each] != before[each] for each in after)


@pytest.mark.parametrize("root", ["src", "lib"])
def test_a_version_file_that_pdm_writes_below_its_packages_is_a_result(root: str, tmp_path: Path) -> None:
    """An editable build writes it into the source tree, so it must not make the other environments out of date."""
    (tmp_path / root / "own").mkdir(parents=True)
    (tmp_path / root / "own/__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        f'{PDM}{DYNAMIC}[tool.pdm.version]\nsource = "scm"\nwrite_to = "own/_version.py"\n'
        f'[tool.pdm.build]\npackage-dir = "{root}"\n'
    )
    before = content_digest(tmp_path), metadata_digest(tmp_path)
    (tmp_path / root / "own/_version.py").write_text("__version__ = '1'\n")
    assert (content_digest(tmp_path), metadata_digest(tmp_path)) == before
    (tmp_path / root / "own/other.py").write_text("")
    assert content_digest(tmp_path) != before[0]


def test_a_lock_that_git_tracks_and_apply_writes_does_not_change_the_version(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "locks").mkdir()
    for name in ("own/__init__.py", "locks/pylock.prod.toml"):
        (tmp_path / name).write_text("first\n")
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "own"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n{HATCH}'
    )
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    before = content_digest(tmp_path, locks=tmp_path / "locks"), metadata_digest(tmp_path)
    (tmp_path / "locks/pylock.prod.toml").write_text("second and longer\n")
    assert (content_digest(tmp_path, locks=tmp_path / "locks"), metadata_digest(tmp_path)) == before
    (tmp_path / "own/__init__.py").write_text("second and longer\n")
    assert metadata_digest(tmp_path) != before[1], "git describe --dirty sees it"


@pytest.mark.parametrize("text", ["x" * 5000, "x" * 5000 + "/*", "a\\u0000b", "a\\u0000*", "**a", "/etc/*"])
def test_a_license_that_is_not_a_path_names_no_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "acme"\nversion = "1"\nlicense-files = ["{text}"]\n', encoding="utf-8"
    )
    found = read_build_inputs(tmp_path).metadata_from
    assert found is not None
    assert [each for each in found if each.name != "pyproject.toml"] == []


@pytest.mark.parametrize(
    ("pyproject", "name"),
    [
        (HATCH + DYNAMIC + "[tool.hatch.metadata.hooks.custom]\n", "src/own/made.py"),
        (HATCH + STATIC + '[tool.hatch.build.targets.wheel]\nartifacts = ["src/own/made.py"]\n', "src/own/made.py"),
        (SETUPTOOLS + STATIC + "[tool.own]\next_modules = 1\n", "src/own/made.c"),
        (SETUPTOOLS + STATIC, "made.py"),
        (HATCH + DYNAMIC + '[tool.hatch.metadata.hooks.custom]\npath = "../shared"\n', "../shared/src/made.py"),
    ],
)
def test_what_a_build_wrote_is_in_no_digest_while_it_is_as_the_build_made_it(
    pyproject: str, name: str, tmp_path: Path
) -> None:
    for each in ("project/src/own/__init__.py", "shared/src/x.py", "shared/pyproject.toml"):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("")
    project = tmp_path / "project"
    (project / "pyproject.toml").write_text(pyproject)

    def digests_without(generated: Mapping[str, str]) -> tuple[str, str, str]:
        return (
            source_digests.resolution_digest(project, generated),
            source_digests.metadata_digest(project, generated),
            source_digests.content_digest(project, generated, locks=None),
        )

    before = digests_without({})
    made = (project / name).resolve()
    made.write_text("MADE = 1")
    assert digests_without({}) != before
    recorded = {str(made): file_state(made)}
    assert digests_without(recorded) == before
    made.chmod(0o755)
    assert digests_without(recorded) != before
    made.chmod(0o644)
    made.write_text("MADE = 2")
    assert digests_without(recorded) != before
    made.unlink()
    assert digests_without(recorded) == before


def test_poetry_leaves_out_what_git_ignores_in_a_project_that_a_larger_repository_tracks(tmp_path: Path) -> None:
    files = {
        "project/pyproject.toml": POETRY + '[tool.poetry]\nname = "own"\nversion = "1"\n',
        "project/own/__init__.py": "",
        "project/own/.gitignore": "/made.py\n",
        "project/own/tracked_pb2.py": "",
        ".gitignore": "*_pb2.py\nproject/out\n/own\n!kept*\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-f", *files)
    for name, counts in {
        "own/a_pb2.py": False,
        "out/a.txt": False,
        "own/out/a.txt": True,
        "own/made.py": False,
        "own/out/made.py": True,
        "own/kept_pb2.py": True,
        "own/tracked_pb2.py": True,
    }.items():
        before = content_digest(tmp_path / "project")
        (tmp_path / "project" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "project" / name).write_text("changed\n")
        assert (content_digest(tmp_path / "project") != before) is counts, name


def test_all_tables_count_for_a_backend_that_may_read_any(tmp_path: Path) -> None:
    more = "[tool.own]\nday = 2026-11-30\n[tool.setuptools]\nzip-safe = false\n[other]\nx = 1\n"
    (tmp_path / "pyproject.toml").write_text(SETUPTOOLS + STATIC + more)
    assert read_build_inputs(tmp_path).tables["tool"] == {"setuptools": {"zip-safe": False}}
    assert "other" not in read_build_inputs(tmp_path).tables
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["own"]\nbuild-backend = "own"\n' + STATIC + more
    )
    tables = read_build_inputs(tmp_path).tables
    assert tables["tool"] == {"own": {"day": "2026-11-30"}, "setuptools": {"zip-safe": False}}
    assert tables["other"] == {"x": 1}
