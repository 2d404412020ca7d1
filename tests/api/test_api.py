"""The public API: complete, typed, documented, and what a user's script needs is in it."""

import ast
import dataclasses
import inspect
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler
from reconciler.errors import EnvsyncError
from tests.host import Host

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPT = HERE / "nightly.py"
# Parts of public values that are internal, each with its reason. A user has no need to name their types.
INTERNAL = {
    "Workspace.manifest": "the manifest as written; `Workspace.desired()` is what it means",
    "Workspace.state": "the files below the root; `Workspace.maintenance` reads them",
    "Proposal.inodes": "a cache that is handed from the plan to the apply",
    "SavedPlan.document": "the JSON document; `SavedPlan.plan` is the same as a value",
    "EnvironmentPlan.target": "what a build needs; apply alone reads it",
    "LockOutcome.lock": "the parsed PEP 751 document; the file at `LockOutcome.path` is the same",
    "Maintenance.state": "the files below the root",
    "Maintenance.rebuilding": "what a rollback needs to build; `Workspace.maintenance` gives it",
    "Removable.generation": "the paths of the generation",
    "Applied.packages": "the selected lock entries, as they are recorded",
    "Snapshot.interpreters": "the interpreters of the host, for `Workspace.plan_snapshot`",
}


def classes_in(annotation: object) -> Iterator[type]:
    """Yield the classes of this package that an annotation names."""
    if isinstance(annotation, type) and annotation.__module__.startswith("reconciler."):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from classes_in(argument)


def hints(thing: object) -> dict[str, object]:
    """Return resolved annotations, with the names that modules import for type checkers only."""
    names = {name: getattr(reconciler, name) for name in reconciler.__all__}
    return typing.get_type_hints(thing, localns=names | {"InventoryError": EnvsyncError})


def annotations_of(name: str) -> Iterator[tuple[str, object]]:
    """Yield (where, annotation) for the signature of a function, or the fields and public methods of a class."""
    thing = getattr(reconciler, name)
    if inspect.isfunction(thing):
        yield from ((name, each) for each in hints(thing).values())
        return
    if not isinstance(thing, type) or issubclass(thing, Exception):
        return
    if dataclasses.is_dataclass(thing):
        fields = hints(thing)
        yield from ((f"{name}.{each.name}", fields[each.name]) for each in dataclasses.fields(thing))
    for attribute, member in vars(thing).items():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if not attribute.startswith("_") and inspect.isfunction(inspect.unwrap(function)):
            yield from ((f"{name}.{attribute}", each) for each in hints(inspect.unwrap(function)).values())


@pytest.mark.parametrize("name", [name for name in reconciler.__all__ if name != "__version__"])
def test_every_type_in_a_public_signature_is_public(name: str) -> None:
    for where, annotation in annotations_of(name):
        if where.partition(".")[2].startswith("_") or where in INTERNAL:
            continue
        for each in classes_in(annotation):
            known = each.__name__ in reconciler.__all__ or issubclass(each, EnvsyncError)
            assert known, f"{where} names {each.__name__}: add it to reconciler/__init__.py"


def test_every_internal_part_exists() -> None:
    found = {where for name in reconciler.__all__ if name != "__version__" for where, _ in annotations_of(name)}
    assert INTERNAL.keys() <= found


def test_the_three_lists_of_public_names_agree() -> None:
    """Type checkers read the imports, Python the table, and people `__all__`."""
    tree = ast.parse((ROOT / "reconciler/__init__.py").read_text(encoding="utf-8"))
    imported = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reconciler.")
        for alias in node.names
    }
    table = {(module, name) for module, names in reconciler._NAMES_BY_MODULE.items() for name in names.split()}
    assert imported == table
    assert sorted(reconciler.__all__) == sorted([*(name for _, name in table), "__version__"])


def test_dir_help_and_star_import_show_the_public_names() -> None:
    program = (
        "import json, reconciler; names = dir(reconciler); from reconciler import *;"
        "print(json.dumps([set(reconciler.__all__) <= set(names), load.__module__, bool(Workspace.__doc__)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, "reconciler.reconcile", True]
    done = subprocess.run([sys.executable, "-m", "pydoc", "reconciler"], capture_output=True, text=True, check=True)
    for name in set(reconciler.__all__) - {"__version__"}:
        assert name in done.stdout, name


@pytest.mark.parametrize("name", [name for name in reconciler.__all__ if name != "__version__"])
def test_every_public_name_has_a_docstring(name: str) -> None:
    thing = getattr(reconciler, name)
    if name == "Event":  # a union of the events
        assert all(each.__doc__ for each in typing.get_args(thing))
        return
    assert thing.__doc__
    assert not thing.__doc__.startswith(f"{name}("), "the docstring is generated"
    if isinstance(thing, type):
        for attribute, member in vars(thing).items():
            if not attribute.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'reconciler' has no attribute 'laod'"):
        reconciler.laod  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_a_users_script_passes_the_strictest_type_checks_and_a_misspelt_name_fails(tool: str, tmp_path: Path) -> None:
    """Both files in one run, because reading the package takes most of the time."""
    (tmp_path / "nightly.py").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "misspelt.py").write_text(
        "# pyright: strict\nimport reconciler\nfrom reconciler import Worksapce\n\n"
        "reconciler.laod('envs.yaml')\nreconciler.load('envs.yaml').paln()\n",
        encoding="utf-8",
    )
    commands = {
        "mypy": ["-m", "mypy", "--strict", "--config-file=", "--no-incremental", "--cache-dir=/dev/null"],
        "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    }
    done = subprocess.run(
        [sys.executable, *commands[tool], "nightly.py", "misspelt.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if ": error" in line or " - error" in line]
    assert done.returncode == 1, done.stdout + done.stderr
    for name in ("Worksapce", "laod", "paln"):
        assert any(name in line for line in found), done.stdout
    assert [line for line in found if "misspelt.py" not in line] == []


def test_a_users_script_reports_drift_and_applies_pending_changes(host: Host) -> None:
    def run() -> tuple[int, str]:
        command = [sys.executable, str(SCRIPT), str(host.directory / "envs.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.0]\n')
    assert host.envsync("lock").code == 0
    assert run() == (0, "web: generation 1\n")
    assert run() == (0, "")
    module = host.site_packages("web") / "alpha/__init__.py"
    content = module.read_bytes()
    module.unlink()
    module.write_bytes(content + b"# edited\n")
    code, text = run()
    assert (code, "alpha/__init__.py" in text) == (2, True), text
    host.manifest("web:\n  pyhton: '3.11'\n")
    code, text = run()
    assert (code, "envs.yaml" in text) == (3, True), text
