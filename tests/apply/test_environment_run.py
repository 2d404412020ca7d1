"""The steps of one environment with the real engine; `tests/apply/fake_uv.py` carries out the commands of uv."""

import datetime as dt
import json
import os
import py_compile
import shutil
import stat
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.context import ApplyOptions
from reconciler.apply.environment import EnvironmentRun
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.errors import (
    ApplyError,
    BuildFailedError,
    DamagedCacheError,
    InterruptedByUserError,
    ProbeError,
    RecordMismatchError,
)
from reconciler.events import Notice
from reconciler.manifest.desired import BuildEnv, CommandProbe, Hooks, ImportProbe
from reconciler.observe.actual import Finding, FindingCode
from reconciler.plan.model import Action, StepKind
from reconciler.state.inventory_file import load_inventory
from reconciler.state.owner import ManifestIdentity
from reconciler.state.staged import staged_generation
from reconciler.state.trial import Trial, read_trial, write_trial
from tests.apply.bench import INDEX, LOCK, OTHER, PYTHON, SOURCE, TOOL, TOOL_MODULE, Bench, bench_at, performed, step
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE
from tests.unprivileged import reachable_directory, unprivileged


def test_an_apply_publishes_and_records_what_was_built(bench: Bench) -> None:
    applied = bench.applied(env={"A": "b"}, system_site_packages=True, prevent_destroy=True)
    assert (applied.name, applied.project, applied.generation, applied.rolled_back_from) == ("web", "acme", 1, 0)
    assert (applied.manifest, applied.repository) == ("../envs.yaml", "https://git.example/acme")
    assert applied.interpreter.path == PYTHON.path
    assert applied.installed.keys() == {"tool"}
    assert [each.name for each in applied.packages] == ["tool"]
    assert applied.settings["env"] == {"A": "b"}
    assert applied.prevent_destroy
    assert not applied.hooks_pending
    assert bench.state.layout.published_number("web") == 1
    published = bench.state.published("web")
    assert published is not None
    assert (published.seal, published.system_site_packages) == (applied.seal, True)
    venv = bench.state.layout.generation("web", 1).venv
    created = ["venv", "--no-project", "--prompt=web", "--system-site-packages", "-p", PYTHON.path, str(venv)]
    assert bench.uv.calls[0].arguments == created
    assert (venv / "bin/activate").read_text() == f"VIRTUAL_ENV={bench.state.layout.environment('web')}\n"
    assert os.access(venv / "bin/pip", os.X_OK)
    assert 'name = "tool"' in bench.state.layout.generation("web", 1).pylock.read_text()


def test_the_engine_gets_every_setting_of_the_environment(bench: Bench) -> None:
    bench.offline = True
    secrets = {"TOKEN": "secret"}
    build_env = BuildEnv(variables={"CC": "cc"}, from_env=secrets)
    settings: dict[str, Any] = {
        "link_mode": "copy",
        "compile_bytecode": True,
        "builds": ("tool",),
        "build_env": build_env,
    }
    run = bench.run(lock=LOCK + SOURCE, indexes=("main",), **settings)
    assert run.perform(step(StepKind.BUILD)) == "1 package"
    create, sync = bench.uv.calls
    assert create.arguments == ["venv", "--no-project", "--prompt=web", "-p", PYTHON.path, str(run.new.venv)]
    assert sync.arguments == [
        "pip", "sync", "--default-index", f"main={INDEX.url}", "--strict", "--allow-empty-requirements",
        "--preview-features", "pylock", "-p", str(run.new.venv / "bin/python"),
        "--only-binary", ":all:", "--no-binary", "tool", "--link-mode", "copy", "--compile-bytecode", "--offline",
        str(run.new.pylock),
    ]  # fmt: skip
    assert sync.document == tomllib.loads(LOCK + SOURCE)
    assert sync.configuration.startswith('[extra-build-variables]\n"tool" = { CC = "cc", ENVSYNC_BUILD_SECRETS = ')
    assert sync.environment.items() >= secrets.items()
    assert "CC" not in sync.environment
    assert not secrets.keys() & create.environment.keys()


