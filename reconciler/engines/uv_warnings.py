"""What uv warns about although it succeeds: versions that were yanked from their index (PEP 592)."""

import re

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
