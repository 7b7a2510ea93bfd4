"""Takes docs/annotate.jpg, the picture of the page, on the drawn clip: python -m tools.annotate_picture

It needs chromium. Both objects are given by boxes, carried through the clip, and one frame is corrected.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

from datakit.arrays import bounding_box
from datakit.video.annotations import read_annotation
from tests.browser import Browser

OUT = Path(__file__).parent.parent / "docs" / "annotate.jpg"
SIZE = (1280, 800)
NAMES = ("near fish", "far fish")


def draw(browser: Browser, truth: Path) -> None:
    """What a user does."""
    labels = read_annotation(truth / "00000.png")
    for number, name in enumerate(NAMES, 1):
        if number > 1:
            browser.press("n")
            browser.until(f"document.querySelector('#objects li.now').dataset.id === '{number}'")
        browser.press("F2")
        for letter in name:
            browser.press(letter)
        browser.press("Enter")
        browser.until(f"document.getElementById('objects').textContent.includes('{name}')")
        box = bounding_box((labels == number).astype("uint8"))
        assert box is not None
        browser.press("x")
        before = browser.run("document.getElementById('saved').dataset.count")
        corners = ((box[0] - 4, box[1] - 4), (box[2] + 4, box[3] + 4))
        browser.drag([browser.point("#masks", *corner) for corner in corners])
        browser.until(f"document.getElementById('saved').dataset.count !== '{before}'")
    browser.press("g")
    browser.until("document.getElementById('job-text').textContent === 'Propagated.'")
    browser.press("w")
    browser.press("b")
    time.sleep(1.5)


def main() -> None:
    """Draw the clip, open the page, draw on it, take the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipelines = [sys.executable, "-m", "pipelines"]
        subprocess.run([*pipelines, "sample-data", str(folder / "data"), "--photos", "1"], check=True)
        clip = folder / "data/davis/JPEGImages/480p/crossing"
        command = [*pipelines, "annotate", str(clip), "--no-browser", "--project", str(folder / "project")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        browser = Browser(folder / "profile", patience=300)
        try:
            browser.visit(address, *SIZE)
            draw(browser, folder / "data/davis/Annotations/480p/crossing")
            picture = cv2.imread(str(browser.screenshot(folder / "page.png")))
            cv2.imwrite(str(OUT), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
        finally:
            browser.close()
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