def test_without_packages_nothing_is_installed(bench: Bench) -> None:
    assert bench.run(lock=LOCK + "packages = []\n").perform(step(StepKind.BUILD)) == "0 packages"
    assert [each.command for each in bench.uv.calls] == ["venv"]


def test_bytecode_of_the_same_interpreter_is_used_again(bench: Bench) -> None:
    def built(*, by_uv: bool, **more: Any) -> list[str]:
        """Build a generation; return the bytecode in it, which uv compiles only if `by_uv` is set."""
        run = bench.run(**more)
        run.perform(step(StepKind.BUILD))
        assert ("--compile-bytecode" in bench.uv.syncs[-1].arguments) is by_uv
        return [each.name for each in run.new.venv.glob("**/*.pyc")]

    bytecode = f"tool.{sys.implementation.cache_tag}.pyc"
    assert built(by_uv=True, compile_bytecode=True) == [bytecode]
    bench.applied(compile_bytecode=True)
    # uv does not compile now: the interpreter compiles the module, whose inode is a new one.
    assert built(by_uv=False, compile_bytecode=True) == [bytecode]
    other = replace(PYTHON, version="3.11.8")
    assert built(by_uv=True, compile_bytecode=True, interpreter=other) == [bytecode]
    assert built(by_uv=False) == []


@pytest.mark.parametrize("replaced", ["pyvenv.cfg", "bin/python"])
def test_a_package_that_replaces_a_file_of_the_environment_is_refused(bench: Bench, replaced: str) -> None:
    def replace_file(venv: Path, _: int) -> None:
        (venv / replaced).unlink()
        if replaced == "bin/python":
            (venv / replaced).symlink_to("other")
        else:
            (venv / replaced).write_text("home = /other\n")

    bench.uv.after = replace_file
    with pytest.raises(ApplyError, match=r"a package overwrote `pyvenv\.cfg` or `bin/python`") as caught:
        bench.run().perform(step(StepKind.BUILD))
    assert "remove the package" in (caught.value.hint or "")


DAMAGED = """\
error: Failed to install: tool-1.0-py3-none-any.whl (tool==1.0)
  cause: The wheel is invalid: Invalid Wheel-Version in `WHEEL` file: None
"""
NOT_BUILT = """\
error: Failed to build `tool==1.0`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)
"""


def test_a_damaged_file_of_the_cache_is_downloaded_again_once(bench: Bench) -> None:
    bench.uv.failures = [DAMAGED]
    run = bench.run()
    note = "; files of `tool` differed from what the package lists, and were fetched again"
    assert run.perform(step(StepKind.BUILD)) == f"1 package{note}"
    assert bench.uv.refreshed == [[], ["tool"]]
    assert bench.state.layout.generation_numbers("web") == [run.new.number]
    assert run.perform(step(StepKind.VERIFY)).endswith(" files")  # it was said already
    bench.uv.failures = [DAMAGED, DAMAGED]
    with pytest.raises(DamagedCacheError) as caught:
        bench.run().perform(step(StepKind.BUILD))
    assert caught.value.message == "`tool` cannot be used, even after the cached files were deleted"
    assert len(bench.uv.syncs) == 4
    bench.uv.failures = [NOT_BUILT]  # nothing in the cache can be the cause
    with pytest.raises(BuildFailedError):
        bench.run().perform(step(StepKind.BUILD))
    assert len(bench.uv.syncs) == 5


def test_without_the_network_a_damaged_file_is_an_error_with_a_hint(bench: Bench) -> None:
    bench.offline = True
    bench.uv.failures = [DAMAGED]
    with pytest.raises(DamagedCacheError) as caught:
        bench.run().perform(step(StepKind.BUILD))
    assert caught.value.message == "the cached files of `tool` cannot be used"
    hint = "run the command once without `--offline`, which downloads the packages again"
    assert caught.value.hint == hint
    assert len(bench.uv.syncs) == 1
    bench.uv.failures = [NOT_BUILT]  # a download changes nothing
    with pytest.raises(BuildFailedError) as failed:
        bench.run().perform(step(StepKind.BUILD))
    assert failed.value.hint != hint


