"""A committed lock is compared with the manifest when it is read: what is refused, where, and what is accepted."""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diff.faults import lock_fault
from reconciler.diff.model import ReasonCode
from reconciler.errors import LockError, RefusedLockError
from reconciler.lock.freshness import present_inputs
from reconciler.lock.lock_file import lock_path, parse_lock
from reconciler.lock.model import LockState
from reconciler.lock.refused_lock import require_allowed
from reconciler.lock.renamed_lock import read_present_lock
from reconciler.lock.update import read_locks
from reconciler.manifest import index_hosts
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest

CASES = Path(__file__).parents[1] / "cases/locks"
REFUSED = yaml.safe_load((CASES / "refused.yaml").read_text(encoding="utf-8"))

MANIFEST = (CASES / "envs.yaml").read_text(encoding="utf-8")
LOCK = (CASES / "pylock.web.toml").read_text(encoding="utf-8")


def project(directory: Path, *, manifest: str = MANIFEST, lock: str = LOCK) -> tuple[DesiredEnvironment, DesiredState]:
    """Write a project with a lock that is up to date, and return its environment `web`."""
    (directory / "local").mkdir(parents=True, exist_ok=True)
    (directory / "local/pyproject.toml").write_text('[project]\nname = "local"\nversion = "1.0"\n', encoding="utf-8")
    (directory / "requirements.txt").write_text(f"six==1.16.0 --hash=sha256:{'5' * 64}\n./local\n", encoding="utf-8")
    (directory / "envs.yaml").write_text(manifest, encoding="utf-8")
    desired = expand(load_manifest(directory / "envs.yaml"))
    [environment] = desired.environments
    path = lock_path(desired.locks, "web")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{lock}\n[tool.envsync]\ninputs = "{present_inputs(environment, desired)}"\n', encoding="utf-8")
    return environment, desired


def one_index(keys: str) -> str:
    """Return a manifest with one index."""
    environment = '  web: {python: ">=3.11", packages: [django]}'
    return f"version: 1\nproject: acme\nindexes: [{{name: own, {keys}}}]\nenvironments:\n{environment}\n"


def django(index: str, place: str) -> str:
    """Return a lock with one wheel; `place` is the begin of its URL or path, `index` may be empty."""
    named = f'index = "{index}"\n' if index else ""
    wheel = f'{{{place}/django-5.2-py3-none-any.whl", hashes = {{sha256 = "{"d" * 64}"}}}}'
    head = 'lock-version = "1.0"\ncreated-by = "envsync"\n[[packages]]\nname = "django"\nversion = "5.2"\n'
    return f"{head}{named}wheels = [{wheel}]\n"


def refusal(directory: Path, **texts: str) -> RefusedLockError:
    with pytest.raises(RefusedLockError) as refused:
        read_present_lock(*project(directory, **texts))
    return refused.value


def test_the_lock_of_the_cases_is_accepted(tmp_path: Path) -> None:
    _, state = read_present_lock(*project(tmp_path))
    assert state is LockState.FRESH


@pytest.mark.parametrize("case", REFUSED, ids=[each["about"] for each in REFUSED])
def test_a_lock_that_was_edited_is_refused_at_its_place(tmp_path: Path, case: Mapping[str, Any]) -> None:
    assert case["was"] in LOCK
    error = refusal(tmp_path, lock=LOCK.replace(case["was"], case["now"], 1))
    path = tmp_path / "locks/pylock.web.toml"
    assert error.code == "lock-refused"
    assert error.message == f"{path}:{case['at']}: {case['says']}"
    assert error.hint == case["hint"]
    fault = lock_fault(error, path)
    assert (fault.code, fault.hint) == (ReasonCode.LOCK_REFUSED, case["hint"])


def test_a_directory_out_of_the_repository_is_refused_whether_or_not_the_manifest_may_read_it(tmp_path: Path) -> None:
    lock = LOCK.replace('path = "../local"', 'path = "/srv/local"')
    with pytest.raises(LockError, match="the source of `local` is outside the manifest's directory"):
        read_present_lock(*project(tmp_path, lock=lock))
    error = refusal(tmp_path, manifest=f"{MANIFEST}allow_paths: [/srv/local]\n", lock=lock)
    assert "48:14: `local` comes from `/srv/local`, but nothing declares that for this package" in error.message
    assert error.hint == "run `envsync lock web`"


