"""Digests and selections for environments whose builds generated no files, which is most of them."""

from pathlib import Path

from reconciler.interpreters.model import Interpreter
from reconciler.lock import freshness, select, source_digests
from reconciler.lock.model import Lock, LockedPackage
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.state.generated_files import NOTHING_GENERATED


def resolution_digest(directory: Path) -> str:
    return source_digests.resolution_digest(directory, NOTHING_GENERATED)


def metadata_digest(directory: Path) -> str:
    return source_digests.metadata_digest(directory, NOTHING_GENERATED)


def content_digest(directory: Path, *, locks: Path | None = None) -> str:
    return source_digests.content_digest(directory, NOTHING_GENERATED, locks=locks)


def inputs_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...]) -> str:
    return freshness.inputs_digest(environment, indexes, NOTHING_GENERATED)


def select_packages(lock: Lock, environment: DesiredEnvironment, interpreter: Interpreter) -> tuple[LockedPackage, ...]:
    return select.select_packages(lock, environment, interpreter, NOTHING_GENERATED)