def test_files_that_differ_from_their_record_are_downloaded_again(bench: Bench) -> None:
    def damage(venv: Path, call: int) -> None:
        if call == 1:
            (venv / SITE / "tool.py").write_text("damaged")

    bench.uv.after = damage
    run = bench.run()
    run.perform(step(StepKind.BUILD))
    text = run.perform(step(StepKind.VERIFY))
    assert text.endswith(" files; files of `tool` differed from what the package lists, and were fetched again")
    assert bench.uv.refreshed == [[], ["tool"]]
    assert bench.state.layout.generation_numbers("web") == [run.new.number]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (("same", "same"), "`RECORD` in `tool` does not match the package's own files"),
        (("one", "two"), "files changed while the environment was built"),
    ],
)
def test_files_that_differ_again_are_an_error_that_says_why(
    bench: Bench, contents: Sequence[str], message: str
) -> None:
    def damage(venv: Path, call: int) -> None:
        (venv / SITE / "tool.py").write_text(contents[call - 1])

    bench.uv.after = damage
    run = bench.run()
    run.perform(step(StepKind.BUILD))
    with pytest.raises(RecordMismatchError) as caught:
        run.perform(step(StepKind.VERIFY))
    assert caught.value.message.startswith(message)
    assert len(bench.uv.syncs) == 2
    run.abandon()
    assert bench.state.layout.generation_numbers("web") == []


def test_bytecode_in_a_wheel_may_be_compiled_again_only_with_compile_bytecode(bench: Bench) -> None:
    place = f"__pycache__/tool.{sys.implementation.cache_tag}.pyc"
    bench.uv.packages["tool"][place] = b"made elsewhere"
    run = bench.run(compile_bytecode=True)
    run.perform(step(StepKind.BUILD))
    assert (run.new.venv / SITE / place).read_bytes() != b"made elsewhere"
    assert run.perform(step(StepKind.VERIFY)).endswith(" files")
    assert len(bench.uv.syncs) == 1

    def compile_again(venv: Path, _: int) -> None:
        py_compile.compile(str(venv / SITE / "tool.py"), str(venv / SITE / place), doraise=True)

    bench.uv.after = compile_again
    plain = bench.run()
    plain.perform(step(StepKind.BUILD))
    with pytest.raises(RecordMismatchError):
        plain.perform(step(StepKind.VERIFY))


def test_files_that_lack_the_access_of_the_root_get_it_before_they_are_recorded(bench: Bench) -> None:
    bench.uv.after = lambda venv, _: (venv / SITE / "tool.py").chmod(0o600)
    applied = bench.applied()
    module = bench.state.layout.generation("web", applied.generation).venv / SITE / "tool.py"
    assert stat.S_IMODE(module.stat().st_mode) == 0o644
    published = bench.state.published("web")
    assert published is not None
    inventory = load_inventory(published.inventory, digest=published.inventory_digest)
    modes = {each.path: each.executable for each in inventory.entries}
    assert f"{SITE}/tool.py" in modes
    assert inventory.modes[inventory.names.index("tool.py")] & 0o777 == 0o644


def test_a_mode_that_an_edit_gave_to_a_cached_file_is_not_installed(bench: Bench) -> None:
    bench.applied()
    bench.uv.after = lambda venv, call: (venv / SITE / "tool.py").chmod(0o755 if call == 2 else 0o644)
    plain = bench.run()
    plain.perform(step(StepKind.BUILD))
    assert plain.perform(step(StepKind.VERIFY)).endswith(" files")  # nothing drifted
    sealed = bench.state.published("web")
    run = EnvironmentRun(plain.plan, plain.context, sealed=sealed)
    bench.uv.calls.clear()
    bench.uv.after = lambda venv, call: (venv / SITE / "tool.py").chmod(0o755 if call == 1 else 0o644)
    run.perform(step(StepKind.BUILD))
    assert "were fetched again" in run.perform(step(StepKind.VERIFY))
    assert bench.uv.refreshed == [[], ["tool"]]


def test_a_package_that_is_not_the_locked_one_is_refused(bench: Bench) -> None:
    run = bench.run()
    run.perform(step(StepKind.BUILD))
    info = run.new.venv / SITE / "tool-1.0.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tool\nVersion: 2.0\n")
    info.rename(info.with_name("tool-2.0.dist-info"))
    with pytest.raises(ApplyError, match=r"the installed packages differ from the lock: `tool` is 2\.0"):
        run.perform(step(StepKind.VERIFY))


