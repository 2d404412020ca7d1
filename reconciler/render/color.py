"""Whether to use color. This module is separate from `style`, so that the fast path can import it at no cost."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def want_color(mode: str, stream_is_tty: bool, environ: Mapping[str, str]) -> bool:
    """Return whether to use color; `mode` is `auto`, `always` or `never`.

    `auto` means color on a terminal only, and never on a dumb terminal or in a CI log. NO_COLOR (no-color.org) wins
    over FORCE_COLOR (force-color.org), as in CPython. Both count if they are not empty; FORCE_COLOR=0 means unset.
    """
    if mode != "auto":
        return mode == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    return stream_is_tty and not in_ci and environ.get("TERM") != "dumb"
