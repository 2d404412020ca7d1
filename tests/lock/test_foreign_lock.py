"""Locks of other tools: an environment gets the same packages, versions and hashes, and nothing is resolved."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli

from reconciler.errors import EnvsyncError, LockError
from reconciler.lock.foreign_lock import source_text
from reconciler.lock.foreign_package import lowest_python
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock
from reconciler.manifest.desired import DesiredEnvironment, Index, LockSource, LockTool
from reconciler.manifest.reach import reach_of
from reconciler.manifest.source_text import NOT_SHOWN, NOT_SHOWN_HINT
from tests.index import ServedIndex
from tests.lock.workbench import Workbench, local_project, pins, project_at
from tests.wheels import make_wheel

POETRY = """\
{packages}
[extras]
web = ["both"]

[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "x"
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(served: ServedIndex, *names: str) -> str:
    listed = [f'{{file = "{each}", hash = "sha256:{sha256(served.directory / each)}"}}' for each in names]
    return f"files = [{', '.join(listed)}]"


def poetry(served: ServedIndex, name: str, version: str, more: str = 'groups = ["main"]', *names: str) -> str:
    listed = files(served, *(names or (f"{name}-{version}-py3-none-any.whl",)))
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\n{more}\n{listed}\n'


def environment(
    bench: Workbench, file: str, text: str, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = (), **more: Any
) -> DesiredEnvironment:
    """Write a lock of another tool, and return an environment that takes its packages from it."""
    path = bench.directory / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    tool: LockTool = "pylock" if path.name.startswith("pylock") else path.stem  # type: ignore[assignment]
    source = LockSource(path=path, relative=file, tool=tool, sha256=sha256(path), extras=extras, groups=groups)
    return replace(DesiredEnvironment(name="web", python=">=3.11", lock=source), **more)


def tables(lock: Lock) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in lock.document["packages"]}


def refused(bench: Workbench, wanted: DesiredEnvironment) -> EnvsyncError:
    with pytest.raises(EnvsyncError) as caught:
        bench.resolve(wanted)
    assert caught.value.hint
    return caught.value


def test_packages_of_poetry_come_with_the_hashes_of_its_lock_and_without_resolving(
    bench: Workbench, served: ServedIndex
) -> None:
    """alpha requires beta, which the lock does not have; of `both`, the lock allows only the wheel; 1.1 is newer."""
    text = POETRY.format(packages=poetry(served, "alpha", "1.0") + poetry(served, "both", "1.0"))
    lock = bench.written(bench.resolve(environment(bench, "poetry.lock", text)))
    assert pins(lock) == ["alpha 1.0", "both 1.0"]
    found = tables(lock)
    [wheel] = found["alpha"]["wheels"]
    assert wheel["hashes"]["sha256"] == sha256(served.directory / "alpha-1.0-py3-none-any.whl")
    assert wheel["url"] == served.file_url("alpha-1.0-py3-none-any.whl")
    assert found["alpha"]["index"].rstrip("/") == served.url.rstrip("/")
    assert "sdist" not in found["both"]
    assert lock.document["requires-python"] == ">=3.11"
    own = lock.document["tool"]["envsync"]
    assert (own["from"], own["from-sha256"]) == ("poetry.lock", sha256(bench.directory / "poetry.lock"))


def test_a_source_distribution_is_taken_only_if_it_may_be_built(bench: Workbench, served: ServedIndex) -> None:
    """The index also has a wheel, but the lock does not allow it."""
    text = POETRY.format(packages=poetry(served, "both", "1.0", 'groups = ["main"]', "both-1.0.tar.gz"))
    for builds, build in (("allow", False), ("deny", True)):  # planning never builds
        with pytest.raises(LockError):
            bench.resolve(environment(bench, "poetry.lock", text, builds=builds), build=build)
    found = tables(bench.resolve(environment(bench, "poetry.lock", text, builds=("both",))))["both"]
    assert found["sdist"]["hashes"]["sha256"] == sha256(served.directory / "both-1.0.tar.gz")
    assert "wheels" not in found


