"""What a run excepts: the differences that it leaves out, and the patterns that matched none."""

import pytest

from reconciler.diff.compare import compare
from reconciler.diff.masking import Mask
from reconciler.diff.model import ReasonCode
from tests.plan.build import world

WEB = {"packages": {"six": "1.0", "idna": "3.0"}}
PUBLISHED = {
    "manifest": {"web": WEB},
    "applied": {"web": WEB},
    "actual": {
        "web": {
            "packages": {"six": "2.0", "idna": "4.0"},
            "findings": [{"code": "file-added", "path": "share/a.txt"}],
        }
    },
}
NEW = {"manifest": {"web": WEB}}
UNCHANGED = {"manifest": {"web": WEB}, "applied": {"web": WEB}, "actual": {"web": {}}}


@pytest.mark.parametrize(
    ("case", "patterns", "excepted", "left"),
    [
        (PUBLISHED, (), (), ["idna", "six"]),
        (PUBLISHED, ("idna",), (("idna", ("idna",)),), ["six"]),
        (PUBLISHED, ("nope",), (("nope", ()),), ["idna", "six"]),
        (UNCHANGED, ("idna", "nope"), (("idna", ()), ("nope", ())), []),
        (NEW, (), (), []),
        (NEW, ("idna", "nope"), (("idna", ()), ("nope", ())), []),
    ],
)
def test_every_pattern_is_reported_with_what_it_matched(
    case: dict[str, object],
    patterns: tuple[str, ...],
    excepted: tuple[tuple[str, tuple[str, ...]], ...],
    left: list[str],
) -> None:
    made = world(case)
    exceptions = [("web", each) for each in patterns]
    [web] = compare(made.desired, made.targets, made.actual, made.applied, exceptions).environments
    assert web.excepted == excepted
    assert [each.name for each in web.packages if each.origin.value != "pending"] == left


def test_an_excepted_package_is_no_reason_either() -> None:
    package = {"version": "1.0", "directory": "lib", "editable": True}
    case = {
        "manifest": {"web": {"packages": {"lib": {**package, "at": "/new/lib"}}}},
        "applied": {"web": {"packages": {"lib": {**package, "at": "/old/lib"}}}},
    }
    made = world(case)
    moved = [(ReasonCode.SOURCE_MOVED, "`lib` is installed from `/old/lib`, but the manifest means `/new/lib`")]
    for exceptions, reasons in (([], moved), ([("web", "lib")], []), ([("other", "lib")], moved)):
        [web] = compare(made.desired, made.targets, made.actual, made.applied, exceptions).environments
        assert [(each.code, each.message) for each in web.reasons] == reasons


def test_the_mask_of_a_run_is_used_for_its_settings() -> None:
    settings = {"packages": {}, "env": {"A": "1"}}
    made = world({"manifest": {"web": settings}, "applied": {"web": {**settings, "env": {"A": "2"}}}})
    mask = Mask(key=b"key")
    [web] = compare(made.desired, made.targets, made.actual, made.applied, mask=mask).environments
    [change] = web.settings
    assert (change.before, change.after) == (mask(("env", "A"), "2"), mask(("env", "A"), "1"))
