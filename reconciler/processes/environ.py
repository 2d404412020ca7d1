"""The environment that children get: an allow-list, so that nothing ambient changes a result (design, section 8)."""

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
    """Return what of `ambient` a child may see: no `UV_*`, `PIP_*`, `PYTHON*`, `VIRTUAL_ENV`; PATH absolute only."""
    kept = {name: value for name, value in ambient.items() if name in _PLAIN or name.startswith("LC_")}
    path = [entry for entry in kept.get(_NEVER_RELATIVE, "").split(":") if entry.startswith("/")]
    kept["PATH"] = ":".join(path) or "/usr/local/bin:/usr/bin:/bin"
    return kept


def index_credentials(ambient: Mapping[str, str], index_names: Iterable[str]) -> dict[str, str]:
    """Return `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD` for the manifest's own indexes, and for no others."""
    found: dict[str, str] = {}
    for name in index_names:
        stem = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
        for variable in (f"{stem}_USERNAME", f"{stem}_PASSWORD"):
            if variable in ambient:
                found[variable] = ambient[variable]
    return found
