"""Look again after hooks: what they changed in the published generation."""

from reconciler.apply.verify_seal import verify_generation
from reconciler.diff.model import PackageAction
from reconciler.observe.actual import Depth
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def changes_by_hooks(state: State, applied: Applied) -> tuple[frozenset[str], frozenset[str]]:
    """Return the packages and the paths in the published generation that differ from its seal, after its hooks ran.

    Every file was as sealed before. The hash cache is loaded again, because others were filled before the hooks ran.
    """
    inodes = InodeHashes.load(state.layout.inode_hashes)
    found = verify_generation(state, applied.name, applied.generation, inodes, Depth.FILES, applied=applied)
    packages = {each.name for each in found.packages if each.action is not PackageAction.REPAIR}  # only files differ
    return frozenset(packages), frozenset(each.path for each in found.findings if each.path)
