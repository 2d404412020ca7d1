"""Every reason, finding and setting has a case, and every finding has words.

A new code fails here with a message that names the file to add. The mutation run leaves these tests out.
"""

import pytest

from reconciler.diff.findings import CATEGORIES
from reconciler.diff.model import ReasonCode
from reconciler.diff.settings import settings_of
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.observe.actual import FindingCode
from tests.plan.test_cases import CASES, load


@pytest.mark.parametrize("code", [*ReasonCode, *FindingCode], ids=str)
def test_every_code_has_a_case_that_names_and_shows_it(code: ReasonCode | FindingCode) -> None:
    name = f"finding_{code}.yaml" if isinstance(code, FindingCode) else f"{code}.yaml"
    named = [path for path in CASES if code in path.stem.split("_") or code in load(path)["about"].split()]
    assert named, f"no case is about {code}: add tests/cases/plan/{name}"
    shown = any(code in path.read_text(encoding="utf-8").partition("\nplan:")[2] for path in named)
    assert shown, f"no case about {code} shows it in its plan: extend {', '.join(path.name for path in named)}"


@pytest.mark.parametrize("code", list(FindingCode), ids=str)
def test_every_finding_has_a_category_and_words(code: FindingCode) -> None:
    assert code in CATEGORIES, f"add {code} to PHRASES in reconciler/diff/findings.py"


@pytest.mark.parametrize("key", settings_of(DesiredEnvironment(name="web", python="3.12")))
def test_every_setting_has_a_case_that_shows_its_change(key: str) -> None:
    settings = [line for path in CASES for each in load(path)["plan"].values() for line in each.get("settings", ())]
    changed = [line for line in settings if line.split(":")[0].split(".")[0] == key and ": null ->" not in line]
    assert changed or any(line.startswith(f"{key}.") for line in settings), (
        f"no case shows a change of the setting {key}: add it to `environment` in tests/plan/build.py, and to "
        "tests/cases/plan/settings-changed.yaml"
    )
