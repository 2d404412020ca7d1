#!/usr/bin/env bash
# Installs envsync from this checkout of the action: the commit that the workflow pins is the commit that runs.
set -euo pipefail
python3 -m venv "$RUNNER_TEMP/envsync"
"$RUNNER_TEMP/envsync/bin/pip" install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH}[git]"
