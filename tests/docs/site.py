"""What a built site loads from other hosts: `python -m tests.docs.site DIRECTORY` fails if it loads anything."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

_SOURCES = {"src", "srcset", "data", "poster", "xlink:href"}


class _Loads(HTMLParser):
    """Collects what a page loads by itself; a link that a reader may follow is not loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = _SOURCES | ({"href"} if tag in {"link", "image", "use"} else set())
        self.found += [value for name, value in attrs if name in names and value]


def loaded_from_elsewhere(site: Path) -> list[str]:
    """Return `FILE: ADDRESS` for everything on the pages and in the style sheets that another host would serve."""
    elsewhere = []
    for file in sorted(site.rglob("*")):
        if file.suffix == ".html":
            parser = _Loads()
            parser.feed(file.read_text(encoding="utf-8"))
            loads = parser.found
        elif file.suffix == ".css":
            matches = re.finditer(
                r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", file.read_text(encoding="utf-8")
            )
            loads = [found[1] or found[2] for found in matches]
        else:
            continue
        elsewhere += [
            f"{file.relative_to(site)}: {each}" for each in loads if re.match(r"(?:[a-z]+:)?//", each.strip())
        ]
    return elsewhere


if __name__ == "__main__":
    elsewhere = loaded_from_elsewhere(Path(sys.argv[1]))
    sys.exit("loaded from other hosts:\n" + "\n".join(elsewhere) if elsewhere else 0)
