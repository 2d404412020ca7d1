"""List the generations that are kept: their state, who made them, and what `--adopt` replaced."""

from dataclasses import dataclass, replace

from reconciler.apply.verify_generations import GenerationState, generation_state, verify_generations
from reconciler.errors import NewerFormatError, StateError
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_path
from reconciler.state.adopted import read_adopted
from reconciler.state.history import made_by, read_history, runs_of
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.set_aside import failure_of
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGeneration:
    """One sealed generation that is kept.

    `created` is the time (UTC, RFC 3339), `python` the interpreter's version, `packages` the number of packages, `plan`
    the digest of the plan that made it, `by` the user who made it, if the history says so. `drifted` is whether it
    was replaced because it had drifted, and `failed` why it was rolled back after a hook or its health check failed: a
    rollback skips both. `adopted` is whether it is the directory that `--adopt` replaced, and `created` is then when
    that was. `rebuilt_from` is the generation that a rollback rebuilt it from (0: an apply built it). `problem` is why
    its seal could not be read; all else is unknown then. Only `Maintenance.generation_history` compares its files with
    its seal: then `state` and `problem` say if they differ, and `shared` are sentences about edits that it shares with
    other generations.
    """

    name: str
    number: int
    published: bool
    created: str = ""
    python: str = ""
    packages: int = 0
    plan: str = ""
    drifted: bool = False
    failed: str = ""
    adopted: bool = False
    problem: str = ""
    by: str = ""
    rebuilt_from: int = 0
    state: GenerationState = GenerationState.KEPT
    shared: tuple[str, ...] = ()


def kept_generations(state: State, name: str) -> list[KeptGeneration]:
    """Return the sealed and the adopted generations of `name`, oldest first.

    Those that were never published are left out.
    """
    found = [*sealed_generations(state, name), *_adopted_generations(state, name)]
    return sorted(found, key=lambda each: each.number)


def sealed_generations(state: State, name: str) -> list[KeptGeneration]:
    """Return the generations of `name` that have a seal, readable or not, without those that were never published."""
    published = state.layout.published_number(name)
    kept = []
    for number in state.layout.generation_numbers(name):
        if number != published and state.layout.generation(name, number).unpublished.exists():
            continue
        try:
            seal = state.seal(name, number)
        except StateError as error:
            kept.append(
                KeptGeneration(
                    name=name,
                    number=number,
                    published=number == published,
                    problem=state.layout.with_short_paths(error.message),
                    state=generation_state(
                        published=number == published, unreadable=True, newer=isinstance(error, NewerFormatError)
                    ),
                )
            )
            continue
        if seal is not None:
            generation = state.layout.generation(name, number)
            drifted, failed = generation.drifted.exists(), failure_of(generation)
            kept.append(
                KeptGeneration(
                    name=name,
                    number=number,
                    created=seal.created,
                    python=seal.applied.interpreter.version,
                    packages=len(seal.applied.packages),
                    plan=seal.plan,
                    published=number == published,
                    drifted=drifted,
                    failed=failed,
                    rebuilt_from=seal.applied.rebuilt_from,
                    state=generation_state(published=number == published, drifted=drifted, failed=failed),
                )
            )
    return kept


def generation_history(state: State, names: tuple[str, ...]) -> list[KeptGeneration]:
    """Return the generations of `names`, oldest first, with who made them and whether they match their seals.

    Files are compared at depth `files`.
    """
    kept = [each for name in names for each in kept_generations(state, name)]
    sealed = [(each.name, each.number) for each in kept if not each.adopted]
    inodes = InodeHashes.load(state.layout.inode_hashes)
    verified = verify_generations(state, sealed, inodes, Depth.FILES)
    inodes.save()
    found = {(each.integrity.name, each.integrity.generation): each for each in verified}
    history = read_history(state.layout)
    runs = {name: runs_of(history, name) for name in names}
    listed = []
    for each in kept:
        compared = found.get((each.name, each.number))
        if compared is not None:
            rebuilt = bool(each.rebuilt_from)
            by = made_by(runs[each.name], each.number, created=each.created, plan=each.plan, rebuilt=rebuilt)
            listed.append(replace(each, by=by, state=compared.state, problem=compared.problem, shared=compared.shared))
        elif each.adopted:
            listed.append(each)
    return listed


def _adopted_generations(state: State, name: str) -> list[KeptGeneration]:
    """Return the environments that `--adopt` replaced."""
    layout = state.layout
    found = []
    for number in layout.adopted_numbers(name):
        generation = layout.adopted_generation(name, number)
        adopted, problem = None, ""
        try:
            adopted = read_adopted(generation)
        except StateError as error:
            problem = layout.with_short_paths(error.message)
        observed = observe_path(generation.venv)
        found.append(
            KeptGeneration(
                name=name,
                number=number,
                created=adopted.adopted.isoformat() if adopted else "",
                python=observed.python,
                packages=len(observed.distributions),
                published=False,
                adopted=True,
                problem=problem,
                state=GenerationState.ADOPTED,
            )
        )
    return found
