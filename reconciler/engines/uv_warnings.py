"""What uv warns about although it succeeds: versions that were yanked from their index (PEP 592)."""

import re
from collections.abc import Mapping

from reconciler.toml_string import toml_string

# The reason is untrusted text. Only its first line counts. Its other lines could look like such a warning
# about a different package: in that case, only a note is wrong.
_YANKED = re.compile(r"warning: `(?P<name>[^`=\s]+)==(?P<version>[^`\s]+)` is yanked(?: \(reason: \"(?P<reason>.*))?")
_LONGEST_REASON = 200  # characters


def yanked_versions(stderr: bytes) -> dict[str, str]:
    """Return a mapping of `name==version` to the reason why it was yanked, empty if its author gave none."""
    found = {}
    for line in stderr.decode("utf-8", "replace").split("\n"):
        if match := _YANKED.fullmatch(line.rstrip("\r")):
            reason = (match["reason"] or "").strip().removesuffix('")')
            found[f"{match['name']}=={match['version']}"] = reason[:_LONGEST_REASON]
    return found


def yanked_table(yanked: Mapping[str, str]) -> str:
    """Return what `yanked_versions` found as the table `tool.envsync.yanked` in TOML; empty if it found nothing."""
    lines = [f"{toml_string(pin)} = {toml_string(reason)}\n" for pin, reason in yanked.items()]
    return "".join(["\n[tool.envsync.yanked]\n", *lines]) if lines else ""
