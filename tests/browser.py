"""A real headless chromium, driven over its own protocol: what a page shows, says in its console and asks of a network.

websocket-client is one pure package without dependencies; the protocol gives console, network and main-thread
tasks first hand, and needs no driver program of the browser's very version.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Escape": 27, "Enter": 13, "Tab": 9,
    "Backspace": 8, "PageUp": 33, "PageDown": 34, "Home": 36, "End": 35, "F2": 113, " ": 32,
}  # fmt: skip
MODIFIERS = {"Alt": 1, "Ctrl": 2, "Shift": 8}


def find_browser() -> str | None:
    """Path of an installed chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab of one browser with a profile of its own.

    Attributes:
        console: text of every console message, exception and log entry since the last `open`.
        requests: every address the page asked for since then, itself included.
    """

    def __init__(self, profile: Path, patience: float = 60):
        self.patience = patience
        self.console: list[str] = []
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        command = [find_browser(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._wait_for(lambda: (profile / "DevToolsActivePort").read_text().split()[0])
        targets = self._wait_for(lambda: self._tabs(port))
        self._socket = websocket.create_connection(
            targets[0]["webSocketDebuggerUrl"], timeout=patience, suppress_origin=True
        )
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)  # keys reach a page that was not clicked yet

    @staticmethod
    def _tabs(port: str) -> list[Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
        if not tabs:
            raise OSError("no tab yet")
        return tabs

    def _wait_for(self, ask: Any) -> Any:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return ask()
            except (OSError, IndexError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and give its result; what the browser tells meanwhile is kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.console.append(str([argument.get("value") for argument in parameters["args"]]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":  # a page asks whether to leave it
            answer = {"method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            self._socket.send(json.dumps({"id": next(self._numbers), **answer}))

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> float:
        """Load a file and wait until the page says it is ready; gives the seconds it took."""
        return self.visit(path.resolve().as_uri(), width, height, dark)

    def visit(self, address: str, width: int = 1280, height: int = 900, dark: bool = False) -> float:
        """As `open`, of an address."""
        self.console.clear()
        self.requests.clear()
        self.resize(width, height, dark)
        started = time.monotonic()
        self.send("Page.navigate", url=address)
        self.until("document.documentElement?.dataset.ready === 'yes'")
        return time.monotonic() - started

    def resize(self, width: int, height: int, dark: bool = False) -> None:
        """Another window, light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> Any:
        """Value of an expression in the page; promises are waited for."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true."""
        deadline = time.monotonic() + self.patience
        while not (value := self.run(script)):
            broken = any("exceptionId" in line for line in self.console)
            assert not broken and time.monotonic() < deadline, f"{script} is still {value!r}; console: {self.console}"
            time.sleep(0.02)
        return value

    def press(self, keys: str, repeats: int = 0) -> None:
        """Press and release a key, as `ArrowLeft`, `b` or `Ctrl+Shift+z`; held, it repeats."""
        *held, key = keys.split("+") if len(keys) > 1 else [keys]
        modifiers = sum(MODIFIERS[each] for each in held)
        code = KEYS.get(key) or ord(key.upper())
        key = key.upper() if "Shift" in held and len(key) == 1 else key
        typed = (
            {"text": "\r" if key == "Enter" else key}
            if (key == "Enter" or len(key) == 1) and "Ctrl" not in held
            else {}
        )
        for number, kind in enumerate(["keyDown"] * (1 + repeats) + ["keyUp"]):
            text = typed if kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      modifiers=modifiers, autoRepeat=0 < number <= repeats, **text)  # fmt: skip

    def drag(self, points: Sequence[tuple[float, float]], button: str = "left", pauses: Iterable[float] = ()) -> None:
        """Press at the first point of the window, move through the others, release at the last."""
        self.hold(points, button, pauses)
        self.let_go(points[-1], button)

    def hold(self, points: Sequence[tuple[float, float]], button: str = "left", pauses: Iterable[float] = ()) -> None:
        """Press at the first point of the window, and move through the others, each after so many seconds of rest.

        Without a rest each move begins as the browser has shown the one before, and so waits for a whole frame.
        """
        rests = itertools.chain(pauses, itertools.repeat(0.0))
        for number, (x, y) in enumerate(points):
            time.sleep(next(rests))
            self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button=button if number else "none",
                      buttons=1 if number else 0)  # fmt: skip
            if not number:
                self.send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button=button, clickCount=1)

    def let_go(self, point: tuple[float, float], button: str = "left") -> None:
        """Release."""
        x, y = point
        self.send("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button=button, clickCount=1)

    def point(self, selector: str, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of a canvas is in the window, however it is scaled."""
        found = f"const c = document.querySelector({json.dumps(selector)}), b = c.getBoundingClientRect();"
        place = f"[b.x + {x} * b.width / c.width, b.y + {y} * b.height / c.height]"
        across, down = self.run(f"(() => {{ {found} return {place}; }})()")
        return across, down

    def click(self, selector: str) -> None:
        """Click in the middle of the first element that fits, with the mouse."""
        found = f"const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'nearest'}});"
        middle = "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2];"
        place = self.run(f"(() => {{ {found} {middle} }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def choose(self, selector: str, value: object) -> None:
        """Set a field as a user would: its value, then the event."""
        self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(str(value))};"
            "e.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def look_all_ways(self, buttons: str, pictures: str) -> None:
        """Choose every way to look at masks, and wait until all pictures are drawn so."""
        for value in ("outlines", "photo", "differences"):
            self.click(f"{buttons} [value={value}]")
            self.until(f"[...document.querySelectorAll('{pictures}')].every(c => c.dataset.painted === '{value}')")

    def scroll_to_the_end(self) -> None:
        """And leave the page some time to ask for whatever it wants."""
        self.run("scrollTo(0, 1e6)")
        self.run("new Promise(done => setTimeout(done, 300))")

    def screenshot(self, path: Path) -> Path:
        """The window as a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
        return path

    def close(self) -> None:
        """End the browser."""
        try:
            self.send("Browser.close")
            self._process.wait(10)
        except (OSError, AssertionError, websocket.WebSocketException, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
