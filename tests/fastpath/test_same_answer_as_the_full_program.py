"""The fast path gives the same answer as the full program, or leaves the answer to it."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler.fastpath.agreement import agreement_path, manifest_reading_path
from reconciler.fastpath.unchanged import count_unchanged
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions
from reconciler.state.inode_hashes import TICK_NS
from reconciler.state.layout import Layout
from reconciler.state.open_state import closed_state
from tests.every_case import EVERY_CASE, usually
from tests.faults.damages import CATALOGUE, ONE_OF_EACH_KIND, SERIES, Damage
from tests.host import Host, new_host

DEPTHS = (Depth.METADATA, Depth.FILES)
WEB = f'web:\n  python: "{SERIES}"\n  packages: [alpha, gamma]\n'
API = f'api:\n  python: "{SERIES}"\n  packages: [beta]\n  requirements: [more.txt]\n'


@pytest.fixture(scope="module")
def applied_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with two environments, applied and locked."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        begin(host)
        yield host


def begin(host: Host) -> None:
    """Make everything on a host match its manifest."""
    (host.directory / "more.txt").write_text("# nothing more\n")
    shutil.rmtree(host.directory / "locks", ignore_errors=True)
    (Layout(host.root).records / "other.json").unlink(missing_ok=True)
    host.venv("web").unlink(missing_ok=True)  # it may be a link of the test
    host.manifest(WEB + API)
    full(host, apply=True)


def quick(host: Host, depth: Depth) -> int:
    """Return the number of environments that the fast path finds unchanged; keep the working directory."""
    before = Path.cwd()
    try:
        return count_unchanged(str(host.directory / "envs.yaml"), files=depth is Depth.FILES)
    except OSError:
        return 0
    finally:
        os.chdir(before)


def full(host: Host, depth: Depth = Depth.FILES, *, apply: bool = False) -> bool:
    """Return whether the full program finds a difference; with `apply`, apply the plan."""
    time.sleep(2 * TICK_NS / 1e9)  # a change within the last tick is never remembered
    proposal = reconciler.load(host.directory / "envs.yaml").plan(options=PlanOptions(depth=depth))
    if apply:
        result = proposal.apply()
        assert result.exit_code == 0, result
    return proposal.plan.has_difference


def test_an_applied_environment_is_known_at_once(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        begin(host)
        assert [quick(host, depth) for depth in DEPTHS] == [2, 2]
        host.manifest(WEB.replace("alpha", "alpha==1.0") + API)
        full(host, apply=True)
        assert [quick(host, depth) for depth in DEPTHS] == [2, 2]


def test_an_unchanged_environment_is_known(applied_host: Host) -> None:
    begin(applied_host)
    for depth in DEPTHS:
        assert not full(applied_host, depth)
        assert quick(applied_host, depth) == 2


@pytest.mark.parametrize("damage", usually(ONE_OF_EACH_KIND, CATALOGUE), ids=lambda each: each.name)
def test_a_damaged_generation_is_never_called_unchanged(damage: Damage, applied_host: Host) -> None:
    """The short form has one damage of each kind: the same comparison finds the others."""
    full(applied_host, apply=True)
    assert not full(applied_host)
    layout = Layout(applied_host.root)
    generation = layout.generation("web", layout.published_number("web"))
    assert quick(applied_host, Depth.FILES) == 2
    damage.make(generation)
    for depth in DEPTHS:
        known = quick(applied_host, depth)
        assert not (known and full(applied_host, depth)), f"{damage.name} was missed at {depth.value}"
        assert not (known and damage.seen_at(depth))
    if full(applied_host):
        assert quick(applied_host, Depth.FILES) == 0
    else:
        assert quick(applied_host, Depth.FILES) == 2, "the full program found it unchanged, so it must be remembered"


def test_a_closed_part_of_the_state_is_noticed_as_the_full_program_does(applied_host: Host) -> None:
    """Users who may enter the root cannot use an environment if envsync's own directories are closed to them."""
    applied_host.root.chmod(0o755)
    begin(applied_host)
    layout = Layout(applied_host.root)
    number = layout.published_number("web")
    generation = layout.generation("web", number)
    own = [layout.envsync_directory, layout.all_generations, layout.records, layout.generations("web")]
    files = [layout.record("web"), generation.seal, generation.inventory, generation.pylock, generation.in_use]
    for path in (*own, generation.directory, *files):
        assert not full(applied_host)
        assert quick(applied_host, Depth.METADATA) == 2
        mode = path.stat().st_mode & 0o7777
        path.chmod(mode & 0o700)
        assert closed_state(layout, "web", number) == (str(path.relative_to(layout.root)),)
        assert [quick(applied_host, depth) for depth in DEPTHS] == [0, 0], path
        path.chmod(mode)
    path = generation.directory
    path.chmod(0o700)
    assert full(applied_host, Depth.METADATA)
    path.chmod(0o755)


