"""Parses and normalizes one requirement (PEP 508) with `packaging`; errors know the column of the invalid part."""

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.manifest.hints import suggest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.names import name_of_host
from reconciler.manifest.urls import LOCAL_DIRECTORY_HINT, forbid_credentials, validate_direct_url

# Words of packaging's messages that only those who know the grammar of requirements understand. Longer ones come first.
_PLAIN_WORDS = {
    "semicolon (after name with no version specifier) or end": "a version specifier such as `==1.0` after the name",
    "comma (within version specifier), semicolon (after version specifier) or end": (
        "a complete version specifier such as `>=1.0,<2`"
    ),
    "matching RIGHT_BRACKET for LEFT_BRACKET, after extras": "`]` after the extras",
    "package name at the start of dependency specifier": "a package name at the start",
    "LEFT_BRACKET": "[",
    "RIGHT_BRACKET": "]",
    "LEFT_PARENTHESIS": "(",
    "RIGHT_PARENTHESIS": ")",
}

_LONGEST_WITH_HINT = 1000  # characters: no mistake that has a hint is longer


def parse_requirement(text: str) -> Requirement:
    """Return the requirement with its names normalized; raises InvalidTextError."""
    stripped = text.strip()
    lead = len(text) - len(text.lstrip())
    if not stripped:
        raise InvalidTextError("the requirement is empty", hint="")
    if stripped.startswith("-"):
        raise _option(stripped, lead)
    if "\n" in stripped or "\r" in stripped:
        raise InvalidTextError("not a valid requirement: it has more than one line", hint="")
    try:
        parsed = Requirement(stripped)
    except InvalidRequirement as error:
        raise _invalid_requirement(stripped, lead, error) from error
    if parsed.url:
        try:
            validate_direct_url(parsed.url, offset=lead + stripped.find(parsed.url))
        except InvalidTextError as error:
            from reconciler.manifest.requirement_corrections import corrected_requirement

            if "://" not in parsed.url and (corrected := corrected_requirement(f" {stripped} ", even_if_valid=False)):
                error.hint = suggest(corrected)
            raise
    parsed.name = canonicalize_name(parsed.name)
    parsed.extras = {canonicalize_name(extra) for extra in parsed.extras}
    return parsed


def normalize_requirement(text: str) -> str:
    """Return the requirement in one spelling: names normalized, uniform spaces, extras and specifiers sorted."""
    return str(parse_requirement(text))


def _invalid_requirement(text: str, lead: int, error: InvalidRequirement) -> InvalidTextError:
    """Return packaging's error in one line with a likely correction; raises InvalidTextError for credentials.

    `lead` is the number of characters before `text`.
    """
    forbid_credentials(text, offset=lead)
    message = str(error).splitlines()[0]
    # The span of the invalid part is only on the error's cause, which is not a public interface.
    start, end = getattr(error.__cause__, "span", (0, len(text)))
    hint = _hint(text) if len(text) <= _LONGEST_WITH_HINT else ""
    message = message[:1].lower() + message[1:]
    for words, plain in _PLAIN_WORDS.items():
        message = message.replace(words, plain)
    message = f"not a valid requirement: {message}"
    return InvalidTextError(message, hint=hint, offset=lead + start, width=max(end - start, 1))


def _hint(text: str) -> str:
    """Return a likely correction of an invalid requirement, empty if none is likely."""
    # Corrections are only imported for a manifest with an error, to start quickly.
    from reconciler.manifest.flow_text import flow
    from reconciler.manifest.requirement_corrections import corrected_requirement

    hint = ""
    if re.search(r"\{[a-z][a-z0-9_-]*\}", text):
        hint = "write a version: `{AXIS}` is only replaced in `packages` of an environment with a matrix"
    elif project := _local_project(text):
        hint = f"write `project: {flow(project)}` in the environment instead, or the path in a requirements file"
    elif re.match(r"\.{0,2}[/\\]|[A-Za-z]:[/\\]|~/", text):
        hint = LOCAL_DIRECTORY_HINT
    elif corrected := corrected_requirement(text):
        hint = suggest(corrected)
    elif "://" in text.split(";")[0] and "@" not in text.split("://")[0]:
        hint = "write `NAME @ URL`"
    return hint


def _local_project(text: str) -> dict[str, object]:
    """Return the key `project` for a relative directory, as in `pip install -e ".[dev]"`; empty for anything else."""
    match = re.fullmatch(
        r"(?P<editable>(?:-e|--editable)[ =]\s*)?(?P<path>\.{1,2}(?:[/\\][\w ./\\-]*)?)"
        r"\s*(?:\[(?P<extras>[\w, .-]+)\])?",
        text.strip(),
    )
    if match is None or re.search(r"\.(?:whl|zip|gz|tgz|bz2|xz)$", match["path"]):
        return {}
    project: dict[str, object] = {"path": match["path"].replace("\\", "/").removeprefix("./").rstrip("/") or "."}
    if match["editable"]:
        project["editable"] = True
    if match["extras"]:
        project["extras"] = tuple(each.strip() for each in match["extras"].split(","))
    return project


def _key_for_option(text: str) -> tuple[str, object] | None:
    """Return the key of an environment for an option of pip, and its value; None if there is none."""
    option, _, value = re.sub(r"^(--?[\w-]+)[ =]\s*", r"\1 ", text).partition(" ")
    value = value.strip().strip("\"'")
    match option:
        case "-e" | "--editable" if project := _local_project(text):
            return "project", project
        case "-r" | "--requirement" if value:
            return "requirements", (value,)
        case "-c" | "--constraint" if value:
            return "constraints", (value,)
        case "--pre" if not value:
            return "prerelease", "allow"
        case "--only-binary":
            return "builds", "deny"
        case _:
            return None


def _option(text: str, lead: int) -> InvalidTextError:
    """Return the error for an option of pip in place of a requirement; raises InvalidTextError for credentials."""
    from reconciler.manifest.flow_text import flow

    forbid_credentials(text, offset=lead)
    hint = "use the keys `requirements`, `constraints`, `indexes` or `project` instead"
    if found := _key_for_option(text):
        hint = f"write `{found[0]}: {flow(found[1])}` in the environment instead"
    elif url := re.fullmatch(r"(?:-i|--index-url|--extra-index-url)[ =]\s*[\"']?(\w+://\S+?)[\"']?", text):
        name = name_of_host(url[1].partition("://")[2].partition("/")[0]) or "main"
        keys = flow({"indexes": ({"name": name, "url": url[1]},)})[1:-1]
        hint = f"write `{keys}` at the top level instead"
    return InvalidTextError("must be a requirement, not an option", hint=hint, offset=lead, width=len(text.split()[0]))
