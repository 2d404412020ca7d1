"""Writes local projects that contain their own build backend (PEP 517, PEP 660): building one needs no index.

The backend leaves `build/` and an `egg-info` in the directory in which it runs, like setuptools.
"""

from pathlib import Path

_BACKEND = """\
import base64, hashlib, os, pathlib, tomllib, zipfile

HERE = pathlib.Path.cwd()
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
NAME, VERSION = PROJECT["name"].replace("-", "_"), PROJECT["version"]
INFO = NAME + "-" + VERSION + ".dist-info"


def metadata():
    lines = ["Metadata-Version: 2.1", "Name: " + PROJECT["name"], "Version: " + VERSION]
    lines += ["Requires-Dist: " + each for each in PROJECT.get("dependencies", [])]
    for extra, needs in PROJECT.get("optional-dependencies", {}).items():
        lines += ["Provides-Extra: " + extra]
        lines += ["Requires-Dist: " + each + " ; extra == '" + extra + "'" for each in needs]
    return "\\n".join(lines) + "\\n"


def write(directory, files):
    (HERE / "build").mkdir(exist_ok=True)
    (HERE / "build" / "left").write_text("over")
    (HERE / (NAME + ".egg-info")).mkdir(exist_ok=True)
    (HERE / (NAME + ".egg-info") / "PKG-INFO").write_text(metadata())
    files = dict(files)
    files[INFO + "/METADATA"] = metadata().encode()
    files[INFO + "/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = ""
    for path, content in files.items():
        hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += path + ",sha256=" + hashed + "," + str(len(content)) + "\\n"
    files[INFO + "/RECORD"] = (record + INFO + "/RECORD,,\\n").encode()
    filename = NAME + "-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, filename), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
    return filename


def build_wheel(directory, config_settings=None, metadata_directory=None):
    sources = sorted((HERE / "src").rglob("*"))
    return write(directory, {p.relative_to(HERE / "src").as_posix(): p.read_bytes() for p in sources if p.is_file()})


def build_editable(directory, config_settings=None, metadata_directory=None):
    return write(directory, {"_" + NAME + ".pth": str(HERE / "src").encode() + b"\\n"})
"""


def write_project(
    directory: Path, name: str, *, version: str = "1.0", dependencies: str = "[]", more: str = "", word: str = "first"
) -> Path:
    """Write a project with one module, whose WORD is `word`; `dependencies` and `more` are TOML below `[project]`.

    Returns the path of the module.
    """
    module = directory / "src" / f"{name.replace('-', '_')}.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(f"WORD = {word!r}\n")
    (directory / "backend.py").write_text(_BACKEND)
    (directory / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {dependencies}\n{more}'
    )
    return module


def read_dependencies_from(directory: Path, file: Path) -> None:
    """Change the project in `directory` so that its backend reads its dependencies from `file`, by an absolute path."""
    backend, pyproject = directory / "backend.py", directory / "pyproject.toml"
    reads = f'PROJECT["dependencies"] = pathlib.Path({str(file)!r}).read_text().split()'
    backend.write_text(backend.read_text().replace("\n\ndef metadata():", f"\n{reads}\n\n\ndef metadata():", 1))
    pyproject.write_text(pyproject.read_text().replace("dependencies = []\n", 'dynamic = ["dependencies"]\n'))
