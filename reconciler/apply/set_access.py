"""Set who may read the root: its mode decides, and everything below it gets what the new readers need."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.apply.widen import widen_venv
from reconciler.diff.root_access import ACCESS_BITS
from reconciler.errors import StateError
from reconciler.fs.access import umask_of
from reconciler.fs.access_bits import root_bits
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.manifest.desired import Access
from reconciler.state.inventory_file import load_inventory
from reconciler.state.open_state import open_state
from reconciler.state.store import State


@contextmanager
def root_access(state: State, access: Access | None) -> Iterator[None]:
    """Set the access of the root, and of new files while the block runs; without an access the root is not changed.

    A narrower root is closed at once. Before it is opened, the kept generations get the bits that its readers need, so
    that nothing is built again for it. Raises StateError.
    """
    if access is None or root_bits(state.layout.root) == ACCESS_BITS[access]:
        yield
        return
    bits = ACCESS_BITS[access]
    root = state.layout.root
    try:
        mode = stat.S_IMODE(root.stat().st_mode) & ~0o077
        _open_generations(state, bits)
        root.chmod(mode | bits)
    except OSError as error:
        what = f"the access of `{root}` could not be changed: {error.strerror}"
        raise StateError(what, hint=os_error_hint(error)) from error
    with umask_of(bits):
        open_state(state.layout)
        yield


def _open_generations(state: State, bits: int) -> None:
    """Give the files of each sealed generation the access, whatever the root has; raises OSError.

    One whose inventory cannot be read is left as it is: the plan reports it.
    """
    for directory in sorted(state.layout.all_generations.glob("*")):
        if directory.is_symlink():
            continue
        with suppress(StateError):
            for number in state.sealed_numbers(directory.name):
                generation = state.layout.generation(directory.name, number)
                with suppress(StateError, FileNotFoundError):
                    inventory = load_inventory(generation.inventory)
                    widen_venv(generation.venv, inventory, state.layout.root, access=bits)
