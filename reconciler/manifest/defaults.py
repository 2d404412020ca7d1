"""The default of every manifest key that has one other than "absent" (None, an empty string, list or mapping).

The models (text) and the desired state (values) both take their defaults from here.
"""

from typing import Final

ROOT: Final = ".envs"  # repeated in `reconciler.fastpath.root_line`, which imports as little as possible
LOCKS: Final = "locks"
CACHE: Final = "own"
KEEP_DELETED: Final = "7 days"

PRERELEASE: Final = "if-necessary"
BUILDS: Final = "allow"
SYSTEM_SITE_PACKAGES: Final = False
COMPILE_BYTECODE: Final = False
KEEP_GENERATIONS: Final = 3
PUBLIC: Final = False
PREVENT_DESTROY: Final = False

HOOKS_ON_FAILURE: Final = "keep"
HEALTH_SECONDS: Final = 300.0
HEALTH_TIMEOUT_SECONDS: Final = 60.0
HEALTH_OTHERWISE: Final = "rollback"

MATRIX_IF_AVAILABLE: Final = False

PROJECT_PATH: Final = "."
PROJECT_EDITABLE: Final = False

PROBE_TIMEOUT_SECONDS: Final = 60.0
