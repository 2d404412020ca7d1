"""Text from a manifest, package, file, child process or command line is escaped in the output of every command."""

import json
import os
import re
from collections.abc import Iterator

import pytest

from reconciler.render.formats import Format
from tests.functional.installed import dist_info
from tests.host import Host, new_host
from tests.wheels import make_wheel

EVIL = "bad\n::error::pwned\r##vso[task.complete]\x1b[31m\x1b]0;title\x07\x9b31m\x85\u202e\u2066\u2028\u200b"
NAME = EVIL.replace("/", "")  # of a file
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Commands for a CI runner, except for the annotations that `--output github` writes itself.
COMMAND = re.compile(r"^\s*::(?!(error|warning|notice) file=)\w|##vso\[", re.MULTILINE)
QUOTED = json.dumps(EVIL)  # YAML can read it, too
WEB = """\
web:
  python: "3.11"
  packages: [beta, showy]
  description: plain
"""
PRINT = (
    f"import sys; [each.buffer.write({EVIL!r}.encode() + bytes([255, 10]) + b'::error::again') "
    "for each in (sys.stdout, sys.stderr)]; raise SystemExit(1)"
)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with `web` applied by a user with an untrusted name; a package has untrusted metadata."""
    with new_host(tmp_path_factory.mktemp("hostile")) as host:
        extra = f"License: {line(EVIL)}\nAuthor: {line(EVIL)}\nProject-URL: {line(EVIL)}, https://x.example\n"
        make_wheel(host.index.directory, "showy", "1.0", metadata_extra=extra, scripts={"showy": "showy:main"})
        host.manifest(WEB)
        host.env["USER"] = EVIL
        ran = host.envsync("apply", "--yes", "-vv")
        assert ran.code == 0, ran.err
        yield host


@pytest.fixture(scope="module")
def damaged(applied: Host) -> Host:
    """Return the same host with untrusted names and metadata written into the environment."""
    site = applied.site_packages("web")
    for place in (site, site / "beta_data", applied.venv("web") / "bin"):
        (place / NAME).write_text("")
        (place / os.fsdecode(b"\xff\x1b[31m")).write_text("")
    (site / NAME).with_suffix(".pth").write_text(EVIL)
    (site / "link").symlink_to(NAME)
    (site / "showy" / "__init__.py").write_text(EVIL)
    dist_info(site, "evil", "1", metadata=f"Metadata-Version: 2.1\nName: {line(EVIL)}\nVersion: {line(EVIL)}\n")
    dist_info(site, "vcs", "1", direct_url={"url": EVIL, "vcs_info": {"vcs": EVIL, "commit_id": EVIL}})
    dist_info(site, "local", "1", direct_url={"url": f"file:///{EVIL}", "dir_info": {"editable": True}})
    dist_info(site, "torn", "1", record=f'"{EVIL}",{EVIL},1\n')
    dist_info(site, "named", "1", directory=f"{NAME}-1.dist-info")
    dist_info(site, "x", "1", directory=f"x-{NAME}.dist-info", metadata="")
    (site / f"{NAME}.egg-link").write_text(EVIL)
    configuration = applied.venv("web") / "pyvenv.cfg"
    configuration.write_text(configuration.read_text() + f"version = {line(EVIL)}\nhome = /{line(EVIL)}\n")
    return applied


def line(text: str) -> str:
    """Return a text without line breaks, for a header."""
    return re.sub("[\n\r\x85\u2028]", "", text)


def escaped_output(host: Host, *arguments: str) -> str:
    """Run a command, assert that its output is escaped, and return the output."""
    ran = host.envsync(*arguments)
    printed = ran.out + ran.err
    assert not RAW.search(printed), ascii(printed)
    assert not COMMAND.search(printed), printed
    if "json" in arguments:
        for each in [ran.out] if ran.out.count("\n]") or ran.out.count("\n}") else ran.out.splitlines():
            json.loads(each)
    return printed


@pytest.mark.parametrize(
    "command",
    [
        ("check", "-vv", "--depth", "hashes"),
        ("plan", "-vv"),
        *((command, "--output", form.value) for command in ("check", "plan") for form in Format),
        ("status",),
        ("status", "--output", "json"),
        ("freeze", "web"),
        ("verify",),
        ("verify", "--output", "json"),
        ("history",),
        ("history", "--output", "json"),
        ("history", "web", "--generations", "--output", "json"),
    ],
    ids=" ".join,
)
def test_text_from_the_disk_is_escaped(damaged: Host, command: tuple[str, ...]) -> None:
    printed = escaped_output(damaged, *command)
    if command[0] in {"check", "plan", "freeze", "verify"}:
        assert "pwned" in printed, "the text is shown, escaped"


@pytest.mark.parametrize(
    "command",
    [
        ("run", "web", "--", f"no{EVIL}"),
        ("run", "web", "--", f"./{EVIL}"),
        ("run", EVIL, "--", "true"),
        ("freeze", EVIL),
        ("history", EVIL),
        ("rollback", EVIL),
        ("destroy", EVIL, "--yes"),
        ("plan", EVIL),
        ("plan", "--label", EVIL),
        ("plan", "--file", EVIL),
        ("plan", f"--{EVIL}"),
        (EVIL,),
    ],
    ids=lambda command: f"{command[0][:7]}-{len(command)}-{command[1][:3] if len(command) > 1 else ''}",
)
def test_text_from_the_command_line_is_escaped(applied: Host, command: tuple[str, ...]) -> None:
    assert escaped_output(applied, *command).startswith("error: ")


IN_A_MANIFEST = {
    "description": f"description: {QUOTED}",
    "label": f"labels: {{team: {QUOTED}}}",
    "env": f"env: {{A: {QUOTED}}}",
    "package": f"packages: [{QUOTED}]",
    "python": f"python: {QUOTED}",
    "key": f"{QUOTED}: 1",
    "ignore": f"ignore_files: [{QUOTED}]",
    "probe": f"probes: [{{run: [python, -c, {json.dumps(PRINT)}, {QUOTED}]}}]",
    "import": f"probes: [{{import: {QUOTED}}}]",
    "hook": f"hooks: {{after_publish: [[python, -c, {json.dumps(PRINT)}, {QUOTED}]]}}",
}


# An error quotes no value of these, and no key that is not one of the manifest: it may be a secret.
MASKED = frozenset({"env", "hook", "key", "probe"})


@pytest.mark.parametrize("where", IN_A_MANIFEST)
def test_text_from_the_manifest_and_its_commands_is_escaped(applied: Host, where: str) -> None:
    key = IN_A_MANIFEST[where]
    kept = [each for each in WEB.splitlines() if each.split(":")[0] != "  " + key.split(":")[0]]
    applied.manifest("\n".join([*kept, f"  {key}"]))
    printed = escaped_output(applied, "plan", "-vv")
    if where in MASKED:
        assert ("pwned" in printed, "****" in printed) == (False, True), "it may be a secret"
    else:
        assert "pwned" in printed, "the text is shown, escaped"
    if not printed.startswith("error: "):
        assert escaped_output(applied, "apply", "--yes", "-vv", "--output", "json")
    applied.manifest(WEB)


@pytest.mark.parametrize("where", ["record", "seal", "history"])
def test_text_from_a_changed_record_seal_or_history_is_escaped(applied: Host, where: str) -> None:
    own = applied.root / ".envsync"
    file = {
        "record": own / "environments/web.json",
        "seal": own / "generations/web/1/seal.json",
        "history": own / "history.jsonl",
    }[where]
    kept = file.read_text()
    file.write_text(kept.replace('"beta"', QUOTED).replace("3.11", QUOTED[1:-1]))
    for command in (("history", "web") if where == "history" else ("status",), ("verify",)):
        escaped_output(applied, *command)
    file.write_text(kept)
