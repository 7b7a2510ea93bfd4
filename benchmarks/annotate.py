"""How long a user of `datakit annotate` waits, in a real browser, on a film of 1080p.

Opening, a stroke from the pointer's event to the frame that shows it, a box to its mask, the button to the first mask
that was propagated, frames far apart, and the memory of the program. Without a film one is made of DAVIS's frames.
Run alone: python -m benchmarks.annotate DAVIS [--film FILE] [--minutes 10]
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.browser import Browser

from . import common

SIZE, FPS = (1080, 1920), 25
STROKES, MOVES, JUMPS, SHOWN = 12, 40, 40, 60  # SHOWN: frames a second of the browser
WATCH = """(() => { window.waits = []; const channel = new MessageChannel(), due = [];
channel.port1.onmessage = () => { for (const stamp of due.splice(0)) window.waits.push(performance.now() - stamp); };
document.getElementById('stage').addEventListener('pointermove', event => { if (event.buttons & 1) {
due.push(event.timeStamp); requestAnimationFrame(() => channel.port2.postMessage(0)); } }); })()"""


def make_film(davis: Path, path: Path, minutes: float) -> Path:
    """A film of 1080p of the frames of four sequences, encoded once and repeated."""
    import av

    folders = [davis / "JPEGImages/480p" / name for name in ("libby", "dog", "cows", "car-shadow")]
    pictures = [
        cv2.resize(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB), SIZE[::-1])
        for folder in folders
        for file in sorted(folder.glob("*.jpg"))
    ]
    once = path.with_stem(f"{path.stem}-once")
    with av.open(str(once), "w") as container:
        stream: Any = container.add_stream("libx264", FPS, {"preset": "ultrafast", "crf": "26", "g": "250"})
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    rounds = math.ceil(minutes * 60 * FPS / len(pictures))
    with av.open(str(path), "w") as container:
        copied: Any = None
        for number in range(rounds):
            with av.open(str(once)) as source:
                stream = source.streams.video[0]
                copied = copied or container.add_stream_from_template(stream)
                length = round(len(pictures) / FPS / stream.time_base)
                for packet in source.demux(stream):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + number * length, packet.dts + number * length
                        packet.stream = copied
                        container.mux(packet)
    return path


def resident(process: int) -> int:
    """Megabytes that a process has in memory, now and at most."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024  # type: ignore[index]


class Measured:
    """A page that is open, and what it is timed at."""

    def __init__(self, browser: Browser):
        self.browser = browser

    def seconds_until(self, script: str) -> float:
        """From now until an expression is true."""
        began = time.monotonic()
        self.browser.until(script)
        return time.monotonic() - began

    def strokes(self) -> list[float]:
        """Milliseconds from a pointer's event to the frame that shows it, of every move of some strokes."""
        self.browser.press("b")
        self.browser.run(WATCH)
        random = np.random.default_rng(0)
        for _ in range(STROKES):
            points = np.cumsum(random.normal(0, 30, (MOVES, 2)), 0) + 540
            points = [self.browser.point("#masks", *np.clip(point, 40, 1000)) for point in points]
            self.browser.drag(points, pauses=random.uniform(0, 1 / SHOWN, MOVES))  # a hand does not move in step
            time.sleep(0.3)
        return [float(wait) for wait in self.browser.run("window.waits")]

    def box(self) -> float:
        """Seconds from letting go of a box until its mask is there."""
        self.browser.press("n")
        self.browser.until("document.querySelectorAll('#objects li').length > 1")
        self.browser.press("x")
        self.browser.run(
            "window.came = 0; new MutationObserver(() => { window.came ||= performance.now(); })"
            ".observe(document.getElementById('saved'), {childList: true});"
            "document.getElementById('stage').addEventListener('pointerup', () => { window.went = performance.now(); })"
        )
        self.browser.drag([self.browser.point("#masks", *corner) for corner in ((640, 360), (1290, 790))])
        self.browser.until("window.came > 0")
        return float(self.browser.run("window.came - window.went")) / 1000

    def first_made(self) -> float:
        """Seconds from the button to the first mask that was propagated."""
        self.browser.run(
            "window.made = 0; (() => { const live = new URL('live', location.href).href.replace(/^http/, 'ws');"
            "const socket = new WebSocket(live); socket.onmessage = event => {"
            "if (JSON.parse(event.data).kind === 'made') window.made ||= performance.now(); };"
            "return new Promise(done => { socket.onopen = done; }); })().then(() => true)"
        )
        self.browser.run("window.asked = performance.now(); document.getElementById('both').click(); true")
        self.browser.until("window.made > 0")
        return float(self.browser.run("window.made - window.asked")) / 1000

    def jumps(self) -> list[float]:
        """Seconds until a frame anywhere in the film is shown."""
        found = []
        line = "const b = document.getElementById('line').getBoundingClientRect();"
        left, top, width = self.browser.run(f"(() => {{ {line} return [b.x, b.y, b.width]; }})()")
        for share in np.random.default_rng(1).random(JUMPS):
            before = self.browser.run("document.getElementById('stage').dataset.place")
            self.browser.drag([(left + share * width, top + 10)])
            found.append(self.seconds_until(f"document.getElementById('stage').dataset.place !== '{before}'"))
        return found


def spread(values: list[float], digits: int) -> dict[str, float]:
    """Median and 95th percentile."""
    found = {"median": float(np.median(values)), "p95": float(np.quantile(values, 0.95))}
    return {name: round(value, digits) for name, value in found.items()}


def run(davis: Path, film: Path | None = None, minutes: float = 10) -> None:
    """Make a film, annotate it, and tell the waits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = film or make_film(davis, folder / "film.mp4", minutes)
        command = [
            sys.executable,
            "-m",
            "pipelines",
            "annotate",
            str(film),
            "--no-browser",
            "--project",
            str(folder / "p"),
        ]
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        start = time.monotonic() - began
        page = Measured(Browser(folder / "profile", patience=120))
        try:
            opened = page.browser.visit(address)
            count = int(page.browser.run("Number(document.getElementById('line').getAttribute('aria-valuemax'))"))
            jumps, strokes = page.jumps(), page.strokes()
            page.browser.press("Home")
            page.browser.until("document.getElementById('stage').dataset.place === '0'")
            box = page.box()
            time.sleep(1)
            first = page.first_made()
            time.sleep(5)
            figures = {
                "frames": count, "command to address, s": round(start, 1), "page, s": round(opened, 2),
                "stroke to screen, ms": spread(strokes, 1),
                "a frame anywhere, s": spread(jumps, 2),
                "box to mask, s": round(box, 2), "button to first mask, s": round(first, 2),
                "memory at most, MB": resident(process.pid),
            }  # fmt: skip
        finally:
            page.browser.close()
            process.terminate()
            process.wait(30)
        common.save("annotate", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("davis", type=Path)
    parser.add_argument("--film", type=Path, default=None)
    parser.add_argument("--minutes", type=float, default=10)
    run(**vars(parser.parse_args()))
