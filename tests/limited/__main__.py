"""`python -m tests.limited [TEXT...]`: run every command on hosts that lack something, and print what is wrong.

With TEXT, only what has it in its name. `--say` prints what every command printed.
"""

import sys
import tempfile
from pathlib import Path

from tests.host import new_host
from tests.limited.commands import run_commands
from tests.limited.missing import MISSING


def main(arguments: list[str]) -> int:
    """Return 1 if a command said something wrong."""
    wanted = [each for each in arguments if not each.startswith("--")]
    faults = 0
    for missing in (None, *MISSING):
        name = str(missing) if missing else "nothing is missing"
        if wanted and not any(each in name for each in wanted):
            continue
        if missing and (reason := missing.lacks()):
            print(f"{name}: not tried here: {reason}")
            continue
        with tempfile.TemporaryDirectory() as directory, new_host(Path(directory) / "host") as host:
            said = run_commands(host, missing, Path(directory))
        codes = " ".join(str(each.code) for each in said)
        print(f"{name}: {codes}", flush=True)
        for each in said:
            wrong = list(each.wrong())
            faults += len(wrong)
            for text in wrong:
                print(f"    {each.command}: {text}")
            if "--say" in arguments:
                print(f"    {each.command}: exit code {each.code}\n{each.out}{each.err}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
