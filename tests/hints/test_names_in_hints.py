"""Every name in a hint exists: commands, options, and keys of the manifest with their values."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import yaml
from typer import Context

from reconciler.errors import EnvsyncError, ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Environment, Index, Manifest, Project
from reconciler.manifest.validation_errors import key_names
from reconciler.render.rules import RULES
from tests.cli.commands import DECLARED, GROUP, PROGRAM
from tests.hints.collect import hints

# A value in a hint, as an argument that the command accepts.
VALUES = {"{newest}": "1"}
PLACEHOLDERS = {"FILE": "plan.json", "NAME": "web", "DIR": "web"}
KEYS = {key for model in (Manifest, Environment, Project, Index) for key in key_names(model)}
# Where a key with a value belongs, to validate it.
TOP_LEVEL = frozenset(key_names(Manifest))
# Options of other programs, and of requirements files.
FOREIGN_OPTIONS = frozenset({"--hash", "-r", "-c", "-e", "--filter", "--hash=sha256:"})
# Programs that a hint tells a person to run, other than envsync.
PROGRAMS = frozenset({"git", "pip", "sudo", "chown", "ulimit", "python", "xcode-select"})
# Other text in backticks: examples of values, of files, and of text that a person writes.
OTHER = {
    "#", "#!/bin/sh", "*", "*.data/data", "*.data/scripts", "---", ".", "./PATH", ".envs", "1h", "2m", "10s", "12 hours",
    "2026-11-01", "2026-11-01T12:00:00Z", "2026-12-31", "3.12", '"3.12"', '"3.13t"', '">=3.11,<3.14"', "7 days", "==", "?", "NAME @ URL",
    "NAME @ git+https://...", "P7D", "SSL_CERT_FILE", "UV_INDEX_<NAME>_HOST", "UV_INDEX_<NAME>_PASSWORD", "UV_INDEX_<NAME>_USERNAME", "INC-42", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR", "noexec", "PATH", "/usr/bin/python3",
    "Workspace.plan", "acme.settings", "apply", "file:///PATH", "import", "pyvenv.cfg", "share/**", "fetch-depth: 0",
    "project: NAME", "indexes: [{kept}]", "HOST", "HOST:PORT", "files.index.example", "file_hosts: [{hosts}]", "default: true", "indexes:",
    'python: ["3.11", "3.12"]', "4.2", "django~={django}.0", "{{", "}}", "{AXIS}", "/", "\\",
    "pipenv requirements > requirements.txt",
    "[PROGRAM, ARGUMENT]", "[[PROGRAM, ARGUMENT]]",
    # Other tools: their files, commands and keys
    "[tool.uv.sources]", "[tool.uv.workspace]", "[project]", "pdm lock --update-reuse --strategy inherit_metadata",
    "poetry lock", "https://HOST/REPOSITORY", "markers", "markers = \"python_version >= '3.12'\"", "package = false",
    "sys_platform == 'linux'", "pdm.lock", "poetry.lock", "pylock.NAME.toml", "pylock.toml", "uv.lock", "dynamic", "members",
    "dependencies = [...]", "**",
    # Keys whose value the trial of the hint gives
    'exclude_newer: "{newer}"', "prerelease: {same}", "lock: ⟪from: uv.lock⟫",
    "lock: {flow(source)}",
}  # fmt: skip


def spans(template: str) -> Iterator[str]:
    """Yield what a hint has in backticks, with its literal braces."""
    for each in re.findall(r"`([^`]+)`", template):
        yield each.replace("{{", "⟪").replace("}}", "⟫")


def literal(span: str) -> str:
    return span.replace("⟪", "{").replace("⟫", "}")


@cache
def all_spans() -> list[tuple[str, str]]:
    """Return the module and the text of everything that a hint has in backticks.

    Finding all hints takes seconds, so no process does it while it collects the tests.
    """
    return sorted({(each.module, span) for each in hints()[0] for span in spans(each.template)})


def test_a_command_in_a_hint_is_accepted() -> None:
    remedies = {span for each in RULES.values() for span in re.findall(r"`([^`]+)`", each.remedy)}
    commands = sorted(each for each in {*remedies, *(span for _, span in all_spans())} if each.startswith("envsync "))
    assert len(commands) > 50
    assert [f"{each}: {problem}" for each in commands if (problem := refused_command(each))] == []


def refused_command(span: str) -> str:
    """Return why a command is not accepted, or an empty string."""
    if "[-f FILE]" in span:  # a line of usage
        span = span.replace("[-f FILE]", "-f FILE").replace("[ARG]...", "ARG")
    words = [
        PLACEHOLDERS.get(each, each)
        for each in shlex.split(re.sub(r"\{[^}]*\}", lambda value: VALUES.get(value[0], "web"), span))[1:]
    ]
    command, *arguments = words
    if command == "web":  # any command, with --help
        return "" if arguments == ["--help"] else "not --help"
    try:
        DECLARED[command].make_context(command, arguments, parent=Context(GROUP))
    except (KeyError, EnvsyncError, click.ClickException) as error:
        return repr(error)
    return ""


def test_an_option_in_a_hint_exists_in_the_command_that_it_names() -> None:
    for each in hints()[0]:
        for option in re.findall(r"`(--?[a-z][a-z-]*)(?: [^`]*)?`", each.template):
            if option in FOREIGN_OPTIONS:
                continue
            before = each.template.partition(f"`{option}")[0]
            named = re.findall(r"(?:envsync |\b)(apply|plan|check|destroy|lock)\b", before)
            commands = [one for one in PROGRAM.subcommands if not named or one.name == named[-1]]
            assert any(one.option(option) for one in commands), (
                f"{each}: no option `{option}` of {named or 'any command'}"
            )


def test_every_other_name_in_a_hint_is_known() -> None:
    """A new word in backticks is a key, an option, a command, or is added to `OTHER` above."""
    unknown = []
    for module, span in all_spans():
        text = literal(span)
        first = text.split()[0]
        if text.startswith("envsync ") or first in PROGRAMS or text in OTHER or text in KEYS or first.startswith("-"):
            continue
        if "{" in span or ": " in text or text.startswith("{name: NAME"):  # a value, or a key with a value, tried below
            continue
        unknown.append(f"{module}: `{text}`")
    assert not unknown, "not known: " + ", ".join(unknown)


def test_a_key_with_a_value_is_valid(tmp_path: Path) -> None:
    found = sorted({span for _, span in all_spans() if re.match(r"[a-z_]+: ", span) and span not in OTHER})
    assert len(found) > 5
    assert [f"`{each}`: {problem}" for each in found if (problem := refused_key(each, tmp_path / "envs.yaml"))] == []


def refused_key(span: str, file: Path) -> str:
    """Return why a manifest with a key and its value is not valid, or an empty string."""
    text = re.sub(r"\{[^}]*\}", "acme", literal(span).replace("{}", "⟪⟫")).replace("⟪⟫", "{}")
    (key, value), *_ = yaml.safe_load(text).items() if not text.startswith("acme") else {"templates": {}}.items()
    manifest = {"version": 1, "project": "acme", "environments": {"web": {"python": "3.12"}}}
    place = manifest if key in TOP_LEVEL else manifest["environments"]["web"]  # type: ignore[index]
    place[key] = value
    file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    try:
        expand(load_manifest(file))
    except ManifestError as error:
        return error.message
    return ""
