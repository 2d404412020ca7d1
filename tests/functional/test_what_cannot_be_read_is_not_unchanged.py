"""A file or directory that the user may not read is reported by name, and never counts as unchanged or as absent.

The superuser may read everything, so a user without privileges plans here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import pytest

import reconciler
from reconciler.errors import EnvsyncError
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions
from reconciler.state.layout import Layout
from tests.functional.test_reading_commands_need_no_write_permission import readable_interpreter
from tests.host import Host, base_environment, new_host
from tests.render.pictures import check_text
from tests.unprivileged import reachable_directory, unprivileged

ENVIRONMENT = "{}:\n  python: {}\n  packages: [beta]\n  requirements: [more/requirements.txt]\n"
SITE = "venv/lib/*/site-packages"
# What only the superuser may read: a path in the directory of the manifest, or in the generation of `web`.
IN_DIRECTORY = (
    "envs.yaml", "more", "more/requirements.txt", "locks", "locks/pylock.web.toml", ".envs/.envsync/environments",
    ".envs/.envsync/environments/web.json",
)  # fmt: skip
IN_GENERATION = (
    "inventory", "venv", "venv/bin", "venv/pyvenv.cfg", "venv/lib", SITE, f"{SITE}/beta.py",
    f"{SITE}/beta_data", f"{SITE}/beta_data/x.txt", f"{SITE}/beta-2.0.dist-info", f"{SITE}/beta-2.0.dist-info/RECORD",
    f"{SITE}/beta-2.0.dist-info/METADATA",
)  # fmt: skip
SEALS = (".envs/.envsync/generations/web", "generation/seal.json")
# A changed status is needed to look at contents again; at depth `hashes` everything is read.
DEPTHS = (Depth.FILES, Depth.HASHES)
LISTED_ONLY = 0o444  # the names in a directory can be read, but nothing about them


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """Yield a host with two environments that are as sealed, also for a user without privileges."""
    with reachable_directory() as directory, new_host(directory) as made:
        (made.directory / "more").mkdir()
        (made.directory / "more/requirements.txt").write_text("gamma\n")
        interpreter = readable_interpreter(made)
        made.manifest("".join(ENVIRONMENT.format(name, interpreter) for name in ("web", "api")))
        made.apply()
        assert [outcome(made, depth).clean for depth in DEPTHS] == [True, True]
        yield made


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The answer to a user without privileges: whether nothing is wrong, and the text of the report or error."""

    clean: bool
    text: str


def outcome(host: Host, depth: Depth) -> Outcome:
    with unprivileged():
        try:
            workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
            plan = workspace.plan(options=PlanOptions(depth=depth)).plan
        except EnvsyncError as error:
            return Outcome(clean=False, text="\n".join([error.message, *error.details]))
    return Outcome(clean=not plan.has_difference, text=check_text(plan, verbose=2))


@contextmanager
def hidden(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize("depth", DEPTHS, ids=lambda each: each.value)
@pytest.mark.parametrize("place", [*IN_DIRECTORY, *(f"generation/{each}" for each in IN_GENERATION), *SEALS])
def test_it_is_reported(place: str, depth: Depth, host: Host) -> None:
    layout = Layout(host.root)
    generation = layout.generation("web", layout.published_number("web")).directory
    within = place.removeprefix("generation/")
    path = host.directory / place if within == place else next(generation.glob(within))
    for mode in (0, LISTED_ONLY) if path.is_dir() else (0,):
        with hidden(path, mode):
            found = outcome(host, depth)
        assert not found.clean, (oct(mode), found.text)
        assert path.name in found.text or "ermission denied" in found.text, (oct(mode), found.text)
    assert outcome(host, depth).clean


# What a person made at the path of an environment, with a directory that others may not enter.
FOREIGN = {  # by name: a file in it, and the directory that is closed
    "a venv": ("pyvenv.cfg", "."),
    "a venv without pyvenv.cfg": ("bin/python", "."),
    "its bin": ("bin/python", "bin"),
    "any other directory": ("notes.txt", "."),
}


@pytest.mark.parametrize("mode", [0, LISTED_ONLY], ids=oct)
@pytest.mark.parametrize("what", FOREIGN)
def test_a_directory_that_a_person_made_is_not_taken_for_a_different_one(what: str, mode: int, host: Host) -> None:
    """To a user who may not enter it, the plan does not say that it has no pyvenv.cfg, but what could not be read."""
    file, closed = FOREIGN[what]
    path = Layout(host.root).environment("web")
    target = path.readlink()
    path.unlink()
    try:
        (path / file).parent.mkdir(parents=True)
        (path / file).write_text("mine")
        assert "could not be read" not in outcome(host, Depth.FILES).text
        with hidden(path / closed, mode):
            found = outcome(host, Depth.FILES)
    finally:
        rmtree(path)
        path.symlink_to(target)
    assert not found.clean
    assert "could not be read: Permission denied" in " ".join(found.text.split())
    assert outcome(host, Depth.FILES).clean


@contextmanager
def another_interpreter(host: Host, target: Path) -> Iterator[None]:
    """Let the environment's interpreter be at `target`."""
    python = host.venv("web") / "bin/python"
    before = python.readlink()
    target.write_text("")
    target.chmod(0o755)
    python.unlink()
    python.symlink_to(target)
    try:
        yield
    finally:
        python.unlink()
        python.symlink_to(before)


@contextmanager
def egg_link(host: Host, target: Path) -> Iterator[None]:
    """Name the project `target` in a legacy link."""
    link = host.site_packages("web") / "own.egg-link"
    target.mkdir()
    link.write_text(f"{target}\n")
    try:
        yield
    finally:
        link.unlink()


@pytest.mark.parametrize("named", [another_interpreter, egg_link], ids=lambda each: each.__name__)
def test_what_is_outside_of_an_environment_and_closed_is_not_called_missing(
    named: Callable[[Host, Path], AbstractContextManager[None]], host: Host
) -> None:
    with reachable_directory() as outside, named(host, outside / "closed"):
        with hidden(outside, 0):
            found = " ".join(outcome(host, Depth.METADATA).text.split())
        assert "could not be read: Permission denied" in found
        assert "missing" not in found
        assert "could not be" not in outcome(host, Depth.METADATA).text


def test_the_superuser_is_not_a_user_without_privileges(tmp_path: Path) -> None:
    """If this fails, the tests above try nothing."""
    with reachable_directory() as directory:
        (directory / "file").write_text("")
        (directory / "file").chmod(0)
        with unprivileged(), pytest.raises(PermissionError):
            (directory / "file").read_text()
