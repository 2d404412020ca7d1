"""A sample of hostile files below a root; `python -m tests.hostile` tries as many as wanted (docs/SECURITY.md)."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.host import new_host
from tests.hostile.replaced_files import ATTACKS, COMMANDS, AttackedHost

CHANCE = random.Random(14)  # noqa: S311
SAMPLE = [(kind, CHANCE.choice(sorted(COMMANDS))) for kind in sorted(ATTACKS)]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedHost]:
    directory = tmp_path_factory.mktemp("hostile")
    with new_host(directory / "host") as host:
        yield AttackedHost.prepare(host, directory)


@pytest.mark.parametrize(("kind", "command"), SAMPLE, ids=lambda each: each)
def test_a_hostile_file_changes_nothing_outside_and_runs_nothing(
    kind: str, command: str, attacked: AttackedHost
) -> None:
    chance = random.Random(f"{kind} {command}")  # noqa: S311
    few = [each for each in attacked.paths if "/venv" not in each and "/cache/uv" not in each]
    tried = list(attacked.attack(kind, chance.choice(few), {command: COMMANDS[command]}))
    assert [each for each in tried if each.problem] == []


def test_the_harness_notices_what_must_not_happen(attacked: AttackedHost) -> None:
    """Run a command that follows a link, and one that runs what it finds."""
    followed = {"follow": ("-c", "open('envs.yaml', 'w').write('x')")}
    executed = {"execute": ("-c", "import subprocess; subprocess.run(['./envs.yaml'])")}
    careless = replace(attacked, program=())
    (one,) = careless.attack("link out", "envs.yaml", followed)
    (other,) = careless.attack("program", "envs.yaml", executed)
    assert one.problem == "a file outside of the root changed"
    assert other.problem.startswith("executed: ")