def test_what_drifted_is_marked_when_it_is_replaced(bench: Bench) -> None:
    def reasons(*codes: ReasonCode) -> tuple[Reason, ...]:
        return tuple(Reason(code=code, origin=Origin.DRIFT, message="") for code in codes)

    narrowed = Finding(code=FindingCode.ACCESS_NARROWED)
    added = Finding(code=FindingCode.FILE_ADDED)
    cases: list[tuple[Mapping[str, Any], bool]] = [
        ({}, False),
        ({"reasons": reasons(ReasonCode.LOCK_CHANGED)}, False),
        ({"reasons": reasons(ReasonCode.LOCK_CHANGED, ReasonCode.FILES_DRIFTED), "findings": (added,)}, True),
        ({"reasons": reasons(ReasonCode.PACKAGES_DRIFTED)}, True),
        ({"reasons": reasons(ReasonCode.ENVIRONMENT_DAMAGED), "findings": (narrowed,)}, False),
        ({"reasons": reasons(ReasonCode.ENVIRONMENT_DAMAGED), "findings": (narrowed, added)}, True),
    ]
    bench.applied()
    for number, (plan, drifted) in enumerate(cases, 1):
        bench.applied(plan=plan)
        assert bench.state.layout.generation("web", number).drifted.exists() is drifted, plan


def test_a_generation_that_is_not_published_is_abandoned_and_one_that_is_stays(bench: Bench) -> None:
    run = bench.run()
    run.abandon()
    for kind in (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL):
        run.perform(step(kind))
    assert (run.published, run.rolled_back_to) == (False, 0)
    run.abandon()
    assert bench.state.layout.generation_numbers("web") == []
    run = bench.run()
    for kind in (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH):
        run.perform(step(kind))
    assert run.published
    run.abandon()
    assert bench.state.layout.published_number("web") == run.new.number


def test_an_interrupted_apply_ends_before_the_next_step_unless_it_was_published(bench: Bench) -> None:
    run = bench.run()
    for kind in (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL):
        run.perform(step(kind))
    run.context.stop.set()
    with pytest.raises(InterruptedByUserError):
        run.perform(step(StepKind.PUBLISH))
    run.context.stop.clear()
    run.perform(step(StepKind.PUBLISH))
    run.context.stop.set()
    run.perform(step(StepKind.RECORD))
    assert bench.state.layout.record("web").exists()


def test_a_path_that_is_not_ours_is_not_replaced_and_nothing_counts_as_published(bench: Bench) -> None:
    run = bench.run()
    for kind in (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL):
        run.perform(step(kind))
    bench.state.layout.environment("web").mkdir()
    with pytest.raises(ApplyError):
        run.perform(step(StepKind.PUBLISH))
    assert not run.published


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (StepKind.SYNC, "web: the plan has no build step"),
        (StepKind.SEAL, "web: a generation must be verified before it is sealed"),
        (StepKind.RECORD, "web: nothing was applied, so there is nothing to record"),
    ],
)
def test_a_step_without_those_before_it_is_an_error(bench: Bench, kind: StepKind, message: str) -> None:
    with pytest.raises(ApplyError, match=message):
        bench.run().perform(step(kind))


def test_a_target_or_a_lock_that_is_missing_is_an_error(bench: Bench) -> None:
    with pytest.raises(ApplyError, match="web: the plan has no target to build"):
        bench.run(plan={"target": None}).perform(step(StepKind.BUILD))
    run = bench.run()
    assert run.plan.target is not None
    without = bench.run(plan={"target": replace(run.plan.target, lock=None)})
    with pytest.raises(ApplyError, match="web: the plan has no lock") as caught:
        without.perform(step(StepKind.BUILD))
    assert caught.value.hint == "run `envsync lock web`"


def test_new_settings_are_recorded_without_a_build(bench: Bench) -> None:
    before = bench.applied(env={"A": "a"})
    run = bench.run(StepKind.RECORD, env={"A": "b"}, prevent_destroy=True)
    run.begin()
    run.perform(step(StepKind.RECORD))
    found = bench.state.applied("web")
    assert found is not None
    assert (found.settings["env"], found.prevent_destroy) == ({"A": "b"}, True)
    assert (found.seal, found.generation) == (before.seal, before.generation)


