"""The names that a manifest gives or mentions: what each may look like."""

import re

from packaging.utils import InvalidName, canonicalize_name

from reconciler.manifest.refusal import RefusedError

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
PROJECT_PATTERN = r"^[a-z0-9][a-z0-9-]*$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
GLOB_PATTERN = r"^[A-Za-z0-9*?]([A-Za-z0-9._*?-]*[A-Za-z0-9*?])?$"
LABEL_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"
MODULE_PATTERN = r"^[^\W\d]\w*(\.[^\W\d]\w*)*$"
_LONGEST_NAME = 100  # a file name with prefix and suffix stays below 255 bytes

# What an activated environment sets itself: another value would make it another environment.
RESERVED_VARIABLES = frozenset({"PATH", "PYTHONHOME", "VIRTUAL_ENV"})


def check_name(text: str) -> str:
    """Return the name of an environment, template or index, or refuse it."""
    return _matching(text, NAME_PATTERN, "lower-case letters, digits, - and _")


def check_project_id(text: str) -> str:
    """Return the manifest's project id, or refuse it."""
    return _matching(text, PROJECT_PATTERN, "lower-case letters, digits and -")


def _matching(text: str, pattern: str, allowed: str) -> str:
    if not re.fullmatch(pattern, text):
        suggestion = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")
        if pattern == PROJECT_PATTERN:
            suggestion = suggestion.replace("_", "-")
        hint = f"for instance `{suggestion}`" if re.fullmatch(pattern, suggestion) else ""
        raise RefusedError(f"not a valid name: only {allowed}, starting with a letter or digit", hint=hint)
    if len(text) > _LONGEST_NAME:
        raise RefusedError(f"not a valid name: more than {_LONGEST_NAME} characters")
    return text


def check_package_name(text: str) -> str:
    """Return a package name normalized (PEP 503), or refuse it."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise RefusedError("not a valid package name", hint="a name alone, without version") from error


def check_extra_name(text: str) -> str:
    """Return the name of an extra or a dependency group normalized (PEP 685, PEP 735), or refuse it."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise RefusedError("not a valid name: only letters, digits, ., - and _") from error


def check_package_glob(text: str) -> str:
    """Return a pattern of package names (`acme-*`; * and ? alone) normalized as a name is, or refuse it."""
    if not re.fullmatch(GLOB_PATTERN, text):
        raise RefusedError(
            "not a pattern of package names", hint="a package name, in which * and ? stand for characters"
        )
    return re.sub(r"[-_.]+", "-", text).lower()


def check_file_glob(text: str) -> str:
    """Return a glob of files in the environment, relative with forward slashes, or refuse it."""
    if not text.strip() or text.startswith("/") or "\\" in text or ".." in text.split("/"):
        raise RefusedError("not a pattern of files in the environment", hint="relative to it, for instance `share/**`")
    return text


def check_variable(name: str) -> str:
    """Return the name of an environment variable that a manifest may set, or refuse it."""
    if not re.fullmatch(VARIABLE_PATTERN, name):
        raise RefusedError("not a valid variable name: only letters, digits and _, not starting with a digit")
    if name in RESERVED_VARIABLES:
        raise RefusedError(f"`{name}` is set by the environment itself", hint="remove it")
    return name


def check_label(name: str) -> str:
    """Return the name of a label, or refuse it: `-l NAME=VALUE` has to be able to say it."""
    if not re.fullmatch(LABEL_PATTERN, name):
        raise RefusedError("not a valid label name: only letters, digits, . _ / and -")
    return name


def check_module(text: str) -> str:
    """Return the dotted name of a module, or refuse it."""
    if not re.fullmatch(MODULE_PATTERN, text):
        raise RefusedError("not the name of a module", hint="as after `import`, for instance `acme.settings`")
    return text
