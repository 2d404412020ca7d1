"""Write docs/reliability.md: `python -m tests.faults.document` runs every long suite and inserts its output.

Each section is between `<!-- NAME -->` and `<!-- /NAME -->`; `--only NAME` replaces only that one. If a suite fails,
its section is kept, and this fails too.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/reliability.md"
SUITES = {
    "sweep": ("tests.faults", "--minutes", "40"),
    "power": ("tests.faults.power",),
    "full-disk": ("tests.faults.full_disk",),
    "rounds": ("tests.faults.rounds", "--rounds", "200", "--jobs", "2"),
    "machine": ("tests.faults.machine", "--steps", "5000"),
    "safeguards": ("tests.safeguards",),
}


def with_part(document: str, name: str, text: str) -> str:
    """Return the document with one section replaced; raises ValueError unless it has this section once."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if len(part.findall(document)) != 1:
        raise ValueError(f"{DOCUMENT.name} must have the section {name} once")
    return part.sub(lambda _: text.rstrip("\n") + "\n", document)


def main() -> int:
    """Run the suites and write their sections; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.document", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*SUITES], help="which sections; default: all")
    failed = []
    for name in parser.parse_args().only or SUITES:
        print(f"== {name}: python -m {' '.join(SUITES[name])}", file=sys.stderr)
        done = subprocess.run([sys.executable, "-m", *SUITES[name]], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            failed.append(name)
            print(done.stdout)
        else:
            DOCUMENT.write_text(with_part(DOCUMENT.read_text(encoding="utf-8"), name, done.stdout), encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