def test_a_deleted_environment_can_be_restored(bench: Bench) -> None:
    applied = bench.applied()
    run = bench.run(StepKind.UNPUBLISH, StepKind.FORGET)
    run.begin()
    run.perform(step(StepKind.UNPUBLISH))
    assert run.published
    assert not bench.state.layout.environment("web").is_symlink()
    text = run.perform(step(StepKind.FORGET))
    assert text.startswith("can be restored with `envsync rollback web` until ")
    assert bench.state.applied("web") is None
    deleted = bench.state.deleted("web")
    assert deleted is not None
    assert deleted.applied == replace(applied, trial_since="")


def test_an_editable_project_without_its_modules_is_reported(bench: Bench, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "tool"\nversion = "1.0"\n')
    url = json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}}).encode()
    bench.uv.packages["tool"] = {"tool.pth": f"{project}/src\n".encode(), "tool-1.0.dist-info/direct_url.json": url}
    directory = f'directory = {{path = "{project}", editable = true}}'
    lock = f'{LOCK}[[packages]]\nname = "tool"\nversion = "1.0"\n{directory}\n'
    performed(bench.run(lock=lock), StepKind.BUILD, StepKind.VERIFY)
    [event] = bench.events
    assert isinstance(event, Notice)
    missing = f"its modules are imported from `{project}/src`, which does not exist"
    assert (event.message, event.environment) == (f"`tool` is an editable project: {missing}", "web")
    bench.events.clear()
    (project / "src").mkdir()
    performed(bench.run(lock=lock), StepKind.BUILD, StepKind.VERIFY)
    assert bench.events == []


def test_a_staged_generation_is_published_later(bench: Bench) -> None:
    hooks = Hooks(after_publish=(("true",),))
    run = bench.run(StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.SYNC, StepKind.STAGE, hooks=hooks)
    performed(run, *(each.kind for each in run.plan.steps))
    assert run.staged
    run.abandon()  # it stays
    staged = staged_generation(bench.state, "web")
    assert staged is not None
    assert (staged.generation, staged.note.action, staged.note.drifted) == (1, "update", False)
    assert staged.applied.hooks_pending
    assert bench.state.layout.published_number("web") == 0

    later = bench.run(StepKind.VERIFY_STAGED, plan={"staged": 1})
    assert performed(later, StepKind.VERIFY_STAGED) == ["8 files"]
    assert (later.new, later.staged) == (bench.state.layout.generation("web", 1), True)
    performed(later, StepKind.PUBLISH)
    applied = bench.state.applied("web")
    assert applied is not None
    assert applied.generation == 1

    other = bench.run(StepKind.VERIFY_STAGED, plan={"staged": 2})
    with pytest.raises(ApplyError, match="generation 2 of `web` is no longer staged") as caught:
        performed(other, StepKind.VERIFY_STAGED)
    assert caught.value.hint == "run `envsync apply web`"


def test_a_staged_generation_that_was_changed_is_not_published(bench: Bench) -> None:
    run = bench.run(StepKind.STAGE)
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.STAGE)
    (run.new.venv / SITE / "tool.py").write_text("changed")
    with pytest.raises(ApplyError, match="the staged generation 1 of `web` differs from its seal") as caught:
        performed(bench.run(plan={"staged": 1}), StepKind.VERIFY_STAGED)
    assert caught.value.hint == "run `envsync apply web` to build a new one"
    assert staged_generation(bench.state, "web") is None


def test_files_that_the_staged_generation_was_to_ignore_do_not_count(bench: Bench) -> None:
    run = bench.run(StepKind.STAGE, ignore_files=("etc",))
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.STAGE)
    (run.new.venv / "etc").mkdir()
    (run.new.venv / "etc/added").touch()
    later = bench.run(plan={"staged": 1})
    performed(later, StepKind.VERIFY_STAGED, StepKind.PUBLISH)
    assert bench.state.layout.published_number("web") == 1


