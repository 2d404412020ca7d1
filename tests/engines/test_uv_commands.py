"""The commands that uv gets, with every option, file and variable, as a script in its place writes them down."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uv

from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import CachedPackage, ExportRequest, InstallRequest, ResolveRequest
from reconciler.engines.uv import UvEngine
from reconciler.errors import EngineError
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX
from tests.engines.requests import install_request, resolve_request
from tests.plan.build import interpreter

PYTHON = interpreter("3.12.1", "/python/bin/python3.12")
ONE = Index(name="one", url="https://one.example/simple")
OTHER = Index(name="other", url="https://other.example/simple/")
SCRIPT = """\
#!/bin/sh
number=$(ls {log} | wc -l)
mkdir {log}/$number
pwd > {log}/$number/directory
env > {log}/$number/environment
printf '%s\\n' "$@" > {log}/$number/arguments
while [ $# -gt 0 ]; do
  case "$1" in
    -o) [ -f "$2" ] && cp "$2" {log}/$number/preferences; cp {top}/document "$2";;
    -p) [ -f "$2" ] && cp "$2" {log}/$number/python;;
    --constraints|--overrides|--config-file) cp "$2" {log}/$number/;;
    */requirements.in) cp "$1" {log}/$number/;;
  esac
  shift
done
cat {top}/stdout
cat {top}/stderr >&2
exit $(cat {top}/code)
"""


@dataclass
class Call:
    """One command: its arguments, and its directory with the files that it got."""

    arguments: list[str]
    directory: Path

    def text(self, name: str) -> str:
        return (self.directory / name).read_text()

    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.text("environment").splitlines() if "=" in line)

    def after(self, option: str) -> str:
        return self.arguments[self.arguments.index(option) + 1]


@dataclass
class ScriptedUv:
    """The script and what it answers."""

    top: Path
    ambient: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})

    def answers(self, *, stdout: str = "", stderr: str = "", code: int = 0, document: str = "packages = []\n") -> None:
        for name, text in {"stdout": stdout, "stderr": stderr, "code": str(code), "document": document}.items():
            (self.top / name).write_text(text)

    def engine(self, **more: Any) -> UvEngine:
        given: dict[str, Any] = {"ambient": self.ambient, "cache": self.top / "cache", **more}
        return UvEngine(**given)

    def calls(self) -> list[Call]:
        found = []
        for number in range(len(os.listdir(self.top / "log"))):
            directory = self.top / "log" / str(number)
            found.append(Call((directory / "arguments").read_text().splitlines(), directory))
        return found

    def only(self) -> Call:
        [call] = self.calls()
        return call


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedUv:
    script = tmp_path / "uv"
    script.write_text(SCRIPT.format(log=tmp_path / "log", top=tmp_path))
    script.chmod(0o755)
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(script))
    made = ScriptedUv(tmp_path)
    made.answers()
    return made


def common(fake: ScriptedUv) -> list[str]:
    return [
        "--no-config",
        "--no-progress",
        "--color",
        "never",
        "--system-certs",
        "--cache-dir",
        str(fake.top / "cache"),
    ]


def resolving(**more: Any) -> ResolveRequest:
    return resolve_request("alpha>=1", "beta", interpreter=PYTHON, python_version="3.11", **more)


COMPILE = ["pip", "compile", "--preview-features", "pylock,index-exclude-newer", "--universal",
           "-p", "SCRATCH/python", "--python-version", "3.11", "--prerelease", "if-necessary",
           "--no-sources"]  # fmt: skip


def test_a_resolution_without_options(fake: ScriptedUv) -> None:
    fake.answers(document="found\n")
    assert fake.engine().resolve(resolving()) == "found\n"
    call = fake.only()
    output, last = call.after("-o"), call.arguments[-1]
    scratch = call.text("directory").strip()
    assert call.arguments == [
        *common(fake),
        *(each.replace("SCRATCH", scratch) for each in COMPILE),
        "--generate-hashes",
        "--format",
        "pylock.toml",
        "-o",
        output,
        last,
    ]
    assert call.text("requirements.in") == "alpha>=1\nbeta\n"
    assert call.text("python") == f'#!/bin/sh\nexec {PYTHON.path} -I -S -B "$@"\n', "uv leaves out `-S` itself"
    assert Path(last).parent == Path(output).parent == Path(call.text("directory").strip())


def test_a_resolution_that_fails_is_not_tried_again(fake: ScriptedUv) -> None:
    fake.answers(code=1, stderr="error: unexpected\n")
    with pytest.raises(EngineError):
        fake.engine().resolve(resolving())
    assert fake.only().after("-o")


def test_a_resolution_with_every_option(fake: ScriptedUv, tmp_path: Path) -> None:
    fake.answers(stderr='warning: `alpha==1.0` is yanked (reason: "broken")\n')
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "pylock.toml").write_text("stale")
    request = resolving(
        constraints=("c<2",),
        overrides=("o==1", "p==2"),
        indexes=(ONE, OTHER),
        exclude_newer="2026-01-01T00:00:00Z",
        prerelease="allow",
        builds=("alpha", "beta"),
        offline=True,
        preferences="before",
        upgrade=("alpha",),
        dependencies=False,
        directory=directory,
        variables={"CC": "cc"},
    )
    text = fake.engine(cache=None).resolve(request)
    assert text == 'packages = []\n\n[tool.envsync.yanked]\n"alpha==1.0" = "broken"\n'
    call = fake.only()
    scratch = Path(call.text("directory").strip())
    wanted = [each.replace("SCRATCH", str(scratch)).replace("if-necessary", "allow") for each in COMPILE]
    assert call.arguments == [
        *common(fake)[:-1], str(scratch / "cache"), *wanted,
        "--only-binary", ":all:", "--no-binary", "alpha", "--no-binary", "beta",
        "--generate-hashes", "--format", "pylock.toml", "-o", str(directory / "pylock.toml"),
        "--upgrade-package", "alpha",
        "--constraints", str(scratch / "constraints.txt"), "--overrides", str(scratch / "overrides.txt"),
        "--no-deps", "--exclude-newer", "2026-01-01T00:00:00Z", "--offline",
        "--index", f"one={ONE.url}", "--default-index", f"other={OTHER.url}",
        str(scratch / "requirements.in"),
    ]  # fmt: skip
    assert (call.text("constraints.txt"), call.text("overrides.txt")) == ("c<2\n", "o==1\np==2\n")
    assert call.text("preferences") == "before"
    assert call.environment()["CC"] == "cc"


def test_without_builds_no_variables_are_given(fake: ScriptedUv) -> None:
    fake.engine().resolve(resolving(builds="deny", variables={"CC": "cc"}, upgrade=True))
    call = fake.only()
    assert "CC" not in call.environment()
    assert call.after("--cache-dir") == str(fake.top / "cache")
    assert call.after("--only-binary") == ":all:"
    assert "--upgrade" in call.arguments


def test_the_environment_of_every_run(fake: ScriptedUv) -> None:
    fake.ambient |= {"SECRET": "x", "UV_INDEX_ONE_PASSWORD": "p", "UV_INDEX_OTHER_PASSWORD": "q", "HOME": "/home/a"}
    fake.engine(cache=None, index_names=("one",), deadlines=Deadlines(silence=7)).resolve(resolving())
    question, call = fake.calls()
    assert question.arguments[-2:] == ["cache", "dir"], "which must be safe"
    assert question.environment()["HOME"] == "/home/a", "it decides where the cache is"
    found = call.environment()
    assert found["UV_PYTHON_DOWNLOADS"] == "never"
    assert (found["UV_NO_PROGRESS"], found["GIT_TERMINAL_PROMPT"], found["GIT_OPTIONAL_LOCKS"]) == ("1", "0", "0")
    assert found["UV_HTTP_TIMEOUT"] == "7"
    assert found["HOME"] == "/home/a"
    assert not {"SECRET", "UV_INDEX_ONE_PASSWORD", "UV_INDEX_OTHER_PASSWORD"} & found.keys(), "a build would see them"
    assert "--cache-dir" not in call.arguments


def test_the_index_of_each_pin_is_asked(fake: ScriptedUv) -> None:
    listing = (
        "alpha==1.0 \\\n    --hash=x\n    # from https://one.example/simple\n"
        "beta==2.0\n    # via x\n    # from https://other.example/simple\n    # from\nnoise\n"
    )
    fake.answers(stdout=listing)
    request = resolving(indexes=(ONE, OTHER), constraints=("c",), overrides=("o",))
    found = fake.engine().indexes_of(("alpha==1.0", "beta==2.0 ; os_name == 'nt'"), request)
    assert found == {"alpha==1.0": ONE.url, "beta==2.0": OTHER.url}
    call = fake.only()
    assert {"--no-header", "--no-annotate", "--emit-index-annotation", "--no-deps"} <= {*call.arguments}
    assert not {"--constraints", "--overrides", "--generate-hashes"} & {*call.arguments}
    assert call.text("requirements.in") == "alpha==1.0\nbeta==2.0 ; os_name == 'nt'\n"
    assert fake.engine().indexes_of((), request) == {}
    assert len(fake.calls()) == 1


def test_a_single_index_of_the_manifest_is_not_asked(fake: ScriptedUv) -> None:
    found = fake.engine().indexes_of(("alpha==1.0", "beta==2.0 ; os_name == 'nt'"), resolving(indexes=(OTHER,)))
    assert found == {"alpha==1.0": OTHER.url, "beta==2.0": OTHER.url}
    assert fake.calls() == []


@pytest.mark.parametrize("indexes", [(), (DEFAULT_INDEX,)])
def test_the_default_index_is_asked_once(indexes: tuple[Index, ...], fake: ScriptedUv) -> None:
    engine = fake.engine()
    request = resolving(indexes=indexes)
    assert engine.indexes_of(("alpha==1.0",), request) == {}  # no answer
    fake.answers(stdout="beta==2.0\n    # from https://other.example/simple\n")
    default = "https://other.example/simple"
    assert engine.indexes_of(("beta==2.0 ; x", "gamma==1"), request) == {"beta==2.0": default, "gamma==1": default}
    assert engine.indexes_of(("delta==1",), request) == {"delta==1": default}
    assert len(fake.calls()) == 2


def test_an_export_has_every_choice(fake: ScriptedUv, tmp_path: Path) -> None:
    fake.answers(document="exported")
    output = tmp_path / "out/pylock.toml"
    output.parent.mkdir()
    request = ExportRequest(
        directory=tmp_path / "project",
        output=output,
        interpreter=PYTHON,
        package="",
        extras=(),
        groups=(),
        project=True,
        editable=True,
    )
    assert fake.engine().export(request) == "exported"
    plain = ["export", "--frozen", "--offline", "--format", "pylock.toml", "--no-default-groups", "--preview-features",
             "pylock", "--project", str(tmp_path / "project"), "-p", PYTHON.path]  # fmt: skip
    assert fake.only().arguments == [*common(fake), *plain, "-q", "-o", str(output)]
    assert fake.only().text("directory").strip() == str(output.parent)
    fake.engine().export(
        replace(request, package="member", extras=("a", "b"), groups=("dev",), project=False, editable=False)
    )
    chosen = ["--extra=a", "--extra=b", "--group=dev", "--package", "member", "--no-emit-project", "--no-editable"]
    assert fake.calls()[1].arguments == [*common(fake), *plain, *chosen, "-q", "-o", str(output)]


@pytest.mark.parametrize(("site", "flags"), [(True, ["--system-site-packages"]), (False, [])])
def test_a_venv_is_created(fake: ScriptedUv, tmp_path: Path, site: bool, flags: list[str]) -> None:
    fake.engine().create(tmp_path / "venv", PYTHON, system_site_packages=site, prompt="web")
    call = fake.only()
    wanted = ["venv", "--no-project", "--prompt=web", *flags, "-p", call.after("-p"), str(tmp_path / "venv")]
    assert call.arguments == [*common(fake), *wanted]
    assert call.text("directory").strip() == str(tmp_path)
    assert call.text("python") == f'#!/bin/sh\nexec {PYTHON.path} -I -S -B "$@"\n'


DOCUMENT = """
[[packages]]
name = "alpha"
wheels = [{url = "https://one.example/alpha-1.0-py3-none-any.whl"}]
[[packages]]
name = "beta"
sdist = {url = "https://one.example/beta-1.0.tar.gz"}
[[packages]]
name = "gamma"
directory = {path = "/src/gamma", editable = true}
"""


@pytest.fixture
def installing(tmp_path: Path) -> Callable[..., InstallRequest]:
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").touch()
    (tmp_path / "pylock.toml").write_text(DOCUMENT)

    def made(**more: Any) -> InstallRequest:
        return install_request(venv, tmp_path / "pylock.toml", **more)

    return made


def test_an_installation_without_options(
    fake: ScriptedUv, installing: Callable[..., InstallRequest], tmp_path: Path
) -> None:
    fake.engine().install(installing())
    call = fake.only()
    python = str(tmp_path / "venv/bin/python")
    assert call.arguments == [
        *common(fake), "pip", "sync", "--refresh-package", "gamma", "--strict", "--allow-empty-requirements",
        "--preview-features", "pylock", "-p", python, "--link-mode", "hardlink", str(tmp_path / "pylock.toml"),
    ]  # fmt: skip
    assert call.text("directory").strip() == str(tmp_path)


def test_an_installation_with_every_option(
    fake: ScriptedUv, installing: Callable[..., InstallRequest], tmp_path: Path
) -> None:
    request = installing(
        indexes=(ONE,),
        link_mode="copy",
        compile_bytecode=True,
        builds=("alpha", "beta"),
        offline=True,
        variables={"CC": "cc"},
        secrets={"TOKEN": "secret"},
    )
    fake.engine().install(request)
    call = fake.only()
    assert call.arguments == [
        "--config-file", call.after("--config-file"), *common(fake)[1:],
        "pip", "sync", "--default-index", f"one={ONE.url}", "--strict", "--allow-empty-requirements",
        "--preview-features", "pylock", "-p", str(tmp_path / "venv/bin/python"),
        "--only-binary", ":all:", "--no-binary", "beta", "--link-mode", "copy", "--compile-bytecode", "--offline",
        str(tmp_path / "pylock.toml"),
    ]  # fmt: skip
    table = call.text("uv.toml")
    assert table.startswith('[extra-build-variables]\n"beta" = { CC = "cc", ENVSYNC_BUILD_SECRETS = "sha256:')
    assert '"gamma" = { CC = "cc"' in table
    assert "ENVSYNC_BUILD = " in table.partition('"gamma"')[2]
    assert "ENVSYNC_BUILD = " not in table.partition('"gamma"')[0]
    assert "alpha" not in table
    assert "secret" not in table.replace("SECRETS", "")
    assert "secret" in call.environment()["TOKEN"]
    assert "CC" not in call.environment()


def test_what_is_not_a_venv_is_refused(fake: ScriptedUv, installing: Callable[..., InstallRequest]) -> None:
    request = installing()
    (request.venv / "pyvenv.cfg").unlink()
    with pytest.raises(EngineError, match="is not a virtual environment"):
        fake.engine().install(request)
    assert fake.calls() == []


def test_packages_are_installed_again_one_after_the_other(
    fake: ScriptedUv, installing: Callable[..., InstallRequest], tmp_path: Path
) -> None:
    (tmp_path / "other.toml").write_text("packages = []\n")
    requests = {"beta": installing(), "alpha": replace(installing(), pylock=tmp_path / "other.toml", offline=True)}
    fake.engine().install_again(requests)
    python = str(tmp_path / "venv/bin/python")
    uninstall, beta, alpha = (each.arguments[len(common(fake)) :] for each in fake.calls())
    assert uninstall == ["pip", "uninstall", "-p", python, "beta", "alpha"]
    options = ["--no-deps", "--preview-features", "pylock", "-p", python, "--link-mode", "hardlink"]
    assert beta == ["pip", "install", "--refresh-package", "gamma", *options, "-r", str(tmp_path / "pylock.toml")]
    assert alpha == ["pip", "install", *options, "--offline", "-r", str(tmp_path / "other.toml")]
    fake.engine().install_again({})
    assert len(fake.calls()) == 3


def test_packages_are_deleted_from_the_cache_before_they_are_fetched_again(
    fake: ScriptedUv, installing: Callable[..., InstallRequest], tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    fake.engine().install(installing(refresh=("alpha", "beta")))
    clean, sync = (each.arguments[len(common(fake)) :] for each in fake.calls())
    assert clean == ["cache", "clean", "alpha", "beta"]
    assert sync[:2] == ["pip", "sync"]


def test_the_user_s_own_cache_is_asked_for(
    fake: ScriptedUv, installing: Callable[..., InstallRequest], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    fake.answers(stdout=f"{tmp_path / 'own'}\n")
    fake.engine(cache=None).install(installing(refresh=("alpha",)))
    plain = common(fake)[:-2]
    assert [each.arguments[len(plain) :][:2] for each in fake.calls()] == [
        ["cache", "dir"],
        ["cache", "clean"],
        ["pip", "sync"],
    ]
    assert all("--cache-dir" not in each.arguments for each in fake.calls())


def test_unused_packages_are_deleted_from_the_cache(fake: ScriptedUv, tmp_path: Path) -> None:
    engine = fake.engine()
    engine.collect_cache(frozenset())  # the cache does not exist
    fake.engine(cache=None).collect_cache(frozenset())
    assert fake.calls() == []
    (tmp_path / "cache").mkdir()
    engine.collect_cache(frozenset({CachedPackage(name="alpha", version="1.0")}))
    [prune] = fake.calls()
    assert prune.arguments == [*common(fake), "cache", "prune"]
    assert prune.text("directory").strip() == str(tmp_path)


def test_a_failure_is_an_error_with_the_output_of_uv(fake: ScriptedUv) -> None:
    fake.answers(stderr="error: something is wrong\n", code=2)
    with pytest.raises(EngineError) as caught:
        fake.engine().resolve(resolving())
    assert any("something is wrong" in each for each in (caught.value.message, *caught.value.details))
    assert len(fake.calls()) == 1
