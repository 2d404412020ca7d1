"""Every way to require a package: git, URL, file, a pinned index, credentials, constraints, overrides, a date limit."""

import os
from pathlib import Path

from tests.functional.host_state import generations, planned
from tests.functional.projects import write_project
from tests.functional.test_local_projects_are_installed_from_their_sources import git
from tests.host import Host
from tests.index import serve_index
from tests.wheels import make_sdist, make_wheel

SECRET = "hunter2-very-secret"  # noqa: S105  # not a real one
USER = "user-very-secret"


def test_git_url_and_file_requirements_are_installed_from_their_source(host: Host) -> None:
    repository = host.directory.parent / "repository"
    write_project(repository, "from-git")
    git(repository, "init", "-q")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "one")
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1")
    make_wheel(host.index.directory, "by-url", "1.0")
    make_wheel(host.directory / "vendor", "by-file", "2.0")
    (host.directory / "requirements.txt").write_text("./vendor/by_file-2.0-py3-none-any.whl\n-c c.txt\n")
    (host.directory / "c.txt").write_text("alpha<1.1\n")
    url = host.index.file_url("by_url-1.0-py3-none-any.whl")
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: ["from-git @ git+file://{repository}@v1", "by-url @ {url}", alpha]\n'
        "  requirements: [requirements.txt]\n",
        head="allow_paths: [../repository]\n",
    )
    host.apply()
    frozen = host.freeze("web")
    assert f"from-git @ git+file://{repository}@{commit}" in frozen
    assert f"by-url @ {url}" in frozen
    assert any(line.startswith("by-file @ file://") for line in frozen)
    assert "alpha==1.0" in frozen
    assert str(host.directory) not in (host.directory / "locks/pylock.web.toml").read_text()


def test_constraints_overrides_extras_and_exclude_newer_decide_versions(host: Host) -> None:
    directory = host.index.directory
    make_wheel(
        directory, "lib", "1.0", requires=["beta<2", "gamma; extra == 'fast'"], metadata_extra="Provides-Extra: fast\n"
    )
    for version in ("1.0", "1.5", "2.5"):
        make_wheel(directory, "dated", version)
    host.index.uploaded |= {
        "dated-1.0-py3-none-any.whl": "2020-01-01T00:00:00Z",
        "dated-1.5-py3-none-any.whl": "2022-01-01T00:00:00Z",
        "dated-2.5-py3-none-any.whl": "2024-01-01T00:00:00Z",
    } | {path.name: "2019-01-01T00:00:00Z" for path in directory.iterdir() if not path.name.startswith("dated")}
    (host.directory / "c.txt").write_text("alpha==1.0\n")
    web = 'web:\n  python: "3.11"\n  packages: ["lib[fast]", alpha, dated]\n  constraints: [c.txt]\n'
    host.manifest(web + '  overrides: ["beta>=2"]\n  exclude_newer: "2023-01-01"\n')
    host.apply()
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0", "dated==1.5", "gamma==0.1", "lib==1.0"]
    host.manifest(web + '  overrides: ["beta>=2"]\n  exclude_newer: "2021-01-01"\n')
    changes = {each["name"]: each["action"] for each in planned(host)["web"]["packages"]}
    assert changes == {"dated": "downgrade"}
    host.manifest(web)
    ran = host.envsync("plan")
    assert ran.code == 1, "no index has beta<2"
    assert "beta" in ran.err


def test_a_pinned_package_comes_only_from_its_index(host: Host, tmp_path: Path) -> None:
    own = tmp_path / "own"
    make_wheel(own, "acme-core", "1.0")
    make_wheel(host.index.directory, "acme-core", "9.9")  # dependency confusion: the pin must prevent it
    make_wheel(host.index.directory, "public", "1.0", requires=["acme-core"])
    with serve_index(own) as index:
        (host.directory / "envs.yaml").write_text(
            "version: 1\nproject: acme\nindexes:\n"
            f"  - {{name: local, url: '{host.index.url}'}}\n"
            f"  - {{name: own, url: '{index.url}', packages: ['acme-*']}}\n"
            'environments:\n  web:\n    python: "3.11"\n    packages: [public]\n'
        )
        host.apply()
        assert host.freeze("web") == ["acme-core==1.0", "public==1.0"]
        (own / "acme_core-1.0-py3-none-any.whl").unlink()
        ran = host.envsync("lock", "--upgrade")
        assert ran.code != 0, "its index has none, and the package of the other index is not used"
        assert "acme-core" in ran.err
        assert host.envsync("check").code == 0


def test_credentials_are_used_and_appear_nowhere(tmp_path: Path, host: Host) -> None:
    host.index.credentials = (USER, SECRET)
    probe = '{run: [python, -c, "import os; print(os.environ)"]}'
    host.manifest(f'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n  probes: [{probe}]\n')
    outputs = []
    ran = host.envsync("plan")
    assert ran.code == 1, "without credentials the index refuses"
    outputs.append(ran)
    host.env = {"UV_INDEX_LOCAL_USERNAME": USER, "UV_INDEX_LOCAL_PASSWORD": SECRET}
    host.env["UV_INDEX_LOCAL_HOST"] = host.index.base.removeprefix("http://")
    outputs += [
        host.envsync("plan", "-vv"),
        host.envsync("lock"),
        host.envsync("apply", "--yes", "--output", "json"),
        host.envsync("check", "--output", "json"),
        host.envsync("status", "--output", "json"),
        host.envsync("freeze", "web"),
    ]
    assert [each.code for each in outputs[1:]] == [0] * 6
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha, missing-one]\n')
    outputs.append(host.envsync("plan"))
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.1]\n  probes: [{import: missing}]\n')
    outputs.append(host.envsync("apply", "--yes"))
    assert outputs[-1].code == 1
    assert generations(host, "web") == [1, 2]
    for each in outputs:
        assert SECRET not in each.out + each.err
        assert USER not in each.out + each.err
    found = [path for path in files_below(host.directory) if holds(path, SECRET) or holds(path, USER)]
    assert found == []


def test_builds_can_be_denied_and_allowed_by_name(host: Host) -> None:
    make_sdist(host.index.directory, "source-only", "1.0")
    web = 'web:\n  python: "3.11"\n  packages: [source-only, alpha==1.0]\n'
    host.manifest(web + "  builds: deny\n")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "source" in ran.err
    host.manifest(web + "  builds: [source-only]\n")
    host.apply()
    assert "source-only==1.0" in host.freeze("web")


def test_an_index_that_refuses_is_reported_and_no_lock_is_written(host: Host) -> None:
    host.index.broken["/simple/alpha/"] = 403
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha]\n')
    ran = host.envsync("lock")
    assert ran.code == 1
    assert "index" in ran.err
    assert not (host.directory / "locks").exists()


def files_below(directory: Path) -> list[Path]:
    return [Path(folder) / name for folder, _, files in os.walk(directory) for name in files]


def holds(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()