def test_a_lock_step_writes_the_lock(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(StepKind.LOCK)
    assert run.plan.target is not None
    assert run.plan.target.lock is not None
    lock = replace(run.plan.target.lock, path=tmp_path / "locks/pylock.web.toml")
    again = bench.run(StepKind.LOCK, plan={"target": replace(run.plan.target, lock=lock)})
    assert performed(again, StepKind.LOCK) == ["pylock.web.toml"]
    assert lock.path.is_file()


def test_probes_run_on_the_new_generation_or_on_the_published_one(bench: Bench) -> None:
    found = bench.run(probes=(ImportProbe(module="tool"), CommandProbe(argv=("true",))))
    texts = performed(found, StepKind.BUILD, StepKind.VERIFY, StepKind.PROBE, StepKind.SEAL, StepKind.PUBLISH)
    assert "tool" in texts[2]
    assert ", " in texts[2]
    performed(found, StepKind.RECORD)
    later = bench.run(StepKind.PROBE, plan={"generation": 1}, probes=(CommandProbe(argv=("true",)),))
    assert performed(later, StepKind.PROBE) != [""]
    missing = bench.run(StepKind.PROBE, plan={"generation": 1}, probes=(ImportProbe(module="none"),))
    with pytest.raises(ProbeError):
        performed(missing, StepKind.PROBE)
    added = bench.state.layout.generation("web", 1).venv / "added"
    touch = CommandProbe(argv=("touch", str(added)))
    with pytest.raises(ProbeError, match="a probe changed the environment: `added`"):
        performed(bench.run(StepKind.PROBE, plan={"generation": 1}, probes=(touch,)), StepKind.PROBE)


def test_ignored_files_are_carried_over(bench: Bench) -> None:
    bench.applied(ignore_files=("etc",))
    old = bench.state.layout.generation("web", 1).venv / "etc"
    old.mkdir()
    (old / "one").write_text("mine")
    run = bench.run(ignore_files=("etc",))
    texts = performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.CARRY_OVER)
    assert texts[-1] == "1 ignored file carried over"
    assert (run.new.venv / "etc/one").read_text() == "mine"
    (old / "two").write_text("mine too")
    run = bench.run(ignore_files=("etc",))
    texts = performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.CARRY_OVER)
    assert texts[-1] == "2 ignored files carried over"
    run = bench.run()
    assert performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.CARRY_OVER)[-1] == ""


def test_a_directory_is_adopted_and_kept(bench: Bench) -> None:
    path = bench.state.layout.environment("web")
    path.mkdir()
    (path / "mine").touch()
    run = bench.run(plan={"action": Action.ADOPT})
    texts = performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.ADOPT)
    until = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=7):%Y-%m-%d}"
    assert texts[-1] == f"`envsync rollback web --to 1` restores the previous environment, at least until {until}"
    assert run.published
    assert (run.new.number, bench.state.layout.published_number("web")) == (2, 2)
    assert (bench.state.layout.adopted_generation("web", 1).venv / "mine").is_file()


def test_an_environment_is_renamed(bench: Bench) -> None:
    bench.applied()
    run = bench.run(plan={"name": "site", "renamed_from": "web"})
    assert performed(run, StepKind.RENAME) == ["renamed from `web`"]
    assert (run.renamed, run.rename_begun) == (True, False)
    applied = bench.state.applied("site")
    assert applied is not None
    assert (applied.name, applied.generation, applied.built_as) == ("site", 1, "web")
    assert bench.state.applied("web") is None
    again = bench.run(plan={"name": "new", "renamed_from": "web"})
    with pytest.raises(ApplyError, match="new: `web` no longer exists, so it cannot be renamed"):
        performed(again, StepKind.RENAME)


def test_a_new_generation_of_a_renamed_environment_has_a_number_of_its_own(bench: Bench) -> None:
    for _ in range(3):
        bench.applied()
    run = bench.run(plan={"renamed_from": "web"})
    other = replace(run.plan, name="site")
    new = EnvironmentRun(other, run.context)
    assert new._newest_before() == 3
    assert bench.run()._newest_before() == 0


