"""The lock of another tool is compared with the manifest when an environment's lock is made from it."""

import re
from pathlib import Path

import pytest

from reconciler.errors import RefusedLockError
from tests.index import ServedIndex
from tests.lock.test_foreign_lock import POETRY, environment, poetry
from tests.lock.workbench import Workbench

SHA256, COMMIT = "a" * 64, "c" * 40
PYLOCK = """\
lock-version = "1.0"
created-by = "someone"
[[packages]]
name = "alpha"
version = "1.0"
{source}
"""
PDM = """\
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.1"
[[package]]
name = "alpha"
version = "1.0"
groups = ["default"]
{source}
"""
UV = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "alpha" }}]

[package.metadata]
requires-dist = [{{ name = "alpha" }}]

[[package]]
name = "alpha"
version = "1.0"
{source}
"""
EVIL, WHEEL = "https://evil.example", "alpha-1.0-py3-none-any.whl"
HASHES = f'hashes = {{sha256 = "{SHA256}"}}'


def refused(bench: Workbench, file: str, text: str, *says: str) -> str:
    """Return the message about a lock of another tool, which has a place in it, and a hint that names both tools."""
    with pytest.raises(RefusedLockError) as caught:
        bench.resolve(environment(bench, file, text))
    message = caught.value.message
    assert (caught.value.hint or "").startswith(f"make `{file}` again with its tool, then run `envsync lock web`")
    assert re.match(rf"{re.escape(file)}:[0-9]+:[0-9]+: ", message), message
    assert all(each in message for each in says), message
    assert "hunter2" not in message
    return message


@pytest.mark.parametrize(
    ("source", "at", "says"),
    [
        (f'index = "{EVIL}/simple"\nwheels = [{{url = "{EVIL}/{WHEEL}", {HASHES}}}]', "6:10", "is not an index of"),
        (f'wheels = [{{url = "{EVIL}/{WHEEL}", {HASHES}}}]', "6:19", f"is on `{EVIL}`, but index `local` is at `http://"),
        (f'wheels = [{{url = "file:///srv/{WHEEL}", {HASHES}}}]', "6:19", f"is at `file:///srv/{WHEEL}`, but index"),
        (f'wheels = [{{path = "/srv/{WHEEL}", {HASHES}}}]', "6:20", f"has the path `/srv/{WHEEL}`, but index"),
        (f'archive = {{url = "{EVIL}/a.zip", {HASHES}}}', "6:19", f"comes from `{EVIL}/a.zip`, but nothing declares"),
        (f'vcs = {{type = "git", url = "{EVIL}/a", commit-id = "{COMMIT}"}}', "6:29", "but nothing declares that"),
        ('directory = {path = "/srv/alpha"}', "6:22", "comes from `/srv/alpha`, but nothing declares that"),
        (f'wheels = [{{url = "https://u:hunter2@evil.example/{WHEEL}", {HASHES}}}]', "6:19", "contains credentials"),
        (f'wheels = [{{url = "{EVIL}/{WHEEL}", hashes = {{md5 = "0"}}}}]', "6:79", "a hash of type `md5`"),
    ],
)  # fmt: skip
def test_a_pylock_is_refused_at_its_place(bench: Workbench, source: str, at: str, says: str) -> None:
    assert refused(bench, "pylock.toml", PYLOCK.format(source=source), says).startswith(f"pylock.toml:{at}: ")


def test_a_pylock_without_indexes_is_accepted(bench: Workbench, served: ServedIndex) -> None:
    """pip writes no `index`: then the file must be on a host of an index that may serve the package."""
    source = f'wheels = [{{url = "{served.file_url(WHEEL)}", {HASHES}}}]'
    lock = bench.resolve(environment(bench, "pylock.toml", PYLOCK.format(source=source)))
    assert lock.document["packages"][0]["index"].rstrip("/") == served.url.rstrip("/")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (f'type = "git"\nurl = "{EVIL}/alpha"\nresolved_reference = "{COMMIT}"', "nothing declares that"),
        (f'type = "git"\nurl = "{EVIL}/alpha"\nresolved_reference = "main"', "only a full hash names one commit"),
        ('type = "git"\nurl = "https://u:hunter2@evil.example/a"\nresolved_reference = "main"', "credentials"),
        (f'type = "url"\nurl = "{EVIL}/alpha-1.0.zip"', "`sha256` that is not 64 hexadecimal digits"),
        ('type = "directory"\nurl = "/srv/alpha"', "nothing declares that"),
    ],
)
def test_a_poetry_lock_is_refused_at_its_place(bench: Workbench, served: ServedIndex, source: str, says: str) -> None:
    package = poetry(served, "alpha", "1.0").replace("sha256:", "md5:") + f"[package.source]\n{source}\n"
    refused(bench, "poetry.lock", POETRY.format(packages=poetry(served, "both", "1.0") + package), says)


@pytest.mark.parametrize(
    "source",
    [
        f'git = "{EVIL}/alpha"\nrevision = "{COMMIT}"',
        f'url = "{EVIL}/alpha.zip"\nfiles = [{{file = "alpha.zip", hash = "sha256:{SHA256}"}}]',
        'path = "/srv/alpha"',
    ],
)
def test_a_pdm_lock_is_refused_at_its_place(bench: Workbench, source: str) -> None:
    refused(bench, "pdm.lock", PDM.format(source=source), "but nothing declares that")


def test_the_project_of_a_lock_declares_its_repositories(bench: Workbench) -> None:
    requirement = f"alpha @ git+{EVIL}/alpha.git@main"
    (bench.directory / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = ["{requirement}"]\n', encoding="utf-8"
    )
    text = PDM.format(source=f'git = "{EVIL}/alpha"\nrevision = "{COMMIT}"')
    lock = bench.resolve(environment(bench, "pdm.lock", text))
    assert lock.document["packages"][0]["vcs"]["url"] == f"{EVIL}/alpha"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (f'source = {{ registry = "{EVIL}/simple" }}\nwheels = [{{ url = "{EVIL}/{WHEEL}", HASH }}]', "not an index"),
        (f'source = {{ registry = "INDEX" }}\nwheels = [{{ url = "{EVIL}/{WHEEL}", HASH }}]', f"is on `{EVIL}`"),
        (f'source = {{ git = "{EVIL}/alpha?rev=main#{COMMIT}" }}', "nothing declares that"),
        (f'source = {{ url = "{EVIL}/{WHEEL}" }}\nwheels = [{{ url = "{EVIL}/{WHEEL}", HASH }}]', "nothing declares"),
    ],
)  # fmt: skip
def test_a_uv_lock_is_refused_at_its_place(bench: Workbench, served: ServedIndex, source: str, says: str) -> None:
    (bench.directory / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\ndependencies = ["alpha"]\n', encoding="utf-8"
    )
    text = source.replace("INDEX", served.url).replace("HASH", f'hash = "sha256:{SHA256}"')
    refused(bench, "uv.lock", UV.format(source=text), says)


def test_paths_inside_the_repository_are_accepted(bench: Workbench, tmp_path: Path) -> None:
    (bench.directory / "libs" / "alpha").mkdir(parents=True)
    lock = bench.resolve(environment(bench, "pylock.toml", PYLOCK.format(source='directory = {path = "libs/alpha"}')))
    assert lock.document["packages"][0]["directory"]["path"] == "../libs/alpha"
    (tmp_path / "outside").mkdir()
    (bench.directory / "link").symlink_to(tmp_path / "outside")
    refused(bench, "pylock.toml", PYLOCK.format(source='directory = {path = "link"}'), "nothing declares that")
