"""Corrects frequent mistakes in a requirement: operators and ranges of other tools, missing commas and quotes, URLs."""

import difflib
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

_MOST_PARTS = 10  # of a requirement that was divided at its commas
_LONGEST_LIST = 1000  # characters of several requirements
_LONGEST = 200  # characters; a longer text is not a requirement with one mistake
_VERSION = r"\d[\w.+*]*+(?:!\d[\w.+*]*+)?"  # possessive: long versions must not take long
_MARKERS = (
    "python_version", "python_full_version", "os_name", "sys_platform", "platform_release", "platform_system",
    "platform_version", "platform_machine", "platform_python_implementation", "implementation_name",
    "implementation_version", "extra",
)  # fmt: skip
_QUOTES = dict.fromkeys(range(0x201C, 0x2020), '"') | dict.fromkeys(range(0x2018, 0x201C), "'")


def corrected_requirement(text: str, *, even_if_valid: bool = True) -> str:
    """Return a valid requirement that `text` most likely should be, or an empty string.

    The mistakes are corrected one after the other, until the text is valid. A text that is valid without the white
    space around it is only returned with `even_if_valid`.
    """
    if len(text) > _LONGEST or "\n" in text:
        return ""
    for start in (_bare(text), _named_url(text)):
        corrected = start
        if corrected != text and (even_if_valid or corrected != text.strip()) and _is_valid(corrected):
            return corrected
        for correct in _CORRECTIONS:
            corrected, before = correct(corrected), corrected
            if corrected != before and _is_valid(corrected):
                return re.sub(r"\s{2,}", " ", re.sub(r"\s+,", ",", corrected))
    return ""


def straight_quotes(text: str) -> str:
    """Return a text with the quotes of word processors replaced by those of YAML and Python."""
    return text.translate(_QUOTES)


def split_requirements(text: str) -> list[str]:
    """Return the requirements in one text: one a line, or separated by commas or spaces; empty if any is invalid."""
    if len(text) > _LONGEST_LIST:
        return []
    lines = [line for each in text.splitlines() if (line := re.sub(r"(^|\s)#.*", "", each).strip().removeprefix("- "))]
    if len(lines) == 1 and not _is_valid(lines[0]):
        words = lines[0].split()
        several = all(re.match(r"[A-Za-z]", each) for each in words)
        lines = _separated_by_commas(lines[0]) or (words if several else lines)
    found = [each if _is_valid(each) else corrected_requirement(each) for each in lines]
    return found if all(found) else []


def _separated_by_commas(text: str) -> list[str]:
    """Return the parts between commas; one that starts with an operator belongs to the part before it."""
    parts: list[str] = []
    for part in re.split(r",(?![^\[]*\])", text):
        if parts and re.match(r"\s*[<>=!~]", part):
            parts[-1] += f",{part.strip()}"
        elif part.strip():
            parts.append(part.strip())
    return parts if len(parts) > 1 else []


