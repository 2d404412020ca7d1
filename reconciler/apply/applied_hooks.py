"""Run the hooks of the settings that are applied, whether or not the manifest still has them."""

from reconciler.apply.context import ApplyContext
from reconciler.apply.probe import child_environment, run_hooks
from reconciler.diff.masking import Disclosure
from reconciler.state.applied import Applied


def run_applied_hooks(kind: str, applied: Applied, context: ApplyContext) -> None:
    """Run the hooks of `kind` (`after_publish` or `before_delete`); raises HookError if one fails."""
    hooks = applied.settings.get("hooks")
    commands = hooks.get(kind) if isinstance(hooks, dict) else None
    if not isinstance(commands, list):
        return
    argvs = [[str(part) for part in argv] for argv in commands if isinstance(argv, list)]
    run_hooks(kind, argvs, applied_environment(applied, context), Disclosure.of(applied.settings))


def applied_environment(applied: Applied, context: ApplyContext) -> dict[str, str]:
    """Return the variables of a program that runs in the generation that is applied."""
    stored = applied.settings.get("env")
    env = {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}
    generation = context.state.layout.generation(applied.name, applied.generation)
    return child_environment(generation.venv, env, context.ambient)
