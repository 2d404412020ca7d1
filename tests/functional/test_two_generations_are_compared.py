"""`diff`: versions, files, settings and size of two generations, by what was sealed."""

import json

from tests.functional.host_state import published
from tests.host import Host

FIRST = 'web:\n  python: "3.11"\n  packages: [alpha==1.0, gamma]\n'
SECOND = 'web:\n  python: "3.11"\n  packages: [alpha==1.1]\n  env: {A: "1", API_TOKEN: hunter2}\n'


def test_diff_shows_versions_files_and_settings_and_runs_nothing(host: Host) -> None:
    host.manifest(FIRST)
    host.apply()
    first = next(host.venv("web").glob("lib/python3*/site-packages/alpha/__init__.py"))
    host.manifest(FIRST + "  labels: {a: b}\n  probes: [{import: gamma}]\n  compile_bytecode: true\n")
    next(host.venv("web").glob("lib/python3*/site-packages/beta_data/x.txt")).unlink()  # so that it is built again
    host.apply()
    ran = host.envsync("diff", "web", "1", "2", "--output", "json")
    assert ran.code == 0, ran.err
    found = ran.json()
    assert (found["packages"], found["files"]) == ([], []), "the script of gamma contains the path of its generation"
    assert {each["path"][0] for each in found["settings"]} == {"labels", "probes"}
    assert found["before"]["size"] < found["after"]["size"], "bytecode has a size"

    host.manifest(SECOND)
    host.apply()
    first.unlink()
    first.write_text("raise SystemExit('executed')\n")  # what was sealed counts
    found = host.envsync("diff", "web", "2", "--output", "json").json()
    assert (found["before"]["generation"], found["after"]["generation"]) == (2, published(host, "web"))
    assert [(each["name"], each["action"], each["before"], each["after"]) for each in found["packages"]] == [
        ("alpha", "upgrade", "1.0", "1.1"),
        ("gamma", "remove", "0.1", None),
    ]
    files = {each["path"].rpartition("site-packages/")[2]: each for each in found["files"]}
    assert (files["alpha/__init__.py"]["change"], files["alpha/__init__.py"]["package"]) == ("changed", "alpha")
    assert (files["bin/gamma"]["change"], files["bin/gamma"]["package"]) == ("removed", "gamma")
    assert not [path for path in files if path.startswith("beta")]
    assert "hunter2" not in json.dumps(found)

    ran = host.envsync("diff", "web", "2", "3", "--exit-code")
    assert ran.code == 2
    lines = ran.out.splitlines()
    assert lines[0].startswith("web: generation 2 (20")
    assert "  ~ alpha  1.0 -> 1.1  1 file changed, 5 removed, 5 added" in lines
    assert "  - gamma  0.1         8 files removed" in lines
    assert any(each.startswith('      + env.A: "**** ') for each in lines)
    assert lines[-1].startswith("Diff: 2 packages, ")
    assert (
        f"  - lib/{first.parts[-4]}/site-packages/gamma/__init__.py" in host.envsync("diff", "web", "2", "3", "-v").out
    )
    ran = host.envsync("diff", "web", "2", "2", "--exit-code")
    assert (ran.code, ran.out.splitlines()[1]) == (0, "No differences.")
    ran = host.envsync("diff", "web", "9")
    assert (ran.code, "hint: choose from those that are kept: 1, 2, 3" in ran.err) == (3, True)
    (host.root / ".envsync/generations/web/1/inventory").unlink()
    ran = host.envsync("diff", "web", "1")
    assert (ran.code, "inventory" in ran.err) == (1, True)
    assert host.envsync("destroy", "web", "--yes").code == 0
    ran = host.envsync("diff", "web", "2")
    assert (ran.code, " -> 3 (" in ran.out) == (0, True), "a deleted environment is compared with what was published"
