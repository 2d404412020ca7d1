"""Layouts that flit-core, poetry-core, pdm-backend and uv_build build."""

from tests.layouts.layout import ADD_DEPENDENCY, NEXT_VERSION, Layout, Replace, Write

_FLIT = '[build-system]\nrequires = ["flit_core>=3.11,<5"]\nbuild-backend = "flit_core.buildapi"\n'
_POETRY = '[build-system]\nrequires = ["poetry-core>=2"]\nbuild-backend = "poetry.core.masonry.api"\n'
_PDM = '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'
_UV = '[build-system]\nrequires = ["uv_build>=0.9"]\nbuild-backend = "uv_build"\n'

FLIT_MODULE = Layout(
    name="flit-module",
    backend="flit-core",
    about="a single module, whose docstring and `__version__` are the description and the version",
    files={
        "pyproject.toml": '[project]\nname = "acme_app"\ndynamic = ["version", "description"]\n'
        'dependencies = ["alpha"]\n[project.scripts]\nacme-app = "acme_app:main"\n' + _FLIT,
        "acme_app.py": '"""An application."""\n\n__version__ = "1.2.0"\nLIMIT = 1\n\n\ndef main() -> None: ...\n',
    },
    module="acme_app",
    facts="acme_app.LIMIT",
    dependency=ADD_DEPENDENCY,
    version=Replace(path="acme_app.py", old="1.2.0", new="1.3.0"),
    data=Replace(path="acme_app.py", old="An application.", new="An application with another description."),
    new_module=Write(path="added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="messages_pb2.py", text="WORD = 'left out by the backend'\n"),
)

FLIT_PACKAGE = Layout(
    name="flit-package",
    backend="flit-core",
    about="src layout, package data, a directory of data files",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\nversion = "1.2.0"\ndescription = "An application."\n'
        'dependencies = ["alpha"]\n[tool.flit.module]\nname = "acme_app"\n'
        '[tool.flit.external-data]\ndirectory = "data"\n' + _FLIT,
        "src/acme_app/__init__.py": "",
        "src/acme_app/table.json": '{"rows": 1}\n',
        "data/share/man/man1/acme.1": ".TH ACME 1\n",
    },
    module="acme_app",
    facts="__import__('pathlib').Path(acme_app.__file__).with_name('table.json').read_text()",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="data/share/man/man1/acme.1", text=".TH ACME 1 changed\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

POETRY = Layout(
    name="poetry-src",
    backend="poetry-core",
    about="`[tool.poetry]` with a caret dependency, src layout, an included file that git ignores, a script",
    files={
        "pyproject.toml": '[tool.poetry]\nname = "acme-app"\nversion = "1.2.0"\ndescription = ""\nauthors = []\n'
        'packages = [{include = "acme_app", from = "src"}]\n'
        'include = [{path = "src/acme_app/messages_pb2.py", format = ["wheel"]}]\n'
        '[tool.poetry.scripts]\nacme-app = "acme_app:main"\n'
        '[tool.poetry.dependencies]\npython = "^3.9"\nalpha = "^1.0"\n' + _POETRY,
        "src/acme_app/__init__.py": "def main() -> None:\n    print('acme')\n",
        "src/acme_app/table.json": '{"rows": 1}\n',
    },
    ignored={"src/acme_app/messages_pb2.py": "WORD = 1\n"},
    module="acme_app",
    facts="__import__('pathlib').Path(acme_app.__file__).with_name('table.json').read_text()",
    dependency=Replace(path="pyproject.toml", old='alpha = "^1.0"\n', new='alpha = "^1.0"\ngamma = "*"\n'),
    version=NEXT_VERSION,
    data=Write(path="src/acme_app/table.json", text='{"rows": 2}\n'),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 2\n"),
)

_POETRY_HEAD = 'version = "1.2.0"\ndescription = ""\nauthors = []\n'

POETRY_PATH = Layout(
    name="poetry-path-dependency",
    backend="poetry-core",
    about='monorepo; a dependency on `{path = "../libs/core"}`',
    files={
        "api/pyproject.toml": f'[tool.poetry]\nname = "acme-app"\n{_POETRY_HEAD}packages = [{{include = "acme_app"}}]\n'
        '[tool.poetry.dependencies]\npython = "^3.9"\nalpha = "*"\nacme-core = {path = "../libs/core"}\n' + _POETRY,
        "api/acme_app/__init__.py": "import acme_core\n",
        "libs/core/pyproject.toml": f'[tool.poetry]\nname = "acme-core"\n{_POETRY_HEAD}'
        '[tool.poetry.dependencies]\npython = "^3.9"\nbeta = "*"\n' + _POETRY,
        "libs/core/acme_core/__init__.py": "WORD = 1\n",
    },
    project="api",
    module="acme_app",
    facts="acme_app.acme_core.WORD",
    dependency=Replace(path="libs/core/pyproject.toml", old='beta = "*"\n', new='beta = "*"\ngamma = "*"\n'),
    version=Replace(path="libs/core/pyproject.toml", old='"1.2.0"', new='"1.3.0"'),
    data=Write(path="api/acme_app/__init__.py", text="import acme_core\n\nCHANGED = True\n"),
    new_module=Write(path="api/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="api/acme_app/messages_pb2.py", text="WORD = 'left out by the backend'\n"),
    neighbor=Write(path="libs/core/acme_core/__init__.py", text="WORD = 2\n"),
)

PDM_FILE = Layout(
    name="pdm-version-file",
    backend="pdm-backend",
    about="flat layout; the version is read from a module",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        + _PDM
        + '[tool.pdm.version]\nsource = "file"\npath = "acme_app/__init__.py"\n'
        + '[tool.pdm.build]\nincludes = ["acme_app"]\n',
        "acme_app/__init__.py": '__version__ = "1.2.0"\n',
        "acme_app/table.json": '{"rows": 1}\n',
    },
    module="acme_app",
    facts="acme_app.__version__",
    dependency=ADD_DEPENDENCY,
    version=Replace(path="acme_app/__init__.py", old="1.2.0", new="1.3.0"),
    data=Write(path="acme_app/table.json", text='{"rows": 2}\n'),
    new_module=Write(path="acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

PDM_SCM = Layout(
    name="pdm-scm",
    backend="pdm-backend",
    about="src layout; the version comes from git's tags and is written into the wheel only",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        + _PDM
        + '[tool.pdm.version]\nsource = "scm"\nwrite_to = "acme_app/_version.py"\n'
        + "write_template = \"__version__ = '{}'\"\n"
        + '[tool.pdm.build]\npackage-dir = "src"\n',
        "src/acme_app/__init__.py": "LIMIT = 1\n",
    },
    module="acme_app",
    reads_git=True,
    facts="__import__('importlib.metadata').metadata.version('acme-app')",
    dependency=ADD_DEPENDENCY,
    data=Write(path="src/acme_app/__init__.py", text="LIMIT = 2\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

UV_WORKSPACE = Layout(
    name="uv-workspace",
    backend="uv_build",
    about="a member of a uv workspace that depends on another member (`workspace = true`)",
    files={
        "pyproject.toml": '[project]\nname = "acme-workspace"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
        "packages/app/pyproject.toml": '[project]\nname = "acme-app"\nversion = "1.2.0"\n'
        'dependencies = ["alpha", "acme-core"]\n[tool.uv.sources]\nacme-core = {workspace = true}\n' + _UV,
        "packages/app/src/acme_app/__init__.py": "import acme_core\n",
        "packages/core/pyproject.toml": '[project]\nname = "acme-core"\nversion = "1.2.0"\n'
        'dependencies = ["beta"]\n' + _UV,
        "packages/core/src/acme_core/__init__.py": "WORD = 1\n",
    },
    project="packages/app",
    module="acme_app",
    facts="acme_app.acme_core.WORD",
    dependency=Replace(path="packages/core/pyproject.toml", old='["beta"]', new='["beta", "gamma"]'),
    version=Replace(path="packages/core/pyproject.toml", old='"1.2.0"', new='"1.3.0"'),
    data=Write(path="packages/app/src/acme_app/__init__.py", text="import acme_core\n\nCHANGED = True\n"),
    new_module=Write(path="packages/app/src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="packages/app/src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
    neighbor=Write(path="packages/core/src/acme_core/__init__.py", text="WORD = 2\n"),
)

OTHERS = (FLIT_MODULE, FLIT_PACKAGE, POETRY, POETRY_PATH, PDM_FILE, PDM_SCM, UV_WORKSPACE)
