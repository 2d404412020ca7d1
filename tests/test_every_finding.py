"""Every finding has a rule for the reports of CI systems, and its code is on a page that users can search.

A new member of `FindingCode` (reconciler/observe/actual.py) fails here until it has both. Each message names the file
to change. Other tests hold its other parts: the observation case (tests/observe/test_cases.py), the plan case and the
words (tests/plan/test_completeness.py), the schemas (tests/test_output_schemas.py) and the page of the Python API
(tests/docs/test_generated.py). CONTRIBUTING.md, "Add a finding", has all steps in order.
"""

from pathlib import Path

import pytest

from reconciler.observe.actual import FindingCode
from reconciler.render.rules import RULES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
STEPS = 'CONTRIBUTING.md, "Add a finding", lists all steps'

every_finding = pytest.mark.parametrize("code", list(FindingCode), ids=str)


@every_finding
def test_a_finding_has_a_rule(code: FindingCode) -> None:
    assert code in RULES, (
        f"add {code} to RULES in reconciler/render/rules.py: its meaning and remedy, for SARIF and GitLab. {STEPS}"
    )


@every_finding
def test_a_finding_is_on_the_troubleshooting_page(code: FindingCode) -> None:
    assert f"`{code}`" in PAGE.read_text(encoding="utf-8"), (
        f"docs/troubleshooting.md does not name `{code}`: run `python -m tests.docs.test_troubleshooting`, which "
        f"writes the table of findings from RULES. {STEPS}"
    )
