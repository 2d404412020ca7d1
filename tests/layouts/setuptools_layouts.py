"""Layouts that setuptools builds."""

from tests.layouts.layout import ADD_DEPENDENCY, NEXT_VERSION, PROJECT, Layout, Replace, Write

_BUILD = '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
_SCM = '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'

SRC = Layout(
    name="setuptools-src",
    backend="setuptools",
    about="src layout, package data, a README in the metadata, an extra, an entry point",
    files={
        "pyproject.toml": PROJECT
        + 'readme = "README.md"\n[project.scripts]\nacme-app = "acme_app:main"\n'
        + '[project.optional-dependencies]\nmore = ["beta"]\n'
        + '[tool.setuptools.package-data]\nacme_app = ["data/*.json", "py.typed"]\n'
        + _BUILD,
        "README.md": "# acme-app\n",
        "src/acme_app/__init__.py": "def main() -> None:\n    print('acme')\n",
        "src/acme_app/py.typed": "",
        "src/acme_app/data/table.json": '{"rows": 1}\n',
    },
    module="acme_app",
    facts="__import__('importlib.resources').resources.files('acme_app').joinpath('data/table.json').read_text()",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="src/acme_app/data/table.json", text='{"rows": 2}\n'),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

DYNAMIC_FILES = Layout(
    name="setuptools-dynamic-files",
    backend="setuptools",
    about="flat layout; version, dependencies, an extra and the README are read from files",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\n'
        'dynamic = ["version", "dependencies", "optional-dependencies", "readme"]\n'
        "[tool.setuptools.dynamic]\n"
        'version = {file = "VERSION"}\n'
        'dependencies = {file = ["requirements.in"]}\n'
        'optional-dependencies.more = {file = "more.in"}\n'
        'readme = {file = ["README.rst", "CHANGES.rst"]}\n'
        '[tool.setuptools]\npackages = ["acme_app"]\n' + _BUILD,
        "VERSION": "1.2.0\n",
        "requirements.in": "alpha\n",
        "more.in": "beta\n",
        "README.rst": "acme-app\n========\n",
        "CHANGES.rst": "1.2.0\n-----\n",
        "acme_app/__init__.py": "",
        "acme_app/limits.py": "LIMIT = 1\n",
    },
    module="acme_app.limits",
    facts="acme_app.limits.LIMIT",
    dependency=Write(path="requirements.in", text="alpha\ngamma\n"),
    version=Write(path="VERSION", text="1.3.0\n"),
    data=Write(path="CHANGES.rst", text="1.3.0\n-----\n"),
    new_module=Write(path="acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

ATTRIBUTE = Layout(
    name="setuptools-attribute",
    backend="setuptools",
    about="src layout; the version is an attribute of the package",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        '[tool.setuptools.dynamic]\nversion = {attr = "acme_app._about.__version__"}\n' + _BUILD,
        "src/acme_app/__init__.py": "from acme_app._about import __version__\n",
        "src/acme_app/_about.py": '__version__ = "1.2.0"\n',
    },
    module="acme_app",
    facts="acme_app.__version__",
    dependency=ADD_DEPENDENCY,
    version=Write(path="src/acme_app/_about.py", text='__version__ = "1.3.0"\n'),
    data=Write(path="src/acme_app/__init__.py", text="from acme_app._about import __version__\n\nCHANGED = True\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

SETUP_PY = Layout(
    name="setuptools-setup-py",
    backend="setuptools",
    about="only a setup.py, which reads requirements.txt and VERSION; MANIFEST.in, a script, data files",
    files={
        "setup.py": "from pathlib import Path\n\nfrom setuptools import find_packages, setup\n\n"
        "HERE = Path(__file__).parent\n\n"
        "setup(\n"
        '    name="acme-app",\n'
        '    version=(HERE / "VERSION").read_text().strip(),\n'
        '    install_requires=(HERE / "requirements.txt").read_text().split(),\n'
        '    packages=find_packages(exclude=["tests"]),\n'
        "    include_package_data=True,\n"
        '    scripts=["bin/acme-tool"],\n'
        '    data_files=[("share/acme", ["share/acme.conf"])],\n'
        ")\n",
        "MANIFEST.in": "include VERSION requirements.txt\nrecursive-include acme_app *.html\n",
        "VERSION": "1.2.0\n",
        "requirements.txt": "alpha\n",
        "bin/acme-tool": "#!/usr/bin/env python\nimport acme_app\n",
        "share/acme.conf": "[acme]\n",
        "acme_app/__init__.py": "",
        "acme_app/templates/page.html": "<p>1</p>\n",
        "tests/__init__.py": "",
    },
    programs=("setup.py",),
    executable=("bin/acme-tool",),
    module="acme_app",
    facts="__import__('pathlib').Path(acme_app.__file__).with_name('templates').joinpath('page.html').read_text()",
    dependency=Write(path="requirements.txt", text="alpha\ngamma\n"),
    version=Write(path="VERSION", text="1.3.0\n"),
    data=Write(path="share/acme.conf", text="[acme]\nchanged = yes\n"),
    new_module=Write(path="acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
    unpackaged=Write(path="tests/__init__.py", text="CHANGED = True\n"),
)

SETUP_CFG = Layout(
    name="setuptools-setup-cfg",
    backend="setuptools",
    about="single modules, everything in setup.cfg, no build-system table",
    files={
        "setup.cfg": "[metadata]\nname = acme-app\nversion = attr: acme_app.__version__\n\n"
        "[options]\npy_modules =\n    acme_app\n    acme_helper\ninstall_requires =\n    alpha\n",
        "setup.py": "from setuptools import setup\n\nsetup()\n",
        "acme_app.py": '__version__ = "1.2.0"\n',
        "acme_helper.py": "WORD = 1\n",
        "unrelated.py": "WORD = 1\n",
    },
    module="acme_helper",
    facts="acme_helper.WORD",
    dependency=Replace(path="setup.cfg", old="    alpha\n", new="    alpha\n    gamma\n"),
    version=Write(path="acme_app.py", text='__version__ = "1.3.0"\n'),
    data=Write(path="acme_helper.py", text="WORD = 2\n"),
    new_module=Write(path="added.py", text="ADDED = True\n"),
    unpackaged=Write(path="unrelated.py", text="WORD = 2\n"),
)

SCM = Layout(
    name="setuptools-scm",
    backend="setuptools",
    about="the version comes from git's tags and is written into a module that git ignores",
    files={
        "pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        '[tool.setuptools_scm]\nversion_file = "src/acme_app/_version.py"\n' + _SCM,
        "src/acme_app/__init__.py": "from acme_app._version import __version__\n",
        "src/acme_app/limits.py": "LIMIT = 1\n",
    },
    module="acme_app",
    reads_git=True,
    facts="acme_app.__version__",
    dependency=ADD_DEPENDENCY,
    data=Write(path="src/acme_app/limits.py", text="LIMIT = 2\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
)

SCM_PARENT = Layout(
    name="setuptools-scm-parent",
    backend="setuptools",
    about='monorepo; the version comes from the repository above the project (`root = ".."`)',
    files={
        "backend/pyproject.toml": '[project]\nname = "acme-app"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        '[tool.setuptools_scm]\nroot = ".."\n' + _SCM,
        "backend/acme_app/__init__.py": "LIMIT = 1\n",
        "frontend/index.html": "<p>1</p>\n",
    },
    project="backend",
    module="acme_app",
    reads_git=True,
    facts="__import__('importlib.metadata').metadata.version('acme-app')",
    dependency=Replace(path="backend/pyproject.toml", old='["alpha"]', new='["alpha", "gamma"]'),
    data=Write(path="backend/acme_app/__init__.py", text="LIMIT = 2\n"),
    new_module=Write(path="backend/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="backend/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
    neighbor=Write(path="frontend/index.html", text="<p>2</p>\n"),
)

C_EXTENSION = Layout(
    name="setuptools-c-extension",
    backend="setuptools",
    about="a module in C with a header file",
    files={
        "pyproject.toml": PROJECT + '[tool.setuptools]\npackages = ["acme_app"]\npackage-dir = {"" = "src"}\n' + _BUILD,
        # Without debug information, the same bytes wherever it is compiled.
        "setup.py": "from setuptools import Extension, setup\n\n"
        'fast = Extension("acme_app._fast", ["src/acme_app/fast.c"], depends=["src/acme_app/fast.h"], '
        'extra_compile_args=["-g0", "-O0"])\n'
        "setup(ext_modules=[fast])\n",
        "MANIFEST.in": "include src/acme_app/*.h\n",
        "src/acme_app/__init__.py": "from acme_app._fast import answer\n",
        "src/acme_app/fast.h": "#define ANSWER 1\n",
        "src/acme_app/fast.c": "#define PY_SSIZE_T_CLEAN\n#include <Python.h>\n"
        '#include "fast.h"\n'
        "static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(ANSWER); }\n"
        "static PyMethodDef methods[] = {\n"
        '    {"answer", answer, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};\n'
        "static struct PyModuleDef module = {\n"
        '    PyModuleDef_HEAD_INIT, "_fast", NULL, -1, methods, NULL, NULL, NULL, NULL};\n'
        "PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }\n",
    },
    module="acme_app",
    facts="acme_app.answer()",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="src/acme_app/fast.h", text="#define ANSWER 2\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 'generated'\n"),
    compiler=True,
)

GENERATED = Layout(
    name="setuptools-generated",
    backend="setuptools",
    about="modules and static files that a build step writes: git ignores them, the wheel has them",
    files={
        "pyproject.toml": PROJECT + '[tool.setuptools.package-data]\nacme_app = ["generated/*.js"]\n' + _BUILD,
        "src/acme_app/__init__.py": "import acme_app.messages_pb2\n",
    },
    ignored={
        "src/acme_app/messages_pb2.py": "WORD = 1\n",
        "src/acme_app/generated/app.js": "1\n",
        "src/acme_app/generated/unpackaged.map": "1\n",
    },
    module="acme_app",
    facts="acme_app.messages_pb2.WORD",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="src/acme_app/generated/app.js", text="2\n"),
    new_module=Write(path="src/acme_app/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme_app/messages_pb2.py", text="WORD = 2\n"),
    unpackaged=Write(path="src/acme_app/generated/unpackaged.map", text="2\n"),
)

NAMESPACE = Layout(
    name="setuptools-namespace",
    backend="setuptools",
    about="a namespace package, `acme.billing`; two of its directories have no `__init__.py`",
    files={
        "pyproject.toml": PROJECT.replace("acme-app", "acme-billing")
        + '[tool.setuptools.packages.find]\nwhere = ["src"]\nnamespaces = true\n'
        + '[tool.setuptools.package-data]\n"*" = ["*.csv"]\n'
        + _BUILD,
        "src/acme/billing/__init__.py": "RATE = 1\n",
        "src/acme/billing/tables/rates.csv": "1\n",
    },
    module="acme.billing",
    facts="acme.billing.RATE",
    dependency=ADD_DEPENDENCY,
    version=NEXT_VERSION,
    data=Write(path="src/acme/billing/tables/rates.csv", text="2\n"),
    new_module=Write(path="src/acme/reports/added.py", text="ADDED = True\n"),
    packaged_ignored=Write(path="src/acme/billing/messages_pb2.py", text="WORD = 'generated'\n"),
)

SETUPTOOLS = (
    SRC,
    DYNAMIC_FILES,
    ATTRIBUTE,
    SETUP_PY,
    SETUP_CFG,
    SCM,
    SCM_PARENT,
    C_EXTENSION,
    GENERATED,
    NAMESPACE,
)
