"""A damaged package cache is repaired by one apply, whatever the source of a package and whatever is damaged."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.every_case import EVERY_CASE
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


def each(pattern: str, damage: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return a damage to every regular file that matches."""

    def of(cache: Path) -> None:
        found = [path for path in cache.glob(pattern) if path.is_file() and not path.is_symlink()]
        assert found, f"nothing matches {pattern}"
        for path in found:
            damage(path)

    return of


def remove(pattern: str) -> Callable[[Path], None]:
    """Return the removal of every file, link and directory that matches."""

    def of(cache: Path) -> None:
        found = list(cache.glob(pattern))
        assert found, f"nothing matches {pattern}"
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    return of


def all_of(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    def of(cache: Path) -> None:
        for damage in damages:
            damage(cache)

    return of


def truncate(file: Path) -> None:
    os.truncate(file, 0)


def scribble(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(JUNK)


def append(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(JUNK)


def become_a_file(cache: Path) -> None:
    for path in list(cache.glob("archive-v*/*")):
        shutil.rmtree(path)
        path.write_text("not a directory")


UNPACKED = "archive-v*/*"
# uv then builds again, from what it has unpacked or checked out.
BUILT_IS_MISSING = all_of(remove("sdists-v*/**/*.whl"), remove(UNPACKED))
DAMAGES: dict[str, Callable[[Path], None]] = {
    "modules edited in place": each(f"{UNPACKED}/**/*.p*[yh]", append),
    "modules truncated": each(f"{UNPACKED}/**/*.p*[yh]", truncate),
    "modules missing": remove(f"{UNPACKED}/**/*.p*[yh]"),
    "unpacked wheels missing": remove(UNPACKED),
    "unpacked wheels empty": remove(f"{UNPACKED}/*"),
    "unpacked wheels are files": become_a_file,
    "RECORD missing": remove(f"{UNPACKED}/*.dist-info/RECORD"),
    "RECORD is junk": each(f"{UNPACKED}/*.dist-info/RECORD", scribble),
    "METADATA truncated": each(f"{UNPACKED}/*.dist-info/METADATA", truncate),
    "WHEEL truncated": each(f"{UNPACKED}/*.dist-info/WHEEL", truncate),
    "metadata directories missing": remove(f"{UNPACKED}/*.dist-info"),
    "pointers are junk": all_of(each("**/*.http", scribble), each("**/*.rev", scribble)),
    "pointers truncated": all_of(each("**/*.http", truncate), each("**/*.rev", truncate)),
    "cached metadata is junk": each("*[!r]-v*/**/*.msgpack", scribble),
    "interpreters are junk": each("interpreter-v*/**/*.msgpack", scribble),
    "built wheels truncated": all_of(each("sdists-v*/**/*.whl", truncate), remove(UNPACKED)),
    "sources truncated": all_of(each("sdists-v*/**/src/**/*.py", truncate), BUILT_IS_MISSING),
    "sources are junk": all_of(each("sdists-v*/**/src/**/*.toml", scribble), BUILT_IS_MISSING),
    "sources missing": all_of(remove("sdists-v*/**/src/*"), BUILT_IS_MISSING),
    "git checkout truncated": all_of(each("git-v*/checkouts/**/*.py", truncate), BUILT_IS_MISSING),
    "git checkout is junk": all_of(each("git-v*/checkouts/**/*.toml", scribble), BUILT_IS_MISSING),
    "git checkout missing": all_of(remove("git-v*/checkouts/*/*"), BUILT_IS_MISSING),
    "git database is junk": all_of(each("git-v*/db/**/*", scribble), remove("git-v*/checkouts/*/*"), BUILT_IS_MISSING),
}
EVERYTHING = all_of(
    DAMAGES["sources truncated"], each("git-v*/checkouts/**/*.py", truncate), DAMAGES["pointers are junk"]
)
ROUNDS = (
    DAMAGES if EVERY_CASE else {"modules edited in place": DAMAGES["modules edited in place"], "everything": EVERYTHING}
)


@pytest.mark.timeout(3600 if EVERY_CASE else 300)
def test_one_apply_repairs_the_cache_for_every_kind_of_source(host: Host, tmp_path: Path) -> None:
    write_sources(host)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    before = {kind: module(host, kind).read_bytes() for kind in KINDS}
    cache, sound = host.root / ".envsync/cache/uv", tmp_path / "sound"
    for name, damage in ROUNDS.items():
        if "edited in place" not in name:  # the environments share the files that are edited
            if sound.exists():
                shutil.rmtree(cache)
                shutil.copytree(sound, cache, symlinks=True)
            else:
                shutil.copytree(cache, sound, symlinks=True)
        damage(cache)
        rebuild(host)
        ran = host.envsync("apply", "--yes")
        assert ran.code == 0, f"{name}: {ran.out}{ran.err}"
        assert {kind: module(host, kind).read_bytes() for kind in KINDS} == before, name
        assert host.envsync("verify").code == 0, name
        print(name, "is repaired")  # `pytest -s` shows the progress of a long run
