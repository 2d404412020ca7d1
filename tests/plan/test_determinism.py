"""Planning is deterministic: the same inputs give the same bytes with any hash seed. It imports nothing slow."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, seed: str = "0") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_hash_seeds_give_the_same_bytes_for_every_case() -> None:
    first, second = (run("-m", "tests.plan.all_plans", seed=seed) for seed in ("1", "4242"))
    assert first == second
    assert first.count("\n") > 100


def test_a_plan_with_nothing_to_do_imports_neither_deepdiff_nor_packaging() -> None:
    code = (
        "import sys; from tests.plan.build import world;"
        "case = {'manifest': {'web': {'packages': {'six': '1.0'}}}, 'applied': {'web': {'packages': {'six': '1.0'}}}};"
        "assert not world(case).plan().has_difference;"
        "print([name for name in ('deepdiff', 'packaging', 'pydantic', 'typer', 'rich') if name in sys.modules])"
    )
    assert run("-c", code).strip() == "[]"
