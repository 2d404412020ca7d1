"""A pull request can name any file in its manifest, and CI prints what envsync says. No line of such a file appears.

The table of all keys and ways: tests/manifest/test_reach.py.
"""

from pathlib import Path

import pytest

from reconciler.render.formats import Format
from tests.host import Host, Ran
from tests.repository import commit

SECRET = "hunter2"  # noqa: S105
# Also valid as requirements, TOML and YAML, so that no parser stops at the first line.
NETRC = f'{SECRET}\n"{SECRET}": {SECRET}\nmachine {SECRET}.example login joe password {SECRET}\n'
WEB = 'web: {python: ">=3.11", packages: [alpha==1.0]}\n'
REQUIREMENTS = 'web: {{python: ">=3.11", requirements: ["{}"]}}\n'
COMMANDS = (
    ("validate",),
    ("lock",),
    ("status",),
    ("apply", "--yes"),
    *((command, "--output", form.value) for command in ("plan", "check") for form in Format),
    ("apply", "--yes", "--output", "json"),
)


@pytest.fixture
def hostile(host: Host, tmp_path: Path) -> Host:
    """Return a host with a repository that has a lock, next to a home directory with credentials."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(NETRC, encoding="utf-8")
    (home / "token.txt").write_text(NETRC, encoding="utf-8")
    (home / "pylock.web.toml").write_text(f'lock-version = "{SECRET}"\n{SECRET} = {SECRET}\n', encoding="utf-8")
    host.env["WITNESS"] = SECRET  # in /proc/self/environ
    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    commit(host, "first")
    return host


def refused(ran: Ran, *words: str) -> None:
    assert ran.code == 3, ran.out + ran.err
    assert SECRET not in ran.out + ran.err
    assert all(each in ran.out + ran.err for each in words), ran.out + ran.err


def test_every_command_and_format_refuses_a_file_outside_without_a_word_of_it(hostile: Host) -> None:
    (hostile.directory / "requirements.txt").symlink_to("../home/.netrc")
    hostile.manifest(REQUIREMENTS.format("requirements.txt"))
    for command in COMMANDS:
        refused(hostile.envsync(*command), "outside the repository", "envs.yaml:7:")


@pytest.mark.parametrize(
    "path", ["../home/.netrc", "HOME/.netrc", "/proc/self/environ", "/proc/self/cwd/../home/.netrc", ".git/config"]
)
def test_a_path_is_refused_whatever_its_form(hostile: Host, tmp_path: Path, path: str) -> None:
    (hostile.directory / ".git/config").write_text(f"[http]\nextraheader = AUTHORIZATION: {SECRET}\n")
    hostile.manifest(REQUIREMENTS.format(path.replace("HOME", str(tmp_path / "home"))))
    refused(hostile.envsync("plan"), "envs.yaml:7:")
    (hostile.directory / "own.txt").write_text(f"-r {path.replace('HOME', str(tmp_path / 'home'))}\n")
    hostile.manifest(REQUIREMENTS.format("own.txt"))
    refused(hostile.envsync("plan", "--output", "json"), "own.txt:1:1")


def test_an_allowed_file_is_read_and_its_lines_are_not_shown(hostile: Host) -> None:
    head = "allow_paths: [../home]\n"
    hostile.manifest(REQUIREMENTS.format("../home/token.txt"), head=head)
    for command in COMMANDS:
        refused(hostile.envsync(*command), "token.txt:2:1", "the text is not shown")
    hostile.manifest(REQUIREMENTS.format("../home/.netrc"), head=head)
    refused(hostile.envsync("plan"), "must be named `*.txt`")


def test_a_lock_that_is_a_link_out_of_the_repository_is_not_read(hostile: Host, tmp_path: Path) -> None:
    lock = hostile.directory / "locks/pylock.web.toml"
    lock.unlink()
    lock.symlink_to(tmp_path / "home/pylock.web.toml")
    for command in COMMANDS[3:]:
        ran = hostile.envsync(*command)
        assert ran.code == {"plan": 0, "check": 2, "apply": 4}[command[0]], "the environment is blocked"
        assert SECRET not in ran.out + ran.err
    assert "outside the repository" in hostile.envsync("plan").out
    before = (tmp_path / "home/pylock.web.toml").read_text(encoding="utf-8")
    assert SECRET not in (ran := hostile.envsync("lock")).out + ran.err
    assert (tmp_path / "home/pylock.web.toml").read_text(encoding="utf-8") == before
    lock.unlink(missing_ok=True)
    (hostile.directory / "locks").rmdir()
    (hostile.directory / "locks").symlink_to("../home")
    refused(hostile.envsync("lock"), "locks: outside the repository")
    assert (tmp_path / "home/pylock.web.toml").read_text(encoding="utf-8") == before


def test_a_lock_that_names_a_file_outside_is_refused(hostile: Host) -> None:
    lock = hostile.directory / "locks/pylock.web.toml"
    text = lock.read_text(encoding="utf-8")
    for source in (
        'directory = { path = "../../home" }',
        'archive = { path = "/proc/kcore", hashes = {sha256 = "0"} }',
    ):
        lock.write_text(text + f'[[packages]]\nname = "evil"\n{source}\n', encoding="utf-8")
        ran = hostile.envsync("plan")
        assert "the source of `evil` is" in ran.out + ran.err
        assert "1 blocked" in ran.out


def test_a_uv_lock_whose_project_is_a_link_is_refused_before_uv_reads_it(hostile: Host) -> None:
    (hostile.directory / "uv.lock").write_text('version = 1\nrequires-python = ">=3.11"\n', encoding="utf-8")
    (hostile.directory / "pyproject.toml").symlink_to("../home/.netrc")
    hostile.manifest('web: {python: ">=3.11", lock: {from: uv.lock}}\n')
    for command in (("plan",), ("lock",), ("apply", "--yes")):
        refused(hostile.envsync(*command), "outside the repository")


def test_a_revision_reaches_no_further(hostile: Host) -> None:
    """The manifest of the other side of a comparison is as foreign as one's own."""
    (hostile.directory / "requirements.txt").symlink_to("../home/.netrc")
    for path in ("requirements.txt", "../home/.netrc", "/proc/self/environ"):
        hostile.manifest(REQUIREMENTS.format(path))
        commit(hostile, path)
        hostile.manifest(WEB)
        for form in Format:
            refused(hostile.envsync("plan", "--against", "HEAD", "--output", form.value), "envs.yaml:7:")
