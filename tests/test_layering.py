"""A module imports only modules of its own layer and of the layers above it (docs/design.md, "Data flow")."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
LAYERS = (
    "exit_codes", "redaction", "backticks", "errors", "canonical_json", "fs", "events", "json_output", "toml_string",
    "versions", "manifest", "processes", "git", "interpreters", "engines", "state", "fastpath", "lock", "observe",
    "diff", "plan", "options", "apply", "targets", "scope", "snapshot", "revision", "generation_list", "maintenance",
    "diagnosis", "reconcile", "render", "cli",
)  # fmt: skip
# These modules do not belong to the layer of their directory: those of `run`, which starts services, the entry point,
# and the two ends of the fast path (it records the result of a full run, and prints an answer).
BESIDE = {
    "run": "reconcile",
    "run_errors": "reconcile",
    "__main__": "cli",
    "fastpath.answer": "cli",
    "fastpath.command_line": "cli",
    "fastpath.record": "maintenance",
    "fastpath.record_environment": "maintenance",
}
# These modules only define values. Every layer may import them: for instance, a record (state) contains locked packages
# and needs their types, but nothing else of the lock. The models of diff and plan need no exception, because only later
# layers import them.
VALUES = frozenset({"manifest/desired.py", "interpreters/model.py", "lock/model.py", "observe/actual.py"})
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(module: str) -> str:
    """Return the layer of a module, given by its dotted name below `reconciler`; empty for the package itself."""
    return BESIDE.get(module, module.split(".")[0])


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module that a file imports, also inside functions, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                for alias in names:  # `from reconciler.manifest import paths` imports the module `paths`
                    if (module, alias.name) == ("reconciler", "__version__"):
                        continue  # a constant
                    inner = f"{module}.{alias.name}"
                    yield (inner if is_module(inner) else module), node.lineno
            case ast.ImportFrom(level=level) if level:
                raise AssertionError(f"{path}:{node.lineno}: a relative import")


def is_module(name: str) -> bool:
    return file_of(name) is not None


def file_of(name: str) -> Path | None:
    """Return the file of a module of `reconciler`, None for any other name."""
    if name.split(".")[0] != "reconciler":
        return None
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def own(path: Path) -> str:
    """Return the dotted name of a file below `reconciler`; empty for the package itself."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_layer_and_those_above(path: Path) -> None:
    layer = layer_of(own(path))
    if not layer:
        return  # the package itself imports the public names on demand
    assert layer in LAYERS, f"{layer} is not in LAYERS: add it, and to docs/design.md, `Data flow`"
    for name, line in imports(path):
        file = file_of(name)
        if file is None or file == PACKAGE / "__init__.py":
            assert file is None or layer == "cli", f"{path}:{line}: only the command line uses the public API"
            continue
        other = layer_of(own(file))
        if other == layer or str(file.relative_to(PACKAGE)) in VALUES:
            continue
        assert LAYERS.index(other) < LAYERS.index(layer), f"{path}:{line}: {layer} imports {other}, which is below it"
        assert other != "render" or layer == "cli", f"{path}:{line}: only the command line renders"


@pytest.mark.parametrize("name", sorted(VALUES))
def test_modules_with_values_import_only_such_modules(name: str) -> None:
    """So importing a value never imports the code that works with it."""
    for module, line in imports(PACKAGE / name):
        file = file_of(module)
        if file is not None:
            inner = str(file.relative_to(PACKAGE))
            assert inner in VALUES | {"canonical_json.py", "errors.py", "manifest/defaults.py"}, (
                f"{name}:{line}: imports {inner}"
            )


def test_only_the_engines_know_the_package_tool() -> None:
    interface = {"engines/engine.py", "engines/factory.py", "engines/deadlines.py"}
    for path in MODULES:
        if layer_of(own(path)) == "engines":
            continue
        for name, line in imports(path):
            file = file_of(name)
            if file is not None and layer_of(own(file)) == "engines":
                assert str(file.relative_to(PACKAGE)) in interface, f"{path}:{line}: imports {name}"


def test_only_one_module_starts_programs() -> None:
    starters = {"subprocess", "multiprocessing", "asyncio.subprocess", "pty"}
    found = {str(path.relative_to(PACKAGE)) for path in MODULES for name, _ in imports(path) if name in starters}
    assert found == {"processes/child.py"}


def test_only_run_replaces_the_process_and_only_the_fast_path_forks() -> None:
    calls = ("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork")
    found = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(calls)
    }
    assert found == {"run.py", "fastpath/unchanged.py"}


def test_the_list_of_layers_is_complete() -> None:
    found = {layer_of(own(path)) for path in MODULES} - {""}
    assert found <= set(LAYERS)
    assert set(LAYERS) <= found
