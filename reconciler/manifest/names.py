"""The names in a manifest: which are valid, and which to suggest."""

import re

from packaging.utils import InvalidName, canonicalize_name

from reconciler.manifest.invalid_text import InvalidTextError

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
PROJECT_PATTERN = r"^[a-z0-9][a-z0-9-]*$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
GLOB_PATTERN = r"^[A-Za-z0-9*?]([A-Za-z0-9._*?-]*[A-Za-z0-9*?])?$"
AXIS_PATTERN = r"^[a-z][a-z0-9_-]*$"
AXIS_VALUE_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._+-]*[A-Za-z0-9])?$"
LABEL_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"
MODULE_PATTERN = r"^[^\W\d]\w*(\.[^\W\d]\w*)*$"
_MAX_NAME_LENGTH = 100  # a file name with prefix and suffix must stay below 255 bytes

# envsync sets or removes these when it enters an environment. Other values would select a different one.
RESERVED_VARIABLES = frozenset({"PATH", "PYTHONHOME", "VIRTUAL_ENV"})

# A build must use the interpreter, the programs and the packages that the manifest chooses.
RESERVED_BUILD_VARIABLES = frozenset({*RESERVED_VARIABLES, "HOME", "TMPDIR"})
RESERVED_BUILD_PREFIXES = ("PYTHON", "UV_", "PIP_", "LD_", "DYLD_", "ENVSYNC_")
PUBLIC = "public"  # the key of `env` and `build_env` that lists variables whose values may be shown
FROM_ENV = "from_env"  # the key of `build_env` that lists variables of the shell


def validate_name(text: str) -> str:
    """Return the name of an environment, template or index; raises InvalidTextError."""
    return _matching(text, NAME_PATTERN, "lower-case letters, digits, `-` and `_`")


def validate_project_id(text: str) -> str:
    """Return the manifest's project name; raises InvalidTextError."""
    return _matching(text, PROJECT_PATTERN, "lower-case letters, digits and `-`")


def _matching(text: str, pattern: str, allowed: str, *, start: str = "letter or digit") -> str:
    if not re.fullmatch(pattern, text):
        suggestion = closest_name(text)
        if pattern == PROJECT_PATTERN:
            suggestion = suggestion.replace("_", "-")
        if pattern == AXIS_PATTERN:
            suggestion = suggestion.lstrip("0123456789-_")
        works = re.fullmatch(pattern, suggestion) and len(suggestion) <= _MAX_NAME_LENGTH
        hint = f"rename it, for example to `{suggestion}`" if works else ""
        raise InvalidTextError(f"not a valid name: use {allowed}, and start with a {start}", hint=hint)
    if len(text) > _MAX_NAME_LENGTH:
        raise InvalidTextError(f"not a valid name: it is longer than {_MAX_NAME_LENGTH} characters", hint="")
    return text


def closest_name(text: str) -> str:
    """Return the valid name of an environment, template or index that is closest to `text`; empty if none is close."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")


def name_of_host(host: str) -> str:
    """Return a name for the index on `host` (with or without a port); empty if the host has no letters or digits."""
    return re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")


def validate_package_name(text: str) -> str:
    """Return a package name, normalized (PEP 503); raises InvalidTextError."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise InvalidTextError("not a valid package name", hint="write only the name, without a version") from error


def validate_extra_name(text: str) -> str:
    """Return the name of an extra or dependency group, normalized (PEP 685, PEP 735); raises InvalidTextError."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        message = "not a valid name: use letters, digits, `.`, `-` and `_`, and start and end with a letter or digit"
        raise InvalidTextError(message, hint="") from error


def validate_package_pattern(text: str) -> str:
    """Return a pattern of package names (`acme-*`; wildcards are `*` and `?`), normalized; raises InvalidTextError."""
    if not re.fullmatch(GLOB_PATTERN, text):
        hint = "write a package name; `*` and `?` are the only wildcards"
        raise InvalidTextError("not a valid pattern for package names", hint=hint)
    return re.sub(r"[-_.]+", "-", text).lower()


def validate_file_pattern(text: str) -> str:
    """Return a glob of files in the environment, relative with forward slashes; raises InvalidTextError."""
    if not text.strip() or text.startswith("/") or "\\" in text or ".." in text.split("/"):
        hint = "write a pattern relative to the environment, for example `share/**`"
        raise InvalidTextError("not a valid pattern for files", hint=hint)
    return text


def validate_variable_name(name: str) -> str:
    """Return the name of an environment variable that a manifest may set; raises InvalidTextError."""
    if not re.fullmatch(VARIABLE_PATTERN, name):
        message = "not a valid variable name: use letters, digits and `_`, and do not start with a digit"
        raise InvalidTextError(message, hint="")
    if name in RESERVED_VARIABLES:
        raise InvalidTextError(f"`{name}` is reserved: envsync sets or removes it", hint="remove it")
    return name


def validate_build_variable_name(name: str) -> str:
    """Return the name of a variable that a manifest may give to builds; raises InvalidTextError."""
    if name == FROM_ENV:
        return name
    name = validate_variable_name(name)
    if name in RESERVED_BUILD_VARIABLES or name.startswith(RESERVED_BUILD_PREFIXES):
        message = f"`{name}` is reserved: it would change which programs and packages a build uses"
        raise InvalidTextError(message, hint="remove it; `indexes`, `constraints` and `python` choose these")
    return name


def validate_label_name(name: str) -> str:
    """Return the name of a label, which must work in `-l NAME=VALUE`; raises InvalidTextError."""
    if not re.fullmatch(LABEL_PATTERN, name):
        message = "not a valid label name: use letters, digits and `. _ / -`, and start and end with a letter or digit"
        raise InvalidTextError(message, hint="")
    return name


def validate_module_name(text: str) -> str:
    """Return the dotted name of a module; raises InvalidTextError."""
    if not re.fullmatch(MODULE_PATTERN, text):
        raise InvalidTextError(
            "not a valid module name", hint="write it as in an `import` statement, for example `acme.settings`"
        )
    return text


def validate_axis_name(name: str) -> str:
    """Return the name of a matrix axis, which must work in `{NAME}`; raises InvalidTextError."""
    return _matching(name, AXIS_PATTERN, "lower-case letters, digits, `-` and `_`", start="letter")


def validate_axis_value(text: str) -> str:
    """Return one value of a matrix axis, which becomes part of an environment's name; raises InvalidTextError."""
    if not re.fullmatch(AXIS_VALUE_PATTERN, text):
        message = "not a valid value: use letters, digits and `. _ + -`, and start and end with a letter or digit"
        hint = (
            "write only what differs, for example `4.2`, and the rest in `packages`, for example `django~={django}.0`"
        )
        raise InvalidTextError(message, hint=hint)
    return text
