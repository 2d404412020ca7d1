"""Checks a matrix as it is written in one place, before templates are merged: its axes and the keys of its variants."""

import difflib
from collections.abc import Iterator, Mapping

from reconciler.errors import Problem
from reconciler.manifest.hints import suggest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.matrix_members import SETTINGS
from reconciler.manifest.models import NOT_IN_A_VARIANT
from reconciler.manifest.names import validate_axis_name
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.yaml_document import Value

_LONGEST_COMPARED = 100  # characters
# Keys of a matrix in other tools, and what to do in envsync instead.
_UNSUPPORTED = {
    "include": "declare a separate environment for the additional combination",
    "fail-fast": "remove it: one environment that fails does not stop the others",
    "max-parallel": "remove it: envsync decides how many environments it builds at the same time",
}


def variants_in(matrix: object, path: KeyPath) -> Iterator[tuple[KeyPath, Mapping[str, Value]]]:
    """Yield the keys of each variant of a written matrix, with the key path of the variant."""
    for axis, variants in matrix.items() if isinstance(matrix, Mapping) else ():
        if axis not in SETTINGS and isinstance(variants, Mapping):
            for name, keys in variants.items():
                if isinstance(keys, Mapping):
                    yield (*path, axis, name), keys


def unusable_keys(matrix: Value) -> list[str]:
    """Return the keys of a written matrix that cannot be axes; their values are not checked."""
    return [
        key
        for key, value in (matrix.items() if isinstance(matrix, dict) else ())
        if key in _UNSUPPORTED or (key not in {*SETTINGS, "python"} and not _is_axis(value) and misspelt_key(key))
    ]


def _is_axis(value: Value) -> bool:
    return isinstance(value, dict) or (isinstance(value, tuple) and not any(isinstance(each, dict) for each in value))


def written_matrix_problems(matrix: Value, path: KeyPath, source: SourceText) -> Iterator[Problem]:
    """Yield a problem for every axis with an invalid name, and for every key that a variant cannot have."""
    unusable = unusable_keys(matrix)
    for axis in matrix if isinstance(matrix, dict) else ():
        place = source.key_place((*path, axis))
        if axis in _UNSUPPORTED:
            message = f"`{axis}` is not supported in a matrix"
            yield source.problem(message, (*path, axis), hint=_UNSUPPORTED[axis], place=place)
        elif axis in unusable:
            yield source.problem("unknown key", (*path, axis), hint=suggest(misspelt_key(axis)), place=place)
        else:
            try:
                validate_axis_name(axis)
            except InvalidTextError as error:
                yield source.problem(error.message, (*path, axis), hint=error.hint, place=place)
    for variant_path, keys in variants_in(matrix, path):
        for key in NOT_IN_A_VARIANT:
            if key in keys:
                place = source.key_place((*variant_path, key))
                message = f"`{key}` is not allowed in a variant"
                yield source.problem(message, (*variant_path, key), hint=_variant_hint(key), place=place)


def _variant_hint(key: str) -> str:
    """Return what to do instead of writing one of `NOT_IN_A_VARIANT` in a variant."""
    if key == "extends":
        return "write it in the environment, and in the variant only the keys that differ"
    if key == "matrix":
        return "add an axis to the matrix of the environment instead"
    return "remove it, or declare the environment that was renamed without a matrix"


def misspelt_key(axis: str) -> str:
    """Return the key of a matrix that an axis is most likely a misspelling of, or an empty string."""
    if axis.startswith("python") or axis == "py":
        return "python"
    if len(axis) > _LONGEST_COMPARED:
        return ""
    likely = difflib.get_close_matches(axis, ("python", *sorted(SETTINGS)), n=1, cutoff=0.75)
    return likely[0] if likely else ""
