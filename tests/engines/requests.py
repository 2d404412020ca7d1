"""Requests to an engine as an environment has them whose manifest sets no options; each option can be changed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.engines.engine import InstallRequest, ResolveRequest
from reconciler.interpreters.model import Interpreter


def resolve_request(*requirements: str, interpreter: Interpreter, **options: Any) -> ResolveRequest:
    plain = ResolveRequest(
        requirements=requirements,
        interpreter=interpreter,
        python_version=interpreter.series,
        constraints=(),
        overrides=(),
        indexes=(),
        exclude_newer=None,
        prerelease="if-necessary",
        builds="allow",
        offline=False,
        preferences=None,
        upgrade=False,
        directory=None,
        variables={},
    )
    return replace(plain, **options)


def install_request(venv: Path, pylock: Path, **options: Any) -> InstallRequest:
    plain = InstallRequest(
        venv=venv,
        pylock=pylock,
        indexes=(),
        link_mode=None,
        compile_bytecode=False,
        builds="allow",
        offline=False,
        refresh=(),
        variables={},
        secrets={},
        public=frozenset(),
    )
    return replace(plain, **options)