def test_a_file_without_a_hash_is_refused(tmp_path: Path) -> None:
    wheel = f'hashes = {{sha256 = "{"d" * 64}"}}'
    for lock in (LOCK.replace(f", {wheel}", ""), LOCK.replace(wheel, "hashes = {}")):
        with pytest.raises(LockError, match="hash"):  # `packaging` requires the key
            read_present_lock(*project(tmp_path, lock=lock))


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_a_refused_lock_that_was_replaced_since_it_was_read_has_no_place(tmp_path: Path, content: bytes) -> None:
    text = LOCK.replace("https://mirror.example/files", "https://evil.example")
    environment, desired = project(tmp_path, lock=text)
    path = lock_path(desired.locks, environment.name)
    lock = parse_lock(path.read_text(encoding="utf-8"), path, environment.name)
    path.write_bytes(content)
    with pytest.raises(RefusedLockError) as refused:
        require_allowed(lock, environment, desired)
    where = "on `https://evil.example`, but index `mirror` is at `https://mirror.example`"
    assert refused.value.message == f"{path}: the file of `django` is {where} (and 1 more refused)"


def test_what_else_is_refused_is_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, lock=LOCK.replace("https://mirror.example/files", "https://evil.example"))
    assert error.message.endswith("(and 1 more refused)")


def test_a_lock_that_is_out_of_date_is_made_again_and_not_refused(tmp_path: Path) -> None:
    environment, desired = project(tmp_path, lock=LOCK.replace("mirror.example/files", "evil.example"))
    changed = replace(environment, prerelease="allow")
    assert read_present_lock(changed, desired)[1] is LockState.STALE


def test_a_refused_lock_keeps_only_its_versions(tmp_path: Path) -> None:
    _, desired = project(tmp_path, lock=LOCK.replace("mirror.example/files", "evil.example"))
    [found] = read_locks(desired)
    assert found.refused
    assert found.failure is not None
    assert found.failure.code == "lock-refused"
    again = found.to_be_made_again()
    assert again.failure is None
    assert again.lock is not None
    assert again.lock.inputs is None, "of a lock that another tool made, only names and versions are preferred"


def test_the_default_index_and_the_host_of_its_files_need_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_hosts, "_DEFAULT_HOST", hashlib.sha256(b"default.example").hexdigest())
    monkeypatch.setattr(index_hosts, "_DEFAULT_FILE_HOST", hashlib.sha256(b"default-files.example").hexdigest())
    manifest = 'version: 1\nproject: acme\nenvironments:\n  web: {python: ">=3.11", packages: [django]}\n'
    honest = django("https://default.example/simple", 'url = "https://default-files.example')
    declared = manifest + 'indexes:\n  - {name: public, url: "https://default.example/simple"}\n'
    for text in (manifest, declared):
        assert read_present_lock(*project(tmp_path, manifest=text, lock=honest))[1] is LockState.FRESH
    no_index, no_files = "it uses the default index (PyPI)", "the default index (PyPI) has no files there"
    for was, now, message in (
        ("https://default.example", "https://evil.example", no_index),
        ("https://default.example", "http://default.example", no_index),
        ("https://default.example", "https://default.example:8443", no_index),
        ("https://default-files.example", "https://evil.example", no_files),
        ("https://default-files.example", "http://default-files.example", no_files),
        ("https://default-files.example", "file:///srv", no_files),
    ):
        assert message in refusal(tmp_path, manifest=manifest, lock=honest.replace(was, now)).message


def test_the_default_hosts_are_those_that_pip_knows() -> None:
    ensurepip = pytest.importorskip("ensurepip")
    [wheel] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl") or [None]
    if wheel is None:
        pytest.skip("this Python has no bundled pip")
    namespace: dict[str, Any] = {}
    exec(zipfile.ZipFile(wheel).read("pip/_internal/models/index.py"), namespace)  # noqa: S102 - of the Python itself
    known = namespace["PyPI"]
    assert index_hosts.is_default_index(f"https://{known.netloc}/simple")
    assert hashlib.sha256(known.file_storage_domain.encode()).hexdigest() == index_hosts._DEFAULT_FILE_HOST
    assert not index_hosts.is_default_index(f"https://{known.netloc}.evil.example/simple")


