"""The script of one round, drawn from its seed: when each process starts, and when the holder is killed."""

import random
from dataclasses import dataclass

APPLIES = 8
OLD = {"web": ("alpha==1.0", "beta==2.0"), "worker": ("gamma==0.1",)}
NEW = {"web": ("alpha==1.1", "beta==2.0"), "cron": ("beta==2.0",)}
NAMES = ("cron", "web", "worker")

_TURNS = tuple(0.05 * number for number in range(1, 80))  # the applies start and read the manifest within these times
_READING = (
    ("freeze", "web"),
    ("plan", "--output", "json"),
    ("check", "--output", "json"),
    ("status", "--output", "json"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipRun:
    """One change of `web` by pip or uv: its arguments, and the package that it changes."""

    tool: str
    arguments: tuple[str, ...]
    touched: str


_PIP_RUNS = (
    (("install", "gamma"), "gamma"),
    (("install", "alpha==1.0"), "alpha"),
    (("install", "alpha==1.1"), "alpha"),
    (("uninstall", "beta"), "beta"),
    (("uninstall", "alpha"), "alpha"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One process of envsync: its start (seconds after the start of the round) and arguments."""

    at: float
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One round; times are in seconds after its start.

    `envs.yaml` is replaced at each time in `rewritten_at`, first by the new manifest, then by the old one, and so on;
    many times mean that the applies of both take turns. It is one file, because a different file would be a different
    owner. `pip_run` is None if only envsync runs. With `from_nothing`, the root does not exist yet.
    """

    seed: int
    from_nothing: bool
    keep_generations: int
    rewritten_at: tuple[float, ...]
    applies: tuple[Start, ...]
    readers: tuple[Start, ...]
    pip_run: PipRun | None
    pip_run_at: float
    kill_at: float

    @property
    def touched(self) -> frozenset[str]:
        """Return the packages that pip changes."""
        return frozenset({self.pip_run.touched} if self.pip_run else ())


def draw(seed: int) -> Script:
    """Return the script of a seed, which is always the same."""
    chance = random.Random(seed)  # noqa: S311
    takes_turns = chance.random() < 0.5
    rewritten_at = chance.uniform(0.2, 1.6)
    applies = []
    for number in range(APPLIES):
        late = number >= APPLIES // 2 and not takes_turns
        at = rewritten_at + chance.uniform(0.0, 0.2) if late else chance.uniform(0.0, 0.3)
        patience = ("--lock-timeout", "1") if chance.random() < 0.15 else ()
        applies.append(Start(at=at, arguments=("apply", "--yes", *patience)))
    readers = []
    if chance.random() < 0.6:
        chosen = chance.choices(_READING, k=5)
        readers += [Start(at=chance.uniform(0.3, 4.0), arguments=arguments) for arguments in chosen]
    pip_run = None
    if chance.random() < 0.75:
        arguments, touched = chance.choice(_PIP_RUNS)
        pip_run = PipRun(tool=chance.choice(("pip", "uv")), arguments=arguments, touched=touched)
    return Script(
        seed=seed,
        from_nothing=chance.random() < 0.15,
        keep_generations=chance.choice((1, 3)),
        rewritten_at=_TURNS if takes_turns else (rewritten_at,),
        applies=tuple(sorted(applies, key=lambda each: each.at)),
        readers=tuple(sorted(readers, key=lambda each: each.at)),
        pip_run=pip_run,
        pip_run_at=chance.uniform(0.0, 3.0),
        kill_at=chance.uniform(0.6, 4.0),
    )
