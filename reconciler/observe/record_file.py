"""Parses RECORD (PEP 376), the list of a distribution's files with paths relative to its site-packages directory."""

import csv
import posixpath

_COLUMNS = 3  # path, hash, size


def is_valid_record(text: str) -> bool:
    """Return whether `text` is a valid RECORD: every row has a path, a hash and a size."""
    if '"' not in text and "\r" not in text:  # the common case, without the csv reader
        return all(line.count(",") == _COLUMNS - 1 and line[0] != "," for line in text.split("\n") if line)
    try:
        return all(len(row) == _COLUMNS and row[0] for row in csv.reader(text.splitlines(), strict=True) if row)
    except csv.Error:
        return False


def recorded_paths(text: str, site: str) -> list[str]:
    """Return the paths in a RECORD or in installed-files.txt, relative to the environment.

    `site` is the relative path of the directory that the rows are relative to. Paths outside the environment are left
    out.
    """
    paths = []
    try:
        for row in csv.reader(text.splitlines()):
            if row and row[0]:
                path = posixpath.normpath(posixpath.join(site, row[0]))
                if not path.startswith(("../", "/")):
                    paths.append(path)
    except csv.Error:
        return paths
    return paths