def _is_valid(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _bare(text: str) -> str:
    """Return a text without what surrounds a requirement in commands and other files."""
    text = straight_quotes(text.strip())
    text = re.sub(r"^(?:\$ )?(?:python3? -m )?(?:uv )?pip3? install (?:-U |--upgrade )?", "", text)
    text = re.sub(r"(?<!\s)\s+#.*$", "", text)
    text = text.rstrip(",;").strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _named_url(text: str) -> str:
    """Return a URL without a name as `NAME @ URL` if it contains the name, otherwise the text."""
    text = text.strip()
    if copied := re.fullmatch(r"(?:git\+)?(?:ssh://)?git@([\w.-]+)[:/]([\w./~-]+?)(@[\w./-]+)?", text):
        text = f"git+ssh://git@{copied[1]}/{copied[2]}{copied[3] or ''}"
    if not re.match(r"(?:git\+)?(?:https?|ssh|file)://", text):
        return text
    bare, fragment = urldefrag(text)
    kept = "&".join(each for each in fragment.split("&") if each and not each.startswith("egg="))
    egg = next((each.removeprefix("egg=") for each in fragment.split("&") if each.startswith("egg=")), "")
    try:
        path = unquote(urlsplit(bare).path).rstrip("/")
    except ValueError:
        return text
    name, forge = _name_in(path.rpartition("/")[2]), False
    if not name and re.match(r"(?:git\+)?[a-z]+://(?:[^/@]*@)?[\w.-]+/[^/]+(?:/[^/]+)+$", bare):
        repository = re.sub(r"@[^/]*$", "", path).rpartition("/")[2].removesuffix(".git")
        forge = (
            bare.startswith("git+") or path.endswith(".git") or re.match(r"https://git(?:hub|lab)\.", bare) is not None
        )
        name = repository if forge and re.fullmatch(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", repository) else ""
    name = egg or name
    if not name:
        return text
    url = bare if bare.startswith("git+") or not forge else f"git+{bare}"
    return f"{name} @ {url}" + (f"#{kept}" if kept else "")


def _name_in(file_name: str) -> str:
    try:
        if file_name.endswith(".whl"):
            return str(parse_wheel_filename(file_name)[0])
        return str(parse_sdist_filename(file_name)[0])
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""


def _in_specifiers(correct: Callable[[str], str]) -> Callable[[str], str]:
    """Return a correction that leaves the marker after `;` and a URL as they are."""

    def corrected(text: str) -> str:
        if "://" in text:
            return text
        specifiers, semicolon, marker = text.partition(";")
        return correct(specifiers) + semicolon + marker

    return corrected


def _extras(text: str) -> str:
    text = re.sub(r"^([\w.-]+)\s*\(([A-Za-z][\w, -]*)\)", r"\1[\2]", text)
    return re.sub(r"^([\w.-]+\[[\w, -]+)(?=$|[<>=!~])", r"\1]", text) if "]" not in text else text


def _operators(text: str) -> str:
    text = re.sub(rf"^([\w.-]+==?\s*{_VERSION})=\w+$", r"\1", text)  # conda's name=version=build
    for wrong, right in (
        ("=>", ">="),
        ("=<", "<="),
        (r"(?<![=<>!~])=(?!=)", "=="),
        (r"(?<=[\w\]])\s*(?:@|:)\s*(?=\d)", "=="),
    ):
        text = re.sub(wrong, right, text)
    return text


def _spaces(text: str) -> str:
    return re.sub(r"(?<=[\w\]])\s+(?=\d)", "==", text, count=1)


def _ranges(text: str) -> str:
    """Return poetry's and npm's `^1.2` and `~1.2` as PEP 440 writes them."""

    def caret(match: re.Match[str]) -> str:
        numbers = [int(each) for each in match[1].split(".")]
        at = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={match[1]},<{'.'.join(map(str, [*numbers[:at], numbers[at] + 1]))}"

    def tilde(match: re.Match[str]) -> str:
        numbers = [int(each) for each in match[1].split(".")][:2]
        return f">={match[1]},<{'.'.join(map(str, [*numbers[:-1], numbers[-1] + 1]))}"

    text = re.sub(r"\s*+(?:[=@]=?+)?\s*+\^\s*(\d+(?:\.\d+)*)", caret, text)
    return re.sub(r"\s*+(?:[=@]=?+)?\s*+~(?!=)>?\s*(\d+(?:\.\d+)*)", tilde, text)


def _wildcards(text: str) -> str:
    text = re.sub(r"([<>]=?)(\s*\d+(?:\.\d+)*)\.[*x](?![\w.])", r"\1\2", text)
    text = re.sub(r"~=(\s*\d+(?:\.\d+)*)\.\*", r"==\1.*", text)
    text = re.sub(r"(?<=\d)\.x\b", ".*", text)
    return re.sub(r"\s*(?:[=@:~^<>!]+\s*|(?<=[\w\]])\s+)(?:\*|latest|any)\s*$", "", text)


def _commas(text: str) -> str:
    text = re.sub(rf"((?:[<>=!~]=?=?)\s*{_VERSION})\s*(?:&&?|\band\b)?\s*(?=[<>=!~])", r"\1,", text)
    return re.sub(r",\s*,+", ",", text)


def _endings(text: str) -> str:
    return re.sub(r"(?<=[\w\]])\s*[<>=!~]+\s*$", "", text)


def _marker(text: str) -> str:
    specifiers, semicolon, marker = text.partition(";")
    if not semicolon:
        return text
    marker = marker.replace("&&", " and ").replace("||", " or ").replace("sys.platform", "sys_platform")
    marker = re.sub(r"(?<![=<>!~])=(?!=)", "==", marker)
    marker = re.sub(r"((?:[<>=!~]=?=?|\bin)\s*)([\w.*+-]+)(?=\s|\)|$)", r'\1"\2"', marker)

    def known(match: re.Match[str]) -> str:
        word = match[0].lower().replace("-", "_")
        likely = difflib.get_close_matches(word, _MARKERS, n=1, cutoff=0.75)
        return likely[0] if likely else match[0]

    marker = re.sub(r"""(?<!["'\w])[A-Za-z][\w-]+(?=\s*(?:[<>=!~]|not in\b|in\b))""", known, marker)
    return f"{specifiers.strip()}; {marker.strip()}"


_CORRECTIONS: tuple[Callable[[str], str], ...] = (
    _marker,
    _in_specifiers(_extras),
    _in_specifiers(_ranges),
    _in_specifiers(_operators),
    _in_specifiers(_wildcards),
    _in_specifiers(_commas),
    _in_specifiers(_spaces),
    _in_specifiers(_endings),
)


def operators_of_lists(items: tuple[object, ...], at: int) -> str:
    """Return the requirement that YAML divided at its commas, if item `at` of a list is a part of one, or "".

    `[django>=4,<5]` is the list of `django>=4` and `<5`.
    """
    first = at
    while (
        first > max(0, at - _MOST_PARTS)
        and isinstance(items[first], str)
        and re.match(r"\s*[<>=!~]", str(items[first]))
    ):
        first -= 1
    if first == at or re.match(r"\s*[<>=!~]", str(items[first])):
        return ""
    joined = ",".join(str(each).strip() for each in _run(items[: first + 2 * _MOST_PARTS], first))
    return joined if _is_valid(joined) else ""


def _run(items: tuple[object, ...], first: int) -> Iterator[object]:
    yield items[first]
    for each in items[first + 1 :]:
        if not (isinstance(each, str) and re.match(r"\s*[<>=!~]", each)):
            return
        yield each
