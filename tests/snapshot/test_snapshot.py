"""A snapshot is read as it was written, without secrets. Any other file is refused, with the place of the problem."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import reconciler
from reconciler.diff.model import Fault, ReasonCode
from reconciler.diff.settings import settings_of
from reconciler.errors import LockError, SnapshotError
from reconciler.manifest.desired import Hooks
from reconciler.plan.document import plan_json
from reconciler.reconcile import Workspace
from reconciler.redaction import redact
from reconciler.render.error_text import render_error
from reconciler.render.style import Palette
from reconciler.snapshot import file as snapshot_file
from reconciler.snapshot.document import snapshot_schema
from reconciler.snapshot.file import read_snapshot, snapshot_json
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.model import Snapshot
from reconciler.snapshot.string_encoding import decode_string, encode_string, redact_settings
from tests.lock.nothing_generated import inputs_digest
from tests.render.pictures import check_text
from tests.render.untrusted import SECRET, assert_clean_json, assert_clean_text, replace_strings, texts
from tests.snapshot.worlds import interpreter, snapshot, worlds

Spoil = Callable[[Any], None]


def written(text: str, directory: Path) -> Path:
    path = directory / "snapshot.json"
    path.write_text(text, encoding="utf-8")
    return path


def without_secrets(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot with the secrets in its settings redacted, as a file has them."""
    applied = {name: replace(each, settings=redact_settings(each.settings)) for name, each in snapshot.applied.items()}
    return replace(snapshot, applied=applied)


@pytest.mark.parametrize("name", worlds())
def test_it_is_read_as_it_was_written_and_matches_its_schema(name: str, tmp_path: Path) -> None:
    before = snapshot(worlds()[name])
    text = snapshot_json(before)
    Draft202012Validator(snapshot_schema()).validate(json.loads(text))
    after = read_snapshot(written(text, tmp_path))
    assert after == without_secrets(before)
    assert snapshot_json(after) == text


