"""The formats of CI systems from the real command, on a host with drift, a pending change and a blocked delete."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from junitparser import TestSuite

from tests.host import Host, new_host, put_back

SCHEMAS = Path(__file__).parents[1] / "schemas"
WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
KEPT = 'kept:\n  python: "3.11"\n  prevent_destroy: true\n'
SITE = "lib/python3.11/site-packages"
SAME = 'same:\n  python: "3.11"\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with an edited file, a version that was raised, and an environment that must not be deleted."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        host.manifest(SAME + KEPT + WEB)
        host.apply()
        (host.site_packages("web") / "beta.py").write_text("NAME = 'edited'\n")
        host.manifest(SAME + "\n" + WEB.replace("1.0", "1.1"))
        assert host.envsync("lock").code == 0
        yield host


@pytest.fixture
def moved(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def line_of(host: Host, name: str) -> int:
    return (host.directory / "envs.yaml").read_text().splitlines().index(f"  {name}:") + 1


def valid(text: str, schema: str) -> Any:
    found = json.loads(text)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))).validate(found)
    return found


def test_sarif_has_a_result_for_each_difference_at_its_line(moved: Host) -> None:
    ran = moved.envsync("check", "--output", "sarif")
    assert (ran.code, ran.err) == (2, "")
    (run,) = valid(ran.out, "sarif-2.1.0.schema.json")["runs"]
    assert [
        (
            each["ruleId"],
            each["level"],
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
            each["message"]["text"].partition("\n")[0],
        )
        for each in run["results"]
    ] == [
        ("prevent-destroy", "error", "envs.yaml", 1, "kept: would be deleted, but `prevent_destroy` is set"),
        ("lock-changed", "note", "envs.yaml", line_of(moved, "web"), "web: the lock changed"),
        ("file-changed", "warning", "envs.yaml", line_of(moved, "web"), f"web: beta: 1 file edited: {SITE}/beta.py"),
    ]


def test_a_stray_pth_reaches_sarif_and_gitlab_as_a_startup_file(host: Host) -> None:
    """Its code is the rule, its file is a related location, and both stay the same from run to run."""
    host.manifest(WEB)
    host.apply()
    name = "stray 100% \u00e9.pth"
    (host.site_packages("web") / name).write_text("import os\n")
    ran = host.envsync("check", "--output", "sarif")
    assert (ran.code, ran.err) == (2, "")
    (run,) = valid(ran.out, "sarif-2.1.0.schema.json")["runs"]
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("startup-added", "error")
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["shortDescription"]["text"]) == (
        "startup-added",
        "A file that Python runs at every start was added to the environment.",
    )
    assert result["message"]["text"] == f"web: 1 startup file added: {SITE}/{name}\nPython runs its `import` lines"
    [manifest], [file] = result["locations"], result["relatedLocations"]
    assert manifest["physicalLocation"]["region"] == {"startLine": line_of(host, "web")}
    artifact = file["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": f"web/{SITE}/stray%20100%25%20%C3%A9.pth", "uriBaseId": "ENVIRONMENTS"}
    assert (host.root / unquote(artifact["uri"])).read_text() == "import os\n"
    assert artifact["uriBaseId"] in run["originalUriBaseIds"]
    assert str(host.directory) not in ran.out
    assert host.envsync("check", "--output", "sarif").out == ran.out

    [finding] = valid(host.envsync("check", "--output", "gitlab").out, "gitlab-code-quality.schema.json")
    assert finding["check_name"] == "envsync/startup-added"
    assert finding["description"] == f"web: 1 startup file added: {SITE}/{name} (Python runs its `import` lines)"
    assert finding["location"]["path"] == "envs.yaml"
    assert finding["fingerprint"] == result["partialFingerprints"]["envsync/v1"]

    host.apply()
    (run,) = valid(host.envsync("check", "--output", "sarif").out, "sarif-2.1.0.schema.json")["runs"]
    assert run["results"] == []


def test_gitlab_has_the_same_issues_and_fingerprints_do_not_depend_on_lines(moved: Host) -> None:
    first = valid(moved.envsync("check", "--output", "gitlab").out, "gitlab-code-quality.schema.json")
    moved.manifest("# a comment\n\n" + SAME + WEB.replace("1.0", "1.1"))
    second = valid(moved.envsync("check", "--output", "gitlab").out, "gitlab-code-quality.schema.json")
    assert [each["severity"] for each in first] == ["critical", "info", "major"]
    assert [each["fingerprint"] for each in first] == [each["fingerprint"] for each in second]
    assert [each["location"] for each in first] != [each["location"] for each in second]
    moved.env["CI_PROJECT_DIR"] = str(moved.directory.parent)
    third = valid(moved.envsync("check", "--output", "gitlab").out, "gitlab-code-quality.schema.json")
    assert {each["location"]["path"] for each in third} == {f"{moved.directory.name}/envs.yaml"}
    assert [each["fingerprint"] for each in third] == [each["fingerprint"] for each in first]


def test_junit_has_a_case_for_each_environment_and_the_seconds_of_an_apply(moved: Host) -> None:
    ran = moved.envsync("check", "--output", "junit")
    suite = TestSuite.fromstring(ran.out)
    assert (ran.code, suite.tests, suite.failures, suite.errors) == (2, 3, 2, 0)
    assert {each.name: [one.type for one in each.result] for each in suite} == {
        "kept": ["prevent-destroy"],
        "same": [],
        "web": ["lock-changed"],
    }
    ran = moved.envsync("apply", "--yes", "--output", "junit")
    suite = TestSuite.fromstring(ran.out)
    assert (ran.code, suite.tests, suite.failures, suite.errors) == (4, 3, 1, 0)
    assert {each.name: bool(each.time) for each in suite} == {"kept": False, "same": False, "web": True}


def test_failures_of_an_apply_are_in_each_format(moved: Host) -> None:
    moved.manifest(SAME + KEPT + WEB + "  probes: [{import: nothing}]\n")
    ran = moved.envsync("apply", "--yes", "--output", "sarif")
    assert ran.code == 1
    (result,) = valid(ran.out, "sarif-2.1.0.schema.json")["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("probe-failed", "error")
    (finding,) = valid(moved.envsync("apply", "--yes", "--output", "gitlab").out, "gitlab-code-quality.schema.json")
    assert (finding["check_name"], finding["severity"]) == ("envsync/probe-failed", "blocker")
    suite = TestSuite.fromstring(moved.envsync("apply", "--yes", "--output", "junit").out)
    assert [one.type for each in suite for one in each.result] == ["probe-failed"]


def test_without_differences_each_format_is_an_empty_report(host: Host) -> None:
    host.manifest(SAME)
    host.apply()
    sarif = host.envsync("check", "--output", "sarif")
    assert (sarif.code, valid(sarif.out, "sarif-2.1.0.schema.json")["runs"][0]["results"]) == (0, [])
    assert host.envsync("check", "--output", "gitlab").out == "[]\n"
    assert TestSuite.fromstring(host.envsync("check", "--output", "junit").out).failures == 0