def test_groups_extras_and_markers_of_poetry_select(bench: Workbench, served: ServedIndex) -> None:
    packages = [
        poetry(served, "alpha", "1.1", 'groups = ["main", "dev"]\nmarkers = {main = "os_name == \'nt\'"}'),
        poetry(served, "beta", "1.0", 'groups = ["main"]\nmarkers = "python_version < \'3.12\'"'),
        poetry(served, "beta", "2.0", 'groups = ["main"]\nmarkers = "python_version >= \'3.12\'"'),
        poetry(served, "both", "1.0", 'groups = ["main"]\nmarkers = "extra == \\"web\\" and os_name == \\"posix\\""'),
    ]
    text = POETRY.format(packages="".join(packages))
    main = bench.resolve(environment(bench, "poetry.lock", text))
    assert [(each["name"], each["version"], each["marker"]) for each in main.document["packages"]] == [
        ("alpha", "1.1", 'os_name == "nt"'),
        ("beta", "1.0", 'python_version < "3.12"'),
        ("beta", "2.0", 'python_version >= "3.12"'),
    ]
    chosen = bench.resolve(environment(bench, "poetry.lock", text, extras=("web",), groups=("dev",)))
    assert "marker" not in tables(chosen)["alpha"]
    assert tables(chosen)["both"]["marker"] == 'os_name == "posix"'
    error = refused(bench, environment(bench, "poetry.lock", text, extras=("docs",)))
    assert error.message == "`poetry.lock` has no extra `docs`; it has `web`"
    assert "no group `docs`" in refused(bench, environment(bench, "poetry.lock", text, groups=("docs",))).message
    (bench.directory / "pyproject.toml").write_text("[tool.poetry.group.docs.dependencies]\n")  # declared, and empty
    assert pins(bench.resolve(environment(bench, "poetry.lock", text, groups=("docs",)))) == pins(main)


def test_other_sources_of_poetry(bench: Workbench, served: ServedIndex) -> None:
    def package(name: str, source: str, more: str = "files = []") -> str:
        head = f'[[package]]\nname = "{name}"\nversion = "1.0"\ngroups = ["main"]\n{more}\n'
        return f"{head}[package.source]\n{source}\n"

    project_at(bench.directory / "sub" / "core", name="core")
    wheel, commit = served.directory / "both-1.0-py3-none-any.whl", "abc1" * 10
    (bench.directory / "sub" / "pyproject.toml").write_text(
        '[tool.poetry.dependencies]\ntool = {git = "https://git.example/t.git", subdirectory = "py"}\n'
        f'both = {{url = "{served.file_url(wheel.name)}"}}\nalpha = {{path = "../wheels/alpha.whl"}}\n'
    )
    packages = [
        package("core", 'type = "directory"\nurl = "core"', "files = []\ndevelop = true"),
        package(
            "tool",
            f'type = "git"\nurl = "https://git.example/t"\nresolved_reference = "{commit}"\nsubdirectory = "py"',
        ),
        package("both", f'type = "url"\nurl = "{served.file_url(wheel.name)}"', files(served, wheel.name)),
        package("alpha", 'type = "file"\nurl = "../wheels/alpha.whl"', files(served, "alpha-1.0-py3-none-any.whl")),
    ]
    lock = bench.resolve(environment(bench, "sub/poetry.lock", POETRY.format(packages="".join(packages))))
    found = tables(lock)
    assert found["core"]["directory"] == {"path": "../sub/core", "editable": True}
    assert "version" not in found["core"]
    assert found["tool"]["vcs"] == {
        "type": "git", "url": "https://git.example/t", "commit-id": commit, "subdirectory": "py",
    }  # fmt: skip
    assert found["both"]["archive"] == {"url": served.file_url(wheel.name), "hashes": {"sha256": sha256(wheel)}}
    assert found["alpha"]["archive"]["path"] == "../wheels/alpha.whl"


