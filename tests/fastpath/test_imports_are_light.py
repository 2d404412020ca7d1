"""Commands that run before every service start, or often from cron, import only modules that load fast."""

import re
import subprocess
import sys

import pytest

from tests.host import Host, base_environment

# Each takes longer to import than to look at an environment.
HEAVY = {
    "argparse", "asyncio", "click", "concurrent", "contextlib", "dataclasses", "datetime", "deepdiff", "enum",
    "functools", "hashlib", "importlib", "inspect", "json", "logging", "packaging", "pathlib", "pydantic", "re", "rich",
    "shutil", "socket", "subprocess", "tempfile", "threading", "tomllib", "typer", "typing", "urllib", "yaml",
}  # fmt: skip
OURS = {
    "cli", "cli.argument_order", "cli.process_exit", "cli.run", "fastpath", "fastpath.agreement", "fastpath.answer",
    "fastpath.command_line", "fastpath.root_line", "fastpath.stat_check", "fastpath.unchanged", "fs", "fs.access_bits",
    "fs.authentication", "fs.file_lock", "fs.own_files", "fs.read", "fs.repository_top", "fs.user_key",
    "interpreters", "interpreters.host_identity", "interpreters.search_path", "processes", "processes.affinity", "run",
    "state", "state.columns_file", "state.former_name",
    "state.hashes_file", "state.published_link", "state.root_check",
}  # fmt: skip
IN_REPOSITORY = {"git", "git.tracked_below"}  # to see whether git tracks the root
# The full program imports these only for a manifest that needs them: `packages` of an index, sources, an error.
RARE = {
    "http.server", "reconciler.engines.index_filter", "reconciler.manifest.requirement_corrections",
    "reconciler.manifest.toml_places", "reconciler.manifest.validation_errors", "reconciler.manifest.yaml_mistakes",
}  # fmt: skip


def imported(host: Host, *arguments: str) -> set[str]:
    """Return the names of all modules that a command imports beyond those of `python -c pass`."""
    names = []
    for command in (["-c", "from reconciler.cli import main; main()", *arguments], ["-c", "pass"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *command],
            cwd=host.directory,
            env=base_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        names.append(set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)))
    return names[0] - names[1]


@pytest.fixture
def settled(host: Host) -> Host:
    """A host on which there is nothing to do, as the full program found."""
    host.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    host.apply()
    assert host.envsync("plan").out.startswith("No changes.")
    return host


@pytest.mark.parametrize("in_repository", [False, True], ids=["outside", "in a repository"])
def test_commands_that_must_be_fast_import_nothing_heavy(settled: Host, in_repository: bool) -> None:
    if in_repository:
        (settled.directory / ".git").mkdir()
    for arguments in (
        ["--version"],
        ["run", "web", "--", "true"],
        ["plan"],
        ["plan", "--depth", "metadata", "--detailed-exitcode"],
        ["check", "-q"],
    ):
        names = imported(settled, *arguments)
        assert {each.partition(".")[0] for each in names} & HEAVY == set(), arguments
        ours = {each.removeprefix("reconciler.") for each in names if each.startswith("reconciler.")}
        assert ours <= OURS | (IN_REPOSITORY if in_repository else set()), arguments


def test_the_full_program_imports_heavy_modules(settled: Host) -> None:
    names = imported(settled, "plan", "--output", "json")
    assert {"pydantic", "typer", "packaging", "yaml", "json", "pathlib"} <= names
    assert names & RARE == set()
