"""Layouts that hatchling builds."""

from tests.layouts.layout import ADD_DEPENDENCY, NEXT_VERSION, PROJECT, Layout, Replace, Write

_BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
_VCS = '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'

SRC = Layout(
    name="hatchling-src",
    backend="hatchling",
    about="src layout, an artifact that git ignores, shared data, a script, an entry point",
    files={
        "pyproject.toml": PROJECT
        + 'readme = "README.md"\n[project.scripts]\nacme-app = "acme_app:main"\n'
        + _BUILD
        + '[tool.hatch.build.targets.wheel]\npackages = ["src/acme_app"]\nartifacts = ["*_pb2.py"]\n'
        + '[tool.hatch.build.targets.wheel.shared-data]\n"share" = "share/acme"\n'
        + '[tool.hatch.build.targets.wheel.shared-scripts]\n"tools/acme-tool" = "acme-tool"\n',
        "README.md": "# acme-app\n",
        "share/acme.conf": "[acme]\n",
        "tools/acme-tool": "#!/bin/sh\necho acme\n",
        "src/acme_app/__init__.py": "def main() -> None:\n    print('acme')\n",
    },
    executable=("tools/acme-tool",),
    module="acme_app",
    facts="acme_app.main.__name__",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="share/acme.conf", text="[acme]\nchanged = yes\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

VERSION_PATH = Layout(
    name="hatchling-version-path",
    backend="hatchling",
    about="flat layout; the version is read from a module",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        + _BUILD
        + '[tool.hatch.version]\npath = "acme_app/__about__.py"\n',
        "acme_app/__init__.py": "from acme_app.__about__ import __version__\n",
        "acme_app/__about__.py": '__version__ = "1.2.0"\n',
        "acme_app/limits.ini": "[limits]\n",
        "tests/test_acme.py": "",
    },
    module="acme_app",
    facts="acme_app.__version__",
    dependency=ADD_DEPENDENCY,
    version=Write(path="acme_app/__about__.py", text='__version__ = "1.3.0"\n'),
    data=Write(path="acme_app/limits.ini", text="[limits]\nmost = 1\n"),
    new_module=Write(path="acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="acme_app/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
    unpackaged=Write(path="tests/test_acme.py", text="def test_nothing() -> None: ...\n"),
)

HOOKS = Layout(
    name="hatchling-hooks",
    backend="hatchling",
    about="a metadata hook that reads requirements.in, and a build hook that writes a module",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\nversion = "1.2.0"\ndynamic = ["dependencies"]\n'
        + _BUILD
        + '[tool.hatch.build.targets.wheel]\npackages = ["src/acme_app"]\n'
        + '[tool.hatch.metadata.hooks.custom]\npath = "hatch_metadata.py"\n'
        + '[tool.hatch.build.hooks.custom]\npath = "hatch_build.py"\n',
        "hatch_metadata.py": "from pathlib import Path\n\n"
        "from hatchling.metadata.plugin.interface import MetadataHookInterface\n\n\n"
        "class RequirementsHook(MetadataHookInterface):\n"
        "    def update(self, metadata):\n"
        '        metadata["dependencies"] = (Path(self.root) / "requirements.in").read_text().split()\n',
        "hatch_build.py": "from pathlib import Path\n\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n\n\n"
        "class WordHook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        '        word = (Path(self.root) / "word.txt").read_text()\n'
        '        made = Path(self.root) / "src/acme_app/_build_info.py"\n'
        '        made.write_text(f"WORD = {word.strip()!r}\\n")\n'
        '        build_data["artifacts"].append("src/acme_app/_build_info.py")\n',
        "requirements.in": "alpha\n",
        "word.txt": "first\n",
        "src/acme_app/__init__.py": "from acme_app._build_info import WORD\n",
    },
    programs=("hatch_metadata.py", "hatch_build.py"),
    module="acme_app",
    facts="acme_app.WORD",
    dependency=Write(path="requirements.in", text="alpha\ngamma\n"),
    version=NEXT_VERSION,
    data=Write(path="word.txt", text="second\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
)

VCS = Layout(
    name="hatch-vcs",
    backend="hatchling",
    about="the version comes from git's tags, and a build hook writes it into a module",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        + _VCS
        + '[tool.hatch.version]\nsource = "vcs"\n'
        + '[tool.hatch.build.hooks.vcs]\nversion-file = "src/acme_app/_version.py"\n'
        + '[tool.hatch.build.targets.wheel]\npackages = ["src/acme_app"]\n',
        "src/acme_app/__init__.py": "from acme_app._version import __version__\n",
        "src/acme_app/limits.py": "LIMIT = 1\n",
    },
    module="acme_app",
    reads_git=True,
    facts="acme_app.__version__",
    dependency=ADD_DEPENDENCY,
    data=Write(path="src/acme_app/limits.py", text="LIMIT = 2\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
)

SHARED = Layout(
    name="hatchling-shared",
    backend="hatchling",
    about="monorepo; a module of `../shared` is part of the wheel (`force-include`)",
    files={
        "service/pyproject.toml": PROJECT
        + _BUILD
        + '[tool.hatch.build.targets.wheel]\npackages = ["src/acme_app"]\n'
        + '[tool.hatch.build.targets.wheel.force-include]\n"../shared/common.py" = "acme_app/common.py"\n',
        "service/src/acme_app/__init__.py": "LIMIT = 1\n",
        "shared/common.py": "WORD = 1\n",
        "shared/unused.py": "WORD = 1\n",
    },
    project="service",
    module="acme_app",
    facts="acme_app.LIMIT",
    dependency=Replace(path="service/pyproject.toml", old='["alpha"]', new='["alpha", "gamma"]'),
    version=Replace(path="service/pyproject.toml", old='"1.2.0"', new='"1.3.0"'),
    data=Write(path="service/src/acme_app/__init__.py", text="LIMIT = 2\n"),
    new_module=Write(path="service/src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="service/src/acme_app/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
    neighbor=Write(path="shared/common.py", text="WORD = 2\n"),
    unpackaged=Write(path="shared/unused.py", text="WORD = 2\n"),
)

STUBS = Layout(
    name="hatchling-stubs",
    backend="hatchling",
    about="a package of type stubs, `acme-stubs`",
    files={
        "pyproject.toml": PROJECT.replace("acme-app", "types-acme")
        + _BUILD
        + '[tool.hatch.build.targets.wheel]\npackages = ["acme-stubs"]\n',
        "acme-stubs/__init__.pyi": "WORD: int\n",
        "acme-stubs/METADATA.toml": "partial_stub = true\n",
    },
    module="alpha",
    facts="sorted(each.name for each in __import__('importlib.metadata').metadata.files('types-acme') or ())[:2]",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="acme-stubs/__init__.pyi", text="WORD: str\n"),
    new_module=Write(path="acme-stubs/added.pyi", text="ADDED: bool\n"),
    packaged_ignored=Write(path="acme-stubs/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
)

HATCHLING = (SRC, VERSION_PATH, HOOKS, VCS, SHARED, STUBS)
