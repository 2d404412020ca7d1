"""The same kills for other tools: `uv pip sync` and `pip install`, which upgrade six packages in place."""

import base64
import csv
import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests.faults.tracer import Fault, trace
from tests.faults.trial import Stage
from tests.faults.verdict import Verdict
from tests.wheels import make_wheel

PACKAGES = tuple(f"pack{letter}" for letter in "abcdef")
OLD, NEW = "1.0", "2.0"


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool: its commands to install and to check, with `{bin}`, `{index}` and `{cache}` to fill in."""

    name: str
    install: tuple[str, ...]
    check: tuple[str, ...]
    with_pip: bool = False


PEERS = {
    "uv pip sync": Peer(
        "uv pip sync",
        ("{uv}", "pip", "sync", "-q", "--no-config", "--link-mode", "hardlink", "--cache-dir", "{cache}",
         "--default-index", "{index}", "-p", "{bin}/python", "{wanted}"),
        ("{uv}", "pip", "check", "--no-config", "--cache-dir", "{cache}", "-p", "{bin}/python"),
    ),
    "pip install": Peer(
        "pip install",
        ("{bin}/python", "-m", "pip", "install", "-q", "--no-input", "--no-cache-dir",
         "--disable-pip-version-check", "-i", "{index}", "-r", "{wanted}"),
        ("{bin}/python", "-m", "pip", "--disable-pip-version-check", "check"),
        with_pip=True,
    ),
}  # fmt: skip


def make_peer_wheels(directory: Path) -> None:
    """Write both versions of the packages, with ten modules each; eight modules differ."""
    for name in PACKAGES:
        for version in (OLD, NEW):
            modules = {f"{name}/part{number}.py": f"VERSION = '{version}'\n" for number in range(8)}
            modules |= {f"{name}/__init__.py": "", f"{name}/same.py": "SAME = True\n"}
            make_wheel(directory, name, version, modules=modules)


class PeerTrials:
    """The trials of one tool, which installs the new versions into a venv with the old ones."""

    def __init__(self, peer: Peer, stage: Stage, python: Path) -> None:
        self.peer, self.stage = peer, stage
        stage.clear()
        venv = stage.work / "venv"
        words = {
            "uv": find_uv_bin(), "bin": str(venv / "bin"), "index": stage.index,
            "cache": str(stage.work / "cache"), "wanted": str(stage.work / "wanted.txt"),
        }  # fmt: skip
        self.install = [each.format(**words) for each in peer.install]
        self.check = [each.format(**words) for each in peer.check]
        if peer.with_pip:
            self._quietly([str(python), "-m", "venv", "--upgrade-deps", str(venv)])
        else:
            self._quietly([words["uv"], "venv", "-q", "--no-config", "-p", str(python), str(venv)])
        self.site = next((venv / "lib").glob("python3*")) / "site-packages"
        for version in (NEW, OLD) if not peer.with_pip else (OLD,):  # uv: both are in its cache
            self._want(version)
            self._quietly(self.install)
        self._want(NEW)
        stage.save()

    def run(self, fault: Fault | None) -> Verdict:
        """Install with `fault`, inspect, install again, run the tool's own check, inspect again."""
        self.stage.restore()
        traced = trace(
            self.install, cwd=self.stage.work, env=self.stage.env, output_directory=self.stage.directory, fault=fault
        )
        verdict = Verdict(operation=self.peer.name, code=traced.code, died=traced.code == -9)
        verdict.hit = f"{traced.hit.name} {Path(traced.hit.path).name}" if traced.hit else ""
        if fault is None:
            verdict.calls = [[each.name for each in traced.calls[whose]] for whose in ("own", "children")]
        versions, damage = self._installed()
        if damage or versions not in ([OLD] * len(PACKAGES), [NEW] * len(PACKAGES)):
            verdict.torn = [f"versions {versions}", *damage]
        again = self._quietly(self.install, must=False)
        checked = self._quietly(self.check, must=False)
        versions, damage = self._installed()
        if again or checked or damage or versions != [NEW] * len(PACKAGES):
            verdict.stuck = [f"rerun {again}, check {checked}, versions {versions}", *damage]
            verdict.fine, verdict.checked = not again, not checked
        verdict.left = sorted(each.name for each in self.site.iterdir() if each.name.startswith(("~", ".tmp")))
        return verdict

    def _installed(self) -> tuple[list[str], list[str]]:
        """Return the versions by dist-info, and every file that differs from its RECORD."""
        versions, damage = [], []
        for name in PACKAGES:
            for info in sorted(self.site.glob(f"{name}-*.dist-info")):
                versions.append(info.name.removesuffix(".dist-info").rpartition("-")[2])
                if not (info / "RECORD").is_file():
                    damage.append(f"{info.name} has no RECORD")
                else:
                    damage += _differing(self.site, info / "RECORD")
        return versions, damage

    def _want(self, version: str) -> None:
        text = "".join(f"{name}=={version}\n" for name in PACKAGES)
        (self.stage.work / "wanted.txt").write_text(text, encoding="ascii")

    def _quietly(self, argv: list[str], *, must: bool = True) -> int:
        done = subprocess.run(
            argv, env=self.stage.env, cwd=self.stage.work, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if must and done.returncode:
            raise RuntimeError(f"{argv}: {done.stderr.decode('utf-8', 'replace')}")
        return done.returncode


def _differing(site: Path, record: Path) -> Iterator[str]:
    with record.open(encoding="utf-8", newline="") as rows:
        for path, digest, *_ in csv.reader(rows):
            file = site / path
            if not file.is_file():
                if "__pycache__" not in path:
                    yield f"{path} is missing"
            elif digest.startswith("sha256="):
                found = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()
                if found != digest.removeprefix("sha256="):
                    yield f"{path} differs"
