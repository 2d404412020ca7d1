"""What `history`, `verify` and `gc` print."""

import json
from pathlib import Path

import pytest

from reconciler.apply.collect import Removable
from reconciler.apply.collect_cache import CollectedCache
from reconciler.canonical_json import Json
from reconciler.diff.integrity import Integrity
from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.maintenance import KeptGeneration
from reconciler.render.gc_text import gc_json, render_gc
from reconciler.render.history_text import render_generations, render_runs
from reconciler.render.phrases import size_text
from reconciler.render.style import Palette
from reconciler.render.verify_text import render_verification, verification_json
from reconciler.state.layout import Layout

PLAIN = Palette.plain()
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
    assert render_runs([RUN], palette=PLAIN, width=80) == (
        "WHEN                  WHO   NAME  ACTION  STATUS   GENERATION  REASONS\n"
        "2026-11-30T01:49:27Z  anna  web   update  applied  2           new\n"
        "2026-11-30T01:49:27Z  anna  jobs  update  failed   -           packages-drifted,\n"
        f"{' ':63}files-drifted\n"
    )
    assert render_runs([], palette=PLAIN, width=80) == "No runs are recorded.\n"
    odds: list[Json] = ["?", ["?"], [None], None]
    for odd in odds:
        assert render_runs([{"environments": odd}], palette=PLAIN, width=80) == "No runs are recorded.\n"


def test_generations_are_a_table_that_marks_the_published_one() -> None:
    kept = [
        KeptGeneration(
            name="web",
            number=number,
            created="2026-11-30T01:49:27+00:00",
            python="3.11.7",
            packages=2,
            plan="",
            published=number == 2,
        )
        for number in (1, 2)
    ]
    assert render_generations(kept, palette=PLAIN, width=80) == (
        "   NAME  GENERATION  CREATED               PYTHON  PACKAGES\n"
        "   web   1           2026-11-30T01:49:27Z  3.11.7  2\n"
        "*  web   2           2026-11-30T01:49:27Z  3.11.7  2\n"
    )
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
    assert render_gc(found, dry_run=False) == f"web: generation 1 deleted\n{kept}"
    assert render_gc(found, dry_run=True) == f"web: generation 1 would be deleted\n{kept}"
    assert render_gc([], dry_run=True) == "No generations to delete.\n"
    assert [each["used"] for each in json.loads(gc_json(found))] == [False, True, False, False]


def test_gc_says_what_was_deleted_from_each_cache() -> None:
    caches = [
        CollectedCache(kind="packages", count=12, size=1536 * 1024),
        CollectedCache(kind="agreements", count=1),
        CollectedCache(kind="interpreters"),
        CollectedCache(kind="file hashes", failure="/srv/envs: Permission denied"),
    ]
    assert render_gc([], caches, dry_run=False).splitlines() == [
        "No generations to delete.",
        "cache: packages: 12 files deleted, 1.5 MiB freed",
        "cache: agreements: 1 entry deleted",
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
