"""Six environments of real packages on five Python versions: applied with one command, damaged, and repaired.

The packages come from the index that uv uses here, so this test needs a network.
`test_check_finds_and_apply_puts_right.py` tests each kind of damage in more detail, and offline.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.every_case import EVERY_CASE, takes_longer
from tests.functional.test_check_finds_and_apply_puts_right import missing_pythons
from tests.host import Host, base_environment

MANIFEST = """
site:
  python: "3.12"
  packages: ["django>=5.2,<6", gunicorn, "psycopg[binary]"]
  env: {DJANGO_SETTINGS_MODULE: acme.settings}
  probes: [dependencies, {import: django}, {run: [python, -m, django, --version], timeout: 60s}]
lab:
  python: "3.11"
  packages: [pandas, LARGE]
  depends_on: [tools]
tools:
  python: "3.13"
  packages: [httpie, black, ruff]
api:
  python: "3.10"
  requirements: [requirements/api.txt]
own:
  python: "3.9"
  project: {path: project, editable: true, groups: [dev]}
empty:
  python: ">=3.11,<3.13"
""".replace(", LARGE", ", jupyterlab" if EVERY_CASE else "")  # with jupyterlab, `lab` has ninety packages

PROJECT = """
[project]
name = "acme-own"
version = "1.0"
dependencies = ["idna"]
[dependency-groups]
dev = ["iniconfig"]
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
"""

pytestmark = [
    takes_longer,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        bool(missing_pythons("3.9", "3.10", "3.11", "3.12", "3.13")),
        reason=f"needs Python {', '.join(missing_pythons('3.9', '3.10', '3.11', '3.12', '3.13'))}",
    ),
]


def uv(*arguments: str, cwd: Path) -> str:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=base_environment(), cwd=cwd).stdout


def change_manually(host: Host, name: str, *arguments: str) -> None:
    uv(arguments[0], "-p", str(host.venv(name).resolve() / "bin/python"), *arguments[1:], cwd=host.directory)


def write_repository(host: Host) -> None:
    """Write the manifest and the files that it names."""
    requirements = host.directory / "requirements"
    requirements.mkdir()
    (requirements / "api.in").write_text("flask\n")
    (requirements / "api.txt").write_text(
        uv("compile", "--generate-hashes", "--no-header", "--python-version", "3.10", "api.in", cwd=requirements)
    )
    package = host.directory / "project/src/acme_own"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (host.directory / "project/pyproject.toml").write_text(PROJECT)
    host.manifest(MANIFEST, local_index=False)


def edit_unseen(module: Path) -> None:
    """Edit a module and keep its size and mtime."""
    before = module.stat()
    module.write_bytes(module.read_bytes()[:-1] + b"#")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))


def damages(host: Host) -> list[tuple[str, str, Callable[[], object], str]]:
    """Return environment, package (or ''), the function that damages it, and the reason that `check` must give."""

    def site(name: str) -> Path:
        return host.site_packages(name)

    def info(name: str, pattern: str) -> Path:
        return next(site(name).glob(pattern))

    def dangle() -> None:
        (host.venv("own") / "bin/python").unlink()
        (host.venv("own") / "bin/python").symlink_to("/nowhere/python")

    return [
        ("site", "sqlparse", lambda: change_manually(host, "site", "uninstall", "sqlparse"), "removed-by-hand"),
        (
            "site",
            "asgiref",
            lambda: change_manually(host, "site", "install", "--no-deps", "asgiref==3.8.1"),
            "changed-by-hand",
        ),
        ("tools", "six", lambda: change_manually(host, "tools", "install", "six"), "installed-by-hand"),
        ("lab", "pandas", lambda: (site("lab") / "pandas/api/types/__init__.py").write_text("#"), "files-edited"),
        # Not in `lab`, which has the most files: each round builds what it damaged again.
        ("tools", "httpie", lambda: (site("tools") / "httpie/client.py").unlink(), "files-edited"),
        ("api", "", lambda: (site("api") / "stray.pth").write_text("import os\n"), "files-drifted"),
        ("api", "flask", lambda: (info("api", "flask-*.dist-info") / "RECORD").unlink(), "metadata-damaged"),
        ("api", "jinja2", lambda: (info("api", "jinja2-*.dist-info") / "METADATA").write_text(""), "metadata-damaged"),
        ("empty", "", lambda: (host.venv("empty") / "pyvenv.cfg").unlink(), "environment-damaged"),
        ("own", "", dangle, "environment-damaged"),
        ("tools", "black", lambda: edit_unseen(site("tools") / "black/__init__.py"), "files-edited"),
    ]


def test_six_environments_are_created_kept_and_repaired(host: Host) -> None:
    write_repository(host)
    host.apply()
    assert host.envsync("apply", "--yes").out.startswith("No changes"), "the second apply changes nothing"
    assert any(line.startswith("Django==5.2") for line in host.freeze("site"))
    assert "iniconfig" in "\n".join(host.freeze("own"))
    assert host.freeze("empty") == []
    assert host.envsync("run", "site", "--", "python", "-c", "import psycopg, django").code == 0

    left = damages(host)
    while left:
        round_of = {name: (package, damage, reason) for name, package, damage, reason in reversed(left)}
        left = [each for each in left if each[2] not in {damage for _, damage, _ in round_of.values()}]
        damaged_and_repaired(host, round_of)

    replaced_by_a_directory_is_blocked(host)
    replaced_by_a_venv_is_adopted(host)
    changed_in_the_manifest_is_pending(host)


def damaged_and_repaired(host: Host, round_of: dict[str, tuple[str, Callable[[], object], str]]) -> None:
    """Damage some environments in one way each; `check` must give the reason of each, and one apply must repair all."""
    for _, damage, _ in round_of.values():
        damage()
    checked = {each["name"]: each for each in host.check()["environments"]}
    for name, (package, _, reason) in round_of.items():
        found = checked[name]
        reasons = {each["code"] for each in found["reasons"]} | {
            each["reason"] for each in found["packages"] if each["name"] == package
        }
        assert reason in reasons, (name, package, reason, found["reasons"], found["packages"])
    # More environments can be damaged: an edit of a shared file is in all of them (jinja2 in `api` and `lab`).
    assert {name for name, each in checked.items() if each["action"] != "no-op"} >= round_of.keys()
    host.apply()


def replaced_by_a_directory_is_blocked(host: Host) -> None:
    host.venv("empty").unlink()
    host.venv("empty").mkdir()
    (host.venv("empty") / "mine.txt").write_text("mine")
    assert {each["code"] for each in host.environment("empty")["blocked"]} == {"not-ours"}
    assert host.envsync("apply", "--yes").code == 4
    assert (host.venv("empty") / "mine.txt").read_text() == "mine"
    (host.venv("empty") / "mine.txt").unlink()
    host.venv("empty").rmdir()
    host.apply()


def replaced_by_a_venv_is_adopted(host: Host) -> None:
    host.venv("empty").unlink()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(host.venv("empty"))], check=True)
    assert {each["code"] for each in host.environment("empty")["blocked"]} == {"not-ours"}
    assert host.envsync("apply", "--yes").code == 4
    host.apply("--adopt")


def changed_in_the_manifest_is_pending(host: Host) -> None:
    changed = MANIFEST.replace('"django>=5.2,<6"', '"django>=6,<7"')
    changed = changed.replace('tools:\n  python: "3.13"', 'tools:\n  python: "3.12"')
    changed = changed.replace('empty:\n  python: ">=3.11,<3.13"\n', "")
    host.manifest(changed, local_index=False)
    assert host.envsync("check").code == 2
    plan = {each["name"]: each for each in host.envsync("plan", "--output", "json").json()["environments"]}
    assert plan["site"]["action"] == "update"
    django = next(each for each in plan["site"]["packages"] if each["name"] == "django")
    assert (django["action"], django["origin"]) == ("upgrade", "pending")
    assert plan["tools"]["action"] == "replace"
    assert plan["empty"]["action"] == "delete"
    host.apply()
    assert not os.path.lexists(host.venv("empty"))
