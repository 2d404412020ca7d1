"""Hints about inputs that are larger than envsync reads."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import reconciler
from reconciler.plan.plan_file import LARGEST, save_plan
from tests.hints.trials import Attempts, trial
from tests.host import Host, base_environment

DIVIDE = "divide the manifest into several"


def write(host: Host, environments: object) -> None:
    document = {"version": 1, "project": "acme", "environments": environments}
    (host.directory / "envs.yaml").write_text(json.dumps(document, indent=0), encoding="utf-8")


def many(numbers: Iterable[int]) -> dict[str, dict[str, str]]:
    return {f"web{number}": {"python": "3.11"} for number in numbers}


@trial(f"manifest/yaml_document.py: {DIVIDE}", f"manifest/bounds.py: {DIVIDE}")
def test_a_manifest_has_too_much(host: Host, attempts: Attempts) -> None:
    labels = {f"label{number}": "a" for number in range(30_000)}
    write(host, {"web": {"python": "3.11", "labels": labels}})
    attempts.provoke("validate", of="manifest/yaml_document.py")
    write(host, {"web": {"python": "3.11", "labels": dict(list(labels.items())[:15_000])}})
    attempts.gone("validate")

    write(host, many(range(5_000)))
    attempts.provoke("validate", of="manifest/bounds.py")
    write(host, many(range(2_500)))
    attempts.gone("validate")

    (host.directory / "requirements.txt").write_text("".join(f"acme{number}\n" for number in range(15_000)))
    environment = {"python": "3.11", "requirements": ["requirements.txt"]}
    write(host, {f"web{number}": environment for number in range(8)})
    attempts.again("manifest/bounds.py")
    attempts.provoke("validate", of="manifest/bounds.py")
    write(host, {f"web{number}": environment for number in range(4)})
    attempts.gone("validate")


@trial("manifest/requirements_files.py: divide the file")
def test_a_requirements_file_has_too_many_lines(host: Host, attempts: Attempts) -> None:
    def requirements(lines: list[str], *, files: int) -> None:
        part = len(lines) // files
        names = [f"requirements{number}.txt" for number in range(files)]
        for number, name in enumerate(names):
            (host.directory / name).write_text("".join(f"{each}\n" for each in lines[number * part :][:part]))
        write(host, {"web": {"python": "3.11", "requirements": names}})

    packages = [f"acme{number}" for number in range(30_000)]
    requirements(packages, files=1)
    attempts.provoke("validate")
    requirements(packages, files=2)
    attempts.gone("validate")

    for number in range(600):
        project = host.directory / f"project{number}"
        project.mkdir()
        (project / "pyproject.toml").write_text(f'[project]\nname = "project{number}"\nversion = "1"\n')
    projects = [f"./project{number}" for number in range(600)]
    requirements(projects, files=1)
    attempts.again("manifest/requirements_files.py")
    attempts.provoke("validate")
    requirements(projects, files=2)
    attempts.gone("validate")


@trial("manifest/paths.py: correct the path")
def test_a_path_is_too_long(host: Host, attempts: Attempts) -> None:
    (host.directory / "requirements.txt").write_text("six\n")
    write(host, {"web": {"python": "3.11", "requirements": ["./" * 3000 + "requirements.txt"]}})
    attempts.provoke("validate")
    write(host, {"web": {"python": "3.11", "requirements": ["requirements.txt"]}})
    attempts.gone("validate")


@trial("plan/plan_file.py: plan fewer environments at a time: `envsync plan --out FILE NAME`")
def test_a_plan_is_too_large_for_a_file(host: Host, attempts: Attempts) -> None:
    write(host, many([1]))
    assert host.envsync("lock").code == 0
    plan = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().plan
    [environment] = plan.environments
    megabyte = replace(environment, notes=("a note " * (1024 * 1024 // 7),))  # quicker than thousands of environments
    large = replace(plan, environments=(megabyte,) * (LARGEST // 1024 // 1024 + 1))
    file = Path(host.directory, "plan.json")
    attempts.refused(lambda: save_plan(large, file))
    assert not file.exists()
    attempts.follow(FILE="plan.json", NAME="web1")
    attempts.gone("show", "plan.json")
