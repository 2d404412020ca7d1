"""Files are opened through `reconciler/fs`: only regular ones, bounded, never waiting, ours without links.

Every other place that opens, writes, links or copies a file is in the list below with its reason. A new one fails here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
METHODS = {
    "open",
    "read_bytes",
    "read_text",
    "write_bytes",
    "write_text",
    "touch",
    "hardlink_to",
    "copyfile",
    "copytree",
}
OS_CALLS = {"open", "link", "mkfifo", "mknod", "truncate", "sendfile", "copy_file_range"}
OPEN_DIRECTORY = "a descriptor of a directory"
SCRATCH = "a directory that this process has just made"
NEW_VENV = "a venv that is being built, in a new generation"
SOURCE = "a source tree that a build reads anyway"
ALLOWED = {
    "apply/bin_scripts.py": NEW_VENV,
    "apply/build.py": NEW_VENV,
    "apply/bytecode.py": NEW_VENV,
    "apply/carry_over.py": "both directories are opened without links, and everything in them relative to them",
    "apply/editable_leftovers.py": OPEN_DIRECTORY,
    "apply/generated_files.py": SCRATCH,
    "apply/in_use.py": "files of /proc",
    "apply/overlaps.py": SCRATCH,
    "apply/restore_adopted.py": OPEN_DIRECTORY,
    "apply/wheel_contents.py": NEW_VENV,
    "cli/console.py": "/dev/null",
    "cli/plan_output.py": "the file of the CI service for summaries",
    "engines/bytecode.py": SCRATCH,
    "engines/index_directories.py": SCRATCH,
    "engines/isolated_interpreter.py": SCRATCH,
    "engines/uv.py": SCRATCH,
    "engines/uv_credentials.py": SCRATCH,
    "engines/uv_cache.py": "the lock of uv's cache, whose links were removed",
    "fastpath/answer.py": OPEN_DIRECTORY,
    "git/copied_directory.py": "copies git's own files into a scratch directory",
    "git/tracked_below.py": "an index, which is read only if it is a regular file of a bounded size",
    "lock/build_copy.py": SOURCE,
    "observe/zip_archive.py": "a member of an archive that was opened before",
    "processes/scratch.py": OPEN_DIRECTORY,
    "render/html/page.py": "a file of the package itself",
    "revision/tracked_files.py": SOURCE,
    "run.py": "the generation, without links, and its mark relative to it",
    "state/inode_hashes.py": "a descriptor of `fs.read.open_regular`",
    "state/inventory_scan.py": OPEN_DIRECTORY,
    "state/root_mutex_holder.py": "files of /proc",
}


def opened(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every call that opens a file itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id="open"):
                yield node.lineno, "open"
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in OS_CALLS:
                yield node.lineno, f"os.{name}"
            case ast.Attribute(value=ast.Name(id="shutil"), attr=name) if name.startswith("copy"):
                yield node.lineno, f"shutil.{name}"
            case ast.Attribute(attr=name) if name in METHODS:
                yield node.lineno, f".{name}"
            case _:
                pass


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "fs")


def test_files_are_opened_only_through_the_door() -> None:
    calls = {
        str(path.relative_to(PACKAGE)): [f"{path.relative_to(PACKAGE)}:{line}: {call}" for line, call in opened(path)]
        for path in FILES
    }
    others = [each for name, found in calls.items() if name not in ALLOWED for each in found]
    assert others == [], "use reconciler/fs/own_files.py or reconciler/fs/read.py"
    assert [name for name in ALLOWED if not calls.get(name)] == [], "they open no file themselves: remove them"


def test_every_exception_is_a_file_and_has_a_reason() -> None:
    names = {str(path.relative_to(PACKAGE)) for path in FILES}
    assert ALLOWED.keys() <= names
    assert all(ALLOWED.values())


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "os.open('x', 0)",
        "Path('x').read_text()",
        "shutil.copy('a', 'b')",
        "path.open('w')",
        "os.link(a, b)",
    ],
)
def test_each_way_to_open_a_file_is_noticed(text: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(text, encoding="utf-8")
    assert len(list(opened(tmp_path / "module.py"))) == 1
