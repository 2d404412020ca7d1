"""Values for tests of the state, and hypothesis strategies for them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, SourceDirectory, VcsCommit
from reconciler.state.applied import Applied, AppliedInterpreter
from reconciler.state.layout import Layout
from reconciler.state.seal import Seal, write_seal
from tests.state.edited import make_root

PLAIN = Applied(
    name="web",
    project="acme",
    generation=1,
    interpreter=AppliedInterpreter(path="/usr/bin/python3.12", version="3.12.1", implementation="cpython"),
    packages=(
        LockedPackage(
            name="alpha",
            version="1.0",
            source=IndexFile(index="https://index.example/simple", filename="alpha-1.0.tar.gz", sha256="0" * 64),
        ),
    ),
    installed={"alpha": "1.0"},
    accepted=frozenset({"finding"}),
    settings={"env": {"A": "b"}, "labels": {}},
    prevent_destroy=False,
    seal="",
)


def applied(name: str = "web", generation: int = 1, **more: Any) -> Applied:
    return replace(PLAIN, name=name, generation=generation, **more)


def seal_of(what: Applied, **more: Any) -> Seal:
    plain = Seal(
        applied=what,
        plan="sha256:plan",
        created="2026-01-01T00:00:00+00:00",
        inventory="sha256:inventory",
        home="/usr/bin",
        system_site_packages=False,
        lock="sha256:lock",
    )
    return replace(plain, **more)


def sealed(layout: Layout, what: Applied, **more: Any) -> str:
    """Make the generation that `what` names, seal it, and return the seal's digest."""
    generation = layout.generation(what.name, what.generation)
    make_root(layout.root)
    generation.venv.mkdir(parents=True)
    return write_seal(seal_of(what, **more), generation.seal)


def publish(layout: Layout, name: str, number: int) -> None:
    """Point an environment's path at a generation."""
    path = layout.environment(name)
    path.unlink(missing_ok=True)
    path.symlink_to(layout.link_target(name, number))


# Text may contain single surrogates, which os.fsdecode makes from bytes that are not UTF-8.
TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)
SOURCES = st.one_of(
    st.builds(IndexFile, index=TEXT, filename=TEXT, sha256=TEXT),
    st.builds(ArchiveFile, location=TEXT, sha256=TEXT, subdirectory=TEXT),
    st.builds(VcsCommit, vcs=TEXT, url=TEXT, commit=TEXT, subdirectory=TEXT),
    st.builds(SourceDirectory, path=TEXT, editable=st.booleans(), content=TEXT),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
APPLIED = st.builds(
    Applied,
    name=TEXT,
    project=TEXT,
    generation=st.integers(min_value=0),
    interpreter=st.builds(AppliedInterpreter, path=TEXT, version=TEXT, implementation=TEXT),
    packages=st.lists(st.builds(LockedPackage, name=TEXT, version=st.none() | TEXT, source=SOURCES), max_size=4).map(
        tuple
    ),
    installed=st.dictionaries(TEXT, TEXT, max_size=4),
    accepted=st.frozensets(TEXT, max_size=4),
    settings=st.dictionaries(TEXT, JSON, max_size=4),
    prevent_destroy=st.booleans(),
    seal=TEXT,
    hooks_pending=st.booleans(),
    hook_paths=st.frozensets(TEXT, max_size=2),
    hook_packages=st.frozensets(TEXT, max_size=2),
    rolled_back_from=st.integers(min_value=0),
    rebuilt_from=st.integers(min_value=0),
    rolled_back_because=TEXT,
    trial_since=TEXT,
)
