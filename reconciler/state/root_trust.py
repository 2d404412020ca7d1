"""Refuses a root whose files cannot be trusted, and knows the exceptions that its user made with `envsync trust`.

A root proves who made it: the directories belong to the user, no one else may write to them, git tracks none of the
files, and the mark `root.json` has a code that only the key of the user can make. So a root that came with a commit, a
copy of one, or one that another user made, is never taken for one's own.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler.canonical_json import canonical_text
from reconciler.errors import (
    DamagedStateError,
    RootOwnerError,
    RootTrackedError,
    RootWritableError,
    StateError,
    UntrustedRootError,
)
from reconciler.fs.access import make_cache_directory
from reconciler.fs.accounts import SUPERUSER, sudo_user
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.authentication import accept_everything, accepts_everything
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import OWN_DIRECTORY, read_own
from reconciler.fs.read import read_regular
from reconciler.fs.user_key import key_path, make_user_key, state_directory
from reconciler.fs.writers import writer_by_mode
from reconciler.git.tracked_below import tracked_below
from reconciler.state.layout import Layout
from reconciler.state.root_check import WRITABLE, tracked_in
from reconciler.state.state_file import read_state_file, write_state_file

FORMAT = 1


def refuse_untrusted(layout: Layout, *, trusted: Mapping[str, int] | None = None) -> None:
    """Raise an error if files below the root may come from another user or a commit; a root without state has none.

    `trusted` are the exceptions of this user (`owner` and `group`, as numbers), by default those that it made before.
    Raises RootOwnerError, RootWritableError, RootTrackedError, UntrustedRootError, or StateError if it cannot be
    examined.
    """
    refuse_symlinks(layout)
    if trusted is None and accepts_everything():  # `envsync trust` has examined it
        return
    trusted = _trusted(layout.root) if trusted is None else trusted
    try:
        own = os.lstat(layout.envsync_directory)
        root = os.stat(layout.root)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(layout.root):  # noqa: PTH114  # a commit may contain it: nothing is made at its target
            _refuse_tracked(layout)
        return
    except OSError as error:
        raise StateError(f"`{layout.root}` could not be read: {error.strerror}", hint=os_error_hint(error)) from error
    for path, status in ((layout.root, root), (layout.envsync_directory, own)):
        _refuse_owner(path, status, trusted)
        _refuse_writers(path, status, trusted)
    _refuse_tracked(layout)
    if own.st_uid == os.geteuid():
        _refuse_unmarked(layout)


@contextmanager
def unauthenticated() -> Iterator[None]:
    """Read state files whatever their codes and the mark of the root, while the block runs: for `envsync trust`."""
    before = accept_everything(True)
    try:
        yield
    finally:
        accept_everything(before)


def refuse_symlinks(layout: Layout) -> None:
    """Raise StateError if one of envsync's own directories is a symbolic link: its target is not ours to change."""
    for directory in (
        layout.envsync_directory,
        layout.all_generations,
        layout.records,
        layout.all_deleted,
        layout.cache,
        layout.engine_cache,
        layout.agreements,
        layout.adopted,
    ):
        if os.path.islink(directory):  # noqa: PTH114  # not `Path.is_symlink`, which raises an error
            raise StateError(
                f"`{directory}` is a symbolic link, which envsync does not follow",
                hint="replace it with a real directory; to keep the environments elsewhere, set `root` in the manifest",
            )


def _refuse_owner(path: Path, status: os.stat_result, trusted: Mapping[str, int]) -> None:
    """Raise RootOwnerError if a directory belongs to a user that is not trusted."""
    user = os.geteuid()
    if status.st_uid in {user, SUPERUSER, trusted.get("owner")}:
        return
    theirs, ours = sudo_user(status.st_uid), sudo_user(user)
    raise RootOwnerError(
        f"`{path}` belongs to {theirs}, and you are {ours}",
        hint=f"run the command as its owner (`sudo -u {theirs} envsync ...`), or run `envsync trust` once to read it, "
        "and to run programs from it, as this user",
    )


def make_own_directory(layout: Layout) -> None:
    """Make the directory `.envsync` in a root that exists, and mark the root as made by this user.

    Raises UntrustedRootError if it exists and was made elsewhere, or OSError.
    """
    make_cache_directory(layout.envsync_directory)  # with the access of the root
    if not os.path.lexists(layout.mark):
        _refuse_unmarked(layout)
        require_key()
        write_mark(layout)


def require_key() -> None:
    """Make the key of this user if there is none; raises StateError."""
    try:
        make_user_key()
    except OSError as error:
        exists = os.path.lexists(key_path())
        raise StateError(
            f"`{key_path()}`, the key of this user, could not be {'used' if exists else 'made'}: {error.strerror}",
            hint="run `envsync trust` after you deleted it: a new one is made"
            if exists
            else "set `XDG_STATE_HOME` to a directory that only this user may write to",
        ) from error


