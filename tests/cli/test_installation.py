"""envsync recognizes at start that another distribution has overwritten its package `reconciler`."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from reconciler.cli.installation import report_overwritten
from tests.wheels import make_wheel

PACKAGE = Path(__file__).parent.parent.parent / "reconciler"


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site-packages of a new virtual environment with this package, and a path file for its dependencies."""
    root = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    site = next(root.glob("lib/python*/site-packages"))
    shutil.copytree(PACKAGE, site / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "dependencies.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    return site


def envsync(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = site.parents[2] / "bin/python"
    code = "from reconciler.cli import main; main()"
    return subprocess.run([program, "-c", code, *arguments], cwd=site, capture_output=True, text=True, check=False)


def overwrite(site: Path, wheels: Path, modules: dict[str, str]) -> None:
    """Unpack a wheel of a different distribution over the package, like an installer."""
    wheel = make_wheel(wheels, "other-reconciler", "2.1", modules=modules)
    shutil.unpack_archive(wheel, site, "zip")


OVERWRITTEN = {
    "its __init__, without a version": {"reconciler/__init__.py": ""},
    "its __init__, with a version": {"reconciler/__init__.py": "__version__ = '2.1'\n"},
    "a module that every command needs": {"reconciler/errors.py": "class Error(Exception): ...\n"},
}


@pytest.mark.parametrize("what", OVERWRITTEN)
@pytest.mark.parametrize("arguments", [("--version",), ("plan",), ("run", "web", "--", "true")], ids="-".join)
def test_a_package_that_another_distribution_overwrote_is_named(
    what: str, arguments: tuple[str, ...], site_packages: Path, tmp_path: Path
) -> None:
    originals = {path.name: path.read_bytes() for path in (site_packages / "reconciler").glob("*.py")}
    overwrite(site_packages, tmp_path, OVERWRITTEN[what])
    try:
        ran = envsync(site_packages, *arguments)
    finally:
        for name, content in originals.items():
            (site_packages / "reconciler" / name).write_bytes(content)
        shutil.rmtree(next(site_packages.glob("other_reconciler-*")))
    if what == "a module that every command needs" and arguments == ("--version",):
        assert (ran.returncode, ran.stderr) == (0, "")  # `--version` does not import this module
        return
    assert ran.returncode == 1
    assert ran.stderr == (
        "error: other-reconciler 2.1 has overwritten files of the package `reconciler`, "
        "which belongs to envsync-reconciler\n"
        "hint: create a new virtual environment and install only envsync in it\n"
    )
    assert ran.stdout == ""


def test_an_import_that_fails_for_a_different_reason_is_not_hidden(site_packages: Path) -> None:
    module = site_packages / "reconciler/errors.py"
    original = module.read_bytes()
    module.write_bytes(original + b"\nimport nothing_of_that_name\n")
    try:
        ran = envsync(site_packages, "plan")
    finally:
        module.write_bytes(original)
    assert "No module named 'nothing_of_that_name'" in ran.stderr
    assert "has overwritten" not in ran.stderr


def installed(site: Path, name: str, version: str, *files: str) -> None:
    """Write the metadata of a distribution with these files."""
    metadata = site / f"{name or 'nameless'}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nVersion: {version}\n" + f"Name: {name}\n" * bool(name))
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_every_other_distribution_with_files_in_the_package_is_named_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    installed(tmp_path, "Envsync_Reconciler", "1.0", "reconciler/errors.py")
    installed(tmp_path, "other", "1.0", "reconciler_other/x.py", "lib/reconciler/x.py", "reconciler.py")
    error = ImportError("something is missing")
    with pytest.raises(ImportError) as caught:
        report_overwritten(error)
    assert caught.value is error
    installed(tmp_path, "zeta", "1.0", "zeta.py", "reconciler/zeta.py")
    installed(tmp_path, "alpha", "2.0", "reconciler/alpha.py")
    assert report_overwritten(error) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        "error: alpha 2.0 and zeta 1.0 have overwritten files of the package `reconciler`, "
        "which belongs to envsync-reconciler"
    )


def test_the_interpreter_of_these_tests_has_no_such_distribution() -> None:
    done = subprocess.run([sys.executable, "-m", "reconciler", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("envsync ")
