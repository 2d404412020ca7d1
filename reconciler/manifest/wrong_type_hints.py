"""Hints for values of the wrong type: the same content in the form that the key has, ready to be written."""

import re
import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.manifest.flow_text import flow
from reconciler.manifest.names import MODULE_PATTERN, NAME_PATTERN, VARIABLE_PATTERN, name_of_host
from reconciler.manifest.requirement_corrections import corrected_requirement, split_requirements
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.yaml_document import Value

_LONGEST_COMMAND = 10_000  # characters; `shlex` takes quadratic time
_LONGEST = 400  # characters of a hint's text; a longer one is not read
_MOST_ITEMS = 50  # of a list or mapping: each of thousands of errors may get a hint
_REQUIREMENTS = ("packages", "overrides")
_FILES = ("requirements", "constraints")
_NAMES = ("depends_on", "extras", "groups", "extends", "ignore", "ignore_files")
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def rewritten(path: KeyPath, value: Value, written: Mapping[KeyPath, str]) -> tuple[str, Value] | None:
    """Return the key and the value to write instead of what is at `path`, or None if neither is known.

    `value` is the whole manifest, and `written` the text of the values that YAML does not read as strings. Of a list
    with an invalid item the whole list is returned. The key can be a different one (`matrix` for `python`).
    """
    keys = path[:-1] if isinstance(path[-1], int) else path
    if not keys or not isinstance(keys[-1], str):
        return None
    found = _at(value, keys)
    if isinstance(found, tuple | dict) and len(found) > _MOST_ITEMS:
        return None
    in_entry = len(keys) == 3 or (len(keys) > 5 and keys[2] == "matrix")
    key, result = keys[-1], None
    if keys in {("environments",), ("templates",)}:
        result = _named_entries(found)
    elif len(keys) == 2:
        result = _entry(found)
    elif keys == ("indexes",):
        result = _indexes(found)
    elif in_entry and key == "python":
        return _python(found, keys, written, has_matrix="matrix" in (_mapping(_at(value, keys[:-1]))))
    elif in_entry:
        result = _of_environment(key, found, keys, written)
    elif keys[2:3] == ("hooks",) and key in {"after_publish", "before_delete"}:
        result = _commands(found)
    elif keys[2:] == ("project", key) and key in _NAMES:
        result = _of_environment(key, found, keys, written)
    if not result or result == found or len(flow(result)) > _LONGEST:
        return None
    return key, result


def scalar(expected: str, found: object) -> str:
    """Return a number, a boolean or a word without quotes that a value of the wrong type means, or an empty string."""
    match expected:
        case "a whole number" if isinstance(found, str) and re.fullmatch(r"\s*\d{1,9}\s*", found):
            return str(int(found))
        case "a whole number" if isinstance(found, float) and found.is_integer():
            return str(int(found))
        case "`true` or `false`":
            word = str(found).strip().lower()
            return "true" if word in _TRUE else "false" if word in _FALSE else ""
        case _:
            return ""


def _of_environment(key: str, found: Value, keys: KeyPath, written: Mapping[KeyPath, str]) -> Value:
    """Return the value of a key of an environment in its right form; None if it cannot be known."""
    match key, found:
        case _, str() if key in _REQUIREMENTS:
            return tuple(split_requirements(found))
        case _, dict() | tuple() if key in _REQUIREMENTS:
            return _requirements(found)
        case _, str() if key in _FILES:
            return tuple(re.sub(r"^(-r|-c)\s*", "", each.strip()) for each in re.split(r"[\n,]", found) if each.strip())
        case _, str() if key in _NAMES:
            return tuple(each for each in re.split(r"[\s,]+", found) if each)
        case "env" | "labels", str() | tuple():
            return _assignments(found, key)
        case "project", str():
            return {"path": found}
        case "lock", str():
            return {"from": found}
        case "project", True:
            return {"path": "."}
        case "builds", bool():
            return "allow" if found else "deny"
        case "prerelease", bool():
            return "allow" if found else "disallow"
        case "probes", dict():
            return (found,)
        case "probes", str() | tuple():
            probes = tuple(_probe(each) for each in (found if isinstance(found, tuple) else (found,)))
            return None if None in probes else probes
        case "health", str():
            return {"run": tuple(command_words(found))}
        case "health", tuple() if all(isinstance(each, str) for each in found):
            return {"run": found}
        case "matrix", tuple():
            return {"python": _texts(found, keys, written)}
        case "matrix", str():
            return {"python": tuple(each for each in re.split(r"[\s,]+", found) if each)}
        case _:
            return None


def _python(
    found: Value, keys: KeyPath, written: Mapping[KeyPath, str], *, has_matrix: bool
) -> tuple[str, Value] | None:
    if isinstance(found, dict):
        for key, each in found.items():
            return "python", str(written.get((*keys, key), each))
    if isinstance(found, str):
        return ("python", found)
    texts = _texts(found, keys, written) if isinstance(found, tuple) else ()
    if len(texts) == 1:
        return ("python", texts[0])
    return ("matrix", {"python": texts}) if texts and not has_matrix else None


