"""The environment that children get: an allow-list, so that no other variable changes a result."""

import re
from collections.abc import Iterable, Mapping

_PLAIN = frozenset(
    {
        "HOME", "USER", "LOGNAME", "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        "NETRC", "SSH_AUTH_SOCK", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
        "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "PKG_CONFIG_PATH", "MACOSX_DEPLOYMENT_TARGET",
    }
)  # fmt: skip
_NEVER_RELATIVE = "PATH"


def allowed_environment(ambient: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `ambient` that a child may see; relative entries are removed from PATH.

    `UV_*`, `PIP_*`, `PYTHON*`, `VIRTUAL_ENV` and everything else that is not on the list is left out.
    """
    kept = {name: value for name, value in ambient.items() if name in _PLAIN or name.startswith("LC_")}
    path = [entry for entry in kept.get(_NEVER_RELATIVE, "").split(":") if entry.startswith("/")]
    kept["PATH"] = ":".join(path) or "/usr/local/bin:/usr/bin:/bin"
    return kept


def credential_variables(index: str) -> tuple[str, str]:
    """Return the names of the variables with the user name and the password for an index of the manifest."""
    stem = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", index.upper())
    return f"{stem}_USERNAME", f"{stem}_PASSWORD"


def host_variable(index: str) -> str:
    """Return the name of the variable with the host that the credentials for an index of the manifest are for."""
    return credential_variables(index)[0].removesuffix("USERNAME") + "HOST"


def index_credentials(ambient: Mapping[str, str], index_names: Iterable[str]) -> dict[str, str]:
    """Return `UV_INDEX_<NAME>_USERNAME`, `_PASSWORD` and `_HOST` for the indexes of the manifest, and for no others."""
    variables = (each for name in index_names for each in (*credential_variables(name), host_variable(name)))
    return {each: ambient[each] for each in variables if each in ambient}
