"""A build of an editable project may write files into its sources: they are results, as long as it makes them again."""

import json
from pathlib import Path

from tests.functional.projects import write_project
from tests.host import Host

# Every build writes `src/made.py` from word.txt. One in the project's own directory also writes what `found.txt` says,
# as a user or another program could do at that time.
_WRITING = """
word = (HERE / "word.txt").read_text().strip()
(HERE / "src/made.py").write_text("MADE = " + repr(word))
if "envsync-" not in str(HERE) and (HERE / "meanwhile.txt").exists():
    (HERE / "src/own_too.py").write_text((HERE / "meanwhile.txt").read_text())
"""


def write_writing_project(host: Host) -> Path:
    project = host.directory / "own"
    write_project(project, "own")
    backend = project / "backend.py"
    backend.write_text(backend.read_text().replace("\n\ndef metadata():", _WRITING + "\n\ndef metadata():", 1))
    (project / "word.txt").write_text("first\n")
    pyproject = project / "pyproject.toml"
    # The lock depends on every file too, because only a build knows the dependencies.
    pyproject.write_text(pyproject.read_text().replace("dependencies = []\n", 'dynamic = ["dependencies"]\n'))
    host.manifest(
        'dev:\n  python: "3.11"\n  project: {path: own, editable: true}\n'
        'prod:\n  python: "3.11"\n  project: {path: own}\n'
    )
    return project


def changed(host: Host) -> set[str]:
    found = host.envsync("check", "--output", "json").json()["environments"]
    return {each["name"] for each in found if each["action"] != "no-op"}


def test_check_is_green_after_an_apply_whose_build_wrote_into_the_sources(host: Host) -> None:
    project = write_writing_project(host)
    made = project / "src/made.py"
    host.apply()  # asserts that the plan is then empty
    assert made.read_text() == "MADE = 'first'"
    assert host.envsync("lock", "--check").code == 0

    (project / "word.txt").write_text("second\n")
    assert changed(host) == {"dev", "prod"}
    host.apply()
    assert made.read_text() == "MADE = 'second'"

    made.write_text("MADE = 'by a user'")
    assert changed(host) == {"dev", "prod"}, "a build may read the file, or keep it"
    made.unlink()
    assert changed(host) == set(), "the next build makes it again, equal"

    (host.root / ".envsync/cache/generated.json").write_text("damaged")
    host.apply()
    assert (host.site_packages("prod") / "made.py").read_text() == "MADE = 'second'"


def test_what_someone_else_writes_during_a_build_is_a_change(host: Host) -> None:
    project = write_writing_project(host)
    (project / "meanwhile.txt").write_text("WORD = 1\n")
    assert host.envsync("apply", "--yes").code == 0
    recorded = json.loads((host.root / ".envsync/cache/generated.json").read_text())["files"]
    assert list(recorded) == [str(project / "src/made.py")]
    assert changed(host) == {"dev", "prod"}, "no build makes it again"
    host.apply()
    assert (host.site_packages("prod") / "own_too.py").read_text() == "WORD = 1\n"
