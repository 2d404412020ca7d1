"""Packages that contain the same files are installed as pip does it, the same way each time, and a note names them."""

import json

import pytest

from tests.functional.host_state import planned
from tests.host import Host
from tests.wheels import make_wheel

ENVIRONMENTS = (
    'web:\n  python: "3.11"\n  packages: [%s]\n'
    'compiled:\n  python: "3.11"\n  packages: [%s]\n  compile_bytecode: true\n'
)
NAMES = ("five", "four", "one", "six", "three", "two")  # so many that no engine's own order gives the result by chance
LISTED = ", ".join(f"`{name}`" for name in NAMES)
NOTE = (
    f"{LISTED} contain the same 42 files with different contents; those of `two` are installed: "
    "`bin/tool`, `bin/written`, `lib/python3.11/site-packages/shared/m0.py` and 39 more"
)


@pytest.fixture
def overlapping(host: Host) -> Host:
    """Return a host with packages of the same files; `two` requires `three`, so pip installs it last."""
    for name in NAMES:
        make_wheel(
            host.index.directory,
            name,
            "1.0",
            requires=["three"] if name == "two" else [],
            modules={
                **{f"shared/m{number}.py": f"NAME = {name!r}\n" for number in range(40)},
                "shared/same.py": "SAME = True\n",
                f"{name}.py": "def main() -> None: print(__name__)\n",
            },
            scripts={"tool": f"{name}:main"},
            data={"scripts/written": f"#!python\n# {name}\n"},
        )
    return host


def contents(host: Host, name: str) -> set[str]:
    """Return which packages' files are installed."""
    shared = [path.read_text().split()[2] for path in host.site_packages(name).glob("shared/m*.py")]
    written = (host.venv(name) / "bin/written").read_text().split()[-1]
    command = next(line for line in (host.venv(name) / "bin/tool").read_text().splitlines() if line.startswith("from "))
    return {each.strip("'") for each in shared} | {written, command.split()[1]}


def test_pip_s_winner_is_installed_and_every_plan_and_check_says_so(overlapping: Host) -> None:
    host = overlapping
    host.manifest(ENVIRONMENTS % (", ".join(NAMES), ", ".join(NAMES)))
    ran = host.apply()
    assert f"note: web: {NOTE}" in ran.err.replace("note: compiled:", "note: web:")
    assert contents(host, "web") == contents(host, "compiled") == {"two"}
    assert host.envsync("verify").code == 0  # also the headers of bytecode
    for command in ("check", "check", "plan"):  # never only from the cache of the fast path
        ran = host.envsync(command)
        assert (ran.code, " ".join(ran.out.split()).count(NOTE)) == (0, 2), ran.out
    assert [each["notes"] for each in planned(host).values()] == [[NOTE], [NOTE]]
    record = json.loads((host.root / ".envsync/environments/web.json").read_text())
    assert [(each["equal"], each["files"]) for each in record["applied"]["overlaps"]] == [(False, 42), (True, 1)]

    # A change is drift, which names all packages that have the file, and is repaired with the same winner.
    edited = host.site_packages("web") / "shared/m7.py"
    edited.unlink()
    edited.write_text("edited\n")
    [finding] = host.environment("web")["findings"]
    assert (finding["package"], finding["detail"]) == ("five", f"its contents differ; {LISTED} contain it")
    host.apply()
    assert contents(host, "web") == {"two"}

    # Without one of them nothing of it remains, and nothing of the others is missing.
    host.manifest(ENVIRONMENTS % ("three", "one"))
    host.apply()
    assert (contents(host, "web"), contents(host, "compiled")) == ({"three"}, {"one"})
    assert "contain the same" not in host.envsync("check").out


def test_the_note_says_how_to_leave_a_package_out(overlapping: Host) -> None:
    """docs/troubleshooting.md has this override."""
    host = overlapping
    host.manifest('web:\n  python: "3.11"\n  packages: [two]\n  overrides: ["three; python_version < \'3\'"]\n')
    host.apply()
    assert host.freeze("web") == ["two==1.0"]
    assert contents(host, "web") == {"two"}


def test_a_package_s_own_activate_script_stays_as_its_record_says(host: Host) -> None:
    """The scripts of `nox` and `pipx` have such names."""
    make_wheel(host.index.directory, "acme", "1.0", data={"scripts/activate-global-acme": "#!python\n# acme\n"})
    host.manifest('web:\n  python: "3.11"\n  packages: [acme]\n')
    host.apply()
    generation, scripts = str(host.venv("web").resolve()), host.venv("web") / "bin"
    script = (scripts / "activate-global-acme").read_text()  # a long path takes several lines
    assert generation in script
    assert script.startswith("#!")
    assert script.endswith("\n# acme\n")
    activate = (scripts / "activate").read_text()
    assert str(host.venv("web")) in activate
    assert generation not in activate
