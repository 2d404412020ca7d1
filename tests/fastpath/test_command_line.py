"""The fast path answers plain `plan` and `check` command lines; all others belong to the full program."""

import pytest

from reconciler.fastpath.command_line import parse_command_line

KNOWN = {
    "plan": ("plan", "envs.yaml", True, "auto"),
    "check": ("check", "envs.yaml", True, "auto"),
    "plan -f other.yaml": ("plan", "other.yaml", True, "auto"),
    "plan --file=other.yaml --depth metadata": ("plan", "other.yaml", False, "auto"),
    "check --depth=metadata --color never -q": ("check", "envs.yaml", False, "never"),
    "plan --detailed-exitcode --locked --offline --prune --output text": ("plan", "envs.yaml", True, "auto"),
}
OTHERS = [
    "",
    "apply",
    "plan web",
    "plan -l team=a",
    "plan --output json",
    "plan --output=github",
    "plan --depth hashes",
    "plan --depth",
    "plan -f",
    "plan -fother.yaml",
    "plan --file=",
    "plan -v",
    "plan --no-prune",
    "plan --adopt",
    "plan --out plan.json",
    "plan --out=plan.json",
    "plan --locked=1",
    "plan -q=1",
    "plan --color sometimes",
    "plan --help",
    "plan -- web",
    "check --locked",
    "check --only drift",
    "check --actual snapshot.json",
    "plan --actual=snapshot.json",
    "observe",
    "check --detailed-exitcode",
    "status",
    "--version",
]


@pytest.mark.parametrize("line", KNOWN)
def test_a_known_command_line_is_parsed(line: str) -> None:
    found = parse_command_line(line.split(), {})
    assert found is not None
    assert (found.command, found.file, found.files, found.color) == KNOWN[line]


@pytest.mark.parametrize("line", OTHERS)
def test_any_other_command_line_belongs_to_the_full_program(line: str) -> None:
    assert parse_command_line(line.split(), {}) is None


def test_an_environment_variable_may_name_the_manifest() -> None:
    found = parse_command_line(["plan"], {"ENVSYNC_FILE": "there.yaml"})
    assert found is not None
    assert found.file == "there.yaml"
