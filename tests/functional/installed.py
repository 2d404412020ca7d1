"""Writes metadata of installed distributions that no installer writes, and small projects to install."""

import json
from pathlib import Path


def site_packages(env: Path) -> Path:
    """Return an environment's site-packages."""
    return next((env / "lib").glob("python3*/site-packages"))


def dist_info(
    site: Path,
    name: str,
    version: str,
    *,
    directory: str | None = None,
    metadata: str | bytes | None = None,
    direct_url: object = None,
    record: str | None = "",
) -> Path:
    """Write a dist-info directory; `metadata` None is the usual METADATA, `record` None means no RECORD."""
    info = site / (directory or f"{name.replace('-', '_')}-{version}.dist-info")
    info.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if metadata is None else metadata
    (info / "METADATA").write_bytes(text.encode() if isinstance(text, str) else text)
    if record is not None:
        (info / "RECORD").write_text(record)
    if direct_url is not None:
        (info / "direct_url.json").write_text(direct_url if isinstance(direct_url, str) else json.dumps(direct_url))
    return info


def editable(site: Path, name: str, project: Path) -> None:
    """Write the metadata of a PEP 660 install of the project at `project`."""
    dist_info(site, name, "1.0", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}})


def project(directory: Path, name: str, *, backend: str = "hatchling") -> Path:
    """Write a small project that `backend` (hatchling, setuptools, poetry-core, pdm-backend) builds."""
    module = name.replace("-", "_")
    package = directory / "src" / module
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    build = {
        "hatchling": 'requires = ["hatchling"]\nbuild-backend = "hatchling.build"',
        "setuptools": 'requires = ["setuptools>=64"]\nbuild-backend = "setuptools.build_meta"',
        "poetry": 'requires = ["poetry-core>=2"]\nbuild-backend = "poetry.core.masonry.api"',
        "pdm": 'requires = ["pdm-backend"]\nbuild-backend = "pdm.backend"',
    }[backend]
    extra = f'\n[tool.poetry]\npackages = [{{include = "{module}", from = "src"}}]\n' if backend == "poetry" else ""
    extra += "\n[tool.pdm]\ndistribution = true\n" if backend == "pdm" else ""
    (directory / "pyproject.toml").write_text(
        f'[build-system]\n{build}\n\n[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.8"\n{extra}'
    )
    return directory


def legacy_project(directory: Path, name: str, *, version: str = "1.0") -> Path:
    """Write a project that has only a setup.py."""
    directory.mkdir(parents=True)
    (directory / "setup.py").write_text(
        f"from setuptools import setup\nsetup(name={name!r}, version={version!r}, py_modules=[{name!r}])\n"
    )
    (directory / f"{name}.py").write_text("")
    return directory
