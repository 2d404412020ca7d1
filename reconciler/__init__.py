"""envsync keeps the Python virtual environments of a machine equal to a manifest in git.

The public API is what stands in `__all__`; it is imported when first asked for, so that `envsync --version` and
`envsync run` pay for none of it.
"""

TYPE_CHECKING = False  # the typing module takes as long to import as all that `run` needs
if TYPE_CHECKING:
    from reconciler.errors import EnvsyncError
    from reconciler.lock.update import LockOutcome
    from reconciler.options import PlanOptions, Selection
    from reconciler.reconcile import Proposal, Workspace, load

__version__ = "0.1.0"
DISTRIBUTION = "envsync-reconciler"  # absent if another distribution has overwritten this package
__all__ = ["EnvsyncError", "LockOutcome", "PlanOptions", "Proposal", "Selection", "Workspace", "__version__", "load"]

_ELSEWHERE = {
    "EnvsyncError": "reconciler.errors",
    "LockOutcome": "reconciler.lock.update",
    "PlanOptions": "reconciler.options",
    "Selection": "reconciler.options",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ELSEWHERE.get(name, "reconciler.reconcile")), name)
