"""The faults to inject: a kill before each call, and in turn the errors that such a call can return."""

import errno
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.faults.calls import CALLS_OF, Kind
from tests.faults.tracer import Fault, Whose
from tests.faults.verdict import Verdict

_NAMES: tuple[Kind, ...] = ("open", "rename", "link", "symlink", "make", "mkdir")  # they make a new name
_DATA: tuple[Kind, ...] = ("write", "resize", "flush", "xattr")
_GONE: tuple[Kind, ...] = ("unlink", "rmdir")
_STATUS: tuple[Kind, ...] = ("chmod", "chown", "utime")


def _calls(*kinds: Kind) -> frozenset[str]:
    return frozenset(name for kind in kinds for name in CALLS_OF[kind].values())


ERRORS = {
    "EMFILE": (errno.EMFILE, _calls("open")),
    "ENOSPC": (errno.ENOSPC, _calls(*_NAMES, *_DATA)),
    "EIO": (errno.EIO, _calls(*_NAMES, *_DATA, *_GONE, *_STATUS, "lock")),
    "EACCES": (errno.EACCES, _calls(*_NAMES, *_GONE)),
    "EROFS": (errno.EROFS, _calls(*_NAMES, *_GONE, *_STATUS)),
}


def kills(counted: Verdict, step: int) -> list[Fault]:
    """Return a kill of the program before every `step`-th of its own calls."""
    return [Fault(whose="own", at=number) for number in range(1, len(counted.calls[0]) + 1, step)]


def child_kills(counted: Verdict, step: int) -> list[Fault]:
    """Return kills at every `step`-th call of the children: in turn of the child and of its parent program."""
    numbers = range(1, len(counted.calls[1]) + 1, step)
    return [Fault(whose="children", at=number, parent=turn % 2 == 1) for turn, number in enumerate(numbers)]


def errors(counted: Verdict, step: int) -> list[tuple[str, Fault]]:
    """Return errors at every `step`-th own call, in turn of each kind, once or from then on."""
    return list(_errors(counted.calls[0], "own", step))


def child_errors(counted: Verdict, step: int) -> list[tuple[str, Fault]]:
    """Return lasting errors at every `step`-th call of the children, because a full disk stays full."""
    return list(_errors(counted.calls[1], "children", step))


def _errors(calls: Sequence[str], whose: Whose, step: int) -> Iterator[tuple[str, Fault]]:
    seen: Counter[str] = Counter()
    for number in range(1, len(calls) + 1, step):
        call = calls[number - 1]
        names = [name for name, (_, hit) in ERRORS.items() if call in hit]
        if names:
            name = names[seen[call] % len(names)]
            code, hit = ERRORS[name]
            lasting = whose == "children" or seen[call] // len(names) % 2 == 1
            seen[call] += 1
            yield name, Fault(whose=whose, at=number, error=code, lasting=lasting, calls=hit)
