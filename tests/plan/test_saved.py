"""A saved plan is read back as it was, and what is no plan is refused in a sentence."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.canonical_json import canonical_text, to_json
from reconciler.errors import PlanFileError
from reconciler.json_output import outgoing
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.plan.document import document_json, plan_document, plan_json
from reconciler.plan.model import Asked, Plan, Policy
from reconciler.plan.plan_file import LARGEST, SavedPlan, read_plan, save_plan
from reconciler.plan.stale import refuse_foreign, refuse_moved
from tests.plan.test_cases import CASES
from tests.render.hostile import spoiled, texts
from tests.render.pictures import CASES as PICTURED
from tests.render.pictures import check_text, load_plan, plan_text, status_text

WORLDS = [*CASES, *sorted(PICTURED.glob("*.yaml"))]
ASKED = Asked(
    names=("tools", "web"), labels=(("team", "a"),), policy=Policy(prune=False, destroy=frozenset({"web", "b"}))
)
RENDERINGS = (
    lambda plan: plan_text(plan, verbose=1),
    lambda plan: plan_text(plan, width=40),
    check_text,
    status_text,
)


@cache
def plan_of(path: Path) -> Plan:
    return replace(load_plan(path), root="/srv/acme/.envs", asked=ASKED, platform="linux x86_64")


def written(directory: Path, content: str | bytes) -> Path:
    path = directory / "plan.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PlanFileError) as caught:
        read_plan(path)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert caught.value.message.startswith(f"{path}: ")
    return caught.value.message.removeprefix(f"{path}: ")


def held_to_be_the_same(plan: Plan, directory: Path) -> SavedPlan:
    saved = read_plan(written(directory, plan_json(plan)))
    assert saved.document == plan_document(plan)
    assert document_json(saved.document) == plan_json(plan)
    assert saved.id == saved.plan.id == plan.id
    for render in RENDERINGS:
        assert render(saved.plan) == render(plan)
    return saved


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_plan_that_was_read_back_is_the_plan_and_looks_the_same(path: Path, tmp_path: Path) -> None:
    plan = plan_of(path)
    bare = replace(plan, environments=tuple(replace(each, target=None) for each in plan.environments))
    saved = held_to_be_the_same(plan, tmp_path)
    if outgoing(to_json(bare.environments)) == to_json(bare.environments):  # nothing in it that must not leave
        assert saved.plan == bare


@given(text=texts, path=st.sampled_from(WORLDS))
def test_so_is_one_of_hostile_strings(text: str, path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan = replace(spoiled(plan_of(path), text), root=f"/{text}")
    held_to_be_the_same(plan, tmp_path_factory.getbasetemp())


def test_saving_writes_what_json_prints_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    whole = [plan for plan in map(plan_of, WORLDS) if plan.complete]
    assert len(whole) > 50
    for plan in whole:
        save_plan(plan, path)
        assert path.read_text(encoding="ascii") == plan_json(plan)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_applied_is_not_saved_and_the_old_file_stays(tmp_path: Path) -> None:
    path = written(tmp_path, "old")
    unknown = next(plan for plan in map(plan_of, WORLDS) if not plan.complete)
    names = ", ".join(each.name for each in unknown.environments if not each.complete)
    for plan, what in (
        (unknown, f"not saved: the packages of {names} are not known"),
        (replace(plan_of(WORLDS[0]), against="main"), "not saved: it only tells, and cannot be applied"),
        (replace(plan_of(WORLDS[0]), only="drift"), "not saved: it only tells, and cannot be applied"),
    ):
        with pytest.raises(PlanFileError, match=what):
            save_plan(plan, path)
    assert path.read_text() == "old"


def test_a_plan_is_saved_to_a_file_and_over_nothing_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    link = tmp_path / "link"  # as /dev/stdout is, where standard output is a file
    link.symlink_to(written(tmp_path, "old"))
    for name in (".", "pipe", "link"):
        with pytest.raises(PlanFileError, match="not a regular file"):
            save_plan(plan_of(WORLDS[0]), tmp_path / name)
    assert link.is_symlink()
    assert link.read_text() == "old"
    with pytest.raises(FileNotFoundError) as caught:
        save_plan(plan_of(WORLDS[0]), tmp_path / "missing" / "plan.json")
    assert caught.value.filename == str(tmp_path / "missing" / "plan.json")


def test_a_file_cut_short_anywhere_is_no_plan(tmp_path: Path) -> None:
    whole = plan_json(plan_of(WORLDS[0]))
    for length in range(0, len(whole) - 1, 37):
        assert refusal(written(tmp_path, whole[:length])).startswith("not a plan: not JSON at line ")


def test_a_path_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(LARGEST + 1)
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "missing") == "no such file"
    assert refusal(tmp_path / "missing\0") == "no such file"
    assert refusal(tmp_path) in {"not a regular file", "is a directory"}
    assert refusal(tmp_path / "pipe") == "not a regular file"
    assert refusal(tmp_path / "huge") == "larger than 64 MiB"
    assert refusal(tmp_path / "loop") == "too many levels of symbolic links"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\xfe{}", "not a plan: not UTF-8"),
        ("[]", "not a plan: not a JSON object"),
        ("{}", "not a plan: format_version: field required"),
        ("null", "not a plan: not a JSON object"),
        ('{"a": 1, "a": 2}', "not a plan: a key stands twice in one object"),
        ('{"a": NaN}', "not a plan: nan is no json"),
        ("[" * 100_000, "not a plan: maximum recursion depth exceeded"),
        ('{"a": ' + "9" * 5000 + "}", "not a plan: exceeds the limit"),
        ('{"format_version": "2.0"}', "a plan of format 2.0; this envsync reads format 1"),
        ('{"format_version": "0.9"}', "a plan of format 0.9; this envsync reads format 1"),
        ('{"format_version": "11.0"}', "a plan of format 11.0; this envsync reads format 1"),
        ('{"format_version": 1.0}', "not a plan: format_version: input should be a valid string"),
        ('{"format_version": ["1.0"]}', "not a plan: format_version: input should be a valid string"),
        ('{"format_version": "1.0\\n"}', "not a plan: format_version: string should match pattern"),
    ],
)
def test_what_is_no_plan_is_told_in_a_sentence(content: str | bytes, what: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, content)).startswith(what)


def document(path: Path = WORLDS[0]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plan_json(plan_of(path)))
    return found


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where everything stands in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def put(value: Any, place: tuple[str | int, ...], new: object) -> None:
    for key in place[:-1]:
        value = value[key]
    value[place[-1]] = new


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "web", "delete"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "name"]), inner, max_size=2),
)


@given(path=st.sampled_from(WORLDS), new=values, choice=st.randoms(use_true_random=False))
def test_an_edit_anywhere_is_seen(
    path: Path, new: object, choice: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    edited = document(path)
    put(edited, choice.choice(places(edited)[1:]), new)
    if canonical_text(edited) != canonical_text(document(path)):
        refusal(written(tmp_path_factory.getbasetemp(), json.dumps(edited)))


@given(path=st.sampled_from(WORLDS), new=values, choice=st.randoms(use_true_random=False))
def test_of_a_newer_format_all_that_is_believed_can_be_shown(
    path: Path, new: object, choice: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    edited = {**document(path), "format_version": "1.9", "later": deepcopy(new)}
    put(edited, choice.choice(places(edited)[1:]), new)
    file = written(tmp_path_factory.getbasetemp(), json.dumps(edited))
    try:
        saved = read_plan(file)
    except PlanFileError:
        return
    assert saved.id == edited["id"]
    for render in RENDERINGS:
        assert render(saved.plan)


def test_a_newer_minor_format_is_read_and_a_key_too_many_in_ours_is_an_edit(tmp_path: Path) -> None:
    more = {**document(), "later": {"x": 1}}
    assert refusal(written(tmp_path, json.dumps(more))).startswith("edited since it was written")
    saved = read_plan(written(tmp_path, json.dumps({**more, "format_version": "1.1"})))
    assert saved.plan.environments == read_plan(written(tmp_path, json.dumps(document()))).plan.environments
    newer = {**more, "format_version": "1.1", "depth": "atoms"}
    with pytest.raises(PlanFileError) as caught:
        read_plan(written(tmp_path, json.dumps(newer)))
    assert caught.value.hint == "it was written by a newer envsync (format 1.1)"


def test_layout_is_no_edit(tmp_path: Path) -> None:
    saved = read_plan(written(tmp_path, json.dumps(document(), sort_keys=True)))
    assert saved.document == plan_document(plan_of(WORLDS[0]))


def desired(plan: Plan, **changed: Any) -> DesiredState:
    state = DesiredState(
        project=plan.project,
        file=Path("envs.yaml"),
        root=Path(plan.root),
        locks=Path("locks"),
        digest=plan.manifest,
    )
    return replace(state, **changed)


def test_a_foreign_plan_is_told_by_what_is_foreign() -> None:
    plan = plan_of(WORLDS[0])
    refuse_foreign(plan, desired(plan), "linux x86_64")
    cases: list[tuple[Plan, DesiredState, str, str]] = [
        (replace(plan, format_version="1.1"), desired(plan), "linux x86_64", "it is of format 1.1, and this"),
        (replace(plan, against="main"), desired(plan), "linux x86_64", "it only tells, and cannot be applied"),
        (replace(plan, only="drift"), desired(plan), "linux x86_64", "it only tells, and cannot be applied"),
        (plan, desired(plan), "darwin arm64", "it was made on linux x86_64, and this is darwin arm64"),
        (plan, desired(plan, project="other"), "linux x86_64", "a plan for another project: acme, and this is other"),
        (plan, desired(plan, root=Path("/b")), "linux x86_64", "another root: /srv/acme/.envs, and this is /b"),
        (plan, desired(plan, digest="x"), "linux x86_64", "the manifest changed since"),
    ]
    for saved, state, platform, what in cases:
        with pytest.raises(PlanFileError, match=what) as caught:
            refuse_foreign(saved, state, platform)
        assert caught.value.message.startswith("the plan no longer fits: ")


def test_what_moved_is_named_and_the_most_telling_first(tmp_path: Path) -> None:
    plan = plan_of(next(path for path in WORLDS if len(plan_of(path).environments) > 2))
    saved = held_to_be_the_same(plan, tmp_path)
    refuse_moved(saved, plan)
    first, second, third, *rest = plan.environments
    on_disk = replace(first, prior="other")
    otherwise = replace(second, hints=("other",))
    for fresh, what in (
        (replace(plan, locks={**plan.locks, third.name: "other"}), f"the lock of {third.name} changed since"),
        (
            replace(plan, environments=(on_disk, second, third, *rest)),
            f": {first.name} changed on disk, or the interpreter did since",
        ),
        (
            replace(plan, environments=(replace(on_disk, generation=9), second, third, *rest)),
            f": {first.name} changed on disk since",
        ),
        (
            replace(plan, environments=(replace(on_disk, python_after="3.9.9"), second, third, *rest)),
            f"the python of {first.name} changed since",
        ),
        (replace(plan, environments=(second, third, *rest)), f"with {first.name} changed since"),
        (replace(plan, environments=(first, otherwise, third, *rest)), f"with {second.name} changed since"),
        (
            replace(plan, locks={**plan.locks, third.name: "other"}, environments=(on_disk, otherwise, third, *rest)),
            f"of {third.name} changed; {first.name} changed on disk, or the interpreter did; what .* {second.name} ch",
        ),
        (replace(plan, asked=Asked()), "what was asked for changed since"),
        (replace(plan, depth=Depth.HASHES), "what was asked for changed since"),
    ):
        with pytest.raises(PlanFileError, match=what):
            refuse_moved(saved, fresh)
