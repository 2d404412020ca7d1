"""A credential reaches only the index that it is for: no output, no file and no cache contains it."""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.host import Host, base_environment, new_host
from tests.index import serve_index
from tests.index_faults import Fault
from tests.wheels import make_sdist

TOKEN = "tok-5ecret-b0wl"  # noqa: S105  # not a real one; the tests search for it
USER = "reader"
BACKEND = """\
import os, sys
for name, value in os.environ.items():
    print(name, value, file=sys.stderr)
with open(os.path.expanduser("~/seen-by-the-build"), "a") as seen:
    seen.write(repr(dict(os.environ)))
try:
    print(open(os.path.expanduser("~/.netrc")).read(), file=sys.stderr)
except OSError:
    pass
raise SystemExit("end of the output")
"""
PROJECT = """\
[project]
name = "talkative"
version = "1.0"
dependencies = []

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
MANIFEST = """
web:
  python: "3.11"
  packages: [alpha==1.0]
  probes: [{import: alpha}]
"""
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("validate", "-vv"),
    ("lock", "-vv"),
    ("plan", "-vv"),
    ("plan", "--output", "json"),
    ("apply", "--yes", "-vv"),
    ("apply", "--yes", "--output", "json"),
    ("check", "-vv"),
    ("check", "--output", "json"),
    ("status", "--output", "json"),
    ("freeze", "web"),
    ("observe",),
    ("history",),
    ("history", "--output", "json"),
    ("history", "web", "--generations", "--output", "json"),
    ("verify", "--output", "json"),
    ("gc", "--output", "json"),
)

FEW = tuple(each for each in COMMANDS if each[0] in {"lock", "apply"})  # those that use the index

Give = Callable[[Host, Path], None]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Host]:
    """Yield a host whose index requires credentials, with its own home and temporary directory to search through."""
    with new_host(tmp_path) as host:
        make_sdist(host.index.directory, "talkative", "1.0", files={"pyproject.toml": PROJECT, "backend.py": BACKEND})
        host.index.credentials = (USER, TOKEN)
        host.env["PYENV_ROOT"] = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
        for name in ("HOME", "TMPDIR"):
            (tmp_path / name).mkdir()
            host.env[name] = str(tmp_path / name)
        yield host


def bound(host: Host) -> dict[str, str]:
    return {"UV_INDEX_LOCAL_HOST": host.index.base.removeprefix("http://")}


def by_variables(host: Host, _outside: Path) -> None:
    host.env |= {"UV_INDEX_LOCAL_USERNAME": USER, "UV_INDEX_LOCAL_PASSWORD": TOKEN, **bound(host)}


def by_token_as_user(host: Host, _outside: Path) -> None:
    host.index.credentials = (TOKEN, "")
    host.env |= {"UV_INDEX_LOCAL_USERNAME": TOKEN, "UV_INDEX_LOCAL_PASSWORD": "", **bound(host)}


def by_netrc(host: Host, outside: Path) -> None:
    host.env["NETRC"] = str(outside / "netrc")
    _netrc(outside / "netrc")


def by_home_netrc(host: Host, _outside: Path) -> None:
    _netrc(Path(host.env["HOME"]) / ".netrc")


def _netrc(path: Path) -> None:
    path.write_text(f"machine 127.0.0.1 login {USER} password {TOKEN}\n")
    path.chmod(0o600)


def by_git_configuration(host: Host, _outside: Path) -> None:
    """Rewrite every URL of the host to one with the token, like CI systems do."""
    configuration = Path(host.env["HOME"]) / ".gitconfig"
    configuration.write_text(f'[url "{with_token(host.index.base)}/"]\n  insteadOf = {host.index.base}/\n')


def with_token(url: str) -> str:
    return url.replace("://", f"://{USER}:{TOKEN}@", 1)


def spellings() -> tuple[bytes, ...]:
    """Return the token as bytes, plain and encoded for HTTP basic authentication."""
    pairs = (f"{USER}:{TOKEN}", f"{TOKEN}:")
    return (TOKEN.encode(), *(base64.b64encode(each.encode()) for each in pairs))


def files_with_token(directory: Path, *, but: tuple[Path, ...] = ()) -> list[str]:
    """Return the files below a directory whose contents or path contain the token in any spelling."""
    found = []
    for folder, _names, files in os.walk(directory):
        for file in files:
            path = Path(folder) / file
            if path in but or path.is_symlink() or not path.is_file():  # a link may point to memory
                continue
            content = path.read_bytes() + os.fsencode(path)
            if any(each in content for each in spellings()):
                found.append(str(path.relative_to(directory)))
    return found


def output_without_token(host: Host, *arguments: str, code: int) -> str:
    """Run a command, assert that its output does not contain the token, and return the output."""
    ran = host.envsync(*arguments)
    printed = ran.out + ran.err
    assert ran.code == code, printed
    assert not any(each in printed.encode() for each in spellings()), printed
    return printed


@pytest.mark.parametrize(
    ("give", "commands"),
    [(by_variables, COMMANDS), (by_token_as_user, FEW), (by_netrc, FEW), (by_home_netrc, FEW)],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_credential_is_used_and_never_shown(
    guarded: Host, tmp_path: Path, give: Give, commands: tuple[tuple[str, ...], ...]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    give(guarded, outside)
    guarded.env["COMPANY_API_TOKEN"] = TOKEN
    guarded.manifest(MANIFEST)
    for command in commands:
        output_without_token(guarded, *command, code=0)
    assert guarded.freeze("web") == ["alpha==1.0", "beta==2.0"]

    guarded.manifest(MANIFEST.replace("alpha==1.0]", "alpha==1.0, talkative]"))
    output_without_token(guarded, "lock", code=0)
    for output in ("text", "json"):
        printed = output_without_token(guarded, "apply", "--yes", "-vv", "--output", output, code=1)
        assert "end of the output" in printed  # the backend's output is shown, without the token
    seen = (Path(guarded.env["HOME"]) / "seen-by-the-build").read_text()
    assert "UV_INDEX" not in seen, "a build gets no credentials (`files_with_token` looks for the values, below)"

    guarded.manifest(MANIFEST.replace("alpha==1.0", "gamma"))
    guarded.index.broken["/files/gamma-0.1-py3-none-any.whl"] = 403
    output_without_token(guarded, "apply", "--yes", "-vv", "--output", "json", code=1)
    output_without_token(guarded, "history", "--output", "json", code=0)

    netrc = Path(guarded.env["HOME"]) / ".netrc"
    assert files_with_token(tmp_path, but=(netrc, outside / "netrc")) == []


def test_a_credential_that_is_refused_is_not_shown(guarded: Host, tmp_path: Path) -> None:
    by_variables(guarded, tmp_path)
    guarded.index.credentials = (USER, "another")
    guarded.manifest(MANIFEST)
    assert "requires valid credentials (401)" in output_without_token(guarded, "lock", "-vv", code=1)
    output_without_token(guarded, "plan", "-vv", "--output", "json", code=1)
    output_without_token(guarded, "apply", "--yes", "-vv", "--output", "json", code=1)
    assert files_with_token(tmp_path) == []


def test_a_host_that_takes_the_name_of_an_index_gets_no_credentials(guarded: Host, tmp_path: Path) -> None:
    by_variables(guarded, tmp_path)
    guarded.manifest(MANIFEST)
    output_without_token(guarded, "lock", code=0)
    with serve_index(guarded.index.directory) as other:
        manifest = guarded.directory / "envs.yaml"
        manifest.write_text(manifest.read_text().replace(guarded.index.base, other.base))
        for command in (("lock", "--upgrade"), ("plan",), ("apply", "--yes")):
            printed = output_without_token(guarded, *command, code=1)
            assert f"its credentials are for `{guarded.index.base.removeprefix('http://')}`" in printed
        assert other.requests == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_credentials_of_a_proxy_are_not_shown(guarded: Host, tmp_path: Path, variable: str) -> None:
    guarded.env[variable] = f"http://{USER}:{TOKEN}@127.0.0.1:1"
    guarded.manifest(MANIFEST)
    assert "cannot be reached" in output_without_token(guarded, "lock", "-vv", "--timeout", "4", code=1)
    output_without_token(guarded, "plan", "-vv", "--output", "json", "--timeout", "4", code=1)
    assert files_with_token(tmp_path) == []


REFUSED = {
    "index": 'indexes: [{{name: local, url: "https://{secret}@index.example/simple"}}]\n',
    "direct": 'environments: {{web: {{python: "3.11", packages: ["x @ https://{secret}@index.example/x.zip"]}}}}\n',
    "query": 'environments: {{web: {{python: "3.11", packages: ["x @ https://index.example/x.zip?token={token}"]}}}}\n',
    "git": 'environments: {{web: {{python: "3.11", packages: ["x @ git+https://{secret}@index.example/x.git"]}}}}\n',
}


@pytest.mark.parametrize("where", REFUSED)
@pytest.mark.parametrize("command", [("validate",), ("lock",), ("plan", "--output", "json", "-vv"), ("apply", "--yes")])
def test_a_credential_in_the_manifest_is_refused_and_not_quoted(
    host: Host, where: str, command: tuple[str, ...]
) -> None:
    text = REFUSED[where].format(secret=f"{USER}:{TOKEN}", token=TOKEN)
    (host.directory / "envs.yaml").write_text(f"version: 1\nproject: acme\n{text}")
    printed = output_without_token(host, *command, code=3)
    assert "credentials in a URL" in printed
    assert re.search(r"hint: keep credentials out of files", printed)
    assert [path.name for path in host.directory.iterdir()] == ["envs.yaml"]


IN_FILES = {
    "requirements": (
        "requirements.txt",
        "x @ https://{secret}@index.example/x.zip\n",
        "requirements: [requirements.txt]",
    ),
    "index of requirements": (
        "requirements.txt",
        "--extra-index-url https://{secret}@index.example/simple\nalpha\n",
        "requirements: [requirements.txt]",
    ),
    "constraints": (
        "constraints.txt",
        "x @ git+https://{secret}@index.example/x.git\n",
        "constraints: [constraints.txt]",
    ),
    "project": (
        "pyproject.toml",
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["x @ https://{secret}@index.example/x.zip"]\n',
        "project: {{path: .}}",
    ),
}


@pytest.mark.parametrize("where", IN_FILES)
def test_a_credential_in_a_file_that_the_manifest_names_is_refused_and_not_quoted(host: Host, where: str) -> None:
    file, text, line = IN_FILES[where]
    (host.directory / file).write_text(text.format(secret=f"{USER}:{TOKEN}"))
    host.manifest(f'web:\n  python: "3.11"\n  {line.format()}\n')
    for command in (("validate", "-vv"), ("plan", "--output", "json")):
        output_without_token(host, *command, code=3)
    assert files_with_token(host.directory, but=(host.directory / file,)) == []


def test_a_credential_of_git_is_not_shown(guarded: Host, tmp_path: Path) -> None:
    by_git_configuration(guarded, tmp_path)
    guarded.manifest(f'web:\n  python: "3.11"\n  packages: ["x @ git+{guarded.index.base}/x.git"]\n')
    assert "a repository could not be fetched" in output_without_token(guarded, "lock", "-vv", code=1)
    output_without_token(guarded, "apply", "--yes", "-vv", "--output", "json", code=1)
    assert any("x.git" in path for path in guarded.index.requests), "git sent a request"
    assert files_with_token(tmp_path, but=(Path(guarded.env["HOME"]) / ".gitconfig",)) == []


def test_a_keyring_is_not_used(guarded: Host, tmp_path: Path) -> None:
    program = tmp_path / "bin/keyring"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\necho {TOKEN}\n")
    program.chmod(0o755)
    guarded.env |= {"PATH": f"{program.parent}:{os.environ['PATH']}", "UV_KEYRING_PROVIDER": "subprocess"}
    guarded.manifest(MANIFEST)
    assert "(401)" in output_without_token(guarded, "lock", "-vv", code=1)
    assert not (tmp_path / "asked").exists()


WITH_VARIABLE = """
web:
  python: "3.11"
  packages: [alpha==1.0]
  env: {API_TOKEN: "%s"}
  %s