def test_hooks_run_after_publishing_and_before_deleting(bench: Bench, tmp_path: Path) -> None:
    touch = Hooks(
        after_publish=(("touch", str(tmp_path / "after")),), before_delete=(("touch", str(tmp_path / "before")),)
    )
    kinds = (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH, StepKind.RECORD, StepKind.AFTER_PUBLISH)
    run = bench.run(*kinds, hooks=touch)
    run.begin()
    for kind in kinds[:-1]:
        run.perform(step(kind))
    pending = bench.state.applied("web")
    assert pending is not None
    assert pending.hooks_pending
    assert not (tmp_path / "after").exists()
    assert run.perform(step(StepKind.AFTER_PUBLISH)) == ""
    assert (tmp_path / "after").exists()
    finished = bench.state.applied("web")
    assert finished is not None
    assert not finished.hooks_pending
    deleting = bench.run(StepKind.BEFORE_DELETE)
    deleting.perform(step(StepKind.BEFORE_DELETE))  # nothing is known to be applied
    assert not (tmp_path / "before").exists()
    performed(deleting, StepKind.BEFORE_DELETE)
    assert (tmp_path / "before").exists()
    nothing = bench.run(StepKind.AFTER_PUBLISH)
    assert nothing.perform(step(StepKind.AFTER_PUBLISH)) == ""
    assert nothing.rolled_back_to == 0


def test_a_trial_begins_before_the_publication(bench: Bench) -> None:
    bench.applied()
    run = bench.run(StepKind.PUBLISH, StepKind.TRIAL)
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH)
    trial = read_trial(run.new.trial)
    assert trial is not None
    assert trial.previous is not None
    assert trial.previous.generation == 1
    plain = bench.run(StepKind.PUBLISH)
    performed(plain, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH)
    assert read_trial(plain.new.trial) is None


@pytest.mark.parametrize("reason", ["no time to keep", "never published"])
def test_what_cannot_be_restored_leaves_nothing(bench: Bench, reason: str) -> None:
    bench.applied()
    if reason == "never published":
        shutil.rmtree(bench.state.layout.generation("web", 1).directory)
    run = bench.run(StepKind.UNPUBLISH, StepKind.FORGET)
    if reason == "no time to keep":
        object.__setattr__(run.context, "keep_deleted", dt.timedelta())
    assert performed(run, StepKind.UNPUBLISH, StepKind.FORGET)[-1] == ""
    assert bench.state.deleted("web") is None
    assert bench.state.applied("web") is None


def test_a_path_that_cannot_be_removed_stays_published(monkeypatch: pytest.MonkeyPatch) -> None:
    with reachable_directory() as root, reachable_directory() as home:
        bench = bench_at(root, monkeypatch)
        bench.applied()
        home.chmod(0o777)
        monkeypatch.setenv("XDG_STATE_HOME", str(home))  # for the key of the user without privileges
        run = bench.run(StepKind.UNPUBLISH)
        run.begin()
        bench.state.layout.all_deleted.mkdir()
        bench.state.layout.all_deleted.chmod(0o777)  # unlike the root, where the path is
        root.chmod(0o555)
        with unprivileged(), pytest.raises(PermissionError) as caught:
            run.perform(step(StepKind.UNPUBLISH))
        root.chmod(0o755)
        assert caught.value.filename == str(bench.state.layout.environment("web"))
        assert not run.published
        assert bench.state.layout.published_number("web") == 1
        assert os.listdir(bench.state.layout.all_deleted) == []


def test_overlapping_packages_are_reported_once(bench: Bench) -> None:
    lock = LOCK + TOOL + TOOL.replace("tool", "other")
    bench.uv.after = lambda venv, _: (venv / SITE / "tool.py").write_bytes(TOOL_MODULE)  # uv wrote this one last
    run = bench.run(lock=lock)
    performed(run, StepKind.BUILD, StepKind.VERIFY)
    assert [each.command for each in bench.uv.calls] == ["venv", "pip sync", "pip uninstall", "pip install"]
    assert (run.new.venv / SITE / "tool.py").read_bytes() == OTHER
    [notice] = bench.events
    assert isinstance(notice, Notice)
    assert notice.environment == "web"
    assert [(each.packages, each.installed) for each in run.overlaps] == [(("other", "tool"), "other")]
    performed(run, StepKind.SEAL, StepKind.PUBLISH, StepKind.RECORD)
    applied = bench.state.applied("web")
    assert applied is not None
    assert applied.overlaps == run.overlaps
    shown = bench.run(lock=lock, plan={"notes": (notice.message,)})
    performed(shown, StepKind.BUILD, StepKind.VERIFY)
    assert bench.events == [notice]


