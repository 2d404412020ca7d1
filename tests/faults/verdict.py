"""The verdict on a trial, as a worker returns it and the report counts it."""

from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Verdict:
    """The verdict on one trial; the lists of problems, in words, are empty if every promise held.

    `torn`: the environment is neither old nor new, or a reading command fails. `unclear`: an error does not say what
    failed and where. `stuck`: the same command again does not reach the new state. `left`: what it then left behind.
    `code` is the exit code, `intended` the one of the operation without a fault.
    `fine` and `checked`: the rerun, or the tool's own check, exits with 0 although the state is wrong. `calls` are the
    names of the calls of the program and of its children.
    """

    operation: str
    hit: str = ""
    died: bool = False
    code: int = 0
    intended: int = 0
    words: str = ""
    torn: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    fine: bool = False
    checked: bool = False
    calls: list[list[str]] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        """Return whether any promise did not hold."""
        return bool(self.torn or self.unclear or self.stuck or self.left)

    def to_json(self) -> Json:
        """Return it as plain JSON."""
        return asdict(self)
