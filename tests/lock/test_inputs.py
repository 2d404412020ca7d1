"""Which changes of the manifest change the digest of a lock's inputs, so that the lock is out of date."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.manifest.desired import (
    BuildEnv,
    CommandProbe,
    DesiredEnvironment,
    Health,
    Hooks,
    IgnoreException,
    Index,
    LocalProject,
    LockSource,
    Public,
    RequirementLine,
)
from tests.lock.nothing_generated import inputs_digest
from tests.lock.workbench import local, project_at, requiring

INDEXES = (
    Index(name="one", url="https://one.index.example/simple"),
    Index(name="two", url="https://two.index.example"),
)
PROJECT = LocalProject(
    path=Path("/somewhere/app"),
    relative=".",
    name="app",
    version="1.0",
    editable=True,
    extras=("web",),
    groups=("dev",),
    requirements=("django>=5", "flask"),
    static=True,
    metadata_digest="sha256:1",
)
LOCK = LockSource(path=Path("/somewhere/uv.lock"), relative="uv.lock", tool="uv", sha256="1" * 64)
BASE = requiring("django>=5", "flask", constraints=("jinja2<4", "attrs"), overrides=("six",), project=PROJECT)


def line(text: str, **more: Any) -> RequirementLine:
    return replace(RequirementLine(text=text, source="x"), **more)


CHANGED = [
    requiring("django>=5"),
    replace(BASE, requirements=(line("django>=5.1"), line("flask"))),
    replace(BASE, requirements=(line("django>=5"), line("flask", hashes=("sha256:" + "0" * 64,)))),
    replace(BASE, requirements=(line("django>=5"), line("flask", editable=True))),
    replace(BASE, constraints=("jinja2<4",)),
    replace(BASE, overrides=()),
    replace(BASE, constraints=("jinja2<4",), overrides=("attrs", "six")),
    replace(BASE, indexes=("two",)),
    replace(BASE, exclude_newer="2026-01-01"),
    replace(BASE, prerelease="allow"),
    replace(BASE, build_env=BuildEnv(variables={"CMAKE_ARGS": "-DX=1"})),
    replace(BASE, build_env=BuildEnv(from_env={"A": "secret"}, hashes={"A": "sha256:1"})),
    replace(BASE, python=">=3.12"),
    replace(BASE, project=None),
    replace(BASE, project=replace(PROJECT, editable=False)),
    replace(BASE, project=replace(PROJECT, extras=())),
    replace(BASE, project=replace(PROJECT, groups=("test",))),
    replace(BASE, project=replace(PROJECT, requirements=("django>=5",))),
    replace(BASE, project=replace(PROJECT, relative="app")),
    replace(BASE, project=replace(PROJECT, name="other")),
    replace(BASE, project=replace(PROJECT, static=False)),
    replace(BASE, local_names=("core",)),
    replace(BASE, lock=LOCK),
]
SAME = [
    replace(
        BASE,
        name="other",
        renamed_from="old",
        access="group",
        place="elsewhere:3:1",
        python_place="x:1:1",
        optional=True,
        description="x",
        labels={"a": "b"},
    ),
    replace(BASE, requirements=BASE.requirements[::-1]),
    replace(BASE, requirements=(*BASE.requirements, line("flask"))),
    replace(BASE, requirements=tuple(replace(each, source="elsewhere") for each in BASE.requirements)),
    replace(BASE, constraints=BASE.constraints[::-1]),
    replace(BASE, builds="deny"),
    replace(BASE, env={"A": "b"}, public=Public(env=("A",))),
    replace(BASE, probes=(CommandProbe(argv=("true",)),), hooks=Hooks(after_publish=(("x",),))),
    replace(BASE, on_failure="rollback", health=Health(argv=("true",))),
    replace(BASE, compile_bytecode=True, link_mode="copy", keep_generations=9, prevent_destroy=True),
    replace(BASE, exceptions=(IgnoreException(key="ignore", match="x"),)),
    replace(BASE, ignore=("x",), ignore_files=("*",), system_site_packages=True, depends_on=("x",)),
    replace(BASE, project=replace(PROJECT, path=Path("/other/machine/app"))),
    replace(BASE, project=replace(PROJECT, metadata_digest="sha256:2")),
    replace(BASE, project=replace(PROJECT, requirements=PROJECT.requirements[::-1])),
]


@pytest.mark.parametrize("changed", CHANGED)
def test_a_change_of_what_is_resolved_changes_the_digest(changed: DesiredEnvironment) -> None:
    assert inputs_digest(changed, INDEXES) != inputs_digest(BASE, INDEXES)


@pytest.mark.parametrize("same", SAME)
def test_no_other_change_changes_the_digest(same: DesiredEnvironment) -> None:
    assert inputs_digest(same, INDEXES) == inputs_digest(BASE, INDEXES)


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        (replace(LOCK, sha256="2" * 64), False),
        (replace(LOCK, extras=("web",)), False),
        (replace(LOCK, groups=("web",)), False),
        (replace(LOCK, relative="sub/uv.lock"), False),
        (replace(LOCK, path=Path("/other/machine/uv.lock")), True),
    ],
)
def test_the_contents_of_a_foreign_lock_and_what_is_chosen_from_it_change_the_digest(
    changed: LockSource, is_same: bool
) -> None:
    found = [inputs_digest(replace(BASE, lock=each), INDEXES) for each in (LOCK, changed)]
    assert (found[0] == found[1]) is is_same


@pytest.mark.parametrize("name", [each.name for each in fields(DesiredEnvironment)])
def test_every_field_of_an_environment_is_in_one_of_the_lists(name: str) -> None:
    assert any(getattr(each, name) != getattr(BASE, name) for each in (*CHANGED, *SAME)), (
        f"add an environment with a different {name} to CHANGED (a lock must be resolved again) or to SAME"
    )


def test_indexes_count_by_url_order_and_packages_but_not_by_name() -> None:
    digest = inputs_digest(BASE, INDEXES)
    assert inputs_digest(BASE, (replace(INDEXES[0], name="other"), INDEXES[1])) == digest
    assert inputs_digest(BASE, INDEXES[::-1]) != digest
    assert inputs_digest(BASE, INDEXES[:1]) != digest
    assert inputs_digest(BASE, (replace(INDEXES[0], packages=("x",)), INDEXES[1])) != digest
    assert inputs_digest(BASE, (replace(INDEXES[0], default=False), INDEXES[1])) != digest
    assert inputs_digest(BASE, (replace(INDEXES[0], default=True), INDEXES[1])) == digest, "that is its default"
    assert inputs_digest(replace(BASE, indexes=("one", "two")), INDEXES) == digest, "those are all"
    elsewhere = (replace(INDEXES[0], file_hosts=("files.example",)), INDEXES[1])
    assert inputs_digest(BASE, elsewhere) == digest, "they only decide whether the lock is accepted"


def test_metadata_that_only_a_build_reveals_counts_as_a_whole() -> None:
    dynamic = replace(PROJECT, static=False)
    before = inputs_digest(replace(BASE, project=dynamic), INDEXES)
    assert inputs_digest(replace(BASE, project=replace(dynamic, metadata_digest="sha256:2")), INDEXES) != before


def test_the_metadata_of_a_local_directory_counts_but_its_sources_and_its_path_do_not(tmp_path: Path) -> None:
    def digest(path: Path) -> str:
        return inputs_digest(requiring("x", requirements=(replace(local(path), text="./lib"),)), ())

    one, two = project_at(tmp_path / "one"), project_at(tmp_path / "two")
    assert digest(one) == digest(two)
    (two / "code.py").write_text("x = 1\n")
    assert digest(one) == digest(two)
    project_at(two, requires='["beta"]')
    assert digest(one) != digest(two)


def test_a_symbolic_link_to_a_metadata_file_counts_by_the_contents_of_its_target(tmp_path: Path) -> None:
    shared = project_at(tmp_path / "shared") / "pyproject.toml"
    path = tmp_path / "lib"
    path.mkdir()
    (path / "pyproject.toml").symlink_to(shared)
    environment = requiring(requirements=(local(path),))
    before = inputs_digest(environment, ())
    shared.write_text(shared.read_text() + "# a comment\n")
    assert inputs_digest(environment, ()) == before
    shared.write_text(shared.read_text().replace("[project]", '[project]\nrequires-python = ">=3.11"'))
    assert inputs_digest(environment, ()) != before


def test_the_value_of_a_variable_of_the_shell_is_not_in_the_digest_but_its_name_is() -> None:
    def of(**values: str) -> str:
        hashes = {name: f"sha256:{value}" for name, value in values.items()}
        return inputs_digest(replace(BASE, build_env=BuildEnv(from_env=values, hashes=hashes)), INDEXES)

    assert of(PIN="1234") == of(PIN="4321")
    assert of(PIN="1234") != of(OTHER="1234") != of()
    written = inputs_digest(replace(BASE, build_env=BuildEnv(variables={"PIN": "1234"})), INDEXES)
    assert written not in {of(PIN="1234"), of()}


def test_the_digest_is_the_same_in_every_release() -> None:
    """A change of how the digest is made would put every lock out of date. Do that only on purpose."""
    assert inputs_digest(BASE, INDEXES) == "sha256:df08dc07ba56fb18be72c7b130744292c7224afff201b273e78e2874d62b495f"
