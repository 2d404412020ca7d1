"""A saved plan is read back unchanged, and a file that is not a plan is refused with the reason."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import canonical_text, to_json
from reconciler.errors import PlanFileError
from reconciler.json_output import safe_json
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.plan.document import Document, PlanDocument, document_json, plan_document, plan_json
from reconciler.plan.model import FORMAT_VERSION, Plan, PlanRequest, Policy
from reconciler.plan.plan_file import LARGEST, SavedPlan, read_plan, save_plan
from reconciler.plan.stale import refuse_foreign, refuse_stale
from tests.plan.reworded import reworded
from tests.plan.test_cases import CASES
from tests.render.pictures import CASES as PICTURED
from tests.render.pictures import check_text, load_plan, plan_text, status_text
from tests.render.untrusted import replace_strings, texts

WORLDS = [*CASES, *sorted(PICTURED.glob("*.yaml"))]
REQUEST = PlanRequest(
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
    return replace(load_plan(path), root="/srv/acme/.envs", asked=REQUEST, platform="linux x86_64")


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


def assert_read_back(plan: Plan, directory: Path) -> SavedPlan:
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
    saved = assert_read_back(plan, tmp_path)
    if safe_json(to_json(bare.environments)) == to_json(bare.environments):  # without secrets and unprintable text
        assert saved.plan == bare


@given(text=texts, path=st.sampled_from(WORLDS))
def test_so_is_one_of_untrusted_strings(text: str, path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan = replace(replace_strings(plan_of(path), text), root=f"/{text}")
    assert_read_back(plan, tmp_path_factory.getbasetemp())


def test_saving_writes_the_json_output_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    complete = [plan for plan in map(plan_of, WORLDS) if plan.complete]
    assert len(complete) > 50
    for plan in complete:
        save_plan(plan, path)
        assert path.read_text(encoding="ascii") == plan_json(plan)
    assert list(tmp_path.iterdir()) == [path]


def test_a_plan_that_cannot_be_applied_is_not_saved_and_the_old_file_stays(tmp_path: Path) -> None:
    path = written(tmp_path, "old")
    not_known = [
        (plan, [f"`{each.name}`" for each in plan.environments if not each.complete and not each.blocked])
        for plan in map(plan_of, WORLDS)
    ]
    unknown, names = next((plan, ", ".join(found)) for plan, found in not_known if found)
    for plan, what in (
        (unknown, f"not saved: the packages of {names} are unknown"),
        (
            replace(plan_of(WORLDS[0]), against="main"),
            "not saved: a plan made with `--against` or `--only` is for display",
        ),
        (
            replace(plan_of(WORLDS[0]), only="drift"),
            "not saved: a plan made with `--against` or `--only` is for display",
        ),
    ):
        with pytest.raises(PlanFileError, match=what):
            save_plan(plan, path)
    assert path.read_text() == "old"


def test_a_plan_only_replaces_a_regular_file(tmp_path: Path) -> None:
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


def test_a_file_cut_short_anywhere_is_not_a_plan(tmp_path: Path) -> None:
    whole = plan_json(plan_of(WORLDS[0]))
    for length in range(0, len(whole) - 1, 37):
        assert refusal(written(tmp_path, whole[:length])).startswith("not a plan: not valid JSON at line ")


def test_a_path_that_is_not_a_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(LARGEST + 1)
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "missing") == "no such file"
    assert refusal(tmp_path / "missing\0") == "no such file"
    assert refusal(tmp_path) == "a directory, not a file"
    assert refusal(tmp_path / "pipe") == "not a regular file"
    assert refusal(tmp_path / "huge") == "larger than 16 MiB"
    assert refusal(tmp_path / "loop") == "too many symbolic links"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\xfe{}", "not a plan: not UTF-8"),
        ("[]", "not a plan: not a JSON object"),
        ("{}", "not a plan: format_version: field required"),
        ("null", "not a plan: not a JSON object"),
        ('{"a": 1, "a": 2}', "not a plan: duplicate key in an object"),
        ('{"a": NaN}', "not a plan: `NaN` is not valid JSON"),
        ("[" * 100_000, "not a plan: maximum recursion depth exceeded"),
        ('{"a": ' + "9" * 5000 + "}", "not a plan: exceeds the limit"),
        ('{"format_version": "2.0"}', "the plan has format 2.0, but this version of envsync reads format 1"),
        ('{"format_version": "0.9"}', "the plan has format 0.9, but this version of envsync reads format 1"),
        ('{"format_version": "11.0"}', "the plan has format 11.0, but this version of envsync reads format 1"),
        ('{"format_version": 1.0}', "not a plan: format_version: input should be a valid string"),
        ('{"format_version": ["1.0"]}', "not a plan: format_version: input should be a valid string"),
        ('{"format_version": "1.0\\n"}', "not a plan: format_version: string should match pattern"),
    ],
)
def test_a_file_that_is_not_a_plan_is_refused_with_the_reason(content: str | bytes, what: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, content)).startswith(what)


def document(path: Path = WORLDS[0]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plan_json(plan_of(path)))
    return found


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value in a JSON value."""
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
def test_every_edit_is_refused(path: Path, new: object, choice: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    edited = document(path)
    put(edited, choice.choice(places(edited)[1:]), new)
    if canonical_text(edited) != canonical_text(document(path)):
        refusal(written(tmp_path_factory.getbasetemp(), json.dumps(edited)))


@given(path=st.sampled_from(WORLDS), new=values, choice=st.randoms(use_true_random=False))
def test_a_plan_of_a_newer_format_that_is_read_can_be_shown(
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


def test_unknown_keys_are_ignored_in_a_newer_minor_format_and_an_edit_in_this_one(tmp_path: Path) -> None:
    more = {**document(), "later": {"x": 1}}
    assert refusal(written(tmp_path, json.dumps(more))).startswith("edited since it was written")
    saved = read_plan(written(tmp_path, json.dumps({**more, "format_version": "1.9"})))
    assert saved.plan.environments == read_plan(written(tmp_path, json.dumps(document()))).plan.environments
    newer = {**more, "format_version": "1.9", "depth": "atoms"}
    with pytest.raises(PlanFileError) as caught:
        read_plan(written(tmp_path, json.dumps(newer)))
    assert (
        caught.value.hint
        == "create a new plan with `envsync plan --out FILE`: this file was written by a newer version (format 1.9)"
    )
    for version in ("1.0", FORMAT_VERSION, 1.9, "1." + "9" * 5000):
        with pytest.raises(PlanFileError) as caught:
            read_plan(written(tmp_path, json.dumps({**newer, "format_version": version})))
        assert caught.value.hint == "create a new plan with `envsync plan --out FILE`"


def test_a_relative_root_is_refused(tmp_path: Path) -> None:
    relative = {**document(), "format_version": "1.9", "root": ".envs"}
    assert refusal(written(tmp_path, json.dumps(relative))) == "not a plan: root: not an absolute path"


def test_a_different_layout_is_not_an_edit(tmp_path: Path) -> None:
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


def test_a_plan_for_something_else_is_refused_with_the_difference() -> None:
    plan = plan_of(WORLDS[0])
    refuse_foreign(plan, desired(plan), "linux x86_64")
    cases: list[tuple[Plan, DesiredState, str, str]] = [
        (replace(plan, format_version="1.0"), desired(plan), "linux x86_64", "it has format 1.0, but this"),
        (replace(plan, format_version="1.9"), desired(plan), "linux x86_64", "it has format 1.9, but this"),
        (
            replace(plan, against="main"),
            desired(plan),
            "linux x86_64",
            "it was made with `--against` or `--only`, and is only for display",
        ),
        (
            replace(plan, only="drift"),
            desired(plan),
            "linux x86_64",
            "it was made with `--against` or `--only`, and is only for display",
        ),
        (plan, desired(plan), "darwin arm64", "it was made on linux x86_64, but this machine is darwin arm64"),
        (plan, desired(plan, project="other"), "linux x86_64", "it is for project `acme`, but this project is `other`"),
        (
            plan,
            desired(plan, root=Path("/b")),
            "linux x86_64",
            "it is for root `/srv/acme/.envs`, but this root is `/b`",
        ),
        (plan, desired(plan, digest="x"), "linux x86_64", "the manifest, or a file that it names, changed since"),
    ]
    for saved, state, platform, what in cases:
        with pytest.raises(PlanFileError, match=what) as caught:
            refuse_foreign(saved, state, platform)
        assert caught.value.message.startswith("the plan cannot be applied: ")


def test_a_stale_plan_is_refused_with_what_changed_the_most_specific_first(tmp_path: Path) -> None:
    plan = plan_of(next(path for path in WORLDS if len(plan_of(path).environments) > 2))
    saved = assert_read_back(plan, tmp_path)
    refuse_stale(saved, plan)
    first, second, third, *rest = plan.environments
    on_disk = replace(first, prior="other")
    otherwise = replace(second, desired="other")
    for fresh, what in (
        (replace(plan, locks={**plan.locks, third.name: "other"}), f"the lock of `{third.name}` changed since"),
        (
            replace(plan, environments=(on_disk, second, third, *rest)),
            f": `{first.name}` or its interpreter changed on disk since",
        ),
        (
            replace(plan, environments=(replace(on_disk, generation=9), second, third, *rest)),
            f": `{first.name}` changed on disk since",
        ),
        (
            replace(plan, environments=(replace(on_disk, python_after="3.9.9"), second, third, *rest)),
            f"the Python version of `{first.name}` changed since",
        ),
        (replace(plan, environments=(second, third, *rest)), f"the actions for `{first.name}` changed since"),
        (
            replace(plan, environments=(first, otherwise, third, *rest)),
            f"the actions for `{second.name}` changed since",
        ),
        (
            replace(plan, locks={**plan.locks, third.name: "other"}, environments=(on_disk, otherwise, third, *rest)),
            f"`{third.name}` changed; `{first.name}` or its interpreter changed on disk; the actions for",
        ),
        (
            replace(plan, environments=(on_disk, replace(second, prior="other"), third, *rest)),
            f": `{first.name}`, `{second.name}` or their interpreter changed on disk since",
        ),
        (
            replace(plan, environments=(replace(on_disk, generation=9), replace(second, prior="other"), third, *rest)),
            f": `{first.name}`, `{second.name}` or their interpreter changed on disk since",
        ),
        (
            replace(plan, locks={**plan.locks, second.name: "other", third.name: "other"}),
            f"the locks of {list_in_backticks(sorted((second.name, third.name)))} changed since",
        ),
        (replace(plan, asked=PlanRequest()), "the requested options changed since"),
        (replace(plan, depth=Depth.HASHES), "the requested options changed since"),
    ):
        with pytest.raises(PlanFileError, match=what):
            refuse_stale(saved, fresh)


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_plan_that_only_has_other_words_is_not_stale(path: Path, tmp_path: Path) -> None:
    plan = plan_of(path)
    refuse_stale(read_plan(written(tmp_path, plan_json(reworded(plan)))), plan)


# Sentences for people, and the digest that depends on them. Everything else decides what apply does, or why.
SENTENCES = {
    "EnvironmentDocument.hints",
    "EnvironmentDocument.notes",
    "FailureDocument.details",
    "FailureDocument.hint",
    "FailureDocument.message",
    "FindingDocument.detail",
    "PackageDocument.message",
    "PlanDocument.id",
    "PlanDocument.notes",
    "PlanDocument.remarks",
    "ReasonDocument.message",
}
FIELDS = {f"{model.__name__}.{name}" for model in Document.__subclasses__() for name in model.model_fields}


def changes_of(document: Document) -> dict[str, Document]:
    """Return, by model and field, the document with only that field changed, in the first place that has it."""
    changed: dict[str, Document] = {}
    for name in type(document).model_fields:
        value = getattr(document, name)
        places: list[Any] = value if isinstance(value, list) else [value]
        for number, each in enumerate(places):
            if isinstance(each, Document):
                for field, inner in changes_of(each).items():
                    new = [*places[:number], inner, *places[number + 1 :]] if isinstance(value, list) else inner
                    changed.setdefault(field, document.model_copy(update={name: new}))
        changed.setdefault(f"{type(document).__name__}.{name}", document.model_copy(update={name: other(value)}))
    return changed


def other(value: Any) -> Any:
    """Return a different value of the same kind."""
    match value:
        case bool():
            return not value
        case Enum():
            return next(each for each in type(value) if each is not value)
        case int():
            return value + 1
        case str():
            return f"{value} and more"
        case list():
            return [*value, *(value[:1] or ["other"])]
        case dict():
            return {**value, "other": "other"}
        case Document():
            return value.model_copy(update={name: other(getattr(value, name)) for name in type(value).model_fields})
        case _:
            return "other"


@cache
def saved_with_one_change() -> dict[str, tuple[Plan, Document]]:
    """Return, by model and field, a plan and its document with only that field changed."""
    changed: dict[str, tuple[Plan, Document]] = {}
    for path in WORLDS:
        plan = plan_of(path)
        for field, found in changes_of(plan_document(plan)).items():
            changed.setdefault(field, (plan, found))
    return changed


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_plan_is_stale_if_any_field_but_a_sentence_differs(field: str) -> None:
    plan, changed = saved_with_one_change()[field]
    saved = SavedPlan(file=Path("plan.json"), document=cast("PlanDocument", changed), plan=plan)
    if field in SENTENCES:
        refuse_stale(saved, plan)
    else:
        with pytest.raises(PlanFileError, match="since it was made"):
            refuse_stale(saved, plan)


def test_a_plan_of_format_1_0_is_read_shown_and_not_applied(tmp_path: Path) -> None:
    for path in WORLDS:
        plan = plan_of(path)
        old = {**document(path), "format_version": "1.0"}
        for environment in old["environments"]:
            for package in environment["packages"]:
                del package["drift_reason"]
        saved = read_plan(written(tmp_path, json.dumps(old)))
        assert saved.id == plan.id
        for render in RENDERINGS:
            assert render(saved.plan) == render(plan)
        with pytest.raises(PlanFileError, match=r"it has format 1\.0, but this version of envsync writes format 1\.1"):
            refuse_foreign(saved.plan, desired(plan), "linux x86_64")


@pytest.mark.parametrize("version", [FORMAT_VERSION, "1.99"])
@pytest.mark.parametrize(("key", "value"), [("applyable", "yes"), ("applyable", 1), ("project", 3)])
def test_a_value_of_another_type_is_refused_and_not_converted(
    tmp_path: Path, version: str, key: str, value: object
) -> None:
    stored = json.loads(plan_json(plan_of(WORLDS[0])))
    stored |= {"format_version": version, key: value}
    assert refusal(written(tmp_path, json.dumps(stored))).startswith(f"not a plan: {key}: input should be a valid ")
