"""The variables that uv gives to the builds of packages, as a table of its configuration."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from reconciler.canonical_json import digest
from reconciler.engines.engine import InstallRequest
from reconciler.toml_string import toml_string

Packages: TypeAlias = Sequence[Mapping[str, Any]]  # the tables of packages in a PEP 751 document

_STAMP = "ENVSYNC_BUILD"  # a build variable that nothing reads: with a new value, uv takes no build from its cache
_SECRETS = "ENVSYNC_BUILD_SECRETS"  # nothing reads it either: the digest of variables whose values are secret


def build_variables_table(variables: Mapping[str, Mapping[str, str]]) -> str:
    """Return the configuration with build variables by package; empty if there are none.

    uv adds them to the environment of that package's build, and uses only cached builds with the same variables.
    """
    tables = {
        toml_string(package): ", ".join(f"{name} = {toml_string(text)}" for name, text in values.items())
        for package, values in variables.items()
    }
    lines = [f"{package} = {{ {values} }}\n" for package, values in tables.items()]
    return "[extra-build-variables]\n" + "".join(lines) if lines else ""


def build_variables(
    packages: Packages, request: InstallRequest, editables: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return the variables for the build of each package that has no wheel; those in `editables` are built in any case.

    Secrets are only represented by their digest, because uv writes the variables into the metadata of the package.
    """
    found = {}
    for package in packages:
        name = package["name"]
        archive = package.get("archive", {})
        is_wheel = "wheels" in package or str(archive.get("path") or archive.get("url")).endswith(".whl")
        variables = {} if is_wheel else dict(request.variables)
        if request.secrets and not is_wheel:
            secrets = {each: digest(["build_env", each, text]) for each, text in request.secrets.items()}
            variables[_SECRETS] = digest(secrets)
        if name in editables:
            variables[_STAMP] = str(time.time_ns())
        if variables:
            found[name] = variables
    return found
