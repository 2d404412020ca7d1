"""Builds a generation: a new venv at its own final path, with exactly the packages that the lock selects."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.apply.activation import rewrite_activation
from reconciler.apply.bytecode import link_bytecode, shared_bytecode
from reconciler.apply.context import ApplyContext
from reconciler.apply.pip_stub import write_pip_stub
from reconciler.diff.model import Target
from reconciler.engines.engine import InstallRequest
from reconciler.errors import ApplyError
from reconciler.fs.atomic_write import naming
from reconciler.fs.remove_tree import remove_tree
from reconciler.lock.install_document import selected_document, source_directories
from reconciler.lock.model import Lock
from reconciler.lock.resolve import copy_source
from reconciler.lock.select import select_artifacts
from reconciler.lock.toml_format import lock_text
from reconciler.state.layout import Generation


def build(
    target: Target, lock: Lock, generation: Generation, context: ApplyContext, *, refresh: tuple[str, ...] = ()
) -> None:
    """Build `target` in `generation`; `refresh` names packages whose cached files are not to be trusted.

    Raises EngineError, or OSError where the file system does not play along.
    """
    wanted = target.environment
    sources = generation.directory / "source"
    copies: dict[Path, Path] = {}
    selected = select_artifacts(lock, target.interpreter)
    for number, directory in enumerate(source_directories(lock, selected)):
        copies[directory] = sources / str(number) / directory.name
        copy_source(directory, copies[directory], locks=lock.path.parent)
    document = selected_document(lock, selected, copies)
    with naming(generation.pylock):
        generation.pylock.write_text(lock_text(document), encoding="utf-8")
    context.engine.create(
        generation.venv,
        target.interpreter,
        system_site_packages=wanted.system_site_packages,
        prompt=wanted.name,
    )
    made = _identity(generation.venv)
    before = _published_alike(target, context) if wanted.compile_bytecode else None
    if document["packages"]:
        context.check_stop()
        context.engine.install(
            InstallRequest(
                venv=generation.venv,
                pylock=generation.pylock,
                indexes=context.indexes,
                link_mode=wanted.link_mode,
                compile_bytecode=wanted.compile_bytecode and before is None,
                builds=wanted.builds,
                offline=context.options.offline,
                refresh=refresh,
            )
        )
        if before is not None:
            _carry_bytecode(before, generation.venv, target, context)
    if _identity(generation.venv) != made:
        raise ApplyError(
            "a package wrote over pyvenv.cfg or bin/python, which make the environment what it is",
            hint="its wheel has such a file below *.data/data or *.data/scripts: do without it, or ask its author",
        )
    if copies:
        remove_tree(generation.directory, "source", below=context.state.layout.root)
    rewrite_activation(generation.venv, context.state.layout.environment(wanted.name))
    write_pip_stub(generation.venv, wanted.name)


def _carry_bytecode(old: Path, new: Path, target: Target, context: ApplyContext) -> None:
    """Link the bytecode that the published venv has, while the interpreter compiles what it does not have."""
    shared, left = shared_bytecode(old, new, context.inodes)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="compile") as beside:
        compiled = beside.submit(context.engine.compile, target.interpreter, left)
        link_bytecode(shared)
        compiled.result()


def _published_alike(target: Target, context: ApplyContext) -> Path | None:
    """Return the published venv where it was built with the same interpreter: its bytecode is good here, too."""
    state, name = context.state, target.environment.name
    last = state.applied(name)
    if last is None or not last.generation:
        return None
    interpreter = (last.interpreter.path, last.interpreter.version, last.interpreter.implementation)
    venv = state.layout.generation(name, last.generation).venv
    return venv if interpreter == target.interpreter.identity and venv.is_dir() else None


def _identity(venv: Path) -> tuple[bytes, bytes]:
    """Return what makes a directory this environment: its pyvenv.cfg (PEP 405), and where its interpreter leads."""
    return (venv / "pyvenv.cfg").read_bytes(), os.readlink(os.fsencode(venv / "bin" / "python"))  # noqa: PTH115  # bytes
