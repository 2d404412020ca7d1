#!/usr/bin/env bash
# Installs the envsync of this very checkout of the action, so that what is pinned is what runs.
set -euo pipefail
python3 -m venv "$RUNNER_TEMP/envsync"
"$RUNNER_TEMP/envsync/bin/pip" install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH}[git]"
