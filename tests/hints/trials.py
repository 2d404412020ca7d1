"""A trial of a hint: a fault is provoked, its hint is printed, what the hint says is done, and the fault is gone.

`@trial("MODULE: WORDS", ...)` registers a function and makes it a test. It gets a host and `Attempts`. The words are
those in the source, with `{...}` for each value (the name of the value does not matter). A trial fails if it did not
see each of its hints, or did not show of each that its fault is gone, or that it cannot be cured here.
"""

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from reconciler.errors import EnvsyncError
from tests.every_case import EVERY_CASE, LONGER
from tests.host import Host, Ran, new_host

_VALUE = re.compile(r"\{[^{}]*\}")
_MANIFEST = re.compile(r"(`envsync [a-z]+) -f [^ `]+")
_PRINTED = re.compile(r"^ *hint:(?: |(?=\n))(.*(?:\n {6,}(?! *hint:)\S.*)*)", re.MULTILINE)
# The keys of all trials, with the names of the tests; filled when the modules are imported.
TRIED: dict[str, list[str]] = {}


def key(module: str, template: str) -> str:
    """Return what identifies a hint: its module and its words, whatever its values are called."""
    return f"{module}: {_VALUE.sub('{}', template.replace('{{', '⟪').replace('}}', '⟫'))}"


def pattern(key: str) -> re.Pattern[str]:
    """Return a pattern that matches the hint as it is printed."""
    words = key.partition(": ")[2]
    parts = (re.escape(each.replace("⟪", "{").replace("⟫", "}")) for each in words.split("{}"))
    return re.compile("(.+)".join(parts), re.DOTALL)


def tried(keys: Iterable[str], name: str) -> tuple[str, ...]:
    """Register that a test tries hints, and return their keys."""
    normalized = tuple(key(*each.split(": ", 1)) for each in keys)
    for each in normalized:
        TRIED.setdefault(each, []).append(name)
    return normalized


def is_hint(key: str, text: str) -> bool:
    """Return whether a printed hint is the one of `key`, with or without the manifest that the command line named."""
    return any(pattern(key).fullmatch(each) for each in (text, _MANIFEST.sub(r"\1", text)))


def printed_hints(ran: Ran) -> list[str]:
    """Return the hints that a command printed as text, each in one line."""
    return [" ".join(each.split()) for each in _PRINTED.findall(f"{ran.out}\n{ran.err}")]


@dataclass(kw_only=True)
class Attempts:
    """What was seen of the hints of one trial, and what was done about them."""

    host: Host
    keys: tuple[str, ...]
    seen: dict[str, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    last: str = ""

    def provoke(self, *arguments: str, of: str = "", env: dict[str, str] | None = None) -> str:
        """Run a command that prints one of the hints which was not seen yet, and return the hint.

        `of` is the beginning of its key, if a trial has two hints with the same words.
        """
        return self.printed_by(self.host.envsync(*arguments, env=env), of=of)

    def printed_by(self, ran: Ran, *, of: str = "") -> str:
        """Note which of the hints a command printed that ran already, and return the first of them."""
        return self.printed(printed_hints(ran), of=of, shown=f"exit code {ran.code}\n{ran.out}{ran.err}")

    def printed(self, hints: list[str], *, of: str = "", shown: str = "") -> str:
        """Note which of the hints were printed, and return the first of them."""
        waiting = [each for each in self.keys if each not in self.seen and each.startswith(of)]
        found = [(each, text) for each in waiting for text in hints if is_hint(each, text)]
        assert found, f"none of {waiting} was printed, but {hints}\n{shown}"
        self.last, text = found[0]
        self.seen[self.last] = text
        return text

    def again(self, beginning: str) -> None:
        """Wait again for the hint whose key begins so: it has several causes."""
        for each in [each for each in self.seen if each.startswith(beginning)]:
            del self.seen[each]

    def refused(self, call: Callable[[], object], *, of: str = "") -> str:
        """Call a function of the Python API, which raises an error with one of the hints, and return the hint."""
        with pytest.raises(EnvsyncError) as caught:
            call()
        return self.printed([caught.value.hint or ""], of=of, shown=caught.value.message)

    def follow(self, *more: str, **values: str) -> list[Ran]:
        """Run every `envsync` command in the last hint, with `values` for its placeholders; each must succeed.

        `more` are arguments that a person without a terminal adds, such as `--yes`.
        """
        commands = re.findall(r"`(envsync [^`]+)`", self.seen[self.last])
        assert commands, f"no command in: {self.seen[self.last]}"
        done = []
        for each in commands:
            words = [values.get(word, word) for word in shlex.split(each)[1:]]
            yes = ["--yes"] if words[0] in {"apply", "destroy", "trust"} else []
            ran = self.host.envsync(*words, *yes, *more)
            assert ran.code == 0, (each, ran.code, ran.out, ran.err)
            done.append(ran)
        return done

    def follow_only(self, command: str) -> None:
        """Run the one command of the last hint that is the right one here: the hint names several ways."""
        assert f"`envsync {command}`" in self.seen[self.last], f"`envsync {command}` is not in: {self.seen[self.last]}"
        ran = self.host.envsync(command, "--yes")
        assert ran.code == 0, (command, ran.code, ran.out, ran.err)

    def options(self) -> list[str]:
        """Return the options that the last hint names."""
        found = re.findall(r"`(--[a-z-]+)`", self.seen[self.last])
        assert found, f"no option in: {self.seen[self.last]}"
        return found

    def gone(self, *arguments: str, code: int = 0, env: dict[str, str] | None = None) -> Ran:
        """Run a command which must succeed and print the last hint no more."""
        ran = self.host.envsync(*arguments, env=env)
        assert ran.code == code, (arguments, ran.code, ran.out, ran.err)
        again = [each for each in printed_hints(ran) if is_hint(self.last, each)]
        assert not again, (arguments, again)
        self.settled.add(self.last)
        return ran

    def cured(self) -> None:
        """Note that the fault of the last hint is gone, which the trial itself asserted."""
        self.settled.add(self.last)

    def not_here(self, *words: str) -> None:
        """Note that the fault cannot be cured here, which the last hint must say in these words."""
        for each in words:
            assert each in self.seen[self.last], f"the hint does not say {each!r}: {self.seen[self.last]}"
        self.settled.add(self.last)


Trial: TypeAlias = Callable[[Host, Attempts], None]


def trial(*hints: str, long: bool = False) -> Callable[[Trial], Callable[[Path], None]]:
    """Register a trial of one or more hints, and return the test; `long` ones run only with `EVERY_CASE=1`."""

    def register(function: Trial) -> Callable[[Path], None]:
        name = f"{function.__module__}.{function.__name__}"
        keys = tried(hints, name)

        def test(tmp_path: Path) -> None:
            if long and not EVERY_CASE:
                pytest.skip(LONGER)
            with new_host(tmp_path.resolve()) as host:
                attempts = Attempts(host=host, keys=keys)
                function(host, attempts)
            assert attempts.seen.keys() == set(keys), f"not printed: {set(keys) - attempts.seen.keys()}"
            assert attempts.settled == set(keys), f"not followed: {set(keys) - attempts.settled}"

        test.__name__ = test.__qualname__ = function.__name__
        test.__module__ = function.__module__
        test.__doc__ = function.__doc__
        return test

    return register