@given(untrusted=texts, name=st.sampled_from(sorted(worlds())))
def test_untrusted_strings_survive_and_secrets_are_redacted(
    untrusted: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = snapshot(worlds()[name])
    environments = {
        key: replace(replace_strings(each, untrusted), name=key, path=each.path)
        for key, each in plain.environments.items()
    }
    applied = {
        key: replace(replace_strings(each, untrusted), name=key, project="acme", settings=each.settings, repository="")
        for key, each in plain.applied.items()
    }
    before = replace(plain, environments=environments, applied=applied)
    text = snapshot_json(before)
    assert_clean_json(text)
    path = written(text, tmp_path_factory.mktemp("snapshot"))
    after = read_snapshot(path)
    assert snapshot_json(after) == text
    if redact(untrusted) == untrusted:
        assert after == without_secrets(before)


@given(text=texts)
def test_a_string_is_decoded_as_it_was_encoded_except_for_secrets(text: str) -> None:
    encoded = encode_string(text)
    encoded.encode("utf-8")
    assert decode_string(encoded) == redact(text)
    assert SECRET not in encoded


def test_a_value_is_in_a_snapshot_and_compared_only_if_it_is_public(tmp_path: Path) -> None:
    workspace = on(tmp_path, f"  env: {{API_TOKEN: {SECRET}, DEBUG: '1', TZ: UTC, public: [TZ]}}\n")
    desired = workspace.desired()
    before = snapshot(worlds()["unchanged"])
    last = replace(next(iter(before.applied.values())), name="web")
    environment = desired.environments[0]
    stored = replace(last, settings=settings_of(environment))
    text = snapshot_json(replace(before, environments=as_web(before), applied={"web": stored}))
    assert SECRET not in text
    after = read_snapshot(written(text, tmp_path))
    assert after.applied["web"].settings["env"] == {"API_TOKEN": "****", "DEBUG": "****", "TZ": "UTC"}
    assert after.last_applied(desired)["web"].settings == stored.settings
    changed = replace(environment, env={**environment.env, "DEBUG": "2"})
    assert settings_of(changed) == after.last_applied(replace(desired, environments=(changed,)))["web"].settings
    changed = replace(environment, env={**environment.env, "TZ": "CET"})
    assert settings_of(changed) != after.last_applied(replace(desired, environments=(changed,)))["web"].settings


@pytest.mark.parametrize(
    ("declared", "compared"),
    [
        ([["a", "1"], ["b", "2"]], [["a", "1"], ["b", "2"]]),
        ([["a", "other"], ["b", "2"]], [["a", "other"], ["b", "2"]]),  # its arguments are not in the snapshot
        ([["b", "2"], ["a", "1"]], [["a", "1"], ["b", "2"]]),
        ([["b", "2"]], [["a", "2"], ["b", "2"]]),
        ([["a", "1"], ["c", "2"]], [["a", "1"], ["b", "2"]]),
        ([["a", "1"], ["b", "2"], ["b", "3"]], [["a", "1"], ["b", "2"]]),
        ([["a"], ["b", "2"]], [["a", "****"], ["b", "2"]]),
        ([], [["a", "****"], ["b", "****"]]),
    ],
)
def test_of_a_command_that_is_not_public_a_snapshot_compares_the_program(
    tmp_path: Path, declared: list[list[str]], compared: list[list[str]]
) -> None:
    [environment] = on(tmp_path, "").desired().environments
    desired = on(tmp_path, "").desired()
    before = snapshot(worlds()["unchanged"])
    hooks = Hooks(after_publish=(("a", "1"), ("b", "2")))
    last = replace(
        next(iter(before.applied.values())), name="web", settings=settings_of(replace(environment, hooks=hooks))
    )
    text = snapshot_json(replace(before, environments=as_web(before), applied={"web": last}))
    now = replace(environment, hooks=Hooks(after_publish=tuple(map(tuple, declared))))
    found = read_snapshot(written(text, tmp_path)).last_applied(replace(desired, environments=(now,)))["web"].settings
    expected: dict[str, Any] = settings_of(now)
    assert found == {**expected, "hooks": {**expected["hooks"], "after_publish": compared}}


def as_web(found: Snapshot) -> dict[str, Any]:
    first = next(iter(found.environments.values()))
    return {"web": replace(first, name="web", path=f"{found.root}/web")}


# Files that are not snapshots, and a part of the error message.
BROKEN: dict[str, tuple[str, str]] = {
    "empty": ("", "invalid JSON"),
    "cut": ('{"format_version": "1.0", "proj', "invalid JSON"),
    "list": ("[]", "object"),
    "deep": ("[" * 100_000, "invalid JSON"),
    "huge number": ('{"format_version": ' + "9" * 10_000 + "}", "invalid JSON"),
    "nothing": ("{}", "format_version: field required"),
}


def _set(*path: str | int, value: Any) -> Spoil:
    def spoil(found: Any) -> None:
        for each in path[:-1]:
            found = found[each]
        found[path[-1]] = value

    return spoil


WEB = ("environments", "web")
SPOILED: dict[str, tuple[Spoil, str]] = {
    "major": (_set("format_version", value="2.0"), "format_version: unknown"),
    "a later format with other keys": (
        lambda found: found.update({"format_version": "7.1", "environments": 1}),
        "format_version: unknown",
    ),
    "text for a number": (_set(*WEB, "actual", "generation", value="1"), "environments.web.actual.generation: "),
    "negative": (_set(*WEB, "actual", "generation", value=-1), "environments.web.actual.generation: "),
    "true for 1": (_set(*WEB, "applied", "generation", value=True), "environments.web.applied.generation: "),
    "text for true": (_set(*WEB, "applied", "hooks_pending", value="false"), "environments.web.applied.hooks_pending"),
    "unknown code": (
        _set(*WEB, "actual", "findings", value=[{"code": "fine"}]),
        "environments.web.actual.findings[0].code: ",
    ),
    "unknown source": (
        _set(*WEB, "applied", "packages", value=[{"name": "a", "version": "1", "source": {"kind": "ftp"}}]),
        "environments.web.applied.packages[0].source: ",
    ),
    "name out of the root": (
        lambda found: found["environments"].update({"../x": found["environments"]["web"]}),
        "environments.../x",
    ),
    "relative root": (_set("root", value="envs"), "root: "),
    "half a backslash": (_set(*WEB, "actual", "home", value="a\\n"), "environments.web.actual.home: "),
    "lone surrogate": (_set(*WEB, "actual", "home", value="\udcff"), "invalid JSON"),
    "deep settings": (
        _set(*WEB, "applied", "settings", value={"env": json.loads('{"a":' * 30 + "1" + "}" * 30)}),
        "environments.web.applied.settings: must have at most 16 levels",
    ),
    "endless settings": (
        _set(*WEB, "applied", "settings", value={"env": {"a": float("nan")}}),
        "",
    ),
    "version": (
        _set("interpreters", 0, "version", value="newest"),
        "interpreters[0].version: must be a PEP 440 version",
    ),
    "markers": (
        _set("interpreters", 0, "markers", value={}),
        "interpreters[0].markers: missing: `implementation_name`, `implementation_version`",
    ),
    "tags": (_set("interpreters", 0, "tags", value=["py3"]), "interpreters[0].tags[0]: "),
}


def refused(path: Path) -> SnapshotError:
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert str(path) in caught.value.message
    assert_clean_text(render_error(caught.value, Palette.plain()))
    return caught.value


@cache
def good(name: str = "unchanged") -> str:
    first = snapshot(worlds()[name])
    last = replace(next(iter(first.applied.values())), name="web")
    return snapshot_json(replace(first, environments=as_web(first), applied={"web": last}))


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_not_a_snapshot_is_refused(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    assert expected in refused(written(text, tmp_path)).message


@pytest.mark.parametrize("name", SPOILED)
def test_one_wrong_value_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    found = json.loads(good())
    spoil, expected = SPOILED[name]
    spoil(found)
    assert expected in refused(written(json.dumps(found), tmp_path)).message


@pytest.mark.parametrize(("wrong", "shown", "more"), [(1, 0, []), (11, 10, []), (12, 11, ["and 1 more"])])
def test_of_many_wrong_values_ten_more_are_named(wrong: int, shown: int, more: list[str], tmp_path: Path) -> None:
    found = json.loads(good())
    found["environments"]["web"]["actual"]["distributions"] = [0] * wrong
    details = refused(written(json.dumps(found), tmp_path)).details
    assert len(details) == shown
    assert [each for each in details if each.endswith(" more")] == more


def test_a_later_minor_version_may_have_more_keys(tmp_path: Path) -> None:
    found = json.loads(good())
    found |= {"format_version": "1.9", "more": [1]}
    found["environments"]["web"]["actual"]["more"] = {}
    assert read_snapshot(written(json.dumps(found), tmp_path)) == read_snapshot(written(good(), tmp_path))


def test_a_file_that_is_not_regular_or_too_large_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00" * 10)
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(snapshot_file.LARGEST_BYTES + 1)
    for name, expected in {
        "pipe": "not a regular file",
        "": "a directory, not a file",
        "none": "no such file",
        "x\0y": "no such file",
        "sparse": "larger than 64 MiB",
        "binary": "invalid JSON",
        "loop": "symbolic links",
    }.items():
        assert expected in refused(tmp_path / name).message


def on(directory: Path, more: str = "") -> Workspace:
    """Write a manifest and a fresh lock with one package, and return the workspace, without environments."""
    (directory / "envs.yaml").write_text(
        "version: 1\nproject: acme\nindexes: [{name: own, url: 'https://host/simple'}]\n"
        f'environments:\n web:\n  python: ">=3.11"\n  packages: [beta]\n{more}'
    )
    workspace = reconciler.load(directory / "envs.yaml", ambient={})
    desired = workspace.desired()
    lock = directory / "locks" / "pylock.web.toml"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "envsync"\n[[packages]]\nname = "beta"\nversion = "2.0"\n'
        'index = "https://host/simple"\n'
        "marker = \"python_version >= '3.8' and platform_release >= '4'\"\nrequires-python = '>=3.8'\n"
        'wheels = [{url = "https://host/beta-2.0-py3-none-any.whl", hashes = {sha256 = "' + "0" * 64 + '"}}]\n'
        f'[tool.envsync]\ninputs = "{inputs_digest(desired.environments[0], desired.indexes)}"\n'
    )
    return workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return on(tmp_path_factory.mktemp("manifest"))


def test_packages_are_selected_for_the_interpreter_of_the_snapshot(workspace: Workspace, tmp_path: Path) -> None:
    plan = workspace.plan_snapshot(read_snapshot(written(good(), tmp_path))).environments[0]
    assert plan.path == "/srv/envs/web"
    assert plan.python_after == "3.12.1"
    assert [(each.name, each.action.value) for each in plan.packages if each.name == "beta"] == [("beta", "install")]


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value in a document."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [*([path] if path else []), *(inner for key in keys for inner in places(value[key], (*path, key)))]


PLACES = [
    (name, path)
    for name in (
        "unchanged",
        "both_files-and-settings",
        "environment-damaged_three",
        "gone",
        "changed-by-hand_with-its-files",
    )
    for path in places(json.loads(good(name)))
    if "tags" not in path or path[-1] in {0, "tags"}
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(["", "1.0", "/", "published"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(place=st.sampled_from(PLACES), value=anything, more=st.sampled_from(PLACES), other=anything)
def test_any_file_is_refused_or_planned_and_no_untrusted_text_is_printed(
    place: tuple[str, tuple[str | int, ...]],
    value: Any,
    more: tuple[str, tuple[str | int, ...]],
    other: Any,
    workspace: Workspace,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    name, where = place
    found = json.loads(good(name))
    if more[0] == name:
        _set(*more[1], value=other)(found)
    with suppress(KeyError, IndexError, TypeError):  # the other change removed this place
        _set(*where, value=value)(found)
    path = written(json.dumps(found), tmp_path_factory.mktemp("snapshot"))
    try:
        plan = workspace.plan_snapshot(read_snapshot(path))
    except (SnapshotError, LockError) as error:  # exit code 3; a lock without packages for such an interpreter
        assert_clean_text(render_error(error, Palette.plain()))
        return
    assert_clean_text(check_text(plan, verbose=1))
    assert_clean_json(plan_json(plan))


def test_interpreters_are_chosen_as_on_the_host() -> None:
    best, older = interpreter("3.12.9"), interpreter("3.11.4")
    newest = interpreter("3.12.10", "/opt/kept/python")
    known = KnownInterpreters(found=(older, best), others=(newest,))
    assert known.choose("3.12") == best, "a search would not find an interpreter that only a generation uses"
    assert known.choose("3.12", keep=newest.path) == newest
    assert known.choose("3.12", keep=older.path) == best
    assert known.choose(">=3.11,<3.12") == older
    assert known.choose("==3.12.10") == newest, "only a generation uses one that fits"
    assert known.choose(older.path) == older
    assert known.choose("/usr/bin/python3").version == ""
    assert known.choose("3.13", keep=newest.path).version == ""


@pytest.mark.parametrize("place", ["found", "others"])
def test_a_pre_release_is_an_interpreter_like_any_other(place: str) -> None:
    """The host chose it, so the plan from its snapshot must too, kept or not."""
    final, candidate = interpreter("3.12.9"), interpreter("3.14.0rc2", "/opt/next/python")
    known = (
        KnownInterpreters(found=(final, candidate), others=())
        if place == "found"
        else KnownInterpreters(found=(), others=(candidate,))
    )
    for request in ("3.14", ">=3.13", "==3.14.0rc2"):
        assert known.choose(request) == candidate
        assert known.choose(request, keep=candidate.path) == candidate
    assert known.choose(">=3.12", keep=candidate.path) == candidate, "it is kept as long as it satisfies the request"
    assert known.choose("==3.14.0", keep=candidate.path).version == ""


def test_a_fault_of_an_undeclared_environment_counts_unless_others_were_selected() -> None:
    seen = worlds()["no-interpreter"]
    fault = Fault(code=ReasonCode.STATE_UNREADABLE, message="its record is damaged", hint="")
    taken = replace(snapshot(seen), faults={"web": fault, "left": fault})
    assert taken.state_faults(seen.desired) == {"web": fault, "left": fault}
    chosen = tuple(each for each in seen.desired.environments if each.name == "web")
    assert taken.state_faults(replace(seen.desired, environments=chosen, selected=True)) == {"web": fault}
    others = tuple(each for each in seen.desired.environments if each.name != "web")
    assert taken.state_faults(replace(seen.desired, environments=others, selected=True)) == {}
