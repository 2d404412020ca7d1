"""`--output FORMAT` from the real command: every format in every command, with the same exit code."""

import re
from collections.abc import Iterator

import pytest

from reconciler.render.formats import Format
from tests.host import Host, new_host
from tests.render.markdown_page import by_github, page

WEB = """
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
"""


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with a saved plan, an edited file of beta, and an apply that fails because of a probe."""
    with new_host(tmp_path_factory.mktemp("formats")) as host:
        host.manifest(WEB)
        host.apply()
        (host.site_packages("web") / "beta.py").write_text("NAME = 'mine'\n")
        host.manifest(WEB + "  probes: [{import: nothing}]\n")
        assert host.envsync("plan", "--out", "plan.json").code == 0
        yield host


COMMANDS = {
    ("plan",): (0, "web", "beta"),
    ("check",): (2, "web", "beta"),
    ("show", "plan.json"): (0, "web", "beta"),
    ("apply", "--yes"): (1, "web", "nothing"),
}


@pytest.mark.parametrize("form", list(Format), ids=str)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_format_shows_what_differs_and_what_failed(drifted: Host, command: tuple[str, ...], form: Format) -> None:
    code, *names = COMMANDS[command]
    ran = drifted.envsync(*command, "--output", form)
    assert ran.code == code, ran.err
    assert ran.out.endswith("\n")
    shown = ran.out + ran.err if form is Format.TEXT else ran.out  # progress goes to standard error
    missing = [name for name in names if name not in shown]
    assert not missing, (
        f"`envsync {command[0]} --output {form}` does not name these; see tests/test_every_format.py for all plans"
    )


def test_markdown_shows_what_merging_would_change(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    host.manifest(WEB.replace("alpha==1.0", "alpha==1.1"))

    ran = host.envsync("plan", "--output", "markdown")

    assert ran.code == 0, ran.err
    assert ran.out.startswith("<!-- envsync -->\n### Plan: 1 to update.\n")
    made = page(by_github(ran.out))
    assert [each.text for each in made.all("h4")] == ["web: update (pending)"]
    (row,) = [each for each in made.all("tr") if each.all("td")]
    assert [each.text for each in row.all("td")][:4] == ["alpha", "1.0", "1.1", "pending"]

    done = host.envsync("apply", "--yes", "--output", "markdown")
    assert done.code == 0, done.err
    assert "### Applied: 1 updated.\n" in done.out
    assert re.search(r"^#### `web`: updated in [0-9.]+s, generation 2$", done.out, re.MULTILINE)


def test_github_marks_the_environment_that_drifted_in_the_manifest(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    (host.site_packages("web") / "beta.py").write_text("NAME = 'mine'\n")
    line = (host.directory / "envs.yaml").read_text().splitlines().index("  web:") + 1
    summary = host.directory / "summary.md"
    summary.write_text("what another step said, without line end")
    host.env["GITHUB_WORKSPACE"] = str(host.directory.parent)
    host.env["GITHUB_STEP_SUMMARY"] = str(summary)

    ran = host.envsync("check", "--output", "github")

    assert ran.code == 2, ran.err
    assert ran.out.splitlines() == [
        f"{noted('warning', line)}drifted::update: 1 file edited%0Abeta 2.0: 1 file edited: beta.py",
        "Check: 1 drifted.",
    ]
    said = summary.read_text()
    assert "\n<!-- envsync -->\n### Check: 1 drifted.\n" in said
    assert "| `beta` | 2.0 | 2.0 | **drift** | 1 file edited: `beta.py` |" in said

    elsewhere = host.envsync("check", "--output", "github", env={"GITHUB_STEP_SUMMARY": str(host.directory)})
    assert (elsewhere.code, elsewhere.out) == (2, ran.out)
    assert elsewhere.err == "warning: the step summary could not be written: Is a directory\n"

    done = host.envsync("apply", "--yes", "--output", "github")
    assert done.code == 0, done.err
    assert f"{noted('notice', line)}updated::" in done.out
    assert host.envsync("check", "--output", "github").out == "No drift. 1 environment matches `envs.yaml`.\n"


def noted(kind: str, line: int) -> str:
    return f"::{kind} file=work/envs.yaml,line={line},col=3,title=envsync%3A web%3A "