def test_files_of_a_directory_are_in_it_or_next_to_it(tmp_path: Path) -> None:
    packages = tmp_path / "p/mirror/packages"
    packages.mkdir(parents=True)
    for url, index, place in (
        ("./mirror/simple", "", 'path = "../mirror/packages'),
        (f"{packages.parent.as_uri()}/simple", f"{packages.parent.as_uri()}/simple", f'url = "{packages.as_uri()}'),
    ):
        manifest = one_index(f'url: "{url}"')
        lock = django(index, place)
        assert read_present_lock(*project(tmp_path / "p", manifest=manifest, lock=lock))[1] is LockState.FRESH
        for other in ('path = "../../elsewhere', 'url = "file:///srv/elsewhere', 'url = "https://elsewhere.example'):
            assert "elsewhere" in refusal(tmp_path / "p", manifest=manifest, lock=lock.replace(place, other)).message


def test_an_index_without_encryption_may_serve_files_without_it(tmp_path: Path) -> None:
    own = "http://10.0.0.1:3141"
    manifest = one_index(f'url: "{own}/simple", file_hosts: [files.example]')
    for url in (own, "http://files.example", "https://files.example"):
        lock = django(f"{own}/simple", f'url = "{url}')
        assert read_present_lock(*project(tmp_path, manifest=manifest, lock=lock))[1] is LockState.FRESH, url
    for url in ("http://10.0.0.1", "http://10.0.0.3:3141", "http://167772161:3141"):  # the last one is 10.0.0.1
        assert url in refusal(tmp_path, manifest=manifest, lock=django(f"{own}/simple", f'url = "{url}')).message


def test_a_local_project_declares_what_its_build_files_name(tmp_path: Path) -> None:
    repository = f'{{type = "git", url = "https://git.example/deep", commit-id = "{"c" * 40}"}}'
    lock = f'{LOCK}\n[[packages]]\nname = "deep"\nversion = "1"\nvcs = {repository}\n'
    assert "`deep` comes from `https://git.example/deep`" in refusal(tmp_path, lock=lock).message
    head, dynamic = '[project]\nname = "local"\nversion = "1.0"\n', "[tool.setuptools.dynamic]\n"
    setup = "from setuptools import setup\n"
    read = f'{head}dynamic = ["dependencies"]\n{dynamic}dependencies = {{file = ["requirements.in"]}}\n'
    requirement = "deep[x] @ git+https://git.example/deep.git@main#subdirectory=a"
    for files in (
        {"pyproject.toml": f'{head}dependencies = ["{requirement}"]\n'},
        {
            "pyproject.toml": head,
            "setup.py": f'{setup}setup(install_requires=["{requirement}"])\n',
        },
        {"pyproject.toml": read, "requirements.in": "git+https://git.example/deep.git#egg=deep\n"},
    ):
        environment, desired = project(tmp_path, lock=lock)
        for name, text in files.items():
            (tmp_path / "local" / name).write_text(text, encoding="utf-8")
        inputs = f'[tool.envsync]\ninputs = "{present_inputs(environment, desired)}"\n'
        lock_path(desired.locks, "web").write_text(f"{lock}\n{inputs}", encoding="utf-8")
        assert read_present_lock(environment, desired)[1] is LockState.FRESH, files
        for name in files:
            (tmp_path / "local" / name).unlink()


def test_a_host_is_the_same_in_every_spelling(tmp_path: Path) -> None:
    manifest = one_index('url: "https://Bücher.example:443/simple", file_hosts: ["files.example:443"]')
    index = "https://Bücher.example/simple"
    for url in ("https://xn--bcher-kva.example", "https://XN--bcher-kva.example:443", "https://files.example"):
        lock = django(index, f'url = "{url}')
        assert read_present_lock(*project(tmp_path, manifest=manifest, lock=lock))[1] is LockState.FRESH, url
    for url in ("https://bucher.example", "https://bücher.example", "https://files.example:8443"):
        refusal(tmp_path, manifest=manifest, lock=django(index, f'url = "{url}'))