def write_mark(layout: Layout) -> None:
    """Mark the root as made by this user; raises OSError."""
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    write_state_file(layout.mark, {"format": FORMAT, "root": os.path.realpath(layout.root), "made": made})


def trust_present(layout: Layout, *, group: bool) -> dict[str, int]:
    """Return what there is to trust of a root as it is now: its owner, and with `group` its group. Raises OSError."""
    status = os.stat(layout.root)  # noqa: PTH116
    return {"owner": status.st_uid, **({"group": status.st_gid} if group else {})}


def remember_trust(layout: Layout, trust: Mapping[str, int]) -> None:
    """Remember for this user what it trusts of a root; raises OSError."""
    path = _trusted_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    all_trusted = {**_all_trusted(), os.path.realpath(layout.root): dict(trust)}
    write_atomic(path, canonical_text(all_trusted).encode("ascii"), mode=0o600)


def _refuse_writers(path: Path, status: os.stat_result, trusted: Mapping[str, int]) -> None:
    """Raise RootWritableError if users other than the owner may write to a directory."""
    writer = writer_by_mode(str(path), status, status.st_uid, trusted=trusted.get("group"))
    if writer is None:
        return
    mode = "o-w" if writer.by == "everyone" else "g-w"
    shared = ", or `envsync trust --group` if the group shares the root on purpose" if writer.by == "group" else ""
    raise RootWritableError(
        f"{writer} may write to `{path}`, and so could change what runs from it",
        hint=f"run `chmod {mode} {path}`{shared}",
    )


def _refuse_tracked(layout: Layout) -> None:
    tracked = tracked_in(str(layout.root))
    if tracked:
        raise RootTrackedError(
            f"git tracks `{tracked}`, but the files of a root are never committed: the author of the commit could "
            "have forged them",
            hint=f"run `git rm -r --cached {_tracked_top(layout, tracked)}` in the repository, delete "
            f"`{layout.envsync_directory}`, then run `envsync apply`",
        )
    tracked = tracked_below(key_path())
    if tracked:
        raise RootTrackedError(
            f"git tracks `{tracked}`, which is the key of this user",
            hint=f"delete `{key_path()}`, and run `git rm --cached {tracked}` in the repository",
        )


def _tracked_top(layout: Layout, tracked: str) -> str:
    """Return what has to be removed from git: the root, or only `.envsync` if the root is the whole repository."""
    parts = tracked.split("/")
    if OWN_DIRECTORY in parts:
        return "/".join(parts[: parts.index(OWN_DIRECTORY)]) or OWN_DIRECTORY
    # Otherwise git tracks the root itself, or a link in it.
    return tracked if parts[-1] == layout.root.name else "/".join(parts[:-1]) or tracked


def _refuse_unmarked(layout: Layout) -> None:
    """Raise UntrustedRootError if the root has state, and no mark that this user made at this place."""
    if accepts_everything() or not _has_state(layout):
        return
    try:
        found = read_state_file(layout.mark, FORMAT, hint=None)
    except DamagedStateError:
        made = _former_path(layout)
        is_here = made in {"", os.path.realpath(layout.root)}
        moved = ": its mark was not made with the key of this user" if is_here else f": it was made as `{made}`"
    else:
        if found is not None:
            return
        moved = ": it has no mark"
    raise UntrustedRootError(
        f"`{layout.root}` was not made by envsync as this user at this place{moved}",
        hint="if you restored, moved or copied it, or an older envsync made it, run `envsync trust`; otherwise delete "
        "it, then run `envsync apply`",
    )


def _has_state(layout: Layout) -> bool:
    """Return whether a root has any file that a run would use; a run that was killed at once leaves none."""
    with suppress(OSError):
        ours = {layout.mutex.name, layout.mutex_holder.name}
        return any(each not in ours and not each.startswith(".") for each in os.listdir(layout.envsync_directory))
    return True


def _former_path(layout: Layout) -> str:
    """Return where a mark says that the root was made, for messages only; empty if it does not say it."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(read_own(str(layout.mark), limit=1 << 16))
        if isinstance(found, dict) and isinstance(found.get("root"), str):
            return str(found["root"])
    return ""


def _trusted(root: Path) -> Mapping[str, int]:
    """Return what this user trusts of a root: `owner` and `group`, as numbers."""
    found = _all_trusted().get(os.path.realpath(root))
    return found if isinstance(found, dict) else {}


def _all_trusted() -> dict[str, Any]:
    """Return the roots that this user trusts, by real path; none if the file is unusable, or others may write to it."""
    with suppress(OSError, ValueError, RecursionError):
        path = _trusted_path()
        status = path.lstat()
        if status.st_uid == os.geteuid() and not status.st_mode & WRITABLE and not tracked_below(str(path)):
            found = json.loads(read_regular(path))
            return found if isinstance(found, dict) else {}
    return {}


def _trusted_path() -> Path:
    return Path(state_directory(), "trusted-roots.json")
