"""The root of a manifest: it must be a directory that envsync alone uses, never one with another purpose."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import escapes, validate_path

# Directories with a purpose of their own in the Filesystem Hierarchy Standard 3.0 (sections 3 and 4) or on macOS. A
# root below most of them is fine (`/srv/acme`, `/opt/envs`).
_SYSTEM_DIRECTORIES = (
    "/bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp "
    "/usr /usr/bin /usr/include /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/local /usr/local/bin /usr/local/lib "
    "/usr/sbin /usr/share /usr/src /var /var/cache /var/lib /var/log /var/opt /var/run /var/spool /var/tmp "
    "/Applications /Library /System /Users /Volumes /private /private/etc /private/tmp /private/var"
)
_OWN_HINT = "use a directory for environments only, for example `.envs`"


def validate_root(text: str, directory: Path) -> str:
    """Return the root's path as written; raises InvalidTextError if the directory has another purpose.

    envsync writes a `.gitignore` into its root that hides everything in it from git. So the root must not be `/`, a
    home directory, a system directory, a git repository, or a directory that contains the manifest, and must not be a
    symbolic link to one of these. A relative path must stay inside `directory`, the manifest's own.
    """
    validate_path(text, hint="write an absolute path, or a path relative to the manifest")
    if not Path(text).is_absolute() and escapes(text):
        hint = "write an absolute path to use a directory elsewhere"
        raise InvalidTextError("a relative path must stay inside the manifest's directory", hint=hint)
    manifest_directory = Path(os.path.normpath(directory.absolute()))
    named = Path(os.path.normpath(manifest_directory / text))
    real = Path(os.path.realpath(named))
    if purpose := _other_purpose(named, manifest_directory):
        raise InvalidTextError(f"must not be {purpose}", hint=_OWN_HINT)
    is_repository = os.path.lexists(real / ".git")
    if purpose := _other_purpose(real, manifest_directory) or ("a git repository" if is_repository else ""):
        link = "" if real == named else "a symbolic link to "
        raise InvalidTextError(f"must not be {link}{purpose}", hint=_OWN_HINT)
    return text


def _other_purpose(path: Path, manifest_directory: Path) -> str:
    """Return what a directory is used for if it cannot be a root, or an empty string if it can."""
    real_directory = Path(os.path.realpath(manifest_directory))
    if str(path) in {"/", "//"}:
        return "the root of the file system"
    if path in {manifest_directory, *manifest_directory.parents, real_directory, *real_directory.parents}:
        return "a directory that contains the manifest"
    if str(path) in _SYSTEM_DIRECTORIES.split():
        return "a system directory"
    return "a home directory" if str(path) in _homes(path.name) else ""


def _homes(name: str) -> Iterator[str]:
    """Yield every home directory whose last part is `name`, as written and with symbolic links in its parent resolved.

    No home directory itself is accessed: that of another user may be on a server and would be mounted by the access.
    """
    own = os.path.expanduser("~")  # noqa: PTH111  # `Path.home` raises if there is none
    yield os.path.normpath(own)
    yield os.path.realpath(own)
    for user in pwd.getpwall():
        home = Path(os.path.normpath(user.pw_dir))
        if home.name == name:
            yield str(home)
            yield os.path.join(os.path.realpath(home.parent), name)  # noqa: PTH118
