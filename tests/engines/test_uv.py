"""The real uv behind the engine interface, with an index on 127.0.0.1."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from reconciler.engines.engine import ResolveRequest
from reconciler.engines.uv import UvEngine
from reconciler.errors import (
    BuildNeededError,
    EngineError,
    EnvsyncError,
    FileGoneError,
    HashMismatchError,
    IndexForbiddenError,
    IndexUnreachableError,
    OfflineError,
    PackageNotFoundError,
    ResolveError,
)
from reconciler.interpreters.model import Interpreter
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.desired import Index
from tests.engines.requests import install_request, resolve_request
from tests.index import ServedIndex
from tests.wheels import make_sdist, make_wheel


class Uv:
    """The engine, with short forms of what the tests need."""

    def __init__(self, engine: UvEngine, interpreter: Interpreter, indexes: tuple[Index, ...], scratch: Path) -> None:
        self.engine, self.interpreter, self.indexes, self.scratch = engine, interpreter, indexes, scratch

    def request(self, *lines: str, **more: Any) -> ResolveRequest:
        return resolve_request(*lines, interpreter=self.interpreter, **{"indexes": self.indexes, **more})

    def resolve(self, *lines: str, **more: Any) -> list[dict[str, Any]]:
        found = tomllib.loads(self.engine.resolve(self.request(*lines, **more)))["packages"]
        assert isinstance(found, list)
        return found

    def pins(self, *lines: str, **more: Any) -> list[str]:
        return [f"{package['name']} {package.get('version')}" for package in self.resolve(*lines, **more)]

    def text(self, *lines: str, **more: Any) -> str:
        """Return the resolution of `lines` with the index of each package, like in a lock; uv caches by index."""
        document = tomllib.loads(self.engine.resolve(self.request(*lines, **more)))
        for package in document["packages"]:
            package["index"] = self.indexes[0].url
        return lock_text(document)

    def install(self, *lines: str, text: str | None = None, **more: Any) -> Path:
        """Create a venv, install the resolution of `lines` (or the document `text`), and return its site-packages."""
        directory = self.scratch / f"generation-{len(list(self.scratch.glob('generation-*')))}"
        directory.mkdir()
        pylock = directory / "pylock.toml"
        pylock.write_text(text or self.text(*lines))
        venv = directory / "venv"
        self.engine.create(venv, self.interpreter, system_site_packages=False, prompt="web")
        self.engine.install(install_request(venv, pylock, indexes=self.indexes, **more))
        return venv / f"lib/python{self.interpreter.series}/site-packages"


@pytest.fixture
def uv(engine: UvEngine, interpreter: Interpreter, indexes: tuple[Index, ...], tmp_path: Path) -> Uv:
    return Uv(engine, interpreter, indexes, tmp_path)


def cold(uv: Uv, name: str = "cold") -> Uv:
    """Return the same with an empty cache."""
    return Uv(UvEngine(ambient=dict(os.environ), cache=uv.scratch / name), uv.interpreter, uv.indexes, uv.scratch)


# Resolving


def test_a_resolution_has_every_package_with_hashes(uv: Uv) -> None:
    alpha, beta = uv.resolve("alpha")
    assert (alpha["version"], beta["version"]) == ("1.1", "2.0")
    assert len(alpha["wheels"][0]["hashes"]["sha256"]) == 64


def test_without_requirements_the_document_is_empty(uv: Uv) -> None:
    assert uv.resolve() == []


def test_constraints_and_overrides_are_respected(uv: Uv) -> None:
    assert uv.pins("alpha", constraints=("beta<2",)) == ["alpha 1.1", "beta 1.0"]
    assert uv.pins("alpha", "beta==2.0", overrides=("beta==1.0",)) == ["alpha 1.1", "beta 1.0"]


def test_pins_of_an_earlier_lock_are_kept_without_an_upgrade(uv: Uv) -> None:
    before = uv.engine.resolve(uv.request("alpha==1.0", "beta==1.0"))
    assert uv.pins("alpha", preferences=before) == ["alpha 1.0", "beta 1.0"]
    assert uv.pins("alpha", preferences=before, upgrade=("beta",)) == ["alpha 1.0", "beta 2.0"]
    assert uv.pins("alpha", preferences=before, upgrade=True) == ["alpha 1.1", "beta 2.0"]


def test_dependencies_can_be_left_out(uv: Uv) -> None:
    assert uv.pins("alpha", dependencies=False) == ["alpha 1.1"]


def test_exclude_newer_hides_later_files(uv: Uv, served: ServedIndex) -> None:
    served.uploaded["beta-1.0-py3-none-any.whl"] = "2024-01-01T00:00:00Z"
    served.uploaded["beta-2.0-py3-none-any.whl"] = "2024-06-01T00:00:00Z"
    assert uv.pins("beta", exclude_newer="2024-03-01T00:00:00Z") == ["beta 1.0"]


def test_prereleases_are_used_only_if_allowed(uv: Uv) -> None:
    make_wheel(uv.scratch / "wheels", "beta", "3.0rc1")
    assert uv.pins("beta") == ["beta 2.0"]
    assert uv.pins("beta", prerelease="allow") == ["beta 3.0rc1"]
    assert uv.pins("beta>=3.0rc1", prerelease="if-necessary") == ["beta 3.0rc1"]


@pytest.mark.parametrize("name", ["async-timeout", "hash-mismatch", "http-status", "nothere"])
def test_a_missing_package_is_not_a_network_failure(name: str, uv: Uv) -> None:
    with pytest.raises(PackageNotFoundError, match=f"package `{name}` was not found on any index"):
        uv.resolve(name)


def test_contradicting_versions_are_reported(uv: Uv) -> None:
    with pytest.raises(ResolveError) as caught:
        uv.resolve("alpha", "beta>2")
    assert "beta>2" in " ".join(caught.value.details)


def test_offline_without_cached_files_is_an_error(uv: Uv) -> None:
    with pytest.raises(OfflineError):
        uv.resolve("alpha", offline=True)
    uv.resolve("alpha")
    assert uv.pins("alpha", offline=True) == ["alpha 1.1", "beta 2.0"]


def test_an_unreachable_index_is_reported(uv: Uv) -> None:
    dead = (Index(name="dead", url="http://127.0.0.1:1/simple/"),)
    with pytest.raises(IndexUnreachableError) as caught:
        uv.resolve("alpha", indexes=dead)
    assert "127.0.0.1:1" in " ".join(caught.value.details)


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_is_reported(status: int, uv: Uv, served: ServedIndex) -> None:
    served.broken["/simple/alpha/"] = status
    with pytest.raises(IndexForbiddenError) as caught:
        uv.resolve("alpha")
    assert f"({status})" in caught.value.message
    host = served.base.removeprefix("http://")
    variables = f"`UV_INDEX_LOCAL_USERNAME`, `UV_INDEX_LOCAL_PASSWORD` and `UV_INDEX_LOCAL_HOST={host}`"
    assert caught.value.hint == f"set {variables}, or use netrc"


def test_credentials_reach_their_index_but_no_message(uv: Uv, served: ServedIndex) -> None:
    served.credentials = ("user", "s3cret")
    ambient = {**os.environ, "UV_INDEX_LOCAL_USERNAME": "user", "UV_INDEX_LOCAL_PASSWORD": "s3cret"}
    ambient["UV_INDEX_LOCAL_HOST"] = served.base.removeprefix("http://")
    engine = UvEngine(ambient=ambient, cache=uv.scratch / "other", index_names=("local",))
    assert tomllib.loads(engine.resolve(uv.request("beta")))["packages"][0]["version"] == "2.0"
    with pytest.raises(IndexForbiddenError):
        uv.resolve("beta")
    url = served.file_url("nope-1.0-py3-none-any.whl").replace("//", "//user:s3cret@")
    with pytest.raises(EnvsyncError) as caught:
        uv.resolve(f"beta @ {url}")
    assert "s3cret" not in " ".join([caught.value.message, *caught.value.details])


@pytest.mark.parametrize("builds", ["deny", ("beta",)])
def test_a_denied_build_is_reported_and_not_run(builds: Any, uv: Uv, served: ServedIndex) -> None:
    mark = uv.scratch / "ran"
    body = f'open({str(mark)!r}, "w").close()\n'
    project = '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n'
    files = {
        "pyproject.toml": f'{project}[project]\nname = "evil"\ndynamic = ["version", "dependencies"]\n',
        "b.py": body,
    }
    make_sdist(uv.scratch / "wheels", "evil", "1.0", files=files)
    local = uv.scratch / "local"
    local.mkdir()
    for name, text in files.items():
        (local / name).write_text(text)
    archive = uv.scratch / "wheels/evil-1.0.tar.gz"
    url = served.file_url(archive.name)
    for line in ("evil", f"evil @ {url}", local.as_uri(), f"-e {local.as_uri()}", archive.as_uri()):
        with pytest.raises(BuildNeededError):
            uv.resolve(line, builds=builds)
    assert not mark.exists()


def test_only_the_named_packages_are_built(uv: Uv) -> None:
    assert uv.pins("delta", "beta", builds=("delta",)) == ["beta 2.0", "delta 1.0"]


# The index of a package


def test_the_index_of_each_pin_is_found(uv: Uv, served: ServedIndex) -> None:
    request = uv.request("alpha")
    found = uv.engine.indexes_of(("alpha==1.1", "beta==2.0 ; sys_platform == 'win32'", "delta==1.0"), request)
    assert found == dict.fromkeys(("alpha==1.1", "beta==2.0", "delta==1.0"), served.url)
    assert uv.engine.indexes_of((), request) == {}


def test_an_override_does_not_hide_a_pin_s_index(uv: Uv, served: ServedIndex) -> None:
    request = uv.request("alpha", overrides=("beta>=1",), constraints=("beta>=1",))
    assert uv.engine.indexes_of(("beta==1.0",), request) == {"beta==1.0": served.url}


# Installing


def test_create_and_install_give_exactly_the_listed_packages(uv: Uv) -> None:
    site = uv.install("alpha")
    assert {path.name for path in site.iterdir() if not path.name.startswith("_")} == {
        "alpha", "alpha-1.1.dist-info", "beta", "beta-2.0.dist-info",
    }  # fmt: skip
    venv = site.parents[2]
    assert "prompt = web" in (venv / "pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in (venv / "pyvenv.cfg").read_text()
    assert (venv / "bin/python").resolve() == Path(uv.interpreter.path).resolve()


def test_no_facts_about_interpreters_are_believed(uv: Uv) -> None:
    """Neither those that an earlier uv or something else left in the cache, nor any of the base interpreter."""
    planted = uv.scratch / "facts/interpreter-v5/0123/456.msgpack"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"planted")
    fresh = cold(uv, "facts")
    fresh.engine.create(uv.scratch / "venv", uv.interpreter, system_site_packages=False, prompt="x")
    assert list((uv.scratch / "facts").glob("interpreter-v*/*/*")) == []


def test_an_empty_document_installs_nothing(uv: Uv) -> None:
    site = uv.install()
    assert [path.name for path in site.iterdir() if path.suffix == ".dist-info"] == []


def test_create_works_with_system_site_packages_and_an_unusual_path(uv: Uv) -> None:
    venv = uv.scratch / "ein Ü $HOME 'x'" / "venv"
    venv.parent.mkdir()
    uv.engine.create(venv, uv.interpreter, system_site_packages=True, prompt="-x")
    assert "include-system-site-packages = true" in (venv / "pyvenv.cfg").read_text()


def test_a_directory_without_pyvenv_cfg_is_never_installed_into(uv: Uv, tmp_path: Path) -> None:
    pylock = tmp_path / "pylock.toml"
    pylock.write_text(uv.text("beta"))
    with pytest.raises(EngineError, match="is not a virtual environment"):
        uv.engine.install(install_request(tmp_path, pylock))


def test_create_does_not_change_an_existing_directory(uv: Uv, tmp_path: Path) -> None:
    place = tmp_path / "precious"
    place.mkdir()
    (place / "file").write_text("mine")
    with pytest.raises(EngineError):
        uv.engine.create(place, uv.interpreter, system_site_packages=False, prompt="x")
    assert [path.name for path in place.iterdir()] == ["file"]


def test_a_different_file_with_the_same_name_is_a_hash_mismatch(uv: Uv) -> None:
    text = uv.text("beta==1.0")
    make_wheel(uv.scratch / "wheels", "beta", "1.0", modules={"beta/__init__.py": "evil = True\n"})
    with pytest.raises(HashMismatchError) as caught:
        cold(uv).install(text=text)
    assert "beta==1.0" in " ".join(caught.value.details)
    assert caught.value.hint
    assert "--upgrade" in caught.value.hint


def test_a_deleted_file_is_reported(uv: Uv) -> None:
    text = uv.text("beta==1.0")
    (uv.scratch / "wheels/beta-1.0-py3-none-any.whl").unlink()
    with pytest.raises(FileGoneError) as caught:
        cold(uv).install(text=text)
    assert "404" in " ".join(caught.value.details)


def test_installing_offline_uses_the_cache_or_is_an_error(uv: Uv) -> None:
    text = uv.text("beta")
    with pytest.raises(OfflineError):
        uv.install(text=text, offline=True)
    uv.install(text=text)
    assert (uv.install(text=text, offline=True) / "beta").is_dir()


def test_a_source_distribution_is_built_only_if_builds_are_allowed(uv: Uv) -> None:
    text = uv.text("delta")
    for builds in ("deny", ("beta",)):
        with pytest.raises(BuildNeededError):
            cold(uv).install(text=text, builds=builds)
    assert (cold(uv).install(text=text, builds=("delta",)) / "delta").is_dir()


def test_a_package_that_may_be_built_is_installed_from_its_wheel(uv: Uv) -> None:
    text = uv.text("both", builds="deny")
    assert (cold(uv).install(text=text, builds=("both",)) / "both").is_dir()


def test_a_damaged_wheel_in_the_cache_can_be_fetched_again(uv: Uv) -> None:
    text = uv.text("beta")
    uv.install(text=text)
    [cached] = (uv.scratch / "uv-cache").glob("archive-v*/*/beta/__init__.py")
    cached.write_text("damaged = True\n")
    assert "damaged" in (uv.install(text=text) / "beta/__init__.py").read_text()
    assert "damaged" not in (uv.install(text=text, refresh=("beta",)) / "beta/__init__.py").read_text()


@pytest.mark.parametrize("mode", ["hardlink", "copy", "symlink"])
def test_the_link_mode_is_used(mode: Any, uv: Uv) -> None:
    module = uv.install("beta", link_mode=mode) / "beta/__init__.py"
    assert module.is_symlink() == (mode == "symlink")
    assert (module.stat().st_nlink > 1) == (mode == "hardlink")


def test_bytecode_is_compiled_on_demand(uv: Uv) -> None:
    assert not list(uv.install("beta").glob("beta/__pycache__/*.pyc"))
    assert list(uv.install("beta", compile_bytecode=True).glob("beta/__pycache__/*.pyc"))


# Configuration of the machine


def test_configuration_files_and_variables_of_the_machine_have_no_effect(
    uv: Uv, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, current = uv.scratch / "home", uv.scratch / "current"
    dead = "http://127.0.0.1:1/simple"
    for path, text in {
        current / "uv.toml": f'index-url = "{dead}"\noffline = true\n',
        current / "pyproject.toml": f'[tool.uv]\nindex-url = "{dead}"\n[tool.uv.pip]\nno-index = true\n',
        current / "pip.conf": f"[global]\nindex-url = {dead}\nno-index = true\n",
        current / ".python-version": "2.7\n",
        current / ".env": f"UV_INDEX_URL={dead}\n",
        home / ".config/uv/uv.toml": f'index-url = "{dead}"\noffline = true\n',
        home / ".config/pip/pip.conf": f"[global]\nindex-url = {dead}\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(current)
    ambient = {
        "PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
        "UV_INDEX_URL": dead, "UV_DEFAULT_INDEX": dead, "UV_INDEX": dead, "UV_EXTRA_INDEX_URL": dead,
        "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_CONFIG_FILE": str(current / "uv.toml"), "UV_PYTHON": "2.7",
        "UV_CACHE_DIR": str(current / "cache"), "UV_NO_BINARY": "1", "UV_EXCLUDE_NEWER": "2000-01-01",
        "UV_CONSTRAINT": str(current / "none"), "UV_SYSTEM_PYTHON": "1", "UV_ENV_FILE": str(current / ".env"),
        "PIP_INDEX_URL": dead, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": str(current / "pip.conf"),
        "PIP_REQUIRE_VIRTUALENV": "1", "VIRTUAL_ENV": str(current / "venv"), "CONDA_PREFIX": str(current / "conda"),
        "PYTHONPATH": str(current), "PYTHONHOME": "/nowhere",
    }  # fmt: skip
    engine = UvEngine(ambient=ambient, cache=uv.scratch / "cache")
    configured = Uv(engine, uv.interpreter, uv.indexes, uv.scratch)
    assert configured.pins("alpha") == ["alpha 1.1", "beta 2.0"]
    assert (configured.install("beta") / "beta").is_dir()
    assert not (current / "cache").exists()


def test_children_inherit_the_descriptor_of_the_mutex(uv: Uv, tmp_path: Path) -> None:
    """A build that outlives envsync keeps the root locked, so that it cannot write during a new apply."""
    seen = tmp_path / "seen"
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    backend = (
        f"import os\nopen({str(seen)!r}, 'w').write(str(os.path.exists('/dev/fd/{descriptor}')))\nraise SystemExit\n"
    )
    local = tmp_path / "local"
    local.mkdir()
    (local / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n'
        '[project]\nname = "x"\ndynamic = ["version"]\n'
    )
    (local / "b.py").write_text(backend)
    uv.engine.lock_fd = descriptor
    with pytest.raises(EngineError):
        uv.resolve(local.as_uri())
    os.close(descriptor)
    assert seen.read_text() == "True"