PDM = """\
[metadata]
groups = ["default", "dev", "web"]
strategy = ["inherit_metadata"]
lock_version = "4.5.1"

[[metadata.targets]]
requires_python = ">=3.11"

"""


def pdm(served: ServedIndex, name: str, version: str, groups: str, more: str = "") -> str:
    listed = files(served, f"{name}-{version}-py3-none-any.whl")
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\ngroups = {groups}\n{more}\n{listed}\n'


def test_packages_of_pdm(bench: Workbench, served: ServedIndex) -> None:
    project_at(bench.directory / "core", name="core")
    text = PDM + "".join(
        [
            pdm(served, "alpha", "1.0", '["default"]', 'marker = "sys_platform == \\"linux\\""'),
            pdm(served, "alpha", "1.0", '["default"]', 'extras = ["socks"]\nmarker = "os_name == \\"nt\\""'),
            pdm(served, "beta", "1.0", '["dev"]'),
            pdm(served, "both", "1.0", '["web", "dev"]'),
            '[[package]]\nname = "core"\nversion = "1.0"\ngroups = ["dev"]\npath = "./core"\neditable = true\n',
        ]
    )
    assert pins(bench.resolve(environment(bench, "pdm.lock", text))) == ["alpha 1.0"]
    assert pins(bench.resolve(environment(bench, "pdm.lock", text, extras=("web",)))) == ["alpha 1.0", "both 1.0"]
    found = tables(bench.resolve(environment(bench, "pdm.lock", text, groups=("dev",))))
    assert list(found) == ["alpha", "beta", "both", "core"]
    assert found["alpha"]["marker"] == 'sys_platform == "linux"'
    assert found["core"]["directory"] == {"path": "../core", "editable": True}
    assert "has no group `x`" in refused(bench, environment(bench, "pdm.lock", text, groups=("x",))).message


@pytest.mark.parametrize(
    ("specifiers", "lowest"),
    [
        ([">=3.11,<4"], "3.11"),
        (["^3.9 || ^3.10"], "3.9"),
        (["~=3.10, >=3.9"], "3.9"),
        (["<4"], ""),
        ([">=3.10", ">=3.9"], "3.9"),
        ([">=3.10", "<4"], ""),
        ([], ""),
    ],
)
def test_the_lowest_python_of_several_targets_is_compared_as_a_version(specifiers: list[str], lowest: str) -> None:
    assert lowest_python(specifiers) == lowest


def test_credentials_of_an_index_in_another_lock_are_refused_and_not_shown(
    bench: Workbench, served: ServedIndex
) -> None:
    url = served.url.replace("//", "//me:s3cret@")
    wheel = f'{{ url = "{served.file_url("alpha-1.0-py3-none-any.whl")}", hashes = {{ sha256 = "{"1" * 64}" }} }}'
    text = f"""\
lock-version = "1.0"
created-by = "a tool"
packages = [{{ name = "alpha", version = "1.0", index = "{url}", wheels = [{wheel}] }}]
"""
    error = refused(bench, environment(bench, "pylock.toml", text))
    assert error.message.startswith("pylock.toml:3:57: the URL of `alpha` contains credentials: `http://****@")
    assert "s3cret" not in f"{error.message} {error.hint}"


