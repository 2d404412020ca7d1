"""Operations that resolve: several locks from nothing, with equal and with different inputs, offline."""

from benchmarks import peers
from benchmarks.environments import Fleet, Setup, remove
from benchmarks.operation import Competitor, Operation


def equal(setup: Setup, count: int) -> Operation:
    """`count` locks with the same inputs."""
    return _lock(setup, f"lock-{count}-equal", f"{count} locks of equal inputs", count, distinct=1)


def different(setup: Setup, count: int) -> Operation:
    """`count` locks with different inputs."""
    return _lock(setup, f"lock-{count}-different", f"{count} locks of different inputs", count, distinct=count)


def _lock(setup: Setup, name: str, title: str, count: int, *, distinct: int) -> Operation:
    members = setup.members("medium", count, distinct)
    place = setup.rounds / name
    fleet: Fleet = setup.fresh(place / "ours", "medium", members)
    uv = peers.Uv(setup, setup.warm_cache("medium"))
    requirement_files = {each: peers.write_requirements(place / f"{each}.in", pins) for each, pins in members.items()}
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
                commands=lambda _: [setup.envsync("lock", "-f", fleet.manifest, "--offline", contains="wrote pylock.")],
            ),
            Competitor(
                name="uv pip compile",
                before=forget,
                commands=lambda _: [
                    uv.compile(file, output / f"pylock.{each}.toml") for each, file in requirement_files.items()
                ],
            ),
        ),
    )
