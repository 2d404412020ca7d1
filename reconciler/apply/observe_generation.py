"""Observe a generation before it is published, and refuse it if its probes changed it."""

from reconciler.apply.context import ApplyContext
from reconciler.backticks import list_in_backticks
from reconciler.diff.model import Target
from reconciler.errors import ProbeError
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environment import observe_environment
from reconciler.observe.pyvenv_cfg import read_pyvenv_cfg
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Generation
from reconciler.state.published_generation import PublishedGeneration


def observe_generation(
    generation: Generation,
    target: Target,
    context: ApplyContext,
    depth: Depth,
    inodes: InodeHashes | None,
) -> ActualEnvironment:
    """Return what a generation contains, as if it were published; `inodes` are the context's by default.

    Raises OSError, or ObserveError if the virtual environment cannot be read.
    """
    environment = target.environment
    published = PublishedGeneration(
        generation=generation.number,
        venv=generation.venv,
        inventory=generation.inventory,
        seal="",
        home=read_pyvenv_cfg(generation.venv).home,
        system_site_packages=environment.system_site_packages,
    )
    return observe_environment(
        context.state.layout.environment(environment.name),
        name=environment.name,
        published=published,
        depth=depth,
        inodes=context.inodes if inodes is None else inodes,
        ignore_files=environment.ignored_files,
    )


def refuse_if_probes_wrote(
    generation: Generation, target: Target, context: ApplyContext, accepted: frozenset[str]
) -> None:
    """Raise ProbeError if the files of a generation differ from its inventory, except for the `accepted` findings.

    The hash cache is loaded again, because the context's was filled before the probes ran.
    """
    inodes = InodeHashes.load(context.state.layout.inode_hashes)
    with context.observing:
        observed = observe_generation(generation, target, context, Depth.FILES, inodes)
    changed = [finding.path for finding in observed.findings if finding.path and finding.key not in accepted]
    if changed:
        raise ProbeError(
            f"a probe changed the environment: {list_in_backticks(changed)}",
            hint="let the probe write outside the environment, or list the files in `ignore_files`",
        )
