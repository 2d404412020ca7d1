"""The matrix: one entry that stands for several environments, one a Python version."""


def cell_name(entry: str, python: str) -> str:
    """Return the name of the environment for one version: `test` and `3.12` make `test-py312`."""
    return f"{entry}-py{python.strip().lower().replace('.', '')}"
