"""Deadlines for a run of the package tool and for each of its network steps, so that nothing waits for ever."""

from dataclasses import dataclass

_ROOM_FOR_MORE_ATTEMPTS_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds for a resolution, an installation, and creating a venv; for a connection, and for a silent server.

    A request that fails for a temporary reason (a server's error, a broken or silent connection) is repeated up to
    `retries` times with growing pauses, within the deadline of the whole run.
    """

    resolve: float = 300.0
    install: float = 1800.0
    venv: float = 60.0
    connect: float = 10.0
    silence: float = 20.0
    retries: int = 2

    @classmethod
    def within(cls, seconds: float) -> "Deadlines":
        """Return deadlines for runs of at most `seconds`; network deadlines leave time for every attempt."""
        usual = cls()
        retries = usual.retries if seconds >= _ROOM_FOR_MORE_ATTEMPTS_SECONDS else 0
        each = seconds / 2 / (retries + 1)
        return cls(
            resolve=seconds,
            install=seconds,
            venv=seconds,
            connect=min(usual.connect, each),
            silence=min(usual.silence, each),
            retries=retries,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that set the deadlines for uv, in whole seconds, and for git, which uv starts."""
        return {
            "UV_HTTP_CONNECT_TIMEOUT": str(max(1, int(self.connect))),
            "UV_HTTP_TIMEOUT": str(max(1, int(self.silence))),
            "UV_HTTP_RETRIES": str(self.retries),
            "GIT_HTTP_LOW_SPEED_LIMIT": "1",  # bytes a second; git does not retry, so it gets the time of all attempts
            "GIT_HTTP_LOW_SPEED_TIME": str(max(1, int(self.silence * (self.retries + 1)))),
        }