def test_settings_are_recorded_for_this_project_and_manifest(bench: Bench) -> None:
    before = bench.applied()
    other = replace(before, project="old", manifest="old.yaml", repository="old", hooks_pending=True)
    hooks = (StepKind.RECORD, StepKind.AFTER_PUBLISH)
    for steps, pending in (((StepKind.RECORD,), False), (hooks, True)):
        bench.state.record(other)
        performed(bench.run(*steps), StepKind.RECORD)
        found = bench.state.applied("web")
        assert found == replace(before, hooks_pending=pending)


def test_a_trial_ends_when_only_settings_are_recorded_unless_it_goes_on(bench: Bench) -> None:
    bench.applied()
    path = bench.state.layout.generation("web", 1).trial
    trial = Trial(since=dt.datetime(2026, 11, 30, tzinfo=dt.UTC), runs=1, previous=None)
    for steps, ended in (((StepKind.RECORD, StepKind.TRIAL), False), ((StepKind.RECORD,), True)):
        write_trial(path, trial)
        performed(bench.run(*steps), StepKind.RECORD)
        assert (read_trial(path) is None) is ended


def test_a_published_stage_belongs_to_this_project_and_manifest(bench: Bench) -> None:
    run = bench.run(StepKind.STAGE, hooks=Hooks(after_publish=(("true",),)))
    object.__setattr__(run.context, "owner", ManifestIdentity(path="old.yaml", repository="old"))
    object.__setattr__(run.context, "plan", replace(run.context.plan, project="old"))
    bench.uv.after = lambda venv, _: (venv / SITE / "tool.py").chmod(0o600)
    bench.state.layout.root.chmod(0o700)
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.STAGE)
    bench.state.layout.root.chmod(0o755)  # it was opened since
    later = bench.run(StepKind.VERIFY_STAGED, StepKind.PUBLISH, plan={"staged": 1})
    performed(later, StepKind.VERIFY_STAGED, StepKind.PUBLISH, StepKind.RECORD)
    assert stat.S_IMODE((later.new.venv / SITE / "tool.py").stat().st_mode) == 0o644
    found = bench.state.applied("web")
    assert found is not None
    assert (found.project, found.manifest, found.repository) == ("acme", "../envs.yaml", "https://git.example/acme")
    assert not found.hooks_pending


def test_a_sealed_generation_is_unpublished_and_can_be_locked_until_it_is_published(bench: Bench) -> None:
    run = bench.run()
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)
    assert run.new.unpublished.exists()
    assert run.new.in_use.exists()
    performed(run, StepKind.PUBLISH)
    assert not run.new.unpublished.exists()


def test_a_mode_that_differs_from_the_seal_again_is_an_error_that_says_so(bench: Bench) -> None:
    bench.applied()
    bench.uv.after = lambda venv, _: (venv / SITE / "tool.py").chmod(0o755)
    plain = bench.run()
    run = EnvironmentRun(plain.plan, plain.context, sealed=bench.state.published("web"))
    object.__setattr__(run.context, "options", ApplyOptions(parallelism=1, offline=True))
    run.perform(step(StepKind.BUILD))
    with pytest.raises(RecordMismatchError, match="differs from their mode in the seal"):
        run.perform(step(StepKind.VERIFY))


def test_the_contents_are_flushed_and_a_failed_flush_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with reachable_directory() as root:
        bench = bench_at(root, monkeypatch)
        bench.applied()
        bench.state.layout.generations("web").chmod(0o777)
        bench.uv.after = lambda venv, _: venv.parent.chmod(0o333)  # the flush that the build begins cannot open it
        run = bench.run()
        with unprivileged():
            run.perform(step(StepKind.BUILD))
            for each in threading.enumerate():
                if each.name.startswith("sync"):
                    each.join()
        run.new.directory.chmod(0o755)
        performed(run, StepKind.VERIFY, StepKind.SEAL)
        with pytest.raises(PermissionError) as caught:
            run.perform(step(StepKind.SYNC))
        assert caught.value.filename == str(run.new.directory)
