"""From a desired environment to its lock, with the real uv and an index on 127.0.0.1."""

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from reconciler.errors import BuildNeededError, LockError, PackageNotFoundError, ResolveError
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.desired import Index, RequirementLine
from tests.index import ServedIndex, serve_index
from tests.lock.nothing_generated import inputs_digest
from tests.lock.workbench import Workbench, git_environment, local, local_project, only, pins, project_at, requiring
from tests.wheels import make_sdist, make_wheel, sha256

BACKEND = """
import os, pathlib
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    pathlib.Path("was-built-here").write_text(os.getcwd())
    info = pathlib.Path(directory, "lib-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: lib\\nVersion: 1.0\\nRequires-Dist: beta<2\\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return info.name
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""


def dynamic_project(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "lib"\ndynamic = ["version", "dependencies"]\n'
    )
    (path / "backend.py").write_text(BACKEND)
    return path


# The contents of a lock


def test_a_lock_is_pep_751_with_the_index_of_each_package_and_our_table(bench: Workbench, served: ServedIndex) -> None:
    environment = requiring("alpha")
    lock = bench.resolve(environment)
    Pylock.from_dict(lock.document)
    assert pins(lock) == ["alpha 1.1", "beta 2.0"]
    assert {package["index"] for package in lock.document["packages"]} == {served.url}
    assert lock.document["created-by"] == "envsync"
    assert lock.document["requires-python"] == ">=3.11"
    assert lock.document["tool"] == {
        "envsync": {"inputs": inputs_digest(environment, bench.indexes), "python": ">=3.11"}
    }
    assert lock.inputs == inputs_digest(environment, bench.indexes)
    assert bench.written(lock) == lock


def test_resolving_again_gives_the_same_bytes(bench: Workbench) -> None:
    first = bench.resolve(requiring("alpha", "delta", "both"))
    again = bench.resolve(requiring("both", "delta", "alpha"), previous=first)
    assert lock_text(again.document) == lock_text(first.document)
    assert lock_text(bench.resolve(requiring("alpha", "delta", "both")).document) == lock_text(first.document)


def test_an_environment_without_packages_has_a_lock(bench: Workbench) -> None:
    assert pins(bench.written(bench.resolve(requiring()))) == []


def test_a_lock_contains_nothing_of_this_machine(bench: Workbench, tmp_path: Path) -> None:
    archive = make_wheel(bench.directory / "wheels", "gamma", "1.0")
    environment = requiring(
        "alpha",
        python=bench.interpreter.path,
        requirements=(
            local(project_at(bench.directory / "lib")),
            local(project_at(bench.directory / "ed", name="ed"), editable=True),
            local(dynamic_project(tmp_path / "sibling"), text="../sibling"),
            local(archive),
        ),
        project=local_project(project_at(bench.directory, name="app"), name="app"),
    )
    with pytest.raises(ResolveError):  # two projects are named lib
        bench.resolve(environment)
    environment = replace(environment, requirements=environment.requirements[1:])
    text = lock_text(bench.resolve(environment).document)
    for secret in (str(tmp_path), str(bench.directory), bench.interpreter.path, "envsync-source-"):
        assert secret not in text
    assert 'path = "../ed", editable = true' in text
    assert 'path = "../../sibling"' in text
    assert 'path = "../wheels/gamma-1.0-py3-none-any.whl"' in text
    assert 'directory = { path = ".." }' in text
    assert "python =" not in text.partition("[tool.envsync]")[2]


def test_paths_in_a_lock_are_relative_to_the_real_path_of_its_directory(bench: Workbench, tmp_path: Path) -> None:
    deep = tmp_path / "deep" / "down" / "locks"
    deep.mkdir(parents=True)
    (bench.directory / "locks").symlink_to(deep)
    lib = project_at(bench.directory / "lib")
    bench = replace(bench, allow_paths=("../deep",))
    lock = bench.written(bench.resolve(requiring(requirements=(local(lib),))))
    path = only(lock)["directory"]["path"]
    assert path == "../../../work/lib"
    assert (lock.path.parent / path).resolve() == lib


def test_a_lock_contains_no_credentials(bench: Workbench, served: ServedIndex) -> None:
    environment = requiring(f"beta @ {served.file_url('beta-1.0-py3-none-any.whl')}".replace("//", "//user:s3cret@"))
    package = only(bench.resolve(environment))
    assert package["archive"]["url"] == served.file_url("beta-1.0-py3-none-any.whl")


def test_a_lock_has_the_packages_of_all_platforms(bench: Workbench) -> None:
    lock = bench.resolve(requiring("alpha==1.0 ; sys_platform == 'win32'", "beta<2 ; python_version < '3.12'", "beta"))
    markers = {(each["name"], each["version"]): each.get("marker") for each in lock.document["packages"]}
    assert markers == {
        ("alpha", "1.0"): "sys_platform == 'win32'",
        ("beta", "1.0"): "python_full_version < '3.12'",
        ("beta", "2.0"): "python_full_version >= '3.12'",
    }
    assert all("index" in each for each in lock.document["packages"])


def test_the_lower_bound_of_the_request_is_resolved(bench: Workbench, tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "beta", "3.0", requires_python=">=3.12")
    assert pins(bench.resolve(requiring("beta", python=">=3.12"))) == ["beta 3.0"]
    lock = bench.resolve(requiring("beta", python=">=3.11"))
    assert pins(lock) == ["beta 2.0", "beta 3.0"]
    assert lock.document["packages"][1]["marker"] == "python_full_version >= '3.12'"


def test_exclude_newer_is_kept_as_written_and_as_a_time(bench: Workbench, served: ServedIndex) -> None:
    served.uploaded = {path.name: "2024-06-01T12:00:00Z" for path in served.directory.iterdir()}
    table = bench.resolve(requiring("beta", exclude_newer="2024-06-01")).document["tool"]["envsync"]
    assert (table["exclude-newer"], table["exclude-newer-date"]) == ("2024-06-01", "2024-06-02T00:00:00Z")
    table = bench.resolve(requiring("beta", exclude_newer="7 days")).document["tool"]["envsync"]
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(table["exclude-newer-date"])
    assert dt.timedelta(days=7) <= age < dt.timedelta(days=7, minutes=5)
    with pytest.raises(ResolveError):
        bench.resolve(requiring("beta", exclude_newer="2024-05-31"))


def test_a_date_means_the_same_in_every_time_zone(bench: Workbench, served: ServedIndex) -> None:
    served.uploaded = {path.name: "2024-06-01T23:30:00Z" for path in served.directory.iterdir()}
    engine = bench.engine
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        engine._env["TZ"] = zone
        assert pins(bench.resolve(requiring("beta", exclude_newer="2024-06-01"))) == ["beta 2.0"]


# Earlier pins


def test_earlier_pins_are_kept_without_an_upgrade(bench: Workbench) -> None:
    before = bench.resolve(requiring("alpha==1.0", "beta==1.0"))
    assert pins(bench.resolve(requiring("alpha"), previous=before)) == ["alpha 1.0", "beta 1.0"]
    assert pins(bench.resolve(requiring("alpha"), previous=before, upgrade=("beta",))) == ["alpha 1.0", "beta 2.0"]
    assert pins(bench.resolve(requiring("alpha"), previous=before, upgrade=True)) == ["alpha 1.1", "beta 2.0"]
    assert pins(bench.resolve(requiring("alpha>1", "beta"), previous=before)) == ["alpha 1.1", "beta 1.0"]


@pytest.mark.parametrize(
    "more",
    ["", "marker = \"'x' in extras\"\n", 'vcs = {type = "git", url = "https://index.example", commit-id = "0"}\n'],
)
def test_of_a_lock_of_a_different_tool_only_the_pins_are_used(more: str, bench: Workbench) -> None:
    source = "" if "vcs" in more else 'wheels = [{url = "x/beta-1.0-py3-none-any.whl", hashes = {sha256 = "aa"}}]\n'
    text = (
        'lock-version = "1.0"\ncreated-by = "pdm"\nextras = ["x"]\n[[packages]]\nname = "beta"\nversion = "1.0"\n'
        f"{source}{more}[tool.pdm]\nx = 0.5\n"
    )
    foreign = parse_lock(text, bench.directory / "locks/pylock.web.toml", "web")
    assert foreign.inputs is None
    assert pins(bench.resolve(requiring("beta"), previous=foreign)) == ["beta 1.0"]


def test_a_pinned_commit_is_kept(bench: Workbench, tmp_path: Path) -> None:
    repository = project_at(tmp_path / "repository")

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=repository, env=git_environment(), check=True, capture_output=True)
        return done.stdout.decode().strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    first = git("rev-parse", "HEAD")
    environment = requiring(f"lib @ git+file://{repository}")
    lock = bench.resolve(environment)
    assert only(lock)["vcs"]["commit-id"] == first
    git("commit", "-qm", "two", "--allow-empty")
    assert only(bench.resolve(environment, previous=lock))["vcs"]["commit-id"] == first
    assert only(bench.resolve(environment, previous=lock, upgrade=True))["vcs"]["commit-id"] == git("rev-parse", "HEAD")


# Building


def test_without_builds_a_dynamic_project_is_an_error(bench: Workbench, tmp_path: Path) -> None:
    lib = dynamic_project(tmp_path / "lib")
    for environment in (
        requiring(requirements=(local(lib),)),
        requiring(requirements=(local(lib, editable=True),)),
        requiring(project=local_project(lib, static=False)),
        requiring(project=local_project(lib, static=False, editable=True)),
    ):
        with pytest.raises(BuildNeededError):
            bench.resolve(environment, build=False)
        with pytest.raises(BuildNeededError):
            bench.resolve(replace(environment, builds="deny"))
    assert sorted(os.listdir(lib)) == ["backend.py", "pyproject.toml"]


@pytest.mark.parametrize("editable", [False, True])
@pytest.mark.parametrize("as_project", [False, True])
def test_a_build_writes_nothing_into_the_project(
    editable: bool, as_project: bool, bench: Workbench, tmp_path: Path
) -> None:
    lib = dynamic_project(tmp_path / "lib")
    environment = (
        requiring(project=local_project(lib, static=False, editable=editable))
        if as_project
        else requiring(requirements=(local(lib, editable=editable),))
    )
    lock = bench.resolve(environment)
    assert pins(lock)[0] == "beta 1.0"
    expected = {"path": "../../lib", "editable": True} if editable else {"path": "../../lib"}
    assert lock.document["packages"][1]["directory"] == expected
    assert sorted(os.listdir(lib)) == ["backend.py", "pyproject.toml"]


def test_packages_that_may_be_built_keep_their_wheels(bench: Workbench, served: ServedIndex) -> None:
    lock = bench.resolve(requiring("both", "delta", "alpha", builds=("both", "delta")))
    files = {each["name"]: sorted(each.keys() & {"wheels", "sdist"}) for each in lock.document["packages"]}
    assert files == {"alpha": ["wheels"], "beta": ["wheels"], "both": ["sdist", "wheels"], "delta": ["sdist"]}
    assert {each["index"] for each in lock.document["packages"]} == {served.url}


def test_with_denied_builds_an_older_wheel_is_chosen(bench: Workbench, tmp_path: Path) -> None:
    make_sdist(tmp_path / "wheels", "beta", "3.0")
    assert pins(bench.resolve(requiring("beta"))) == ["beta 3.0"]
    assert pins(bench.resolve(requiring("beta", builds="deny"))) == ["beta 2.0"]
    assert pins(bench.resolve(requiring("beta"), build=False)) == ["beta 2.0"]


# Local directories


def test_extras_and_markers_of_local_lines_are_used(bench: Workbench) -> None:
    more = '[project.optional-dependencies]\nx = ["alpha"]\n'
    lib = project_at(bench.directory / "lib", requires='["beta<2"]', more=more)
    line = local(lib, extras=("x",), marker="sys_platform != 'win32'")
    for each in (line, replace(line, editable=True)):
        lock = bench.resolve(requiring(requirements=(each,)))
        assert pins(lock) == ["alpha 1.1", "beta 1.0", "lib None"]
        assert {package["marker"] for package in lock.document["packages"]} == {"sys_platform != 'win32'"}


def test_extras_and_groups_of_a_project_are_used(bench: Workbench) -> None:
    more = '[project.optional-dependencies]\nx = ["alpha"]\n'
    lib = project_at(bench.directory / "lib", more=more)
    lock = bench.resolve(requiring(project=local_project(lib, extras=("x",), groups=("dev",), requirements=("both",))))
    assert pins(lock) == ["alpha 1.1", "beta 2.0", "both 1.0", "lib None"]


@pytest.mark.parametrize(
    "name", ["a b", "ü", "$HOME", "${HOME}", "a;b", "a[b]", "a%20b", "a\\b", "a'b", 'a"b', "a@b", "-e"]
)
def test_a_directory_can_have_any_name(name: str, bench: Workbench) -> None:
    lib = project_at(bench.directory / name, requires='["beta<2"]')
    lock = bench.written(bench.resolve(requiring(requirements=(local(lib),))))
    assert pins(lock) == ["beta 1.0", "lib None"]
    assert lock.document["packages"][1]["directory"]["path"] == f"../{name}"


# Rules


def two_indexes(bench: Workbench, served: ServedIndex, other: ServedIndex, *pinned: str) -> Workbench:
    return replace(
        bench,
        indexes=(Index(name="public", url=served.url), Index(name="own", url=other.url, packages=pinned)),
    )


@pytest.fixture
def other(tmp_path: Path) -> Iterator[ServedIndex]:
    with serve_index(tmp_path / "own-wheels") as index:
        yield index


def test_a_pinned_package_comes_only_from_its_index(bench: Workbench, served: ServedIndex, other: ServedIndex) -> None:
    make_wheel(other.directory, "beta", "0.1")
    lock = two_indexes(bench, served, other, "beta").resolve(requiring("alpha"))
    assert {each["name"]: (each["version"], each["index"]) for each in lock.document["packages"]} == {
        "alpha": ("1.1", served.url),
        "beta": ("0.1", other.url),
    }


def test_a_transitive_package_that_its_index_lacks_is_not_taken_from_another(
    bench: Workbench, served: ServedIndex, other: ServedIndex
) -> None:
    with pytest.raises(PackageNotFoundError) as caught:
        two_indexes(bench, served, other, "beta").resolve(requiring("alpha"))
    assert caught.value.message == "package `beta` was not found on `own`, the index that it is pinned to"
    assert caught.value.hint == "publish it there, or change the `packages` of `own`"


def test_other_packages_never_come_from_an_index_with_pins(
    bench: Workbench, served: ServedIndex, other: ServedIndex
) -> None:
    make_wheel(other.directory, "alpha", "9.0")
    lock = two_indexes(bench, served, other, "acme-*").resolve(requiring("alpha"))
    assert pins(lock) == ["alpha 1.1", "beta 2.0"]
    assert other.requests == []


def test_an_override_does_not_bypass_the_rules(bench: Workbench, served: ServedIndex, other: ServedIndex) -> None:
    environment = requiring("alpha", overrides=("beta>=1",))
    before = bench.resolve(requiring("alpha", "beta==1.0"))
    pinned = two_indexes(bench, served, other, "beta")
    with pytest.raises(PackageNotFoundError, match="`beta` was not found on `own`"):
        pinned.resolve(environment, previous=before)


def test_an_environment_uses_the_indexes_that_it_names(
    bench: Workbench, served: ServedIndex, other: ServedIndex
) -> None:
    make_wheel(other.directory, "beta", "0.1+cpu")
    make_wheel(other.directory, "alpha", "0.9")
    both = two_indexes(bench, served, other, "beta")
    found = {
        chosen: pins(both.resolve(requiring("beta", indexes=chosen))) for chosen in ((), ("public",), ("public", "own"))
    }
    assert found == {(): ["beta 0.1+cpu"], ("public",): ["beta 2.0"], ("public", "own"): ["beta 0.1+cpu"]}


def test_only_files_with_an_allowed_hash_are_locked(bench: Workbench, served: ServedIndex) -> None:
    wheel = served.directory / "both-1.0-py3-none-any.whl"
    line = RequirementLine(text="both==1.0", source="r.txt:1:1", hashes=(f"sha256:{sha256(wheel)}",))
    package = only(bench.resolve(requiring(requirements=(line,))))
    assert [each["hashes"]["sha256"] for each in package["wheels"]] == [sha256(wheel)]
    assert "sdist" not in package


def test_a_hash_that_no_file_has_is_an_error(bench: Workbench) -> None:
    line = RequirementLine(text="Both==1.0", source="r.txt:1:1", hashes=("sha256:" + "0" * 64,))
    with pytest.raises(LockError, match=r"no file of `both` 1\.0 has a hash that the requirements file allows"):
        bench.resolve(requiring(requirements=(line,)))


def test_the_hash_of_a_local_archive_is_checked(bench: Workbench) -> None:
    archive = make_wheel(bench.directory / "w", "gamma", "1.0")
    good = local(archive, hashes=(f"sha256:{sha256(archive)}",))
    assert only(bench.resolve(requiring(requirements=(good,))))["archive"]["hashes"] == {"sha256": sha256(archive)}
    with pytest.raises(LockError, match="gamma"):
        bench.resolve(requiring(requirements=(replace(good, hashes=("sha256:" + "0" * 64,)),)))


def test_keys_are_in_the_order_of_the_specification(bench: Workbench) -> None:
    package = only(bench.resolve(requiring("both ; sys_platform == 'linux'")))
    assert list(package) == ["name", "version", "marker", "index", "sdist", "wheels"]