def test_every_change_below_a_new_directory_is_noticed(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        (host.directory / "more.txt").write_text("")
        host.manifest(WEB + '  ignore_files: ["var/*.log", "var/deep/*.log"]\n' + API)
        full(host, apply=True)
        deep = host.venv("web") / "var/deep"
        deep.mkdir(parents=True)
        (deep / "a.log").write_text("one\n")
        modules = host.site_packages("web")
        assert host.envsync("run", "web", "--", "python", "-c", "import alpha, beta, gamma").code == 0
        assert not full(host)
        assert quick(host, Depth.FILES) == 2
        for made in (
            deep / "evil.txt",
            modules / "__pycache__/evil.cpython-311.pyc",
            modules / "alpha/__pycache__/x.py",
        ):
            made.write_bytes(b"x")
            assert quick(host, Depth.FILES) == 0, made
            assert full(host), made
            assert quick(host, Depth.FILES) == 0, made
            made.unlink()
            assert not full(host), made
            assert quick(host, Depth.FILES) == 2, made


def _text(host: Host) -> Path:
    return host.directory / "envs.yaml"


def comment_added(host: Host) -> None:
    _text(host).write_text(_text(host).read_text() + "# a comment\n")


def written_again(host: Host) -> None:
    _text(host).write_bytes(_text(host).read_bytes())


def environment_added(host: Host) -> None:
    host.manifest(WEB + API + f'new:\n  python: "{SERIES}"\n')


def environment_removed(host: Host) -> None:
    host.manifest(WEB)


def setting_changed(host: Host) -> None:
    host.manifest(WEB + "  env: {A: b}\n" + API)


def broken(host: Host) -> None:
    _text(host).write_text(_text(host).read_text() + "  web: {}\n")


def requirements_changed(host: Host) -> None:
    (host.directory / "more.txt").write_text("gamma\n")


def requirements_removed(host: Host) -> None:
    (host.directory / "more.txt").unlink(missing_ok=True)


def lock_removed(host: Host) -> None:
    (host.directory / "locks/pylock.web.toml").unlink(missing_ok=True)


def lock_edited(host: Host) -> None:
    lock = host.directory / "locks/pylock.web.toml"
    if lock.exists():
        lock.write_text(lock.read_text().replace('version = "0.1"', 'version = "0.2"'))


def lock_checked_out_again(host: Host) -> None:
    lock = host.directory / "locks/pylock.web.toml"
    if lock.exists():
        shutil.copy(lock, host.directory / "copy")
        (host.directory / "copy").replace(lock)


def record_removed(host: Host) -> None:
    Layout(host.root).record("web").unlink(missing_ok=True)


def seal_edited(host: Host) -> None:
    layout = Layout(host.root)
    seal = layout.generation("web", layout.published_number("web")).seal
    if seal.exists():
        seal.write_text(seal.read_text() + "\n")


def path_removed(host: Host) -> None:
    host.venv("web").unlink(missing_ok=True)


def path_redirected(host: Host) -> None:
    host.venv("web").unlink(missing_ok=True)
    host.venv("web").symlink_to(".envsync/generations/api/1/venv")


def record_added(host: Host) -> None:
    shutil.copy(Layout(host.root).record("api"), Layout(host.root).record("other"))


def agreements_damaged(host: Host) -> None:
    for name in ("web", "api"):
        file = Path(agreement_path(str(host.root), name))
        if file.exists():
            file.write_bytes(file.read_bytes()[:-1])


def agreements_swapped(host: Host) -> None:
    web, api = (Path(agreement_path(str(host.root), name)) for name in ("web", "api"))
    if api.exists():
        shutil.copy(api, web)


def manifest_reading_removed(host: Host) -> None:
    Path(manifest_reading_path(str(host.root), str(_text(host)))).unlink(missing_ok=True)


def cache_removed(host: Host) -> None:
    shutil.rmtree(Layout(host.root).cache, ignore_errors=True)


# The first order that is tried is this one: what changes nothing, what differs, and what hides other differences.
CHANGES: tuple[Callable[[Host], None], ...] = (
    written_again, comment_added, lock_checked_out_again, manifest_reading_removed, agreements_damaged,
    agreements_swapped, cache_removed, setting_changed, environment_added, environment_removed, seal_edited,
    path_redirected, path_removed, record_added, record_removed, requirements_changed, lock_edited, lock_removed,
    requirements_removed, broken,
)  # fmt: skip


@settings(
    max_examples=3 if EVERY_CASE else 1,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking is slow, and each change has a name
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # real environments
)
@given(changes=st.permutations(CHANGES))
def test_every_other_change_is_noticed(changes: list[Callable[[Host], None]], applied_host: Host) -> None:
    for change in changes:
        change(applied_host)
        for depth in DEPTHS:
            known = quick(applied_host, depth)
            try:
                differs = full(applied_host, depth)
            except reconciler.EnvsyncError:
                differs = True  # an error, not an answer
            assert not (known and differs), f"{change.__name__} was missed at {depth.value}"
    begin(applied_host)
    full(applied_host)
    assert quick(applied_host, Depth.FILES) == 2