def test_any_pylock_is_used_with_extras_and_groups(bench: Workbench, served: ServedIndex) -> None:
    wheel, other = (
        f'{{ url = "{served.file_url(f"{name}-1.0-py3-none-any.whl")}", hashes = {{ sha256 = "{"1" * 64}" }} }}'
        for name in ("alpha", "beta")
    )
    archive = f'{{ path = "a.whl", hashes = {{ sha256 = "{"2" * 64}" }} }}'
    text = f"""\
lock-version = "1.0"
created-by = "a tool"
requires-python = ">=3.11"
extras = ["web"]
dependency-groups = ["dev"]
default-groups = ["dev"]
packages = [
  {{ name = "alpha", version = "1.0", index = "{served.url}", wheels = [{wheel}] }},
  {{ name = "beta", version = "1.0", index = "{served.url}", marker = "'web' in extras", wheels = [{other}] }},
  {{ name = "both", marker = "'dev' in dependency_groups and os_name == 'nt'", archive = {archive} }},
  {{ name = "core", directory = {{ path = "core" }} }},
]
[tool.other]
x = 1
"""
    before = len(served.requests)
    lock = bench.resolve(environment(bench, "sub/pylock.toml", text))
    assert pins(lock) == ["alpha 1.0", "core None"]
    assert tables(lock)["core"]["directory"] == {"path": "../sub/core"}
    assert set(lock.document["tool"]) == {"envsync"}
    assert "extras" not in lock.document
    chosen = tables(bench.resolve(environment(bench, "sub/pylock.toml", text, extras=("web",), groups=("dev",))))
    assert chosen["both"]["marker"] == 'os_name == "nt"'
    assert "marker" not in chosen["beta"]
    assert len(served.requests) == before, "the lock has everything, so no index is asked"
    assert "no extra `x`" in refused(bench, environment(bench, "sub/pylock.toml", text, extras=("x",))).message


