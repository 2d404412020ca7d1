"""Seal a generation that passed its checks: write its inventory, then the seal that makes it complete."""

import datetime as dt
from dataclasses import replace

from reconciler.apply.context import ApplyContext
from reconciler.apply.observe_generation import refuse_if_probes_wrote
from reconciler.apply.probe import runs_programs
from reconciler.diff.model import Target
from reconciler.diff.settings import settings_of
from reconciler.fs.own_files import touch_own
from reconciler.lock.model import Lock
from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.pyvenv_cfg import read_pyvenv_cfg
from reconciler.state.applied import Applied, AppliedInterpreter
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import save_inventory
from reconciler.state.layout import Generation
from reconciler.state.overlap import Overlap
from reconciler.state.seal import Seal, write_seal


def seal_generation(
    generation: Generation,
    target: Target,
    lock: Lock,
    context: ApplyContext,
    *,
    observed: ActualEnvironment,
    inventory: Inventory,
    hooks_pending: bool,
    overlaps: tuple[Overlap, ...],
) -> Applied:
    """Write the inventory and the seal of a generation; return what is applied once it is published.

    `observed`, `inventory` and `overlaps` are what its verification found, `hooks_pending` is whether hooks must run
    afterwards.
    Raises ProbeError if a probe changed files since then, or OSError.
    """
    environment = target.environment
    save_inventory(inventory, generation.inventory)
    accepted = frozenset(finding.key for finding in observed.findings)
    if runs_programs(environment.probes):
        refuse_if_probes_wrote(generation, target, context, accepted)
    applied = Applied(
        name=environment.name,
        project=context.plan.project,
        generation=generation.number,
        interpreter=AppliedInterpreter(
            path=target.interpreter.path,
            version=target.interpreter.version,
            implementation=target.interpreter.implementation,
        ),
        packages=target.packages or (),
        installed={each.key: each.identity for each in observed.distributions},
        accepted=accepted,
        settings=settings_of(environment),
        prevent_destroy=environment.prevent_destroy,
        hooks_pending=hooks_pending,
        overlaps=overlaps,
        seal="",
        manifest=context.owner.path,
        repository=context.owner.repository,
    )
    digest = complete(
        generation,
        Seal(
            applied=applied,
            plan=context.plan_id,
            created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            inventory=inventory.digest,
            home=read_pyvenv_cfg(generation.venv).home,
            system_site_packages=environment.system_site_packages,
            lock=lock.digest,
        ),
    )
    return replace(applied, seal=digest)


def complete(generation: Generation, seal: Seal) -> str:
    """Write the seal of a generation, which is not published yet, and return its digest; raises OSError."""
    touch_own(str(generation.unpublished))
    touch_own(str(generation.in_use))  # so that `run` can hold its lock on it where it may not make a file
    return write_seal(seal, generation.seal)
