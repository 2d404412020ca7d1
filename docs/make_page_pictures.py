"""Turn output for a browser into a picture: `envsync plan --output html | python docs/make_page_pictures.py FILE.png`.

With `--comment`, standard input is the Markdown of `--output markdown`, drawn like a comment on a code host.
`--size WIDTHxHEIGHT` is the size of the window in pixels. It needs Chromium, and for a comment markdown-it-py, a
dependency of rich.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# The style of a code host, as far as a comment needs it.
STYLE = """
body { margin: 0; padding: 20px; background: #fff; color: #1f2328;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif; }
.comment { border: 1px solid #d1d9e0; border-radius: 6px; }
.author { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; padding: 8px 16px; }
.text { padding: 4px 16px 12px; }
h3 { font-size: 1.25em; } h4 { font-size: 1em; } h3, h4 { margin: 18px 0 10px; line-height: 1.25; }
p, ul, table, details { margin: 0 0 10px; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: 5px 12px; text-align: left; }
tbody tr:nth-child(2n) { background: #f6f8fa; }
code { background: #818b981f; border-radius: 6px; padding: .15em .4em; font: 12px "DejaVu Sans Mono", monospace; }
"""


def comment(markdown: str) -> str:
    """Return a page with one comment that contains the Markdown."""
    from markdown_it import MarkdownIt

    text = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>{STYLE}</style><div class="comment">'
        f'<div class="author"><strong>envsync</strong> commented</div><div class="text">{text}</div></div></html>'
    )


def picture(page: str, target: Path, size: str) -> None:
    """Write the HTML of `page`, drawn by a browser, as a PNG of `size` (`WIDTHxHEIGHT` in pixels)."""
    program = next((found for each in PROGRAMS if (found := shutil.which(each))), None)
    if program is None:
        sys.exit(f"none of {', '.join(PROGRAMS)} is installed")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "page.html")
        file.write_text(page, encoding="utf-8")
        options = ["--headless", "--disable-gpu", "--hide-scrollbars", "--no-sandbox", f"--user-data-dir={directory}/p"]
        window = [f"--window-size={size.replace('x', ',')}", f"--screenshot={target.absolute()}"]
        command = [program, *options, *window, file.as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603  # Chromium, and a file of ours


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--comment", action="store_true")
    parser.add_argument("--size", default="1100x1200")
    arguments = parser.parse_args()
    text = sys.stdin.read()
    picture(comment(text) if arguments.comment else text, arguments.target, arguments.size)
