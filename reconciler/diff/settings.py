"""The settings of an environment, which change without a new generation: as plain JSON, and compared."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler.canonical_json import Json, canonical_text, digest, to_json
from reconciler.diff.masking import NO_KEY, Mask, command_prefix, masked_settings
from reconciler.diff.model import SettingChange, Target
from reconciler.manifest import defaults
from reconciler.manifest.desired import CommandProbe, DependenciesProbe, DesiredEnvironment, Health, ImportProbe, Probe


def settings_of(environment: DesiredEnvironment) -> dict[str, Json]:
    """Return the settings that are recorded next to the packages, as plain JSON with the manifest's own keys.

    Timeouts are in seconds. Settings that only the next build uses (`link_mode`, `compile_bytecode`, `builds`) and
    settings that already changed the lock are left out. `health`, the `on_failure` of hooks and `public` are left out
    if they are not set, because an older envsync did not record them. Values are in clear, so `reconciler.diff.masking`
    masks them before one leaves the program.
    """
    hooks = to_json(environment.hooks)
    assert isinstance(hooks, dict)  # noqa: S101  # a dataclass
    if environment.on_failure != defaults.HOOKS_ON_FAILURE:
        hooks["on_failure"] = environment.on_failure
    health = environment.health
    return {
        "python": environment.python,
        "description": environment.description,
        "labels": dict(environment.labels),
        "system_site_packages": environment.system_site_packages,
        "ignore": [*environment.ignore, *_exceptions(environment, "ignore")],
        "ignore_files": [*environment.ignore_files, *_exceptions(environment, "ignore_files")],
        "keep_generations": environment.keep_generations,
        "env": dict(environment.env),
        "probes": [_probe(each) for each in environment.probes],
        "hooks": hooks,
        **({} if health is None else {"health": _health(health)}),
        "depends_on": list(environment.depends_on),
        "prevent_destroy": environment.prevent_destroy,
        **({"build_env": dict(environment.build_env.recorded)} if environment.build_env else {}),
        **({"access": environment.access} if environment.access else {}),  # without it the root decides
        **({"public": public} if (public := _public(environment)) else {}),
    }


def desired_digest(target: Target) -> str:
    """Return the digest of packages, interpreter version and settings; the paths of a machine do not count.

    It is part of a plan, and the same on every machine, so values that are not public do not count.
    """
    wanted = target.environment
    settings = masked_settings(settings_of(wanted), mask=NO_KEY)
    kept = ("env", "probes", "hooks", "health", "build_env")
    return digest(
        {
            "packages": target.packages,
            "python": target.interpreter.version,
            "implementation": target.interpreter.implementation,
            "system_site_packages": wanted.system_site_packages,
            **{key: settings[key] for key in kept if key in settings},
        }
    )


def _public(environment: DesiredEnvironment) -> dict[str, Json]:
    """Return the names of the variables, and the commands, that may be shown; empty if there are none."""
    public = environment.public
    found: dict[str, Json] = {"env": list(public.env), "build_env": list(public.build_env)}
    found["commands"] = [list(each) for each in public.commands]
    return {key: value for key, value in found.items() if value}


def _health(health: Health) -> dict[str, Json]:
    return {
        "run": list(health.argv),
        "for": float(health.seconds),
        "timeout": float(health.timeout),
        "otherwise": health.otherwise,
    }


def _exceptions(environment: DesiredEnvironment, key: str) -> list[Json]:
    """Return the entries of a list that have a reason or a last day, as written: they change with no date."""
    return [
        {"match": each.match, "reason": each.reason, "until": each.until}
        for each in environment.exceptions
        if each.key == key
    ]


def setting_changes(before: Mapping[str, Json], after: Mapping[str, Json], mask: Mask) -> tuple[SettingChange, ...]:
    """Return every setting that differs, sorted by path; the items of a list are compared by position.

    Values that are not public are masked. A command whose arguments are masked is a single change.
    """
    old, new = dict(before), dict(after)
    if old == new:
        return ()
    # Imported here because the import takes longer than a whole plan with nothing to do.
    from deepdiff import DeepDiff
    from deepdiff.helper import notpresent

    # Without the threshold, very different dicts become a single change. Names that start with `__` are not private.
    tree = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    shown_old, shown_new = masked_settings(old, mask), masked_settings(new, mask)
    found: dict[str, SettingChange] = {}
    for level in (level for category in tree.values() for level in category):
        path = tuple(level.path(output_format="list"))
        new_path = tuple(level.path(output_format="list", use_t2=True))
        absent = level.t1 is notpresent, level.t2 is notpresent
        if (command := command_prefix(path)) and not (
            _is_shown(old, shown_old, command) and _is_shown(new, shown_new, command_prefix(new_path))
        ):
            inner = len(path) > len(command)  # an argument was added or removed: the command exists on both sides
            path, new_path = command, command_prefix(new_path)
            absent = (False, False) if inner else absent
        if path[0] == "public" and len(path) > 1:  # one change for each list of names or commands
            path = new_path = path[:2]
            absent = (_at(old, path) is None, _at(new, path) is None)
        change = SettingChange(
            path=path,
            before=None if absent[0] else _at(shown_old, path),
            after=None if absent[1] else _at(shown_new, new_path),
        )
        for each in _by_key(change):
            found.setdefault(canonical_text(each.path), each)
    return tuple(found[key] for key in sorted(found))


def _is_shown(settings: Json, shown: Json, path: Sequence[str | int]) -> bool:
    """Return whether the value at `path` is public, or missing."""
    return _at(settings, path) == _at(shown, path)


def _at(value: Json, path: Sequence[str | int]) -> Json:
    """Return the value at `path`, None if there is none."""
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _by_key(change: SettingChange) -> list[SettingChange]:
    """Return a section such as `health` that was added or removed as a whole as one change for each of its keys."""
    match change.path, change.before, change.after:
        case [_], None, dict(after) if after:
            return [SettingChange(path=(*change.path, key), before=None, after=each) for key, each in after.items()]
        case [_], dict(before), None if before:
            return [SettingChange(path=(*change.path, key), before=each, after=None) for key, each in before.items()]
        case _:
            return [change]


def string_list(settings: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """Return a setting that is a list of strings (`depends_on`); empty if it is missing."""
    names = settings.get(key)
    return tuple(str(each) for each in names) if isinstance(names, list) else ()


def has_hooks(settings: Mapping[str, Json], moment: str) -> bool:
    """Return whether any hook is set for `moment` (`before_delete` or `after_publish`)."""
    hooks = settings.get("hooks")
    return isinstance(hooks, dict) and bool(hooks.get(moment))


def returns_after(settings: Mapping[str, Json], moment: str) -> bool:
    """Return whether a failure (of the `hooks`, or of the `health` check) publishes the previous generation again."""
    section, key = settings.get(moment), {"hooks": "on_failure", "health": "otherwise"}[moment]
    return isinstance(section, dict) and section.get(key) == "rollback"


def begins_trial(settings: Mapping[str, Json]) -> bool:
    """Return whether a generation with these settings is on trial after it is published."""
    hooked = returns_after(settings, "hooks") and has_hooks(settings, "after_publish")
    return hooked or isinstance(settings.get("health"), dict)


def changed_setting_names(changes: Sequence[SettingChange]) -> tuple[str, ...]:
    """Return the top-level names of the changed settings, sorted, each once."""
    return tuple(sorted({str(each.path[0]) for each in changes}))


def _probe(probe: Probe) -> dict[str, Json]:
    timeout = float(probe.timeout)
    match probe:
        case ImportProbe(module=module):
            return {"import": module, "timeout": timeout}
        case CommandProbe(argv=argv):
            return {"run": list(argv), "timeout": timeout}
        case DependenciesProbe():
            return {"check": "dependencies", "timeout": timeout}
        case _:
            assert_never(probe)
