"""Prints the plan of every case as canonical JSON, one per line: `python -m tests.plan.all_plans`."""

from reconciler.canonical_json import canonical_text
from tests.plan.build import world
from tests.plan.test_cases import CASES, load

if __name__ == "__main__":
    for path in CASES:
        plan = world(load(path)).plan()
        print(path.stem, plan.id, canonical_text(plan.environments))