def _texts(items: tuple[Value, ...], keys: KeyPath, written: Mapping[KeyPath, str]) -> tuple[str, ...]:
    """Return the items of a list as texts, as they are written: 3.10 is not 3.1."""
    return tuple(
        str(written.get((*keys, at), each)) for at, each in enumerate(items) if isinstance(each, str | float | int)
    )


def _requirements(found: Value) -> Value:
    """Return the requirements in a mapping of names to versions, and in a list of such mappings; None if unknown."""
    result: list[str] = []
    for each in found if isinstance(found, tuple) else (found,):
        match each:
            case str():
                result.append(each)
            case dict() if isinstance(name := each.get("name"), str):
                result.append(_with_version(name, each.get("version", "")))
            case dict():
                for name, version in each.items():
                    nested = isinstance(version, tuple) and name == "pip"
                    inner = _requirements(version) if nested else _with_version(name, version)
                    result += map(str, inner) if isinstance(inner, tuple) else [str(inner or "")]
            case _:
                return None
    return tuple(result) if all(result) else None


def _with_version(name: str, version: Value) -> str:
    """Return a requirement from a name and what another tool's file has as its version; empty if that is unknown."""
    if isinstance(version, dict):
        extras = version.get("extras")
        listed = f"[{','.join(map(str, extras))}]" if isinstance(extras, tuple) else ""
        return _with_version(f"{name}{listed}", version.get("version", ""))
    if isinstance(version, tuple):
        return ""
    text = "" if version in {None, "*", "latest", "any"} else str(version).strip()
    guess = f"{name}{'' if not text or text[0] in '<>=!~^*' else '=='}{text}"
    return corrected_requirement(f" {guess} ") if text else name


def _assignments(found: Value, key: str) -> Value:
    """Return `[A=1, {B: 2}]` or `A=1` as a mapping; None if an item is neither."""
    result: dict[str, Value] = {}
    for each in found.splitlines() if isinstance(found, str) else found if isinstance(found, tuple) else ():
        match each:
            case str() if match := re.fullmatch(r"(?:export\s+)?([\w./-]+)\s*[=:]\s*(.*)", each.strip()):
                result[match[1]] = match[2].strip().strip("\"'")
            case str() if key == "labels" and re.fullmatch(r"[\w./-]+", each):
                result[each] = "yes"
            case dict():
                result |= {name: str(value) for name, value in each.items()}
            case _:
                return None
    valid = VARIABLE_PATTERN if key == "env" else r"[\w./-]+"
    return result if all(re.fullmatch(valid, each) for each in result) else None


def _probe(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in {"dependencies", "pip check", "check"}:
        return "dependencies"
    module = re.sub(r"^import\s+", "", text)
    if re.fullmatch(MODULE_PATTERN, module):
        return {"import": module}
    return {"run": tuple(command_words(text))} if text else None


def _commands(found: Value) -> Value:
    """Return one command, or a list of its words, as a list of commands; None if it is a list of several commands."""
    if isinstance(found, str):
        return tuple(tuple(command_words(line)) for line in found.splitlines() if line.strip())
    if not isinstance(found, tuple) or not all(isinstance(each, str) for each in found):
        return None
    texts = [str(each) for each in found]
    if any(" " in each.strip() for each in texts[:1]):
        return tuple(tuple(command_words(each)) for each in texts)
    return (tuple(texts),)


def command_words(text: str) -> list[str]:
    """Return the words of a command that was written as one text; none if it is longer than any hint."""
    if len(text) > _LONGEST_COMMAND:
        return []
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _named_entries(found: Value) -> Value:
    """Return a list of `{name: web, ...}` or `{web: ...}` as a mapping by name; None if an item has no name."""
    result: dict[str, Value] = {}
    for each in found if isinstance(found, tuple) else ():
        match each:
            case dict() if isinstance(name := each.get("name"), str):
                result[name] = {key: value for key, value in each.items() if key != "name"}
            case dict() if len(each) == 1 and isinstance(next(iter(each.values())), dict):
                result |= each
            case _:
                return None
    return result if all(re.fullmatch(NAME_PATTERN, each) for each in result) else None


def _entry(found: Value) -> Value:
    """Return a list of packages as an environment that installs them; None for anything else."""
    packages = _requirements(found) if isinstance(found, tuple) else None
    return {"packages": packages} if packages else None


def _indexes(found: Value) -> Value:
    urls: list[Value] = []
    match found:
        case str():
            urls = [*re.split(r"[\s,]+", found.strip())]
        case tuple():
            urls = [*found]
        case dict() if "url" in found:
            urls = [found]
        case dict():
            urls = [{"name": name, "url": url} for name, url in found.items()]
        case _:
            pass
    result: list[Value] = []
    for number, url in enumerate(urls):
        if isinstance(url, str):
            if "://" not in url:
                return None
            host = urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]
            name = name_of_host(host) or f"index-{number + 1}"
            result.append({"name": name, "url": url})
        elif isinstance(url, dict) and isinstance(url.get("url"), str):
            result.append(url)
        else:
            return None
    return tuple(result)


def _at(value: Value, path: KeyPath) -> Value:
    for part in path:
        match value:
            case dict() if isinstance(part, str):
                value = value.get(part)
            case tuple() if isinstance(part, int):
                value = value[part]
            case _:
                return None
    return value


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
