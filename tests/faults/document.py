"""Makes docs/reliability.md: `python -m tests.faults.document` runs every long suite and puts in what it printed.

Each part stands between `<!-- NAME -->` and `<!-- /NAME -->`; `--only NAME` makes that one anew. A suite that fails
writes nothing, and fails this.
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
    """Return the document with one part anew; raises ValueError where it has no such part."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if len(part.findall(document)) != 1:
        raise ValueError(f"{DOCUMENT.name} has no part {name}, or two")
    return part.sub(lambda _: text.rstrip("\n") + "\n", document)


def main() -> int:
    """Run the suites and write their parts; return 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.document", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*SUITES], help="which parts; default: all")
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
