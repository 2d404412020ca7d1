"""A real headless Chromium, controlled through a pipe (the DevTools protocol): without port, driver or library."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEADLINE_SECONDS = 60.0


def find_chromium() -> str | None:
    """Return the path of a Chromium, None if none is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


@dataclass(kw_only=True)
class Browser:
    """A running browser: commands, answers and events are JSON, each ended by a NUL byte."""

    out: int
    into: int
    buffer: bytes = b""
    last: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that arrive before it are kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        os.write(self.out, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self.last:
                assert "error" not in found, f"{method}: {found['error']}"
                return dict(found["result"])
            self.events.append(found)

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """Return the next event with a name; kept events come first."""
        seen = 0
        while True:
            for each in self.events[seen:]:
                if each.get("method") == method and each.get("sessionId") == session:
                    return each
            seen = len(self.events)
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + DEADLINE_SECONDS
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.into], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"Chromium sent nothing for {DEADLINE_SECONDS:g} seconds"
            read = os.read(self.into, 1 << 20)
            assert read, "Chromium has ended"
            self.buffer += read
        message, _, self.buffer = self.buffer.partition(b"\0")
        return dict(json.loads(message))

    def open(self, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> "Tab":
        """Open a file in a tab without network, and wait until it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(browser=self, session=session, target=target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        tab.call("Network.emulateNetworkConditions", **offline)
        tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        tab.media(dark=dark)
        tab.call("Page.navigate", url=file.as_uri())
        self.wait_for("Page.loadEventFired", session)
        tab.call("Page.bringToFront")  # a hidden page is not painted
        return tab


@dataclass(kw_only=True)
class Tab:
    """One page."""

    browser: Browser
    session: str
    target: str

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def media(self, *, dark: bool = False, kind: str = "screen") -> None:
        """Set the preferred color scheme, and whether the page is printed."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=kind, features=[scheme])

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression or its promise, as JSON."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, like a person at the keyboard."""
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        code = {"Enter": 13, "Space": 32, "Tab": 9}[key]
        name = {"Space": " "}.get(key, key)
        known = {"key": name, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def screenshot(self) -> bytes:
        """Return the visible part of the page as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def pdf(self) -> bytes:
        """Return the printed page as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])

    def complaints(self) -> list[str]:
        """Return the messages of console, log (with violations of the security policy) and exceptions."""
        self.run("0")  # waits until earlier events have arrived
        kinds = {
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        }
        events = [each for each in self.browser.events if each.get("sessionId") == self.session]
        return [json.dumps(each) for each in events if each["method"] in kinds]

    def requests(self) -> list[str]:
        """Return the URLs that the page requested."""
        events = [each for each in self.browser.events if each.get("sessionId") == self.session]
        return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]

    def blocked(self) -> list[str]:
        """Return the reasons for which the browser blocked requests."""
        events = [each for each in self.browser.events if each.get("sessionId") == self.session]
        failed = [each["params"] for each in events if each["method"] == "Network.loadingFailed"]
        return [each["blockedReason"] for each in failed if "blockedReason" in each]

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


@contextmanager
def start_chromium(program: str, profile: Path) -> Iterator[Browser]:
    """Yield a browser with its own profile; it ends with the block."""
    # Without sandbox: root cannot use one, containers often cannot, and only our own files are opened.
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"]
    command = [program, *options, *quiet, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
    (commands, out), (into, answers) = os.pipe(), os.pipe()
    # The protocol uses the descriptors 3 and 4 of the browser.
    renumber = f'exec "$@" 3<&{commands} 4>&{answers}'
    running = subprocess.Popen(
        ["bash", "-c", renumber, "bash", *command, "about:blank"],
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    browser = Browser(out=out, into=into)
    try:
        yield browser
        browser.call("Browser.close")
    finally:
        os.close(out)  # the browser ends when its pipe is closed
        try:
            running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        os.close(into)
