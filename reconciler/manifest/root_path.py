"""The root of a manifest: a directory that envsync may call its own, never one that is somebody's or something's."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from reconciler.manifest.paths import check_path, escapes
from reconciler.manifest.refusal import RefusedError

# What the Filesystem Hierarchy Standard 3.0 (sections 3 and 4) and macOS give a meaning of their own; below most of
# them a root is in good order (`/srv/acme`, `/opt/envs`).
_SYSTEM = (
    "/bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp "
    "/usr /usr/bin /usr/include /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/local /usr/local/bin /usr/local/lib "
    "/usr/sbin /usr/share /usr/src /var /var/cache /var/lib /var/log /var/opt /var/run /var/spool /var/tmp "
    "/Applications /Library /System /Users /Volumes /private /private/etc /private/tmp /private/var"
)
_OWN_HINT = "environments need one of their own, for instance `.envs`"


def check_root(text: str, directory: Path) -> str:
    """Return the root's path, or refuse it: relative ones stay below `directory`, and it is nobody else's directory.

    envsync owns its root: it keeps a `.gitignore` there that hides everything in it from git. So it is not `/`, no
    home, no system directory, no repository, and none that holds the manifest, behind a symbolic link neither.
    """
    check_path(text)
    if not Path(text).is_absolute() and escapes(text):
        raise RefusedError(
            "leaves the manifest's directory", hint="write an absolute path if it is meant to be elsewhere"
        )
    here = Path(os.path.normpath(directory.absolute()))
    named = Path(os.path.normpath(here / text))
    real = Path(os.path.realpath(named))
    if what := _belongs_to(named, here):
        raise RefusedError(what, hint=_OWN_HINT)
    if what := _belongs_to(real, here) or ("a repository" if os.path.lexists(real / ".git") else ""):
        raise RefusedError(what if real == named else f"a link to {what}", hint=_OWN_HINT)
    return text


def _belongs_to(place: Path, here: Path) -> str:
    """Say what a directory is that is not envsync's to have; empty where nothing speaks against it."""
    real_here = Path(os.path.realpath(here))
    if str(place) in {"/", "//"}:
        return "the root of the file system"
    if place in {here, *here.parents, real_here, *real_here.parents}:
        return "a directory that holds the manifest"
    if str(place) in _SYSTEM.split():
        return "a directory of the system"
    return "a home directory" if str(place) in _homes(place.name) else ""


def _homes(name: str) -> Iterator[str]:
    """Yield every home directory of that last name, as it is written and where its parent really is.

    No home itself is looked at: that of another user may be on a server, and be mounted by the look.
    """
    own = os.path.expanduser("~")  # noqa: PTH111  # `Path.home` raises where there is none
    yield os.path.normpath(own)
    yield os.path.realpath(own)
    for user in pwd.getpwall():
        home = Path(os.path.normpath(user.pw_dir))
        if home.name == name:
            yield str(home)
            yield os.path.join(os.path.realpath(home.parent), name)  # noqa: PTH118
