"""What hooks changed is not drift: the split of the differences, and the text that names the first of them."""

import pytest

from reconciler.diff.hook_changes import Changes, changed_by_hook_reasons, hook_changes_text, split_by_hook
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.observe.actual import Finding, FindingCode
from tests.plan.build import applied_environment
from tests.render.environment_plans import package


def test_what_a_hook_wrote_is_split_from_everything_else() -> None:
    last = applied_environment("web", {"hook_paths": ["log", "six.py"], "hook_packages": ["six", "idna", "both"]})
    packages = [
        package("both", origin=Origin.BOTH),
        package("idna", origin=Origin.PENDING),
        package("other", origin=Origin.DRIFT),
        package("six", origin=Origin.DRIFT),
    ]
    findings = [Finding(code=FindingCode.FILE_CHANGED, path=each) for each in ("a", "log", "six.py")]
    assert split_by_hook(packages, findings, last) == (
        Changes(packages=(packages[3],), findings=(findings[1], findings[2])),
        Changes(packages=tuple(packages[:3]), findings=(findings[0],)),
    )


@pytest.mark.parametrize(
    ("packages", "paths", "text"),
    [
        ([], [], ""),
        (["six"], [], "`six`"),
        ([], ["log"], "`log`"),
        (["six", "idna", "six"], ["b", "a", "b"], "`idna`, `six`, `a` and 1 more"),
    ],
)
def test_the_first_three_packages_and_paths_are_named(packages: list[str], paths: list[str], text: str) -> None:
    assert hook_changes_text(packages, paths) == text
    changes = Changes(
        packages=tuple(package(each, origin=Origin.DRIFT) for each in packages),
        findings=tuple(Finding(code=FindingCode.FILE_CHANGED, path=each) for each in paths),
    )
    message = f"a hook changed the environment: {text}"
    reason = Reason(code=ReasonCode.CHANGED_BY_HOOK, origin=Origin.DRIFT, message=message)
    assert changed_by_hook_reasons(changes) == ([reason] if text else [])
