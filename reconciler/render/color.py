"""When to colour: apart from what colours there are, so that it costs nothing to import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def want_color(mode: str, stream_is_tty: bool, environ: Mapping[str, str]) -> bool:
    """Say whether to colour; `mode` is `auto`, `always` or `never`.

    By itself on a terminal only, and not on one that is dumb or a CI log. NO_COLOR (no-color.org) wins over FORCE_COLOR
    (force-color.org), as in CPython; both count when they are not empty, FORCE_COLOR also when it is not 0.
    """
    if mode != "auto":
        return mode == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    return stream_is_tty and not in_ci and environ.get("TERM") != "dumb"