def test_the_project_is_added_or_made_editable(
    bench: Workbench, served: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = project_at(bench.directory / "app")
    monkeypatch.chdir(app)  # a package without a directory is not the working directory
    text = POETRY.format(packages=poetry(served, "alpha", "1.0"))
    for editable in (True, False):
        project = local_project(app, name="app", editable=editable)
        lock = bench.resolve(environment(bench, "app/poetry.lock", text, project=project))
        assert pins(lock) == ["alpha 1.0", "app None"]
        assert tables(lock)["app"]["directory"] == {"path": "../app"} | ({"editable": True} if editable else {})
    error = refused(
        bench, environment(bench, "app/poetry.lock", text, project=local_project(app, name="", editable=True))
    )
    assert "has no name" in error.message


def test_a_uv_lock_is_exported_and_not_resolved(bench: Workbench, served: ServedIndex) -> None:
    app = bench.directory / "app"
    more = '[project.optional-dependencies]\nweb = ["both"]\n[dependency-groups]\ndev = ["beta==1.0"]\n'
    project_at(app, name="app", requires='["alpha==1.0"]', more=more + '[tool.uv.workspace]\nmembers = ["core"]\n')
    project_at(app / "core", name="core", requires='["beta"]')
    wheel = sha256(served.directory / "alpha-1.0-py3-none-any.whl")

    def registry(name: str, version: str, hashed: str = wheel) -> str:
        url = served.file_url(f"{name}-{version}-py3-none-any.whl")
        head = f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{served.url}" }}\n'
        return f'{head}wheels = [{{ url = "{url}", hash = "sha256:{hashed}" }}]\n'

    text = (
        'version = 1\nrequires-python = ">=3.11"\n[manifest]\nmembers = ["app", "core"]\n'
        + registry("alpha", "1.0") + registry("beta", "1.0") + registry("both", "1.0")
        + '[[package]]\nname = "app"\nversion = "1.0"\nsource = { editable = "." }\n'
        + 'dependencies = [{ name = "alpha" }]\n'
        + '[package.optional-dependencies]\nweb = [{ name = "both" }]\n'
        + '[package.dev-dependencies]\ndev = [{ name = "beta" }]\n'
        + '[[package]]\nname = "core"\nversion = "1.0"\nsource = { editable = "core" }\n'
        + 'dependencies = [{ name = "beta" }]\n'
    )  # fmt: skip
    before = sorted(app.rglob("*"))
    requests = len(served.requests)
    lock = bench.resolve(environment(bench, "app/uv.lock", text))
    assert pins(lock) == ["alpha 1.0"]
    assert tables(lock)["alpha"]["wheels"][0]["hashes"]["sha256"] == wheel
    more_pins = pins(bench.resolve(environment(bench, "app/uv.lock", text, extras=("web",), groups=("dev",))))
    assert more_pins == ["alpha 1.0", "beta 1.0", "both 1.0"]
    for editable in (True, False):
        found = tables(
            bench.resolve(
                environment(bench, "app/uv.lock", text, project=local_project(app, name="app", editable=editable))
            )
        )
        assert found["app"]["directory"] == {"path": "../app"} | ({"editable": True} if editable else {})
    member = local_project(app / "core", name="core", editable=True)
    assert pins(bench.resolve(environment(bench, "app/uv.lock", text, project=member))) == ["beta 1.0", "core None"]
    assert len(served.requests) == requests, "uv.lock has everything, so no index is asked"
    assert sorted(app.rglob("*")) == sorted({*before, app / "uv.lock"}), "nothing is written next to the lock"
    other = local_project(bench.directory / "elsewhere", name="core", editable=True)
    assert (
        "does not install the project" in refused(bench, environment(bench, "app/uv.lock", text, project=other)).message
    )
    unknown = refused(bench, environment(bench, "app/uv.lock", text, groups=("nope",)))
    assert "nope" in "\n".join([unknown.message, *getattr(unknown, "details", ())])


def test_a_file_that_no_index_has_any_more_is_refused(bench: Workbench, served: ServedIndex) -> None:
    text = POETRY.format(packages=poetry(served, "alpha", "1.0"))
    make_wheel(served.directory, "alpha", "1.0", requires=["beta", "both"])
    error = refused(bench, environment(bench, "poetry.lock", text))
    assert error.message == "no index has a file of `alpha` 1.0 with a hash that `poetry.lock` allows"


def test_a_lock_that_changed_since_the_manifest_was_read_is_refused(bench: Workbench) -> None:
    wanted = environment(bench, "poetry.lock", POETRY.format(packages=""))
    (bench.directory / "poetry.lock").write_text(POETRY.format(packages="\n\n"))
    assert "changed while envsync was reading it" in refused(bench, wanted).message


def test_the_lock_of_the_environment_itself_is_refused(bench: Workbench) -> None:
    path = lock_path(bench.desired.locks, "web")
    text = 'lock-version = "1.0"\ncreated-by = "envsync"\npackages = []\n'
    wanted = environment(bench, path.relative_to(bench.directory).as_posix(), text)
    assert "is the lock that envsync writes for `web` itself" in refused(bench, wanted).message


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "poetry.lock",
            '[[package]]\nname = "six"\nversion = "1"\n[metadata]\nlock-version = "2.0"\n',
            "the format 2.0",
        ),
        ("poetry.lock", "[metadata]\n", "the format unknown"),
        ("pdm.lock", '[metadata]\nstrategy = ["static_urls"]\n', "without the strategy `inherit_metadata`"),
        ("poetry.lock", "= 1", "not a valid lock"),
        ("poetry.lock", 'package = [{groups = ["main"]}]\nmetadata.lock-version = "2.1"\n', "not a valid lock: `name`"),
        ("poetry.lock", 'package = [{groups = 1}]\nmetadata.lock-version = "2.1"\n', "not a valid lock"),
        ("poetry.lock", "metadata = 1", "not a valid lock"),
        (
            "poetry.lock",
            POETRY.format(packages='[[package]]\nname = "six"\nversion = "1"\ngroups = ["main"]\nmarkers = "="\n'),
            "not a valid lock",
        ),
        ("pylock.toml", 'lock-version = "9.0"\n', "not a valid lock"),
        ("pylock.x.toml", 'created-by = "x"\n', "not a valid lock"),
    ],
)
def test_a_lock_that_cannot_be_used_says_why(bench: Workbench, file: str, text: str, message: str) -> None:
    error = refused(bench, environment(bench, file, text))
    assert isinstance(error, LockError)
    assert message in error.message


