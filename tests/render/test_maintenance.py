"""What `history`, `verify` and `gc` print."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.collect import Removable
from reconciler.apply.collect_cache import CollectedCache
from reconciler.apply.verify_generations import GenerationState, VerifiedGeneration
from reconciler.canonical_json import Json
from reconciler.diff.integrity import Integrity
from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.generation_list import KeptGeneration
from reconciler.observe.actual import Finding, FindingCode
from reconciler.render.gc_text import gc_json, render_gc
from reconciler.render.history_text import render_generations, render_runs
from reconciler.render.phrases import size_text
from reconciler.render.style import Palette
from reconciler.render.verify_text import generations_json, render_verification, verification_json
from reconciler.render.verify_text import render_generations as verified_generations_text
from reconciler.state.layout import Layout

PLAIN = Palette.plain()
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
RUN: dict[str, Json] = {
    "at": "2026-11-30T01:49:27+00:00",
    "by": "anna",
    "environments": [
        {"name": "web", "action": "update", "status": "applied", "generation": 2, "reasons": ["new"]},
        {
            "name": "jobs",
            "action": "update",
            "status": "failed",
            "generation": 0,
            "reasons": ["packages-drifted", "files-drifted"],
        },
    ],
}
SIX = PackageChange(
    name="six",
    action=PackageAction.REMOVE,
    origin=Origin.DRIFT,
    reason=ReasonCode.INSTALLED_BY_HAND,
    message="installed manually",
    before="1.16.0",
)


def verified(name: str, *, exists: bool = True, packages: tuple[PackageChange, ...] = ()) -> Integrity:
    return Integrity(name=name, generation=1, exists=exists, packages=packages, findings=())


def test_runs_are_a_table_whose_last_column_wraps() -> None:
    assert render_runs([RUN], palette=PLAIN, width=90, zone=INDIA) == (
        "WHEN                       WHO   NAME  ACTION  STATUS   GENERATION  REASONS\n"
        "2026-11-30 07:19:27+05:30  anna  web   update  applied  2           new\n"
        "2026-11-30 07:19:27+05:30  anna  jobs  update  failed   -           packages-drifted,\n"
        f"{' ':68}files-drifted\n"
    )
    assert render_runs([], palette=PLAIN, width=80) == "No runs are recorded.\n"
    odds: list[Json] = ["?", ["?"], [None], None]
    for odd in odds:
        assert render_runs([{"environments": odd}], palette=PLAIN, width=80) == "No runs are recorded.\n"


def test_generations_are_a_table_that_marks_the_published_one() -> None:
    first = KeptGeneration(
        name="web",
        number=1,
        created="2026-11-30T01:49:27+00:00",
        python="3.11.7",
        packages=2,
        plan="",
        published=False,
        by="anna",
        state=GenerationState.DAMAGED,
        problem="differs from its seal: `six`: 1 file edited",
        shared=("one edit is shared by generations 1 and 2 of `web`",),
    )
    second = replace(first, number=2, created="?", by="", state=GenerationState.PUBLISHED, published=True, problem="")
    third = replace(first, number=3, python="", state=GenerationState.NEWER, problem="made by a newer one", shared=())
    text = render_generations([first, replace(second, rebuilt_from=1), third], palette=PLAIN, width=96, zone=INDIA)
    assert text == (
        "   GENERATION  CREATED                    WHO   PYTHON  PACKAGES  STATE\n"
        "   1           2026-11-30 07:19:27+05:30  anna  3.11.7  2         damaged\n"
        "*  2           ?                          -     3.11.7  2         published, rebuilt from 1\n"
        "   3           2026-11-30 07:19:27+05:30  anna  -       -         newer format\n"
        "\n"
        "note: generation 1 of `web` differs from its seal: `six`: 1 file edited\n"
        "note: generation 3 of `web`: made by a newer one\n"
        "note: one edit is shared by generations 1 and 2 of `web`\n"
    )
    several = render_generations([second, replace(second, name="jobs")], palette=PLAIN, width=80)
    assert [line.split()[:3] for line in several.splitlines()[1:3]] == [["*", "web", "2"], ["*", "jobs", "2"]]
    assert render_generations([], palette=PLAIN, width=80) == "No generations exist.\n"


def test_verification_lists_changes_and_counts_environments() -> None:
    found = [verified("jobs"), verified("old", exists=False), verified("web", packages=(SIX,))]
    assert render_verification(found, palette=PLAIN, width=80) == (
        "  = jobs  generation 1  matches its seal\n"
        "  ! old   generation 1  missing\n"
        "  ! web   generation 1  differs from its seal\n"
        "      - six  1.16.0  drift  installed manually\n"
        "\n"
        "Verify: 1 changed, 1 missing, 1 unchanged.\n"
    )
    texts = [render_verification(found[:number], palette=PLAIN, width=80).splitlines()[-1] for number in (0, 1)]
    assert texts == [
        "No environments have been applied.",
        "No problems found. 1 environment matches its seal.",
    ]


ADDED = Finding(code=FindingCode.FILE_ADDED, path="bin/x", detail="was added")
EDITED = Finding(code=FindingCode.FILE_CHANGED, path="six.py", package="six")
UNREADABLE = replace(verified("bad"), problem="its seal is damaged")


def test_a_finding_that_belongs_to_a_package_has_no_line_of_its_own() -> None:
    found = replace(verified("web", packages=(SIX,)), findings=(ADDED, EDITED))
    lines = [
        "  ! web  generation 1  differs from its seal",
        "      - six  1.16.0  drift  installed manually",
        "      ! 1 file added: bin/x (was added)",
        "",
    ]
    assert render_verification([found], palette=PLAIN, width=80).splitlines() == [*lines, "Verify: 1 changed."]
    older = [VerifiedGeneration(integrity=found)]
    assert verified_generations_text(older, palette=PLAIN, width=80).splitlines() == [
        *lines,
        "Verify: 1 of 1 generation unusable.",
    ]


@pytest.mark.parametrize(
    ("found", "summary"),
    [
        ([verified("a"), verified("b")], "No problems found. 2 environments match their seals."),
        ([UNREADABLE, verified("b")], "Verify: 1 unreadable, 1 unchanged."),
        ([UNREADABLE, replace(UNREADABLE, exists=False)], "Verify: 2 unreadable."),
        ([verified("a", exists=False), UNREADABLE], "Verify: 1 missing, 1 unreadable."),
        ([verified("a", packages=(SIX,)), verified("b", exists=False)], "Verify: 1 changed, 1 missing."),
    ],
)
def test_a_summary_counts_every_environment_once(found: list[Integrity], summary: str) -> None:
    text = render_verification(found, palette=PLAIN, width=80)
    assert text.splitlines()[-1] == summary
    assert ("  ! bad  generation 1  its seal is damaged" in text) is (UNREADABLE in found)


def test_the_state_of_a_generation_that_is_not_sound_is_red() -> None:
    generation = KeptGeneration(
        name="web", number=1, created="", python="3.11.7", packages=2, published=False, state=GenerationState.KEPT
    )
    for state in GenerationState:
        text = render_generations(
            [replace(generation, state=state)], palette=Palette.chosen(color=True), width=120
        ).splitlines()[1]
        red = state not in {GenerationState.PUBLISHED, GenerationState.KEPT}
        assert text.endswith("\x1b[0m") is red
        assert (f"\x1b[31m{state.value.replace('-', ' ')}" in text) is red


def test_older_generations_that_differ_are_noted_and_counted_if_they_were_compared() -> None:
    found = replace(verified("web"), unusable=(1, 3))
    text = render_verification([found], palette=PLAIN, width=120)
    assert "No problems found" not in text
    assert (
        "note: older generations that differ from their seals: `web` 1, 3; `envsync rollback` can rebuild them\n"
        in text
    )
    assert "hint: run `envsync verify --generations` for details\n" in text

    compared = [
        VerifiedGeneration(integrity=verified("web", packages=(SIX,)), drifted=True, shared=("one edit is shared",)),
        VerifiedGeneration(integrity=replace(verified("web"), generation=2), published=True),
    ]
    assert verified_generations_text(compared, palette=PLAIN, width=80) == (
        "  ! web  generation 1  differs from its seal (drifted)\n"
        "      - six  1.16.0  drift  installed manually\n"
        "  = web  generation 2  matches its seal (published)\n"
        "note: one edit is shared\n"
        "\n"
        "Verify: 1 of 2 generations unusable.\n"
    )
    assert verified_generations_text(compared[1:], palette=PLAIN, width=80).endswith("found in 1 generation.\n")
    first, second = json.loads(generations_json(compared))
    assert (first["state"], first["shared_edits"], second["state"]) == ("drifted", ["one edit is shared"], "published")
    assert {"intact", "name", "generation", "there", "packages", "findings", "problem", "published"} < set(first)


def test_the_keys_of_the_json_do_not_change() -> None:
    (found,) = json.loads(verification_json([verified("old", exists=False)]))
    assert found == {
        "intact": False,
        "name": "old",
        "generation": 1,
        "there": False,
        "packages": [],
        "findings": [],
        "problem": "",
        "unusable_generations": [],
    }


def test_gc_says_what_was_deleted_and_why_the_rest_was_kept() -> None:
    layout = Layout(root=Path("/srv/envs"))
    found = [
        Removable(name="web", generation=layout.generation("web", 1)),
        Removable(name="web", generation=layout.generation("web", 2), used=True),
        Removable(name="web", generation=layout.generation("web", 3), foreign="a file system is mounted below it"),
    ]
    found.append(Removable(name="web", generation=layout.generation("web", 4), failure="venv/lib: Permission denied"))
    kept = (
        "web: generation 2 kept: a running process uses it\nweb: generation 3 kept: a file system is mounted below it\n"
        "web: generation 4 kept: venv/lib: Permission denied\n"
    )
    assert render_gc(found, dry_run=False, caches=()) == f"web: generation 1 deleted\n{kept}"
    assert render_gc(found, dry_run=True, caches=()) == f"web: generation 1 would be deleted\n{kept}"
    assert render_gc([], dry_run=True, caches=()) == "No generations to delete.\n"
    assert [each["used"] for each in json.loads(gc_json(found, caches=()))] == [False, True, False, False]


def test_gc_says_what_was_deleted_from_each_cache() -> None:
    caches = [
        CollectedCache(kind="packages", count=12, size=1536 * 1024),
        CollectedCache(kind="agreements", count=1),
        CollectedCache(kind="scratch", count=2),
        CollectedCache(kind="interpreters"),
        CollectedCache(kind="file hashes", failure="/srv/envs: Permission denied"),
    ]
    assert render_gc([], caches, dry_run=False).splitlines() == [
        "No generations to delete.",
        "cache: packages: 12 files deleted, 1.5 MiB freed",
        "cache: agreements: 1 entry deleted",
        "cache: scratch: 2 entries deleted",
        "cache: interpreters: nothing to delete",
        "cache: file hashes: not deleted: /srv/envs: Permission denied",
    ]
    assert [each["cache"] for each in json.loads(gc_json([], caches))] == [each.kind for each in caches]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (4096, "4 KiB"),
        (1536, "1.5 KiB"),
        (1000 * 1024, "1.0 MiB"),
        (12 * 1024**3, "12 GiB"),
    ],
)
def test_sizes_have_the_unit_that_suits_them(size: int, text: str) -> None:
    assert size_text(size) == text
