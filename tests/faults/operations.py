"""The operations of the sweep: the state before, the command, and the state that must result."""

from dataclasses import dataclass

ABSENT = ("absent",)

_ALPHA_1, _ALPHA_2 = ("alpha==1.0", "beta==2.0"), ("alpha==1.1", "beta==2.0", "gamma==0.1")
_OLD = 'web:\n  python: "{0}"\n  packages: [alpha==1.0]\n'
_NEW = 'web:\n  python: "{0}"\n  packages: [alpha==1.1, gamma]\n  probes: [{{import: alpha}}]\n'
_SITE = 'site:\n  python: "{0}"\n  packages: [{1}]\n{2}'
_RENAMED = 'site:\n  renamed_from: web\n  python: "{0}"\n  packages: [{1}]\n{2}'
_FAILS = '  probes: [{run: ["false"]}]\n'
_NO_INDEX = '"delta @ http://127.0.0.1:9/delta-1.0-py3-none-any.whl"'  # port 9 (discard) answers nothing
_DESTROY = ("destroy", "web", "--yes")
_HEALTHY = '  health: {run: ["true"]}\n'
_ROLLS_BACK = '  hooks: {after_publish: [["false"]], on_failure: rollback}\n'
KEEP_ONE = "  keep_generations: 1\n"
_NOTES = "lib/python{0}/site-packages/notes.txt"
_IGNORE = '  ignore_files: ["{0}"]\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One command; `before` are the environments of manifests that are applied first, `manifest` those of the last one.

    `old` and `new` are what `envsync freeze web` prints before and after. `settled` is whether the plan is then empty.
    Without `repeatable` the command goes one step further each time, so it is run again only after it failed.
    `prepared` are commands that run after the last of `before`. `written` are files in `web`, by path, which are then
    written: they belong to a different program and must exist in the old and in the new environment. `code` is the exit
    code without a fault: an operation that fails by design must leave `web` as it was. `ready` are commands that run
    with the last manifest. If it renames `web`, both names point to it afterwards, and in between it can be renamed
    with the old packages.
    """

    name: str
    before: tuple[str, ...]
    manifest: str
    arguments: tuple[str, ...]
    prepared: tuple[tuple[str, ...], ...] = ()
    ready: tuple[tuple[str, ...], ...] = ()
    code: int = 0
    old: tuple[str, ...]
    new: tuple[str, ...]
    settled: bool = True
    allow_empty: bool = False
    repeatable: bool = True
    written: tuple[tuple[str, str], ...] = ()
    kept: int | None = None  # generations that exist at the end, if the operation deletes generations
    renamed: str = ""  # the name at the end, if the operation renames `web`
    held: str = ""  # why `web` must be held as soon as the new state is published


def operations(python: str, other: str) -> tuple[Operation, ...]:
    """Return the operations for two Python series (such as `3.11`) of this machine."""
    old, new = _OLD.format(python), _NEW.format(python)
    notes = _NOTES.format(python)
    return (
        Operation(name="create", before=(), manifest=old, arguments=("apply", "--yes"), old=ABSENT, new=_ALPHA_1),
        Operation(
            name="upgrade", before=(old,), manifest=new, arguments=("apply", "--yes"), old=_ALPHA_1, new=_ALPHA_2
        ),
        Operation(
            name="replace",
            before=(old,),
            manifest=_NEW.format(other),
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
        ),
        Operation(
            name="delete",
            before=(old,),
            manifest="",
            arguments=("apply", "--yes", "--allow-empty"),
            old=_ALPHA_1,
            new=ABSENT,
            allow_empty=True,
            kept=1,
        ),
        Operation(
            name="restore",
            before=(old,),
            manifest=old,
            prepared=(_DESTROY,),
            arguments=("rollback", "web"),
            old=ABSENT,
            new=_ALPHA_1,
            kept=1,
        ),
        Operation(
            name="gc-deleted",
            before=(old, new),
            manifest="",
            prepared=(_DESTROY,),
            arguments=("gc", "--deleted"),
            old=ABSENT,
            new=ABSENT,
            allow_empty=True,
            kept=0,
        ),
        Operation(
            name="carry-over",
            before=(old + _IGNORE.format(notes),),
            manifest=new + _IGNORE.format(notes),
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
            written=((notes, "written by another program\n"),),
        ),
        Operation(
            name="rename",
            before=(old, new, old),
            manifest=_RENAMED.format(python, "alpha==1.0", ""),
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_1,
            renamed="site",
        ),
        Operation(
            name="rename-upgrade",
            before=(old,),
            manifest=_RENAMED.format(python, "alpha==1.1, gamma", KEEP_ONE),
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
            renamed="site",
        ),
        *(
            Operation(
                name=f"rename-{problem}",
                before=(old,),
                manifest=site.format(python, packages, more),
                arguments=("apply", "--yes"),
                code=1,
                old=_ALPHA_1,
                new=_ALPHA_1,
                settled=False,
                kept=1,
            )
            for problem, site, packages, more in (
                ("probe-fails", _RENAMED, "alpha==1.1", _FAILS),
                ("no-lock", _RENAMED, "alpha==99", ""),
                ("no-index", _RENAMED, _NO_INDEX, ""),
            )
        ),
        Operation(
            name="stage",
            before=(old,),
            manifest=new,
            arguments=("apply", "--stage", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_1,
            settled=False,
            kept=2,
        ),
        Operation(
            name="publish-staged",
            before=(old,),
            manifest=new,
            ready=(("apply", "--stage", "--yes"),),
            arguments=("publish", "--all", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
            kept=2,
        ),
        Operation(
            name="apply-staged",
            before=(old,),
            manifest=new,
            ready=(("apply", "--stage", "--yes"),),
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
            kept=2,
        ),
        Operation(
            name="trial",
            before=(old,),
            manifest=new + _HEALTHY,
            arguments=("apply", "--yes"),
            old=_ALPHA_1,
            new=_ALPHA_2,
        ),
        Operation(  # the new generation is published in between
            name="trial-fails",
            before=(old,),
            manifest=new + _ROLLS_BACK,
            arguments=("apply", "--yes"),
            code=4,
            old=_ALPHA_2,
            new=_ALPHA_1,
            settled=False,
        ),
        Operation(
            name="replace-name-probe-fails",
            before=(old,),
            manifest=_SITE.format(python, "alpha==1.0", _FAILS),
            arguments=("apply", "--yes"),
            code=1,
            old=_ALPHA_1,
            new=_ALPHA_1,
            settled=False,
            kept=1,
        ),
        Operation(
            name="rollback",
            before=(old, new),
            manifest=new,
            arguments=("rollback", "web", "--to", "1"),
            old=_ALPHA_2,
            new=_ALPHA_1,
            settled=False,
        ),
        Operation(
            name="hold",
            before=(old, new),
            manifest=new,
            arguments=("rollback", "web", "--to", "1", "--hold", "INC-42"),
            old=_ALPHA_2,
            new=_ALPHA_1,
            settled=False,
            held="INC-42",
        ),
        Operation(
            name="gc",
            before=(old + KEEP_ONE, new + KEEP_ONE, old + KEEP_ONE),
            manifest=old + KEEP_ONE,
            arguments=("gc",),
            old=_ALPHA_1,
            new=_ALPHA_1,
            kept=1,
        ),
    )
