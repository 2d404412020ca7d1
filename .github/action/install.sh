#!/usr/bin/env bash
# Installs envsync into a new virtual environment: `bash install.sh DIRECTORY`, for action.yml and docs/gitlab-ci.yml.
#
# The commit that this script belongs to is installed, with exactly the files that requirements.txt names by hash. The
# repository that the job is about has no part in it: the job starts in its checkout, so this script leaves it before
# Python starts; -I keeps the current directory and PYTHON* variables away, and pip reads no configuration file.
# A mirror of the package index is named by PIP_INDEX_URL.
set -euo pipefail

action=$(cd "$(dirname "$0")" && pwd)
rm -rf "$1"
mkdir -p "$1"
cd "$1"

for name in "${!PYTHON@}" "${!PIP_@}"; do
    case $name in
        PIP_INDEX_URL | PIP_CERT | PIP_CLIENT_CERT | PIP_PROXY | PIP_CACHE_DIR | PIP_DEFAULT_TIMEOUT) ;;
        *) unset "$name" ;;
    esac
done
export PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1

python3 -I -m venv .
pip() { bin/python -I -m pip --quiet --no-input "$@"; }
pip install --require-hashes --only-binary=:all: --requirement "$action/requirements.txt"
pip install --no-index --no-deps --no-build-isolation "$action/../.."
