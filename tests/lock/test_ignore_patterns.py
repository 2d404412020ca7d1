"""What a pattern of gitignore certainly matches, and what it possibly does; git itself is the reference."""

import itertools
import subprocess
from pathlib import Path

import pytest

from reconciler.lock.ignore_patterns import parse_ignore_file, parse_patterns
from tests.lock.workbench import git_environment

# By patterns: the paths that they certainly match, then those that they do not certainly match.
CASES = {
    "*_pb2.py": ("a_pb2.py own/deep/a_pb2.py", "a_pb2.pyi a.py"),
    "build/": ("build/x own/build/deep/x", "build own/build"),
    "/build": ("build build/x", "own/build"),
    "own/data": ("own/data own/data/x", "data sub/own/data"),
    "own/*.csv": ("own/a.csv", "own/deep/a.csv a.csv"),
    "**/cache": ("cache own/cache/x", "own/cached"),
    "/own/**": ("own/x own/deep/x", "own other/own/x"),
    "own/**": ("own/x", "other/own/x"),
    "*": ("a own/a", ""),
    "a?c": ("abc own/abc", "ac a/c"),
    "*.py[co]": ("a.pyc own/a.pyo", "a.py a.pyd"),
    "#own": ("", "own #own"),
    "/": ("", "own /"),
    "**": ("", "own own/x"),
    "**/": ("", "own own/x"),
    "": ("", "own"),
    "own  ": ("own", "own  "),
    # Not certain: ranges and negated sets, escapes, spaces at the beginning, asterisks within a name or in the middle.
    "[a-c]x": ("", "ax"),
    "[!a]x": ("", "bx"),
    "own\\ x": ("", "own x"),
    " own": ("", " own"),
    "own\t": ("", "own\t"),
    "own**": ("", "own1"),
    "a/**/b": ("", "a/b a/x/b"),
    "[ab": ("", "[ab"),
    # A file that a pattern with `!` may match is never certainly ignored, whatever the order.
    "*.txt\n!keep.txt": ("a.txt", "keep.txt own/keep.txt"),
    "!keep.txt\n*.txt": ("a.txt", "keep.txt"),
    "*\n!own": ("a", "own own/deep/x other/own"),
    "*.txt\n!\\a": ("", "b.txt"),
    "*.txt\n![]a]": ("", "b.txt"),
    "*.txt\n![^]a]": ("", "b.txt"),
    "*.txt\n![!]a]": ("", "b.txt"),
    "*.txt\n![ab].txt": ("cc.txt", "a.txt"),
    "*.txt\n!?.txt": ("cc.txt", "a.txt"),
    "*.txt\n![ab": ("", "b.txt"),
    "*.txt\n![[:alpha:]].txt": ("", "b.txt"),
    "*.txt\n!KEEP*": ("a.txt", "keep.txt"),
    "*.txt\n!a/**/b.txt": ("b.txt", "a/b.txt a/x/b.txt"),
}


@pytest.mark.parametrize("patterns", CASES)
def test_only_what_is_certain_is_ignored(patterns: str) -> None:
    certain, other = CASES[patterns]
    rules = parse_ignore_file(patterns.encode())
    assert [each for each in certain.split() if not rules.certainly_match(each)] == []
    names = [other] if other != other.strip() or patterns == "own\\ x" else other.split()
    assert [each for each in names if rules.certainly_match(each)] == []


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf# own\nown\n", b"own\n\xff\n"])
def test_a_file_that_tools_read_differently_ignores_nothing(content: bytes) -> None:
    assert not parse_ignore_file(content).certainly_match("own")


def test_every_line_end_ends_a_pattern_and_no_other_character_does() -> None:
    rules = parse_ignore_file(b"one\r\ntwo\rthree\nfour\x0cfive\n")
    assert [each for each in ("one", "two", "three", "five") if rules.certainly_match(each)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "pattern", ["a/**/b", "[!a]x", "\\b", "[]a]", "**/b", "b", "*", "x[", " b", "b?", "?", "[ab]", "b[wx]"]
)
def test_what_a_pattern_may_match_is_at_least_what_git_matches(pattern: str, tmp_path: Path) -> None:
    found = ignored_by_git(pattern, tmp_path)
    rules = parse_patterns([pattern])
    assert found or pattern in {"x[", " b", "[]a]"}
    assert [each for each in found if not rules.possibly_match(each)] == []


def test_git_ignores_everything_that_is_certain(tmp_path: Path) -> None:
    for number, patterns in enumerate(each for each in CASES if each.strip()):
        directory = tmp_path / str(number)
        found = ignored_by_git(patterns, directory)
        rules = parse_ignore_file(patterns.encode())
        assert [each for each in NAMES if rules.certainly_match(each) and each not in found] == [], patterns


PARTS = ("a", "b", "bx", "own", "data", "cache", "build", "a.csv", "abc", "a.pyc", "keep.txt", "b.txt", "a_pb2.py")
NAMES = ["/".join(each) for count in (1, 2, 3) for each in itertools.product(PARTS, repeat=count)]


def ignored_by_git(patterns: str, directory: Path) -> set[str]:
    directory.mkdir(exist_ok=True)
    (directory / ".gitignore").write_text(patterns)
    subprocess.run(["git", "init", "-q"], cwd=directory, env=git_environment(), check=True)
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=directory, env=git_environment(), input="\n".join(NAMES), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return set(done.stdout.splitlines())


def test_a_pattern_that_keeps_files_ignores_none() -> None:
    rules = parse_patterns(["!own", "!o[a-c]", "own"])
    assert (len(rules.certain), len(rules.uncertain), len(rules.kept)) == (1, 0, 2)


def test_any_pattern_may_match_and_comments_and_empty_lines_are_none() -> None:
    rules = parse_patterns(["own", "o[a-c]", "# o", "", "  "])
    assert (len(rules.certain), len(rules.uncertain), len(rules.kept)) == (1, 1, 0)
    assert [each for each in ("own", "ob", "other", "# o") if rules.possibly_match(each)] == ["own", "ob"]


def test_of_too_many_characters_any_may_match() -> None:
    most = parse_patterns(["own", "x" * (32 * 1024 - 3)])
    assert (most.certainly_match("own"), most.possibly_match("a"), most.possibly_keep("a")) == (True, False, False)
    more = parse_patterns(["own", "x" * (32 * 1024 - 2)])
    assert (more.certainly_match("own"), more.possibly_match("a"), more.possibly_keep("a")) == (False, True, True)
