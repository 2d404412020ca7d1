"""Judge a round: what every process may do and print, and the state that the round must leave."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.verify_seal import verify_generation
from reconciler.diff.integrity import Integrity
from reconciler.observe.actual import Depth
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State
from tests.faults.crowd import Crowd, Member
from tests.faults.leftovers import leftovers
from tests.faults.round import HANGS_AFTER_SECONDS, Round, names_on_disk
from tests.faults.round_script import NAMES, NEW, OLD, Script
from tests.host import Host, Ran, base_environment

ENDS = ("applied", "lock timed out", "refused: changed", "killed")  # of an apply
_LOCK_TIMEOUT = (" is locked by another envsync", " is locked by programs that a killed envsync started")
_CHANGED = "the plan cannot be applied: `web` changed on disk since it was made"


@dataclass(kw_only=True)
class RoundVerdict:
    """The verdict on a round; all lists are empty if every promise held.

    `corrupt` are wrong states that the round left or that a reading command saw. `hung` are processes that did not end.
    `unclear` are wrong exit codes or messages. `ended` counts how the applies ended, in words.
    """

    seed: int
    corrupt: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        return bool(self.corrupt or self.hung or self.unclear)


def judge(done: Round, verdict: RoundVerdict, changed_manually: set[int]) -> None:
    """Judge every process of a finished round, then apply once more and judge the state.

    `changed_manually` are the generations of `web` that pip changed in earlier rounds. Those of this round are added.
    """
    verdict.hung += done.hung
    for each in done.crowd.members:
        if each.role.startswith("envsync"):
            _judge_member(each, done, verdict)
        else:
            verdict.ended[each.role] += 1
    _judge_rest(done.host, done.script, verdict, changed_manually)


def _judge_member(member: Member, done: Round, verdict: RoundVerdict) -> None:
    ran = member.ran
    if "Traceback" in ran.err + ran.out:
        verdict.unclear.append(f"{member.role}: {ran.err}")
    elif member is done.killed and ran.code == -9:
        verdict.ended["killed"] += 1
    elif " apply " in member.role:
        ended = _apply_ended(ran, done.script)
        verdict.ended[ended or f"exit {ran.code}"] += 1
        if not ended:
            verdict.unclear.append(f"{member.role}: exit {ran.code}\n{ran.out}{ran.err}")
    else:
        verdict.ended["read"] += 1
        verdict.corrupt += [f"{member.role}: {each}\n{ran.out}{ran.err}" for each in _half_state(member, ran, done)]


def _apply_ended(ran: Ran, script: Script) -> str:
    """Return how an apply ended, in words; empty if it must not end like that."""
    if ran.code == 0:
        return "applied"
    if ran.code == 1 and any(each in ran.err for each in _LOCK_TIMEOUT):
        return "lock timed out"
    if ran.code == 3 and script.pip_run is not None and f"error: {_CHANGED}" in ran.err:
        return "refused: changed"
    return ""


def _half_state(member: Member, ran: Ran, done: Round) -> Iterator[str]:
    """Yield what a reading command prints that was never true, such as packages that neither manifest declares."""
    script = done.script
    if ran.code not in {0, 2}:
        if script.from_nothing and " freeze " in member.role and "is not a virtual environment" in ran.err:
            return
        yield f"exit {ran.code}"
    elif " freeze " in member.role:
        lines = {line for line in ran.out.splitlines() if line.partition("==")[0] not in script.touched}
        wanted = [{each for each in a["web"] if each.partition("==")[0] not in script.touched} for a in (OLD, NEW)]
        if lines not in wanted:
            yield f"neither old nor new: {sorted(lines)}"
    elif " status " in member.role:
        for row in json.loads(ran.out):
            mine = row["name"] == "web"
            fine = {"ok", "pending", "missing"} - ({"missing"} if mine and not script.from_nothing else set())
            if row["state"] not in fine | ({"drift", "drift+pending"} if mine and script.pip_run else set()):
                yield f"{row['name']} is {row['state']}"
    else:
        yield from _unreal_drift(json.loads(ran.out)["environments"], script, killed=done.killed is not None)


def _unreal_drift(environments: list[dict[str, Any]], script: Script, *, killed: bool) -> Iterator[str]:
    # If the holder is killed between path and record, the environment stays half deleted until the next apply.
    half_deleted = {"gone"} if killed else set()
    for each in environments:
        if each["blocked"]:
            yield f"{each['name']} is blocked"
        if each["name"] == "web" and script.pip_run is not None:
            packages = {one["name"] for one in each["packages"] if one["origin"] != "pending"}
            if packages - script.touched:
                yield f"drift of {sorted(packages - script.touched)}"
        elif {one["code"] for one in each["reasons"] if one["origin"] != "pending"} - half_deleted:
            yield f"drift in {each['name']}"


def _judge_rest(host: Host, script: Script, verdict: RoundVerdict, changed_manually: set[int]) -> None:
    """Apply once more; then everything must match the new manifest, be complete, and nothing else may be left."""
    _run_all(host, verdict, ("apply", "--yes", "--lock-timeout", "30"))
    commands = (("plan", "--detailed-exitcode"), ("verify", "--depth", "hashes"), ("freeze", "web"))
    *_, frozen = _run_all(host, verdict, *commands)
    state = State.at(host.root)
    for name in NAMES:
        for number in state.layout.generation_numbers(name):
            if state.seal(name, number) is None or (name == "web" and number in changed_manually):
                continue
            found = verify_generation(state, name, number, InodeHashes(), Depth.HASHES)
            if not found.intact and name == "web" and _only_changed_manually(found, script):
                changed_manually.add(number)  # if it is the published one, `verify` has reported it
            elif not found.intact:
                verdict.corrupt.append(f"generation {number} of {name} is sealed, but not complete: {found}")
    if frozen.out.split() != list(NEW["web"]) or names_on_disk(host.root) != sorted(NEW):
        verdict.corrupt.append(f"not the new environment: {frozen.out} {names_on_disk(host.root)}")
    verdict.corrupt += [f"left behind: {each}" for each in leftovers(state, host.directory, NAMES)]


def _run_all(host: Host, verdict: RoundVerdict, *commands: tuple[str, ...]) -> list[Ran]:
    """Run commands at the same time; all must exit with 0."""
    crowd = Crowd(cwd=host.directory, env=base_environment(), output_directory=host.directory.parent / "checks")
    for arguments in commands:
        crowd.start(" ".join(arguments), [sys.executable, "-m", "reconciler", *arguments])
    verdict.hung += crowd.hung(until=time.monotonic() + HANGS_AFTER_SECONDS)
    for each in crowd.members:
        if each.ran.code:
            verdict.corrupt.append(f"then {each.role}: exit {each.ran.code}\n{each.ran.out}{each.ran.err}")
    return [each.ran for each in crowd.members]


def _only_changed_manually(found: Integrity, script: Script) -> bool:
    """Return whether an older generation differs only in what pip changed."""
    packages = {each.name for each in found.packages}
    strange = [
        each.path
        for each in found.findings
        if each.package not in script.touched and not any(one in each.path for one in script.touched)
    ]
    return script.pip_run is not None and packages <= script.touched and not strange
