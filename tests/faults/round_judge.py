"""What every process of a round may do and say, and what a round must leave: nothing corrupt, nothing half-done."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.rollback import verify_generation
from reconciler.diff.integrity import Integrity
from reconciler.observe.actual import Depth
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State
from tests.faults.crowd import Crowd, Member
from tests.faults.leftovers import leftovers
from tests.faults.round import HANGS_AFTER_SECONDS, Round, names_on_disk
from tests.faults.round_script import NAMES, NEW, OLD, Script
from tests.host import Host, Ran, base_environment

ENDS = ("applied", "lock timed out", "refused: moved", "killed")  # of an apply
_LOCK_TIMEOUT = ("another envsync holds ", "what a killed envsync started still works in ")
_MOVED = "the plan no longer fits: web changed on disk since it was made"


@dataclass(kw_only=True)
class RoundVerdict:
    """`corrupt`: what a round left, or a reading command saw, that must not be. `hung`: what did not end.

    `unclear`: an exit code or a message that must not be. `ended` counts how the applies ended, in words.
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


def judge(done: Round, verdict: RoundVerdict, by_hand: set[int]) -> None:
    """Judge every process of a round that has ended, then apply once more and judge what is there.

    `by_hand` are the generations of `web` that the raw pips of earlier rounds spoilt; those of this one are added.
    """
    verdict.hung += done.hung
    for each in done.crowd.members:
        if each.role.startswith("envsync"):
            _judge_member(each, done, verdict)
        else:
            verdict.ended[each.role] += 1
    _judge_rest(done.host, done.script, verdict, by_hand)


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
    """Return how an apply ended, in words; empty where it must not end so."""
    if ran.code == 0:
        return "applied"
    if ran.code == 1 and any(f"error: {each}" in ran.err for each in _LOCK_TIMEOUT):
        return "lock timed out"
    if ran.code == 3 and script.hand is not None and f"error: {_MOVED}" in ran.err:
        return "refused: moved"
    return ""


def _half_state(member: Member, ran: Ran, done: Round) -> Iterator[str]:
    """Yield what a reading command says that was never so: packages of neither manifest, a hand where none was."""
    script = done.script
    if ran.code not in {0, 2}:
        if script.from_nothing and " freeze " in member.role and "is no virtual environment" in ran.err:
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
            if row["state"] not in fine | ({"drift", "drift+pending"} if mine and script.hand else set()):
                yield f"{row['name']} is {row['state']}"
    else:
        yield from _unreal_drift(json.loads(ran.out)["environments"], script, killed=done.killed is not None)


def _unreal_drift(environments: list[dict[str, Any]], script: Script, *, killed: bool) -> Iterator[str]:
    half_deleted = {"gone"} if killed else set()  # between path and record: so it stands until the next apply
    for each in environments:
        if each["blocked"]:
            yield f"{each['name']} is blocked"
        if each["name"] == "web" and script.hand is not None:
            packages = {one["name"] for one in each["packages"] if one["origin"] != "pending"}
            if packages - script.touched:
                yield f"drift of {sorted(packages - script.touched)}"
        elif {one["code"] for one in each["reasons"] if one["origin"] != "pending"} - half_deleted:
            yield f"drift in {each['name']}"


def _judge_rest(host: Host, script: Script, verdict: RoundVerdict, by_hand: set[int]) -> None:
    """Apply once more; then all is as the new manifest says, whole, and nothing else is left."""
    _ask(host, verdict, ("apply", "--yes", "--lock-timeout", "30"))
    commands = (("plan", "--detailed-exitcode"), ("verify", "--depth", "hashes"), ("freeze", "web"))
    *_, frozen = _ask(host, verdict, *commands)
    state = State.at(host.root)
    for name in NAMES:
        for number in state.layout.generation_numbers(name):
            if state.seal(name, number) is None or (name == "web" and number in by_hand):
                continue
            found = verify_generation(state, name, number, InodeHashes(), Depth.HASHES)
            if not found.intact and name == "web" and _only_by_hand(found, script):
                by_hand.add(number)  # `verify` says whether it is the published one
            elif not found.intact:
                verdict.corrupt.append(f"generation {number} of {name} is sealed, and not whole: {found}")
    if frozen.out.split() != list(NEW["web"]) or names_on_disk(host.root) != sorted(NEW):
        verdict.corrupt.append(f"not the new one: {frozen.out} {names_on_disk(host.root)}")
    verdict.corrupt += [f"left behind: {each}" for each in leftovers(state, host.directory, NAMES)]


def _ask(host: Host, verdict: RoundVerdict, *commands: tuple[str, ...]) -> list[Ran]:
    """Run commands at once that must all exit with 0."""
    crowd = Crowd(cwd=host.directory, env=base_environment(), talk=host.directory.parent / "look")
    for arguments in commands:
        crowd.start(" ".join(arguments), [sys.executable, "-m", "reconciler", *arguments])
    verdict.hung += crowd.hung(until=time.monotonic() + HANGS_AFTER_SECONDS)
    for each in crowd.members:
        if each.ran.code:
            verdict.corrupt.append(f"then {each.role}: exit {each.ran.code}\n{each.ran.out}{each.ran.err}")
    return [each.ran for each in crowd.members]


def _only_by_hand(found: Integrity, script: Script) -> bool:
    """Say whether all that is wrong with an older generation is what the raw pip touched."""
    packages = {each.name for each in found.packages}
    strange = [
        each.path
        for each in found.findings
        if each.package not in script.touched and not any(one in each.path for one in script.touched)
    ]
    return script.hand is not None and packages <= script.touched and not strange
