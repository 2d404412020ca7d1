"""A damaged package cache is repaired by one apply, whatever the source of a package and whatever is damaged."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.functional.projects import write_project
from tests.functional.test_local_projects_are_installed_from_their_sources import git
from tests.host import Host
from tests.wheels import make_sdist, make_wheel

KINDS = (
    "index-wheel",
    "index-sdist",
    "file-index-wheel",
    "file-index-sdist",
    "url-wheel",
    "url-sdist",
    "file-wheel",
    "file-sdist",
    "directory",
    "editable",
    "git",
)
JUNK = b"\x00damaged by a test\xff" * 3


def write_sources(host: Host) -> None:
    """Write a package of each kind, named after it, and a manifest with an environment for each."""
    elsewhere, files = host.directory / "elsewhere", host.directory / "files"
    lines: dict[str, str] = {}
    for kind in KINDS:
        packages = f"[{kind}]"
        match kind.rpartition("-"):
            case (("index" | "file-index") as place, _, form):
                (make_wheel if form == "wheel" else make_sdist)(
                    host.index.directory if place == "index" else elsewhere, kind, "1.0"
                )
            case (("url" | "file") as place, _, form):
                made = (make_wheel if form == "wheel" else make_sdist)(
                    host.index.directory if place == "url" else files, kind, "1.0"
                )
                packages = f'["{kind} @ {host.index.file_url(made.name) if place == "url" else made.as_uri()}"]'
            case (_, _, "git"):
                repository = host.directory / "repository"
                write_project(repository, kind)
                git(repository, "init", "-q")
                git(repository, "add", ".")
                git(repository, "commit", "-qm", "one")
                packages = f'["git @ git+file://{repository}"]'
            case _:
                write_project(host.directory / kind, kind)
        lines[kind] = f"packages: {packages}"
        if kind in {"directory", "editable"}:
            lines[kind] = f"project: {{path: {kind}, editable: {str(kind == 'editable').lower()}}}"
    write_file_index(host.directory / "simple", elsewhere)
    named = ", ".join(kind for kind in KINDS if kind.startswith("file-index"))
    head = (
        f"indexes:\n  - name: local\n    url: {host.index.url}\n"
        f"  - name: disk\n    url: {(host.directory / 'simple').as_uri()}/\n    packages: [{named}]\n"
    )
    entries = "".join(
        f'{kind}:\n  python: "3.11"\n  {line}\n  link_mode: hardlink\n  system_site_packages: BOTH\n'
        for kind, line in lines.items()
    )
    host.manifest(entries, head=head, local_index=False)
    rebuild(host)


def write_file_index(simple: Path, files: Path) -> None:
    """Write the pages of an index (PEP 503) that is read from the disk."""
    for file in sorted(files.iterdir()):
        page = simple / file.name.partition("-1.0")[0].replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        page.write_text(f'<a href="{file.as_uri()}#sha256={digest}">{file.name}</a>')


def rebuild(host: Host) -> None:
    """Change the manifest so that every environment is built again, from the same packages."""
    file = host.directory / "envs.yaml"
    text = file.read_text()
    before = next(each for each in ("BOTH", "true", "false") if f"system_site_packages: {each}" in text)
    after = "true" if before == "false" else "false"
    file.write_text(text.replace(f"system_site_packages: {before}", f"system_site_packages: {after}"))


def module(host: Host, kind: str) -> Path:
    """Return a file that the package installs."""
    site = host.site_packages(kind)
    name = kind.replace("-", "_")
    return next(
        each for each in (site / name / "__init__.py", site / f"{name}.py", site / f"_{name}.pth") if each.exists()
    )


def damaged(files: Iterable[Path], damage: Callable[[Path], None]) -> None:
    found = [each for each in files if each.is_file() and not each.is_symlink()]
    assert found, "nothing to damage"
    for each in found:
        damage(each)


def truncate(file: Path) -> None:
    os.truncate(file, 0)


def scribble(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(JUNK)


def append(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(JUNK)


def remove(pattern: str) -> Callable[[Path], None]:
    def of(cache: Path) -> None:
        found = list(cache.glob(pattern))
        assert found, pattern
        for each in found:
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink(missing_ok=True)

    return of


def each(pattern: str, damage: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda cache: damaged(cache.glob(pattern), damage)


ARCHIVES = "archive-v*/*"
DAMAGES: dict[str, Callable[[Path], None]] = {
    "modules edited in place": each(f"{ARCHIVES}/**/*.py", append),
    "modules truncated": each(f"{ARCHIVES}/**/*.p*[yh]", truncate),
    "modules missing": remove(f"{ARCHIVES}/**/*.p*[yh]"),
    "unpacked wheels missing": remove(ARCHIVES),
    "unpacked wheels empty": remove(f"{ARCHIVES}/*"),
    "RECORD missing": remove(f"{ARCHIVES}/*.dist-info/RECORD"),
    "RECORD truncated": each(f"{ARCHIVES}/*.dist-info/RECORD", truncate),
    "RECORD is junk": each(f"{ARCHIVES}/*.dist-info/RECORD", scribble),
    "METADATA truncated": each(f"{ARCHIVES}/*.dist-info/METADATA", truncate),
    "WHEEL truncated": each(f"{ARCHIVES}/*.dist-info/WHEEL", truncate),
    "dist-info missing": remove(f"{ARCHIVES}/*.dist-info"),
    "pointers are junk": each("**/*.http", scribble),
    "revisions are junk": each("**/*.rev", scribble),
    "revisions truncated": each("**/*.rev", truncate),
    "metadata is junk": each("**/*.msgpack", scribble),
    "metadata truncated": each("**/*.msgpack", truncate),
    "index pages are junk": each("simple-v*/**/*.rkyv", scribble),
    "index pages truncated": each("simple-v*/**/*.rkyv", truncate),
    "unpacked sources truncated": each("sdists-v*/**/src/**/*.py", truncate),
    "unpacked sources missing": remove("sdists-v*/**/src"),
    "git database is junk": each("git-v*/db/**/*", scribble),
    "git objects missing": remove("git-v*/db/*/objects"),
    "git checkout edited": each("git-v*/checkouts/**/*.py", truncate),
    "git checkout missing": remove("git-v*/checkouts/*/*"),
    "interpreters are junk": each("interpreter-v*/**/*.msgpack", scribble),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_x(damage: str, host: Host) -> None:
    write_sources(host)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    before = {kind: module(host, kind).read_bytes() for kind in KINDS}
    cache = host.root / ".envsync/cache/uv"
    DAMAGES[damage](cache)
    rebuild(host)
    ran = host.envsync("apply", "--yes")
    print(ran.out, ran.err)
    assert ran.code == 0, ran.out + ran.err
    assert {kind: module(host, kind).read_bytes() for kind in KINDS} == before
    assert host.envsync("verify").code == 0
