"""The long form: `python -m tests.hostile` replaces random files by something hostile, and runs random commands."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.host import new_host
from tests.hostile.replaced_files import ATTACKS, COMMANDS, LONGEST_SECONDS, AttackedHost
from tests.own_state import use_own_state


def main() -> int:
    """Run random combinations of a path, an attack and a command; return 1 if the promise did not hold for one."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description="Hostile files, for every command.")
    parser.add_argument("--count", type=int, default=1000, help="how many combinations to try")
    parser.add_argument("--seed", type=int, default=0, help="choose other ones")
    parser.add_argument("--only", default="", metavar="TEXT", help="only paths that contain TEXT")
    parser.add_argument("--command", default="", metavar="NAME", help="only this command")
    parser.add_argument("--attack", default="", metavar="KIND", help="only this attack")
    options = parser.parse_args()
    use_own_state()
    chance = random.Random(options.seed)  # noqa: S311
    bad = slow = tried = 0
    with tempfile.TemporaryDirectory() as directory, new_host(Path(directory, "host")) as host:
        attacked = AttackedHost.prepare(host, Path(directory))
        paths = [each for each in attacked.paths if options.only in each]
        # As many of envsync's own few files as of the many in venvs and caches.
        few = [each for each in paths if "/venv" not in each and "/cache/uv" not in each]
        began = time.monotonic()
        while tried < options.count:
            path = chance.choice(few if few and tried % 2 else paths)
            kind = options.attack or chance.choice(sorted(ATTACKS))
            command = options.command or chance.choice(sorted(COMMANDS))
            for each in attacked.attack(kind, path, {command: COMMANDS[command]}):
                slow += each.seconds > LONGEST_SECONDS
                if each.problem or each.seconds > LONGEST_SECONDS:
                    bad += bool(each.problem)
                    print(
                        f"{each.attack}: {each.path}: {each.command}: {each.seconds:.1f} s: {each.problem}", flush=True
                    )
            tried += 1
        minutes = (time.monotonic() - began) / 60
    print(f"{tried} combinations in {minutes:.0f} min: {bad} bad, {slow} over {LONGEST_SECONDS:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
