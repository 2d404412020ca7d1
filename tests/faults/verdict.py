"""What a trial came to, as the worker says it and the report counts it."""

from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Verdict:
    """`torn`, `stuck`, `left`: what was found that must not be, in words; empty lists are what is promised.

    `torn`: the environment is neither old nor new, or a reading command fails. `unclear`: an error that does not say
    what and where. `stuck`: the same command again does not come to the new state. `left`: what it then left behind.
    `fine` and `checked` say that the rerun and the tool's own check called a stuck state fine. `calls` are the names of
    the calls of the program and of its children.
    """

    operation: str
    hit: str = ""
    died: bool = False
    code: int = 0
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
        """Return whether anything was found that must not be."""
        return bool(self.torn or self.unclear or self.stuck or self.left)

    def to_json(self) -> Json:
        """Return it as plain JSON."""
        return asdict(self)
