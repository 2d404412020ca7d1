"""The history of runs: a file with one JSON object a line, which may be lost without harm."""

import datetime as dt
import errno
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import StateError
from reconciler.fs.accounts import user_name
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import open_own, read_own
from reconciler.state.layout import Layout

MOST_BYTES = 4 * 1024 * 1024  # about 10,000 runs


def history_entry(
    ambient: Mapping[str, str], environments: list[Json], *, plan: str = "", exit_code: int = 0
) -> dict[str, Json]:
    """Return the entry of a run that ends now: what it did to `environments`, and who started it.

    `ambient` are the environment variables. `plan` is the digest of the plan, empty for a run without one.
    """
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "by": current_user(ambient),
        "plan": plan,
        "exit_code": exit_code,
        "environments": environments,
    }


def append_history(layout: Layout, entry: dict[str, Json]) -> str:
    """Append one run; return why that was not possible, as a sentence, because the run itself is done.

    The root mutex must be held. If the file then has more than `MOST_BYTES`, the older half is dropped. It is replaced
    atomically: a reader gets the old file or the new one.
    """
    line = (canonical_text(entry) + "\n").encode("ascii")
    try:
        descriptor = open_own(str(layout.history), os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            size = os.fstat(descriptor).st_size
            unfinished = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a killed run wrote part of a line
            line = b"\n" + line if unfinished else line
            if os.write(descriptor, line) < len(line):  # one write: lines of two processes never mix
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
        if size + len(line) > MOST_BYTES:
            newest = read_own(str(layout.history))[-MOST_BYTES // 2 :]
            write_atomic(layout.history, newest.partition(b"\n")[2])  # the first line is not whole
    except OSError as error:
        return f"the history has no line about this run: `{layout.history}`: {error.strerror}"
    return ""


def read_history(layout: Layout) -> list[dict[str, Json]]:
    """Return the runs, oldest first, without incomplete lines; raises StateError."""
    try:
        lines = read_own(str(layout.history)).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"{layout.history}: {error.strerror}", hint=os_error_hint(error)) from error
    runs = []
    for line in lines:
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                runs.append(entry)
    return runs


def runs_of(runs: Sequence[Mapping[str, Json]], name: str) -> list[dict[str, Json]]:
    """Return the runs that changed an environment, under its name at that time, without the other environments."""
    found: list[dict[str, Json]] = []
    for run in reversed(runs):
        listed = run.get("environments")
        entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        own = [each for each in entries if each.get("name") == name]
        if own:
            found.append({**run, "environments": list[Json](own)})
            former = own[0].get("renamed_from")
            renamed = own[0].get("status") == "applied" and isinstance(former, str) and former
            name = str(former) if renamed else name
    return found[::-1]


def made_by(runs: Iterable[Mapping[str, Json]], number: int, *, created: str, plan: str, rebuilt: bool) -> str:
    """Return the user whose run built generation `number`, empty if the history does not say it.

    `runs` are those of its environment. `created` is when the generation was sealed (UTC, RFC 3339), and `plan` the
    digest of its plan; a rollback, which has `rebuilt` it, has no plan.
    """
    for run in runs:
        environments = run.get("environments")
        made = str(run.get("at")) >= created and run.get("plan") == ("" if rebuilt else plan)
        for each in environments if made and isinstance(environments, list) else []:
            # The plan builds one generation of the environment; a run that rolled it back names a different one.
            if isinstance(each, dict) and (not rebuilt or each.get("generation") == number):
                return str(run.get("by") or "")
    return ""


def current_user(ambient: Mapping[str, str]) -> str:
    """Return `USER`, which cron and systemd may leave unset, or else the name of the process's user."""
    return ambient.get("USER") or user_name(os.getuid())