"""
PRINT = "[sh, -c, 'env; cat ~/.netrc; exit 1']"


@pytest.mark.parametrize("key", ["probes: [{run: %s}]", "hooks: {after_publish: [%s]}"])
def test_the_secrets_of_a_probe_or_hook_are_redacted_in_its_output(guarded: Host, tmp_path: Path, key: str) -> None:
    by_home_netrc(guarded, tmp_path)
    guarded.env["HTTP_PROXY"] = f"http://{USER}:proxy-{TOKEN}@127.0.0.1:1"
    guarded.env["NO_PROXY"] = "127.0.0.1"
    guarded.manifest(WITH_VARIABLE % (f"env-{TOKEN}", key % PRINT))
    for output in ("json", "text"):
        ran = guarded.envsync("apply", "--yes", "-vv", "--output", output)
        assert ran.code in {1, 4}
        assert "API_TOKEN" in ran.out + ran.err
        assert TOKEN not in ran.out + ran.err


def test_a_variable_that_is_named_like_a_secret_is_not_shown(guarded: Host, tmp_path: Path) -> None:
    by_variables(guarded, tmp_path)
    guarded.manifest(WITH_VARIABLE % ("another", ""))
    assert guarded.envsync("apply", "--yes").code == 0
    guarded.manifest(WITH_VARIABLE % (TOKEN, ""))
    assert "env.API_TOKEN" in output_without_token(guarded, "plan", "-vv", code=0)
    output_without_token(guarded, "plan", "--output", "json", code=0)
    output_without_token(guarded, "check", "-vv", code=2)
    output_without_token(guarded, "apply", "--yes", "-vv", "--output", "json", code=0)
    for command in (*COMMANDS, ("run", "web", "--", "python", "-c", "import os; assert os.environ['API_TOKEN']")):
        output_without_token(guarded, *command, code=0)
    own = (guarded.root / ".envsync").relative_to(tmp_path).as_posix()
    found = files_with_token(tmp_path, but=(guarded.directory / "envs.yaml",))
    assert f"{own}/environments/web.json" in found, "`run` needs the value"
    assert set(found) <= {f"{own}/environments/web.json", f"{own}/cache/agreed/web"}, "and a plan compares it"


def test_a_kill_leaves_no_credential_and_no_process_shows_one(guarded: Host, tmp_path: Path) -> None:
    by_variables(guarded, tmp_path)
    guarded.manifest(MANIFEST)
    output_without_token(guarded, "lock", code=0)
    file = "/files/alpha-1.0-py3-none-any.whl"
    guarded.index.faulty[file] = Fault.HANG
    shutil.rmtree(guarded.root / ".envsync/cache")
    argv = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    env = {**base_environment(), **guarded.env}
    with subprocess.Popen(
        argv, cwd=guarded.directory, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while file not in guarded.index.requests:
            assert process.poll() is None
            time.sleep(0.02)
        shown = b"".join(path.read_bytes() for path in readable(Path("/proc").glob("[0-9]*/cmdline")))
        assert b"reconciler" in shown
        assert not any(each in shown for each in spellings())
        assert files_with_token(tmp_path) == []
        process.kill()
    assert files_with_token(tmp_path) == []


def readable(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        with suppress(OSError):
            path.read_bytes()
            yield path
