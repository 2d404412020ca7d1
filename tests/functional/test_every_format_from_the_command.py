"""`--output FORMAT`: each format is what its reader takes, from the real command, and the exit code stays the same."""

import re

from tests.host import Host
from tests.render.markdown_page import by_github, page

WEB = """
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
"""


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
    assert host.envsync("check", "--output", "github").out == "No drift. 1 environment matches envs.yaml.\n"


def noted(kind: str, line: int) -> str:
    return f"::{kind} file=work/envs.yaml,line={line},col=3,title=envsync%3A web%3A "
