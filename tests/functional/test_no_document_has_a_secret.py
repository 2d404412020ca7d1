"""No plan, snapshot, report, event or message has a value that is not public: forty shapes in all formats and commands.

Four documents promise it: docs/ci.md (saved plans), docs/formats.md (reports), docs/snapshots.md and the help of
`observe`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.render.formats import Format
from tests.host import Host, new_host
from tests.secret_shapes import SHAPES, spellings

SHELL = 'for each in "$@"; do printf \'%s\\n\' "$each"; done; exit 3'
PROMISES = {
    "docs/ci.md": "A plan file contains no secrets",
    "docs/formats.md": "No format contains secrets",
    "docs/snapshots.md": "No contents of files and no secrets",
    "docs/commands/observe.md": "The snapshot is JSON without secrets",
}


def manifest(suffix: str, *, failing: bool) -> str:
    """Return an environment with every shape in every place where a value may be; `suffix` makes other values of it."""
    texts = [text + suffix for text in SHAPES.values()]
    fails = [{"run": ["sh", "-c", SHELL, "sh", *texts[at : at + 12]]} for at in range(0, len(texts), 12)]
    passes = [["true", *texts]]
    environment = {
        "python": "3.11",
        "env": {f"V_{name}": text + suffix for name, text in SHAPES.items()} | {"TZ": f"UTC{suffix}", "public": ["TZ"]},
        "build_env": {f"V_{name}": text + suffix for name, text in SHAPES.items()},
        "probes": [{"run": passes[0]}],
        "hooks": {
            "after_publish": [{"run": ["true", f"shown{suffix}"], "public": True}, *passes]
            + ([each["run"] for each in fails] if failing else []),
            "before_delete": [fails[0]["run"]],
        },
        "health": {"run": passes[0], "for": 1, "otherwise": "keep"},
    }
    return f"web: {json.dumps(environment, ensure_ascii=False)}\n"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host whose every value changed since the last apply, with a saved plan and a snapshot."""
    with new_host(tmp_path_factory.mktemp("secrets")) as host:
        host.manifest(manifest("", failing=False))
        host.apply()
        assert host.envsync("observe", "--out", "snapshot.json").code == 0
        host.manifest(manifest("1", failing=False))
        assert host.envsync("lock").code == 0  # `build_env` is one of its inputs
        assert host.envsync("plan", "--out", "plan.json").code == 0
        yield host


def assert_no_secret(text: str, what: str) -> None:
    for name, shape in SHAPES.items():
        for each in spellings(shape):
            assert each not in text, f"{name} is in the output of {what}: {text[max(0, text.index(each) - 80) :][:200]}"


@pytest.mark.parametrize("form", list(Format), ids=str)
def test_no_format_of_a_plan_has_one(changed: Host, form: Format) -> None:
    for command in (("plan", "-vv"), ("check",), ("show", "plan.json")):
        ran = changed.envsync(*command, "--output", form)
        assert ran.code in {0, 2}, ran.err
        assert_no_secret(ran.out + ran.err, f"{command[0]} --output {form}")
        if form in {Format.TEXT, Format.JSON, Format.HTML}:
            assert "UTC1" in ran.out, "it is public"


@pytest.mark.parametrize(
    "command",
    [
        ("validate", "-vv"),
        ("observe",),
        ("status",),
        ("status", "--output", "json"),
        ("plan", "--actual", "snapshot.json", "--output", "json"),
        ("plan", "--actual", "snapshot.json", "-vv"),
    ],
    ids=" ".join,
)
def test_no_other_command_has_one(changed: Host, command: tuple[str, ...]) -> None:
    ran = changed.envsync(*command)
    assert ran.code == 0, ran.err
    assert_no_secret(ran.out + ran.err, " ".join(command))


def test_no_file_that_envsync_writes_for_others_has_one(changed: Host) -> None:
    for name in ("plan.json", "snapshot.json"):
        assert_no_secret((changed.directory / name).read_text(encoding="utf-8"), name)


def test_each_document_that_promises_it_still_does() -> None:
    top = Path(__file__).parent.parent.parent
    for file, promise in PROMISES.items():
        assert promise in " ".join((top / file).read_text(encoding="utf-8").split()), f"{file} no longer says it"


def test_a_plan_shows_which_value_changed_and_a_saved_plan_is_applied(host: Host) -> None:
    text = "web:\n  python: '3.11'\n  env: {TOKEN: %s, OTHER: same}\n"
    host.manifest(text % "one")
    host.apply()
    host.manifest(text % "two")
    first = host.envsync("plan").out
    assert "env.TOKEN: changed (" in first
    assert "OTHER" not in first
    assert host.envsync("plan", "--out", "plan.json").code == 0
    host.manifest(text % "three")
    assert host.envsync("plan").out != first, "another value has another digest"
    assert host.envsync("apply", "--plan", "plan.json").code == 3
    host.manifest(text % "two")
    assert host.envsync("plan").out == first
    assert host.envsync("apply", "--plan", "plan.json").code == 0
    assert host.envsync("run", "web", "--", "python", "-c", "import os; print(os.environ['TOKEN'])").out == "two\n"
    key = (host.root / ".envsync/masking-key").read_text(encoding="ascii").strip()
    assert key not in (host.directory / "plan.json").read_text(encoding="utf-8")


def test_no_outcome_has_one_and_a_hook_that_fails_is_named(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        host.manifest(manifest("", failing=False))
        host.apply()
        host.manifest(manifest("1", failing=True))
        host.envsync("apply", "--yes", "--skip-hooks")
        host.manifest(manifest("2", failing=True) + "  \n")
        commands = [
            ("diff", "web", "1", "1"),
            ("rollback", "web", "--output", "json"),
            ("apply", "--yes", "-vv"),
            ("history",),
            ("history", "--output", "json"),
            ("history", "web", "--generations", "--output", "json"),
            ("verify", "--output", "json"),
            ("gc", "--output", "json"),
            *(("destroy", "web", "--yes", "--output", form) for form in Format),
            ("destroy", "web", "--yes", "--skip-hooks"),
        ]
        for command in commands:
            ran = host.envsync(*command)
            assert_no_secret(ran.out + ran.err, " ".join(command))
            if command[0] == "destroy" and "--skip-hooks" not in command:
                assert ran.code == 4
                assert "hook `sh ****` failed with exit code 3" in ran.out.replace("\\u0060", "`") + ran.err or (
                    command[-1] == Format.HTML
                )
