"""A sentence says how a generation differs from its seal."""

import pytest

from reconciler.apply.damage import describe_damage
from reconciler.diff.integrity import Integrity
from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.observe.actual import Finding, FindingCode


def finding(path: str, *, package: str = "") -> Finding:
    return Finding(code=FindingCode.FILE_CHANGED, path=path, detail="edited", package=package)


def package(name: str) -> PackageChange:
    return PackageChange(
        name=name,
        action=PackageAction.REPAIR,
        origin=Origin.DRIFT,
        reason=ReasonCode.FILES_DRIFTED,
        message="its files were changed",
    )


@pytest.mark.parametrize(
    ("packages", "findings", "sentence"),
    [
        ((), (), "its virtual environment does not exist"),
        ((), (finding("a"),), "`a`: edited"),
        ((), (finding(""),), "the environment: edited"),
        (("six",), (finding("six.py", package="six"),), "`six`: its files were changed"),
        (("six",), (finding("b", package="attrs"),), "`six`: its files were changed; `b`: edited"),
        ((), (finding("a"), finding("b"), finding("c")), "`a`: edited; `b`: edited; `c`: edited"),
        ((), tuple(map(finding, "abcde")), "`a`: edited; `b`: edited; `c`: edited; and 2 more"),
    ],
)
def test_the_first_three_differences_are_described(
    packages: tuple[str, ...], findings: tuple[Finding, ...], sentence: str
) -> None:
    found = Integrity(name="web", generation=1, exists=True, packages=tuple(map(package, packages)), findings=findings)
    assert describe_damage(found) == sentence
