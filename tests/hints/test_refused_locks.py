"""Hints about locks that the manifest does not allow."""

import hashlib
from pathlib import Path

from tests.hints.trials import Attempts, trial
from tests.host import Host
from tests.index import serve_index

BETA = "beta-2.0-py3-none-any.whl"
PROJECT = '[project]\nname = "app"\nversion = "1.0"\n'


def lock_of(host: Host) -> Path:
    return host.directory / "locks" / "pylock.web.toml"


def edit(host: Host, old: str, new: str) -> None:
    text = lock_of(host).read_text(encoding="utf-8")
    assert old in text
    lock_of(host).write_text(text.replace(old, new), encoding="utf-8")


def web(host: Host, packages: str = "[beta]", *, keys: str = "") -> None:
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: {packages}\n',
        head=f"indexes:\n  - {{name: local, url: '{host.index.url}'{keys}}}\n",
        local_index=False,
    )


@trial(
    "lock/refusals.py: run `envsync lock {name}`",
    "lock/refusals.py: run `envsync lock {name}`; if index `{index}` serves its files from `{place}`, first write `file_hosts: [{hosts}]` in that index",
    "lock/refusals.py: run `envsync lock {name}`; if {url} is the right index, first add it to `indexes`",
    "lock/refusals.py: run `envsync lock {name}`; if the URL is right, first add `{package} @ {url}` to `packages`",
)
def test_a_lock_that_was_edited(host: Host, attempts: Attempts) -> None:
    web(host)
    assert host.envsync("lock").code == 0
    honest = lock_of(host).read_text(encoding="utf-8")

    edit(host, "sha256", "md5")
    attempts.provoke("check")
    attempts.follow()
    attempts.gone("lock", "--check")
    assert lock_of(host).read_text(encoding="utf-8") == honest

    with serve_index(host.index.directory) as other:
        edit(host, f"{host.index.base}/files", f"{other.base}/files")
        attempts.provoke("plan")
        host.index.files_at = other.base
        web(host, keys=f", file_hosts: ['{other.base.partition('://')[2]}']")
        attempts.follow()
        attempts.gone("plan")
        host.apply()
        host.index.files_at = ""

        web(host)
        assert host.envsync("lock").code == 0
        edit(host, f'index = "{host.index.url.rstrip("/")}', f'index = "{other.url.rstrip("/")}')
        attempts.provoke("plan")
        web(host, keys=f"}}\n  - {{name: other, url: '{other.url}'")
        attempts.follow()
        attempts.gone("plan")

        web(host)
        assert host.envsync("lock").code == 0
        head = honest.partition("index = ")[0]
        tail = honest[honest.index("[tool.envsync]") :]
        sha256 = hashlib.sha256((host.index.directory / BETA).read_bytes()).hexdigest()
        archive = f'archive = {{ url = "{other.file_url(BETA)}", hashes = {{ sha256 = "{sha256}" }} }}\n\n'
        lock_of(host).write_text(head + archive + tail, encoding="utf-8")
        attempts.provoke("plan")
        web(host, f"['beta @ {other.file_url(BETA)}']")
        attempts.follow()
        attempts.gone("plan")
        host.apply()


@trial(
    "lock/refusals.py: make `{file}` again with its tool, then run `envsync lock {name}`",
    "lock/refusals.py: make `{file}` again with its tool, then run `envsync lock {name}`; if index `{index}` serves its files from `{place}`, first write `file_hosts: [{hosts}]` in that index",
    "lock/refusals.py: make `{file}` again with its tool, then run `envsync lock {name}`; if {url} is the right index, first add it to `indexes`",
    "lock/refusals.py: make `{file}` again with its tool, then run `envsync lock {name}`; if the URL is right, first write `{package} @ {url}` in the dependencies of the pyproject.toml next to `{file}`",
)
def test_the_lock_of_another_tool_that_was_edited(host: Host, attempts: Attempts) -> None:
    wheel = host.index.directory / BETA
    (host.directory / "pyproject.toml").write_text(PROJECT, encoding="utf-8")

    def write_lock(kind: str, url: str, index: str = "") -> None:
        file = f'{{url = "{url}", hashes = {{{kind} = "{hashlib.new(kind, wheel.read_bytes()).hexdigest()}"}}}}'
        source = f'index = "{index}"\nwheels = [{file}]' if index else f"archive = {file}"
        (host.directory / "pylock.toml").write_text(
            f'lock-version = "1.0"\ncreated-by = "someone"\n[[packages]]\nname = "beta"\nversion = "2.0"\n{source}\n',
            encoding="utf-8",
        )

    def from_lock(keys: str = "") -> None:
        index = f"indexes:\n  - {{name: local, url: '{host.index.url}'{keys}}}\n"
        host.manifest('web:\n  python: "3.11"\n  lock: {from: pylock.toml}\n', head=index, local_index=False)

    from_lock()
    write_lock("sha256", host.index.file_url(BETA))
    attempts.provoke("plan", of="lock/refusals.py: make `{}` again with its tool, then run `envsync lock {}`; if the")
    declared = f'{PROJECT}dependencies = ["beta @ {host.index.file_url(BETA)}"]\n'
    (host.directory / "pyproject.toml").write_text(declared, encoding="utf-8")
    attempts.follow()
    attempts.gone("plan")

    write_lock("md5", host.index.file_url(BETA))
    attempts.provoke("plan")
    write_lock("sha256", host.index.file_url(BETA))
    attempts.follow()
    attempts.gone("plan")

    with serve_index(host.index.directory) as other:
        write_lock("sha256", other.file_url(BETA), host.index.url)
        attempts.provoke("plan")
        from_lock(f", file_hosts: ['{other.base.partition('://')[2]}']")
        attempts.follow()
        attempts.gone("plan")

        from_lock()
        write_lock("sha256", other.file_url(BETA), other.url)
        attempts.provoke("plan")
        from_lock(f"}}\n  - {{name: other, url: '{other.url}'")
        attempts.follow()
        attempts.gone("plan")
        host.apply()


@trial("lock/lock_file.py: run `envsync lock {environment}`")
def test_a_lock_that_names_a_directory_outside(host: Host, attempts: Attempts) -> None:
    web(host)
    assert host.envsync("lock").code == 0
    honest = lock_of(host).read_text(encoding="utf-8")
    lock_of(host).write_text(f'{honest}[[packages]]\nname = "x"\ndirectory = {{path = "../../x"}}\n', encoding="utf-8")
    attempts.provoke("plan")
    attempts.follow()
    attempts.gone("lock", "--check")
    assert lock_of(host).read_text(encoding="utf-8") == honest
