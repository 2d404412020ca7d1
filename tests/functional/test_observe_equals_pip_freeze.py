"""`envsync freeze` prints what a pip outside the environment prints, for environments of every tool."""

import difflib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.observe.actual import FindingCode
from reconciler.observe.environment import observe_path
from reconciler.observe.freeze import freeze_lines
from tests.every_case import usually
from tests.functional.installed import dist_info, editable, legacy_project, project, site_packages
from tests.functional.outside_pip import Tools, make_tools, run
from tests.index import ServedIndex, serve_index
from tests.installed_pythons import SERIES
from tests.wheels import make_sdist, make_wheel

UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return make_tools(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedIndex]:
    wheels = tmp_path_factory.mktemp("wheels")
    make_wheel(wheels, "Alpha.Tools", "1.0", requires=["beta"], scripts={"alpha": "alpha_tools:main"})
    make_wheel(wheels, "beta", "2.0.post1")
    make_wheel(wheels, "gamma", "0.1+local.1")
    make_sdist(wheels, "delta", "3.0")
    with serve_index(wheels) as served:
        yield served


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a git repository with a project at its top and one in a subdirectory."""
    top = project(tmp_path_factory.mktemp("repository") / "work", "from-git")
    project(top / "packages" / "inner", "inner-git")
    commit(top)
    return top


def commit(top: Path) -> None:
    run(["git", "init", "-q", "-b", "main", top])
    run(["git", "add", "."], cwd=top)
    run(["git", "commit", "-q", "-m", "one"], cwd=top)


def python_of(pythons: dict[str, Path], series: str) -> Path:
    if series not in pythons:
        pytest.skip(f"no Python {series} on this machine")
    return pythons[series]


def uv_venv(pythons: dict[str, Path], series: str, env: Path, *arguments: str) -> Path:
    run([UV, "venv", "--no-config", "-q", "-p", python_of(pythons, series), *arguments, env])
    return env


def assert_equal(tools: Tools, env: Path, series: str, *arguments: str) -> list[str]:
    """Assert that both print the same with and without `--all`; return the lines with `--all`."""
    seen = observe_path(env)
    everything = tools.freeze(env, "--all", *arguments, series=series)
    difference = list(
        difflib.unified_diff(
            everything,
            freeze_lines(seen, all=True, exclude=(), exclude_editable=False),
            "pip",
            "envsync",
            lineterm="",
            n=1,
        )
    )
    assert not difference, "\n".join(difference)
    assert freeze_lines(seen, all=False, exclude=(), exclude_editable=False) == tools.freeze(
        env, *arguments, series=series
    )
    return everything


@pytest.mark.parametrize("series", usually(["3.8"], SERIES))
def test_an_environment_created_by_uv(
    series: str,
    tools: Tools,
    index: ServedIndex,
    repository: Path,
    pythons: dict[str, Path],
    tmp_path: Path,
) -> None:
    env = uv_venv(pythons, series, tmp_path / "env", "--seed")
    local = make_wheel(tmp_path, "from-file", "1.0")
    hatch = project(tmp_path / "hatch", "by-hatchling")
    tools_project = project(tmp_path / "tools", "by-setuptools", backend="setuptools")
    wanted: list[str | Path] = [
        "alpha-tools",
        "delta",
        local,
        f"gamma @ {index.file_url('gamma-0.1+local.1-py3-none-any.whl')}",
    ]
    wanted += [
        f"from-git @ git+file://{repository}",
        f"inner-git @ git+file://{repository}#subdirectory=packages/inner",
    ]
    wanted += ["-e", hatch, "-e", tools_project]
    run([UV, "pip", "install", "--no-config", "-q", "-p", env, "--index", index.url, *wanted])

    lines = assert_equal(tools, env, series)

    assert [line for line in lines if line.startswith("-e ")] == [f"-e {hatch}", f"-e {tools_project}"]
    assert any(line.startswith("inner-git @ git+file://") and "subdirectory=packages/inner" in line for line in lines)
    assert observe_path(env).python.startswith(series)


@pytest.mark.parametrize("series", usually(["3.12"], ["3.8", "3.11", "3.12"]))
def test_an_environment_created_by_venv_and_pip(
    series: str,
    tools: Tools,
    index: ServedIndex,
    repository: Path,
    pythons: dict[str, Path],
    tmp_path: Path,
) -> None:
    env = tmp_path / "env"
    run([python_of(pythons, series), "-m", "venv", env])
    local = make_wheel(tmp_path, "from-file", "1.0")
    install: list[str | Path] = [
        env / "bin" / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    gamma = index.file_url("gamma-0.1+local.1-py3-none-any.whl")
    run([*install, "-i", index.url, "alpha-tools", "beta", local, f"gamma @ {gamma}#sha256={sha256_of(index, gamma)}"])
    if series != "3.12":  # the setuptools of these versions still supports it
        legacy = legacy_project(tmp_path / "legacy", "legacy")
        run([env / "bin" / "python", "setup.py", "-q", "develop"], cwd=legacy)
        versioned = legacy_project(tmp_path / "versioned", "versioned")
        commit(versioned)
        run([env / "bin" / "python", "setup.py", "-q", "develop"], cwd=versioned)
        egged = legacy_project(tmp_path / "egged", "egged")
        arguments: list[str | Path] = [
            "install",
            "--single-version-externally-managed",
            "--record",
            tmp_path / "record",
        ]
        run([env / "bin" / "python", "setup.py", "-q", *arguments], cwd=egged)

    lines = assert_equal(tools, env, series)

    assert f"from-file @ {local.as_uri()}" in "\n".join(lines)
    if series != "3.12":
        assert f"-e {legacy}" in lines
        assert "egged==1.0" in lines
        links = [each.path for each in observe_path(env).findings if each.code is FindingCode.EGG_LINK]
        assert [Path(path).name for path in links] == ["legacy.egg-link", "versioned.egg-link"]


def sha256_of(index: ServedIndex, url: str) -> str:
    from tests.wheels import sha256

    return sha256(index.directory / url.rpartition("/")[2].replace("%2B", "+"))


def test_an_environment_created_by_virtualenv(
    tools: Tools, index: ServedIndex, pythons: dict[str, Path], tmp_path: Path
) -> None:
    env = tmp_path / "env"
    run([tools.bin / "virtualenv", "-q", "--no-download", "-p", python_of(pythons, "3.11"), env])
    run([env / "bin" / "pip", "install", "-q", "--no-deps", "-i", index.url, "alpha-tools", "delta"])

    assert "Alpha.Tools==1.0" in assert_equal(tools, env, "3.11")
    assert observe_path(env).python.startswith("3.11.")


def test_an_environment_created_by_poetry(
    tools: Tools, index: ServedIndex, pythons: dict[str, Path], tmp_path: Path
) -> None:
    top = project(tmp_path / "top", "top-project", backend="poetry")
    with (top / "pyproject.toml").open("a") as file:
        file.write("[tool.poetry.dependencies]\n")
        file.write('alpha-tools = {version = "*", source = "local"}\nbeta = {version = "*", source = "local"}\n')
        file.write(f'[[tool.poetry.source]]\nname = "local"\nurl = "{index.url}"\npriority = "explicit"\n')
    env = uv_venv(pythons, "3.12", top / ".venv")
    settings = {"POETRY_CACHE_DIR": str(tmp_path / "cache"), "POETRY_VIRTUALENVS_IN_PROJECT": "true"}
    run([tools.bin / "poetry", "install", "-n"], cwd=top, env={**settings, "POETRY_CONFIG_DIR": str(tmp_path)})

    lines = assert_equal(tools, env, "3.12")

    assert f"-e {top}" in lines
    assert "Alpha.Tools==1.0" in lines


def test_an_environment_created_by_pdm(
    tools: Tools, index: ServedIndex, pythons: dict[str, Path], tmp_path: Path
) -> None:
    top = project(tmp_path / "top", "top-project", backend="pdm")
    with (top / "pyproject.toml").open("a") as file:
        file.write(f'[[tool.pdm.source]]\nname = "local"\nurl = "{index.url}"\ninclude_packages = ["alpha*", "beta"]\n')
    env = uv_venv(pythons, "3.13", top / ".venv")
    settings = {
        "PDM_CHECK_UPDATE": "false",
        "PDM_CACHE_DIR": str(tmp_path / "cache"),
        "PDM_CONFIG_FILE": str(tmp_path / "c"),
    }
    run([tools.pdm, "add", "-q", "alpha-tools"], cwd=top, env=settings)

    lines = assert_equal(tools, env, "3.13")

    assert f"-e {top}" in lines
    assert "Alpha.Tools==1.0" in lines


@pytest.mark.parametrize("series", usually(["3.9", "3.12"], ["3.9", "3.10", "3.12"]))
def test_an_environment_with_unusual_metadata(
    series: str, tools: Tools, pythons: dict[str, Path], tmp_path: Path
) -> None:
    env = uv_venv(pythons, series, tmp_path / "env")
    site = site_packages(env)
    dist_info(site, "Upper_Case.Name", "1.0")
    dist_info(site, "dashed", "1.0", directory="dashed-more-1.0.dist-info")
    dist_info(site, "norm", "1.0.post1", metadata="Name: norm\nVersion: 1.0-1\n")
    dist_info(site, "empty", "1.0", metadata="")
    dist_info(site, "no-record", "1.0", record=None)
    dist_info(site, "crlf", "1.0", metadata="Metadata-Version: 2.1\r\nName: crlf\r\nVersion: 1.0\r\n\r\nName: no\r\n")
    dist_info(site, "nameless", "1.0", metadata="Version: 1.0\n")
    dist_info(site, "moved-version", "1.0", metadata="Name: moved-version\nVersion: 2.0\n")
    dist_info(site, "bad-url", "1.0", direct_url="{")
    dist_info(site, "no-info", "1.0", direct_url={"url": "https://index.example/x.whl"})
    dist_info(site, "two-infos", "1.0", direct_url={"url": "file:///x", "dir_info": {}, "archive_info": {}})
    if series != "3.9":  # pip 24.3 accepts it
        dist_info(site, "relative", "1.0", direct_url={"url": "https://index.example/x", "dir_info": {}})
    dist_info(site, "variables", "1.0", direct_url={"url": "https://${U}:${P}@index.example/x.whl", "archive_info": {}})
    dist_info(site, "argparse", "1.4.0")  # pip treats it as part of the standard library
    for name in ("pip", "setuptools", "wheel", "distribute"):
        dist_info(site, name, "1.0")
    dist_info(site, "~ip", "23.0", metadata="Name: pip\nVersion: 23.0\n")
    (site / "~ip").mkdir()
    dist_info(site, "twice", "1.0")
    dist_info(site, "twice", "2.0")
    dist_info(site, "other-directory", "1.0", metadata="Name: same\nVersion: 1.0\n")
    dist_info(site, "same", "2.0")
    info = dist_info(site, "missing", "1.0")
    (info / "METADATA").unlink()
    (site / "file_egg-1.0-py3.egg-info").write_text("Metadata-Version: 1.0\nName: file-egg\nVersion: 1.0\n")
    (site / "dir_egg-1.0.egg-info").mkdir()
    (site / "dir_egg-1.0.egg-info" / "PKG-INFO").write_text("Name: dir.egg\nVersion: 1.0\n")
    (site / "old-2004d.egg-info").write_text("Name: old\nVersion: 2004d beta_1\n")
    outside = tmp_path / "outside"
    dist_info(outside, "by-pth", "1.0")
    dist_info(outside, "twice", "3.0")
    (site / "eggs.pth").write_text(
        f"# comment\nimport sys\n\n{outside}\n./unzipped-1.0-py3.egg\n/nowhere\n./zipped-1.0-py3.egg\n"
    )
    (site / "unzipped-1.0-py3.egg" / "EGG-INFO").mkdir(parents=True)
    (site / "unzipped-1.0-py3.egg" / "EGG-INFO" / "PKG-INFO").write_text("Name: Unzipped\nVersion: 1.0\n")
    zipped = tmp_path / "zipped" / "EGG-INFO"
    zipped.mkdir(parents=True)
    (zipped / "PKG-INFO").write_text("Name: Zipped\nVersion: 1.0\n")
    shutil.make_archive(str(site / "zipped-1.0-py3.egg"), "zip", tmp_path / "zipped")
    (site / "zipped-1.0-py3.egg.zip").rename(site / "zipped-1.0-py3.egg")

    lines = assert_equal(tools, env, series)

    assert "old===2004d beta_1" in lines or "old===2004d.beta-1" in lines
    assert "by-pth==1.0" in lines
    assert not any(line.startswith(("argparse", "~", "-ip")) for line in lines)
    codes = {each.code for each in observe_path(env).findings}
    assert codes >= {
        FindingCode.EMPTY_METADATA,
        FindingCode.MISSING_METADATA,
        FindingCode.INVALID_METADATA,
        FindingCode.INVALID_VERSION,
        FindingCode.MISSING_RECORD,
        FindingCode.BAD_DIRECT_URL,
        FindingCode.DUPLICATE_DIST_INFO,
        FindingCode.LEFTOVER,
    }


@pytest.mark.parametrize("series", usually(["3.12"], ["3.9", "3.12"]))
def test_editable_installs_in_git_repositories_of_every_kind(
    series: str, tools: Tools, pythons: dict[str, Path], tmp_path: Path
) -> None:
    env = uv_venv(pythons, series, tmp_path / "env")
    site = site_packages(env)
    at = tmp_path / "projects"

    def place(name: str, remote: str | None = None) -> Path:
        top = project(at / name, name)
        commit(top)
        if remote is not None:
            run(["git", "config", "remote.upstream.url", "https://git.example/upstream.git"], cwd=top)
            run(["git", "config", "remote.origin.url", remote], cwd=top)
        editable(site, name, top)
        return top

    editable(site, "plain", project(at / "plain", "plain"))
    editable(site, "with-space", project(at / "with space", "with-space"))
    editable(site, "gone", at / "gone")
    place("no-remote")
    https = place("https", "https://git.example/acme/https.git")
    place("user", "ssh://git@git.example/acme/user.git")
    place("scp", "git@git.example:acme/scp.git")
    place("bare", str(https))
    place("invalid", "somewhere/that is not")
    packed = place("packed", "https://git.example/packed.git")
    run(["git", "gc", "-q"], cwd=packed)
    detached = place("detached", "https://git.example/detached.git")
    run(["git", "checkout", "-q", "--detach"], cwd=detached)
    odd = place("odd-config")
    with (odd / ".git" / "config").open("a") as file:
        file.write(
            '[remote "a \\"b"] ; one\n  URL = "https://git.example/x#y"\\\nz.git # two\n[REMOTE.old] url=https://old.example/\n'
        )
    unborn = project(at / "unborn", "unborn")
    run(["git", "init", "-q", unborn])
    run(["git", "config", "remote.origin.url", "https://git.example/unborn.git"], cwd=unborn)
    editable(site, "unborn", unborn)
    broken = project(at / "broken", "broken")
    (broken / ".git").mkdir()
    editable(site, "broken", broken)
    bad_link = project(at / "bad-link", "bad-link")
    (bad_link / ".git").write_text("gitdir: /nowhere\n")
    editable(site, "bad-link", bad_link)
    mono = place("mono", "https://git.example/mono.git")
    inner = project(mono / "libs" / "inner", "inner")
    editable(site, "inner", inner)
    editable(site, "no-project", mono / "libs")
    tree = at / "tree"
    run(["git", "worktree", "add", "-q", "-b", "other", tree], cwd=mono)
    editable(site, "work-tree", tree)
    run(["git", "-c", "protocol.file.allow=always", "submodule", "add", "-q", https, "sub"], cwd=mono)
    editable(site, "submodule", mono / "sub")
    (at / "linked").symlink_to(mono, target_is_directory=True)
    editable(site, "through-link", at / "linked" / "libs" / "inner")

    lines = assert_equal(tools, env, series)

    assert f"-e {at}/gone" in lines
    assert any(line.endswith("#egg=inner&subdirectory=libs/inner") for line in lines)
    assert "# Editable Git install with no remote (no-remote==1.0)" in lines
    assert "## !! Could not determine repository location" in lines
    seen = observe_path(env)
    assert freeze_lines(seen, exclude_editable=True, all=True, exclude=()) == []
    assert freeze_lines(seen, exclude=["No_Remote", "plain"], all=False, exclude_editable=False) == tools.freeze(
        env, "--exclude", "No_Remote", "--exclude", "plain", series=series
    )


def test_credentials_that_pip_prints_are_redacted(tools: Tools, pythons: dict[str, Path], tmp_path: Path) -> None:
    env = uv_venv(pythons, "3.12", tmp_path / "env")
    site = site_packages(env)
    top = project(tmp_path / "top", "top")
    commit(top)
    run(["git", "config", "remote.origin.url", "https://me:s3cret@git.example/top.git"], cwd=top)
    editable(site, "top", top)
    dist_info(site, "wheel-url", "1.0", direct_url={"url": "https://me:s3cret@index.example/w.whl", "archive_info": {}})
    vcs = {"vcs": "git", "commit_id": "0" * 40}
    dist_info(site, "vcs-url", "1.0", direct_url={"url": "https://s3cret@git.example/v", "vcs_info": vcs})
    dist_info(site, "query", "1.0", direct_url={"url": "https://a.example/w.whl?sig=s3cret&n=1", "archive_info": {}})

    printed = tools.freeze(env, series="3.12")
    ours = freeze_lines(observe_path(env), all=False, exclude=(), exclude_editable=False)

    assert "s3cret" in "".join(printed)
    assert ours == [line.replace("me:s3cret", "****").replace("s3cret", "****") for line in printed]
    assert "s3cret" not in str(observe_path(env))


@pytest.mark.parametrize("series", ["3.10", "3.12"])
def test_with_system_site_packages_only_its_own_packages_are_listed(
    series: str, tools: Tools, index: ServedIndex, pythons: dict[str, Path], tmp_path: Path
) -> None:
    env = uv_venv(pythons, series, tmp_path / "env", "--system-site-packages")
    run([UV, "pip", "install", "--no-config", "-q", "-p", env, "--default-index", index.url, "alpha-tools"])
    outside = tmp_path / "outside"
    dist_info(outside, "by-pth", "1.0")
    linked = tmp_path / "linked"
    (linked / "linked.egg-info").mkdir(parents=True)
    (linked / "linked.egg-info" / "PKG-INFO").write_text("Name: linked\nVersion: 1.0\n")
    (site_packages(env) / "easy-install.pth").write_text(f"{outside}\n{linked}\n")
    (site_packages(env) / "linked.egg-link").write_text(f"{linked}\n.")

    lines = assert_equal(tools, env, series, "--local")

    assert lines[:2] == ["Alpha.Tools==1.0", "beta==2.0.post1"]
    assert lines[-1] == f"-e {linked}"
    assert observe_path(env).system_site_packages