def test_the_committed_lock_is_the_same_every_time(bench: Workbench, served: ServedIndex) -> None:
    text = POETRY.format(packages=poetry(served, "beta", "1.0") + poetry(served, "alpha", "1.0"))
    wanted = environment(bench, "poetry.lock", text)
    first = bench.written(bench.resolve(wanted))
    assert bench.resolve(wanted, previous=first).digest == first.digest
    assert bench.resolve(wanted, upgrade=True).digest == first.digest
    assert tomli.loads(first.path.read_text())["packages"] == first.document["packages"]


def test_files_of_an_index_in_a_relative_directory_have_relative_paths(bench: Workbench, served: ServedIndex) -> None:
    """The lock of poetry names no URLs, so uv finds them in the directory; a lock has no path of a machine."""
    index = Index(name="wheels", url=served.directory.as_uri(), relative="../wheels")
    text = POETRY.format(packages=poetry(served, "alpha", "1.0"))
    near = replace(bench, indexes=(index,))
    lock = near.written(near.resolve(environment(near, "poetry.lock", text)))
    name = "alpha-1.0-py3-none-any.whl"
    assert lock.document["packages"] == [
        {
            "name": "alpha",
            "version": "1.0",
            "wheels": [{"path": f"../../wheels/{name}", "hashes": {"sha256": sha256(served.directory / name)}}],
        }
    ]


def test_the_python_of_a_lock_decides_which_files_are_looked_for(bench: Workbench, served: ServedIndex) -> None:
    make_wheel(served.directory, "gamma", "1.0", requires_python=">=3.12")
    text = POETRY.format(packages=poetry(served, "gamma", "1.0")).replace("^3.11", "^3.12")
    lock = bench.resolve(environment(bench, "poetry.lock", text, python=">=3.11"))
    assert (pins(lock), lock.document["requires-python"]) == (["gamma 1.0"], ">=3.12")


def test_the_text_of_a_lock_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    path = tmp_path / "poetry.lock"
    source = LockSource(path=path, relative="poetry.lock", tool="poetry", sha256=hashlib.sha256(b"own").hexdigest())
    reach = reach_of(tmp_path)

    def error(content: bytes | None) -> tuple[str, str | None]:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(LockError) as caught:
            source_text(source, reach)
        return caught.value.message, caught.value.hint

    again = "make it again with its tool, or correct the path in the manifest"
    assert error(None) == ("poetry.lock: no such file", None)
    assert error(b"own\xff") == ("poetry.lock: not UTF-8", again)
    assert error(b"other") == ("`poetry.lock` changed while envsync was reading it", "run the command again")
    assert error(b" " * (16 * 1024**2 + 1)) == ("poetry.lock: larger than 16 MiB", None)
    path.write_bytes(b"own")
    assert source_text(source, reach) == "own"
    path.unlink()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/own").write_bytes(b"own")
    path.symlink_to(".git/own")
    hint = "write the path of a different file"
    assert error(None) == ("poetry.lock: inside `.git`, which only git uses", hint)


@pytest.mark.parametrize("tool", ["poetry.lock", "pylock.toml"])
def test_the_text_of_a_lock_outside_the_repository_is_not_shown(bench: Workbench, tmp_path: Path, tool: str) -> None:
    text = "own = s3cret"
    inside = refused(bench, environment(bench, tool, text))
    assert inside.message.startswith(f"{tool}: not a valid lock: ")
    outside = replace(bench, allow_paths=(str(tmp_path / "outside"),))
    error = refused(outside, environment(outside, f"../outside/{tool}", text))
    assert (error.message, error.hint) == (f"../outside/{tool}: {NOT_SHOWN}", NOT_SHOWN_HINT)


def test_a_lock_of_another_tool_names_only_paths_that_the_manifest_may_name(bench: Workbench) -> None:
    text = 'lock-version = "1.0"\ncreated-by = "x"\npackages = [{name = "own", directory = {path = ".git/own"}}]\n'
    error = refused(bench, environment(bench, "pylock.toml", text))
    message = "pylock.toml: the source of `own` is inside `.git`, which only git uses"
    assert (error.message, error.hint) == (message, "write the path of a different file")
