"""Masks the values in an environment's settings that the manifest does not declare as `public`.

These are the values of `env` and `build_env`, and the arguments of probes, hooks and health checks: any of them may be
a secret, whatever its name is. Records and seals have them in clear, because `run` and hooks need them. Everything that
leaves the state for a document or a message passes here. See docs/design.md, "Secrets".
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from reconciler.canonical_json import Json, canonical_text
from reconciler.redaction import REDACTED

MOMENTS = ("after_publish", "before_delete")
_DIGEST_BYTES = 6
_VARIABLES = ("env", "build_env")


@dataclass(frozen=True, slots=True)
class Mask:
    """What takes the place of a value: `****`, with a key also a digest to compare it by (`**** 1f3a9c02b4d5`).

    Equal values of the same variable, or arguments of the same program, have the same digest under the same `key`. It
    is never in a document, because a reader who had it could try values from a dictionary.
    """

    key: bytes = field(default=b"", repr=False)

    def __call__(self, place: Sequence[str], value: Json) -> str:
        """Return the text to show for `value`; `place` names the variable or the program."""
        if not self.key:
            return REDACTED
        text = canonical_text([*place, value]).encode("ascii")
        return f"{REDACTED} {blake2b(text, key=self.key, digest_size=_DIGEST_BYTES).hexdigest()}"


NO_KEY = Mask()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What may be shown of the commands of an environment's settings, and what may not.

    `commands` are the public ones. `secrets` are the texts to remove from the output of its programs.
    """

    commands: tuple[tuple[str, ...], ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Json]) -> "Disclosure":
        """Return what may be shown of an environment with these settings."""
        public = tuple(_words(_public(settings, "commands")))
        secrets = [str(value) for values in _masked_variables(settings) for value in values.values()]
        for command in _words(_commands(settings)):
            secrets += command[1:] if command not in public else ()
        return cls(commands=public, secrets=tuple(dict.fromkeys(secrets)))

    def shown(self, command: Sequence[str]) -> str:
        """Return a command as a message may show it: `curl ****`, or all of it if it is public."""
        if len(command) == 1 or tuple(command) in self.commands:
            return shlex.join(command)
        return f"{shlex.quote(command[0])} {REDACTED}"

    def hides(self, command: Sequence[str]) -> bool:
        """Return whether the arguments of a command are masked."""
        return len(command) > 1 and tuple(command) not in self.commands


def masked_settings(settings: Mapping[str, Json], mask: Mask) -> dict[str, Json]:
    """Return an environment's settings with every value masked that is not public.

    Of a command the program is kept, and all of its arguments become one text.
    """
    public = _public(settings, "commands")
    masked = dict(settings)
    for key in _VARIABLES:
        values, shown = settings.get(key), _public(settings, key)
        if isinstance(values, dict):
            masked[key] = {name: each if name in shown else mask((key, name), each) for name, each in values.items()}
    if isinstance(hooks := settings.get("hooks"), dict):
        masked["hooks"] = {
            key: [_masked_command(each, public, mask) for each in value] if isinstance(value, list) else value
            for key, value in hooks.items()
        }
    if isinstance(probes := settings.get("probes"), list):
        masked["probes"] = [_masked_run(each, public, mask) for each in probes]
    if "health" in settings:
        masked["health"] = _masked_run(settings["health"], public, mask)
    return masked


def command_prefix(path: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the path of the command that the path of a setting belongs to, empty if it belongs to none."""
    match path:
        case ["hooks", str(), int(), *_]:
            return tuple(path[:3])
        case ["probes", int(), "run", *_]:
            return tuple(path[:3])
        case ["health", "run", *_]:
            return tuple(path[:2])
        case _:
            return ()


def _masked_run(value: Json, public: list[Json], mask: Mask) -> Json:
    """Return a probe, or a health check, with its command masked."""
    if not isinstance(value, dict) or "run" not in value:
        return value
    return {**value, "run": _masked_command(value["run"], public, mask)}


def _masked_command(command: Json, public: list[Json], mask: Mask) -> Json:
    if not isinstance(command, list):  # envsync records only lists
        return mask(("command",), command)
    if len(command) <= 1 or command in public:
        return command
    return [command[0], mask(("command", str(command[0])), command[1:])]


def _public(settings: Mapping[str, Json], kind: str) -> list[Json]:
    """Return the names of the public variables of `env` or `build_env`, or the public `commands`."""
    public = settings.get("public")
    listed = public.get(kind) if isinstance(public, dict) else None
    return listed if isinstance(listed, list) else []


def _masked_variables(settings: Mapping[str, Json]) -> list[dict[str, Json]]:
    found = []
    for key in _VARIABLES:
        values, shown = settings.get(key), _public(settings, key)
        if isinstance(values, dict):
            found.append({name: each for name, each in values.items() if name not in shown})
    return found


def _commands(settings: Mapping[str, Json]) -> list[Json]:
    """Return the command of every hook, probe and health check."""
    found: list[Json] = []
    if isinstance(hooks := settings.get("hooks"), dict):
        for moment in MOMENTS:
            commands = hooks.get(moment)
            found += commands if isinstance(commands, list) else []
    probes = settings.get("probes")
    for each in (*(probes if isinstance(probes, list) else []), settings.get("health")):
        if isinstance(each, dict) and "run" in each:
            found.append(each["run"])
    return found


def _words(commands: list[Json]) -> list[tuple[str, ...]]:
    """Return the commands that are lists, as texts."""
    return [tuple(str(part) for part in each) for each in commands if isinstance(each, list)]
