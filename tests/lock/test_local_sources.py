"""Local projects that a pyproject.toml names (`[tool.uv.sources]`): they are resolved, and no index gives them."""

import pytest

from reconciler.errors import EngineError, LockError
from reconciler.lock.checks import check_local_names
from tests.functional.projects import write_project
from tests.lock.workbench import Workbench, local, project_at, requiring


def test_a_local_source_wins_over_an_index_also_for_what_others_require(bench: Workbench) -> None:
    beta = project_at(bench.directory / "libs" / "beta", name="beta")
    app = project_at(bench.directory / "app", name="app", requires='["alpha", "beta"]')
    lines = (
        local(app),
        local(beta, text="./libs/beta"),
        local(beta, text="-e ./libs/beta", name="beta", editable=True),
    )
    lock = bench.resolve(requiring(requirements=lines, local_names=("beta",)))
    found = {each["name"]: each.get("directory") or each["version"] for each in lock.document["packages"]}
    assert found["beta"] == {"path": "../libs/beta", "editable": True}
    assert found["alpha"] == "1.1"


def test_a_source_with_a_marker_leaves_the_rest_to_the_index(bench: Workbench) -> None:
    beta = project_at(bench.directory / "beta", name="beta")
    app = project_at(bench.directory / "app", name="app", requires='["beta"]')
    line = local(beta, name="beta", marker="sys_platform == 'win32'")
    elsewhere = requiring("beta").requirements  # as `ProjectSources` adds it
    lock = bench.resolve(requiring(requirements=(local(app), line, *elsewhere)))
    found = [(each["name"], each.get("marker"), each.get("version")) for each in lock.document["packages"]]
    assert ("beta", "sys_platform == 'win32'", None) in found
    assert ("beta", "sys_platform != 'win32'", "1.0") in found


def test_a_source_that_replaces_is_used_only_if_something_requests_it(bench: Workbench) -> None:
    beta = project_at(bench.directory / "beta", name="beta")
    line = local(beta, name="beta", replaces=True)
    both = requiring("both")
    unused = bench.resolve(requiring(requirements=(*both.requirements, line)))
    assert [each["name"] for each in unused.document["packages"]] == ["both"]
    alpha = requiring("alpha")
    used = bench.resolve(requiring(requirements=(*alpha.requirements, line)))
    assert {each["name"]: "directory" in each for each in used.document["packages"]} == {"alpha": False, "beta": True}


def test_a_directory_with_a_project_of_another_name_is_refused(bench: Workbench) -> None:
    other = bench.directory / "other"
    write_project(other, "other")
    with pytest.raises(EngineError) as caught:
        bench.resolve(requiring(requirements=(local(other, name="beta"),)))
    assert "`other` does not match given name `beta`" in "\n".join(caught.value.details)


def test_the_name_of_a_local_project_never_comes_from_an_index() -> None:
    packages = [{"name": "core", "version": "1.0", "wheels": []}, {"name": "six", "version": "1.0", "wheels": []}]
    check_local_names(packages, ("app",))
    check_local_names([{"name": "core", "directory": {"path": "../core"}}], ("core",))
    with pytest.raises(LockError, match="`core` is the name of a local project, but was resolved from an index"):
        check_local_names(packages, ("app", "core"))
    with pytest.raises(LockError):
        check_local_names([{"name": "core", "version": "1.0", "sdist": {}}], ("core",))
