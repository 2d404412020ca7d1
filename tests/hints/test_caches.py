"""Hints about the package cache of the user."""

import subprocess

from tests.hints.trials import Attempts, trial
from tests.host import Host

MANIFEST = 'web:\n  python: "3.11"\n  packages: [gamma]\n'


@trial(
    "engines/user_cache.py: set `XDG_CACHE_HOME` to a directory outside of the repository that only this user may write to, or remove `cache: user` from the manifest",
)
def test_a_cache_in_the_repository(host: Host, attempts: Attempts) -> None:
    subprocess.run(["git", "init", "-q", host.directory], check=True)
    host.env["XDG_CACHE_HOME"] = str(host.directory / ".cache")
    host.manifest(MANIFEST, head="cache: user\n")
    attempts.provoke("apply", "--yes")
    host.env["XDG_CACHE_HOME"] = str(host.directory.parent / "cache")
    attempts.gone("apply", "--yes")
    host.env["XDG_CACHE_HOME"] = str(host.directory / ".cache")
    attempts.again("engines/user_cache.py: set")
    attempts.provoke("lock", "--upgrade")
    host.manifest(MANIFEST)
    attempts.gone("lock", "--upgrade")
    attempts.gone("apply", "--yes")
