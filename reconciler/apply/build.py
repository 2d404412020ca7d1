"""Build a generation: a new virtual environment at its final path, with exactly the packages that the lock selects."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.apply.bin_scripts import rewrite_activation, write_pip_stub
from reconciler.apply.bytecode import link_bytecode, shared_bytecode
from reconciler.apply.context import ApplyContext
from reconciler.apply.copied_sources import copied_sources, name_originals
from reconciler.apply.editable_leftovers import clean_editables
from reconciler.apply.generated_files import find_generated_files
from reconciler.apply.overlaps import settle_overlaps
from reconciler.diff.model import Target
from reconciler.engines.engine import InstallRequest
from reconciler.errors import ApplyError
from reconciler.fs.read import read_regular
from reconciler.fs.sync import naming
from reconciler.lock.install_document import install_document
from reconciler.lock.model import Lock
from reconciler.lock.select import select_artifacts
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.index_rules import used_indexes
from reconciler.state.layout import Generation


def build(
    target: Target, lock: Lock, generation: Generation, context: ApplyContext, *, refresh: tuple[str, ...] = ()
) -> None:
    """Build `target` in `generation`; the packages named in `refresh` are downloaded again, whatever the cache holds.

    Raises EngineError, ApplyError if a package replaced a file that the environment depends on, or OSError.
    """
    with copied_sources(lock, select_artifacts(lock, target.interpreter)) as copies:
        _build(target, lock, generation, context, copies, refresh)
    name_originals(generation.venv, copies)
    write_pip_stub(generation.venv, target.environment.name)


def _build(
    target: Target,
    lock: Lock,
    generation: Generation,
    context: ApplyContext,
    copies: Mapping[Path, Path],
    refresh: tuple[str, ...],
) -> None:
    """Create the venv and install into it; `copies` are built instead of the directories that they were copied from."""
    environment = target.environment
    selected = select_artifacts(lock, target.interpreter)
    document = install_document(lock, selected, copies)
    with naming(generation.pylock):
        generation.pylock.write_text(lock_text(document), encoding="utf-8")
    context.engine.create(
        generation.venv,
        target.interpreter,
        system_site_packages=environment.system_site_packages,
        prompt=environment.name,
    )
    # Before any package is installed: a package may have a `bin/activate-...` of its own, which its RECORD lists.
    rewrite_activation(generation.venv, context.state.layout.environment(environment.name))
    identity = _identity(generation.venv)
    reusable = _reusable_venv(target, context) if environment.compile_bytecode else None
    if document["packages"]:
        context.check_stop()
        request = InstallRequest(
            venv=generation.venv,
            pylock=generation.pylock,
            indexes=used_indexes(context.indexes, environment.indexes),
            link_mode=environment.link_mode,
            compile_bytecode=environment.compile_bytecode and reusable is None,
            builds=environment.builds,
            offline=context.options.offline,
            refresh=refresh,
            variables=environment.build_env.variables,
            secrets=environment.build_env.from_env,
            public=frozenset(environment.public.build_env),
        )
        outputs = find_generated_files(
            lock, selected, request, target.interpreter, engine=context.engine, layout=context.state.layout
        )
        with clean_editables(lock, selected), outputs:
            context.engine.install(request)
            settle_overlaps(context.engine, request, document, target.interpreter.markers)
        if reusable is not None:
            _reuse_bytecode(reusable, generation.venv, target, context)
    if _identity(generation.venv) != identity:
        raise ApplyError(
            "a package overwrote `pyvenv.cfg` or `bin/python` of the environment",
            hint="remove the package whose wheel has such a file below `*.data/data` or `*.data/scripts`",
        )


def _reuse_bytecode(old: Path, new: Path, target: Target, context: ApplyContext) -> None:
    """Link the bytecode of the published venv `old`, while the interpreter compiles the other modules of `new`."""
    shared, uncompiled = shared_bytecode(old, new, context.inodes)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="compile") as compiler:
        compiled = compiler.submit(context.engine.compile, target.interpreter, uncompiled)
        link_bytecode(shared)
        compiled.result()


def _reusable_venv(target: Target, context: ApplyContext) -> Path | None:
    """Return the published venv if it was built with the same interpreter, so that its bytecode is valid here too."""
    state, name = context.state, target.environment.name
    last = state.applied(name)
    if last is None or not last.generation:
        return None
    interpreter = (last.interpreter.path, last.interpreter.version, last.interpreter.implementation)
    venv = state.layout.generation(name, last.generation).venv
    return venv if interpreter == target.interpreter.identity and venv.is_dir() else None


def _identity(venv: Path) -> tuple[bytes, bytes]:
    """Return what makes a directory this environment: its pyvenv.cfg (PEP 405), and the target of `bin/python`."""
    return read_regular(venv / "pyvenv.cfg"), os.readlink(os.fsencode(venv / "bin" / "python"))  # noqa: PTH115  # bytes
