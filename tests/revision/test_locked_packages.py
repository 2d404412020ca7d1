"""The packages of a lock at a revision, for all hosts at once: of every kind of source, and of several versions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.canonical_json import digest
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import Lock, LockedPackage, SourceDirectory, UniversalSource
from reconciler.manifest.desired import DesiredEnvironment, LocalProject
from reconciler.manifest.input_files import InputFiles
from reconciler.revision.locked_packages import Sources, universal_packages
from reconciler.revision.tracked_files import TrackedFiles
from tests.lock.workbench import local_project

LOCKS = Path("/srv/acme/locks")
HASH, OTHER = "0" * 64, "1" * 64
WEB = DesiredEnvironment(name="web", python="3.12")
TRACKED: TrackedFiles = {"pyproject.toml": (0o100644, "aaa"), "lib.py": (0o100644, "bbb")}


def locked(*packages: str) -> Lock:
    head = 'lock-version = "1.0"\ncreated-by = "a test"\n'
    text = head + "".join(f"[[packages]]\n{each}\n" for each in packages)
    return parse_lock(text, LOCKS / "pylock.web.toml", "web")


def found(lock: Lock, environment: DesiredEnvironment = WEB, tracked: TrackedFiles = TRACKED) -> list[LockedPackage]:
    """Return the packages; only the directory of `lib` is listed, at most once, and it has these tracked files."""
    listed: list[Path] = []

    def below(directory: Path) -> TrackedFiles:
        listed.append(directory)
        return tracked

    packages = list(universal_packages(lock, environment, Sources(files=InputFiles(), tracked=below)))
    assert listed in ([], [Path("/srv/acme/lib")])
    return packages


def wheel(name: str, version: str, host: str = "files.example", sha256: str = HASH) -> str:
    file = f"{name}-{version}-py3-none-any.whl"
    return f'{{name = "{file}", url = "https://{host}/{file}", hashes = {{sha512 = "{sha256}", sha256 = "{sha256}"}}}}'


def facts(**more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "marker": None,
        "index": None,
        "vcs": None,
        "archive": None,
        "directory": None,
        "files": [],
    }
    return {**nothing, "version": "1.0", **more}


def universal(
    decides: list[dict[str, Any]], hosts: tuple[str, ...], files: tuple[tuple[str, str], ...]
) -> UniversalSource:
    sha256 = digest(sorted(decides, key=digest))
    return UniversalSource(location="", sha256=sha256, subdirectory="", hosts=hosts, files=files, publishers=())


SDIST = f'{{url = "https://sdists.example/six-1.0.tar.gz", hashes = {{sha256 = "{OTHER}"}}}}'
INDEX = 'index = "https://index.example/simple"'
WHEEL = "six-1.0-py3-none-any.whl"
COMMIT = "c" * 40
# The lines of a package, and what decides which bytes a host installs, with hosts and files.
SOURCES: dict[str, tuple[str, dict[str, Any], tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "an index": (
        f'version = "1.0"\n{INDEX}\nmarker = "os_name == \'nt\'"\nwheels = [{wheel("six", "1.0")}]\nsdist = {SDIST}',
        facts(
            marker='os_name == "nt"',
            index="https://index.example/simple",
            files=[f"{WHEEL} sha256={HASH} sha512={HASH}", f"six-1.0.tar.gz sha256={OTHER}"],
        ),
        ("https://files.example", "https://index.example", "https://sdists.example"),
        ((WHEEL, f"sha256={HASH} sha512={HASH}"), ("six-1.0.tar.gz", f"sha256={OTHER}")),
    ),
    "a source distribution only": (
        f'version = "1.0"\nsdist = {SDIST}',
        facts(files=[f"six-1.0.tar.gz sha256={OTHER}"]),
        ("https://sdists.example",),
        (("six-1.0.tar.gz", f"sha256={OTHER}"),),
    ),
    "an archive": (
        f'archive = {{url = "https://a.example/six.zip", subdirectory = "py", hashes = {{sha256 = "{HASH}"}}}}',
        facts(version=None, archive=["https://a.example/six.zip", {"sha256": HASH}, "py"]),
        ("https://a.example",),
        (("https://a.example/six.zip", f"sha256={HASH}"),),
    ),
    "a local archive": (
        f'archive = {{path = "../six.zip", hashes = {{sha512 = "{OTHER}", sha256 = "{HASH}"}}}}',
        facts(version=None, archive=["../six.zip", {"sha256": HASH, "sha512": OTHER}, None]),
        ("file:",),
        (("../six.zip", f"sha256={HASH} sha512={OTHER}"),),
    ),
    "a repository": (
        f'vcs = {{type = "git", url = "https://g.example/six", commit-id = "{COMMIT}", subdirectory = "py"}}',
        facts(version=None, vcs=["git", "https://g.example/six", COMMIT, "py"]),
        ("https://g.example",),
        (),
    ),
    "a local repository": (
        f'vcs = {{type = "git", path = "../six", commit-id = "{COMMIT}"}}',
        facts(version=None, vcs=["git", "../six", COMMIT, None]),
        ("file:",),
        (),
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_package_has_everything_that_decides_what_a_host_installs(kind: str) -> None:
    lines, decides, hosts, files = SOURCES[kind]
    source = universal([decides], hosts, files)
    assert found(locked(f'name = "six"\n{lines}')) == [
        LockedPackage(name="six", version=decides["version"], source=source)
    ]


def test_several_entries_of_a_name_are_one_package_whatever_their_order() -> None:
    newer = f'name = "six"\nversion = "10.0"\nwheels = [{wheel("six", "10.0", "b.example", OTHER)}]'
    older = f'name = "six"\nversion = "9.0"\nwheels = [{wheel("six", "9.0", "a.example")}]'
    directory = 'name = "six"\nmarker = "os_name == \'nt\'"\ndirectory = {path = "../lib", editable = true}'
    first = f'name = "alpha"\nversion = "1.0"\nwheels = [{wheel("alpha", "1.0")}]'
    packages = found(locked(newer, older, directory, first))
    assert packages == found(locked(first, directory, older, newer))
    decides = [
        facts(version="10.0", files=[f"six-10.0-py3-none-any.whl sha256={OTHER} sha512={OTHER}"]),
        facts(version="9.0", files=[f"six-9.0-py3-none-any.whl sha256={HASH} sha512={HASH}"]),
        facts(version=None, marker='os_name == "nt"', directory=["../lib", True]),
    ]
    source = universal(
        decides,
        ("https://a.example", "https://b.example"),
        (
            ("six-10.0-py3-none-any.whl", f"sha256={OTHER} sha512={OTHER}"),
            ("six-9.0-py3-none-any.whl", f"sha256={HASH} sha512={HASH}"),
        ),
    )
    assert packages[1:] == [LockedPackage(name="six", version="9.0 | 10.0", source=source)]
    assert [each.name for each in packages] == ["alpha", "six"]


def test_publishers_are_those_of_all_entries() -> None:
    def entry(version: str, *publishers: str) -> str:
        listed = ", ".join(f'{{kind = "GitHub", repository = "{each}"}}' for each in publishers)
        wheels = wheel("six", version)
        return f'name = "six"\nversion = "{version}"\nattestation-identities = [{listed}]\nwheels = [{wheels}]'

    [package] = found(locked(entry("1.0", "b/six", "a/six"), entry("2.0", "b/six")))
    assert isinstance(package.source, UniversalSource)
    assert package.source.publishers == (
        '{"kind":"GitHub","repository":"a/six"}',
        '{"kind":"GitHub","repository":"b/six"}',
    )


LIB = local_project(Path("/srv/acme/lib"), version="2.0", editable=True, metadata_digest="sha256:metadata")
ALL = digest(dict(TRACKED))
METADATA = digest({"pyproject.toml": TRACKED["pyproject.toml"]})


@pytest.mark.parametrize(
    ("own", "editable", "version", "shown", "content"),
    [
        (None, False, None, None, ALL),
        (None, True, None, None, METADATA),
        (None, True, "1.0", "1.0", METADATA),
        (LIB, True, None, "2.0", "sha256:metadata"),
        (LIB, True, "1.0", "1.0", "sha256:metadata"),
        (replace(LIB, version=None), True, None, None, "sha256:metadata"),
        (replace(LIB, static=False), True, None, "2.0", ALL),
        (replace(LIB, editable=False), False, None, "2.0", ALL),
        (replace(LIB, path=Path("/srv/acme/other")), True, None, None, METADATA),
    ],
)
def test_a_directory_has_the_files_that_it_is_installed_from(
    own: LocalProject | None, editable: bool, version: str | None, shown: str | None, content: str
) -> None:
    lines = f'version = "{version}"\n' if version else ""
    lines += 'directory = {path = "../lib"' + (", editable = true}" if editable else "}")
    assert found(locked(f'name = "lib"\n{lines}'), replace(WEB, project=own)) == [
        LockedPackage(
            name="lib", version=shown, source=SourceDirectory(path="../lib", editable=editable, content=content)
        )
    ]


def test_locks_in_a_directory_are_not_files_that_it_is_installed_from() -> None:
    lock = parse_lock(
        'lock-version = "1.0"\ncreated-by = "a test"\n[[packages]]\nname = "lib"\ndirectory = {path = "."}\n',
        Path("/srv/acme/lib/pylock.web.toml"),
        "web",
    )
    assert found(lock, tracked={**TRACKED, "pylock.web.toml": (0o100644, "ccc")}) == [
        LockedPackage(name="lib", version=None, source=SourceDirectory(path=".", editable=False, content=ALL))
    ]
