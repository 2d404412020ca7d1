"""Operations that resolve: several locks from nothing, of equal and of different inputs, offline."""

from benchmarks import peers
from benchmarks.environments import Fleet, Ground, remove
from benchmarks.operation import Competitor, Operation


def equal(ground: Ground, count: int) -> Operation:
    """So many locks of the same inputs."""
    return _lock(ground, f"lock-{count}-equal", f"{count} locks of equal inputs", count, distinct=1)


def different(ground: Ground, count: int) -> Operation:
    """So many locks of as many inputs."""
    return _lock(ground, f"lock-{count}-different", f"{count} locks of different inputs", count, distinct=count)


def _lock(ground: Ground, name: str, title: str, count: int, *, distinct: int) -> Operation:
    members = ground.members("medium", count, distinct)
    place = ground.rounds / name
    fleet: Fleet = ground.fresh(place / "ours", "medium", members)
    uv = peers.Uv(ground, ground.warm_cache("medium"))
    asked = {each: peers.write_requirements(place / f"{each}.in", pins) for each, pins in members.items()}
    output = place / "uv"

    def forget(_round: int) -> None:
        remove(output)
        output.mkdir()

    return Operation(
        name=name,
        title=title,
        competitors=(
            Competitor(
                name="lock",
                before=lambda _: remove(fleet.directory / "locks"),
                commands=lambda _: [ground.envsync("lock", "-f", fleet.manifest, "--offline", says="wrote pylock.")],
            ),
            Competitor(
                name="uv pip compile",
                before=forget,
                commands=lambda _: [uv.compile(file, output / f"pylock.{each}.toml") for each, file in asked.items()],
            ),
        ),
    )
