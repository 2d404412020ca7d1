"""The settings of an environment, which change without a new generation: as plain JSON, and compared."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler.canonical_json import Json, canonical_text, to_json
from reconciler.diff.model import SettingChange
from reconciler.manifest import defaults
from reconciler.manifest.desired import CommandProbe, DependenciesProbe, DesiredEnvironment, Health, ImportProbe, Probe
from reconciler.redaction import REDACTED, is_secret_name


def settings_of(environment: DesiredEnvironment) -> dict[str, Json]:
    """Return the settings that are recorded next to the packages, as plain JSON with the manifest's own keys.

    Timeouts are in seconds. Settings that only the next build uses (`link_mode`, `compile_bytecode`, `builds`) and
    settings that already changed the lock are left out. `health` and the `on_failure` of hooks are left out if they are
    not set, because an older envsync did not record them.
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
    }


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


def setting_changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[SettingChange, ...]:
    """Return every setting that differs, sorted by path; the items of a list are compared by position."""
    old, new = dict(before), dict(after)
    if old == new:
        return ()
    # Imported here because the import takes longer than a whole plan with nothing to do.
    from deepdiff import DeepDiff
    from deepdiff.helper import notpresent

    # Without the threshold, very different dicts become a single change. Names that start with `__` are not private.
    tree = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    changes = [
        SettingChange(
            path=tuple(level.path(output_format="list")),
            before=None if level.t1 is notpresent else _displayed(level.path(output_format="list"), level.t1),
            after=None if level.t2 is notpresent else _displayed(level.path(output_format="list"), level.t2),
        )
        for category in tree.values()
        for level in category
    ]
    changes = [single for each in changes for single in _by_key(each)]
    return tuple(sorted(changes, key=lambda each: canonical_text(each.path)))


def _by_key(change: SettingChange) -> list[SettingChange]:
    """Return a section such as `health` that was added or removed as a whole as one change for each of its keys."""
    match change.path, change.before, change.after:
        case [_], None, dict(after) if after:
            return [SettingChange(path=(*change.path, key), before=None, after=each) for key, each in after.items()]
        case [_], dict(before), None if before:
            return [SettingChange(path=(*change.path, key), before=each, after=None) for key, each in before.items()]
        case _:
            return [change]


def _displayed(path: Sequence[str | int], value: Json) -> Json:
    """Return a value as a plan may show it: `****` for a variable that is named like a secret."""
    return REDACTED if path[0] in {"env", "build_env"} and is_secret_name(str(path[-1])) else value


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
