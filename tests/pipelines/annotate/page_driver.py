"""The page of `datakit annotate` as a user has it, in a real browser."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser import Browser


class Page:
    """The page as a user has it, with the brush: points of pictures instead of points of windows."""

    def __init__(self, browser: Browser, served: Any):
        self.browser, self.served = browser, served
        browser.visit(served.address)
        self.press("b")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the picture is in the window."""
        return self.browser.point("#masks", x, y)

    def drag(self, *points: tuple[float, float]) -> None:
        """Drag over pixels of the picture, and wait until that is saved."""
        with self.saving():
            self.browser.drag([self.at(*point) for point in points])

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Wait afterwards until what the body changed is on disk."""
        before = self.browser.run("document.getElementById('saved').dataset.count")
        yield
        self.browser.until(f"document.getElementById('saved').dataset.count !== '{before}'")

    def until_saved(self) -> None:
        """Wait until nothing is on its way to disk."""
        self.browser.until("document.getElementById('saved').textContent !== 'Saving…'")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.browser.press(key)

    def press_and_save(self, *keys: str) -> None:
        """Press keys that change a drawing, and wait until that is saved."""
        with self.saving():
            self.press(*keys)

    def go(self, place: int) -> None:
        """Step to a picture by the keys."""
        self.press("Home", *["ArrowRight"] * place)
        self.until_at(place)

    def until_at(self, place: int) -> None:
        """Wait until a picture is shown."""
        self.browser.until(f"document.getElementById('stage').dataset.place === '{place}'")

    def until_job(self, text: str) -> None:
        """Wait until the report of the job says so."""
        self.browser.until(f"document.getElementById('job-text').textContent.startsWith({json.dumps(text)})")

    def hold_answer(self, method: str, path: str = "mask/", unsent: bool = False) -> None:
        """Keep back the first answer to such a request, as a slow line does, or the request itself."""
        wait = "await new Promise(done => { window.release = done; });"
        self.browser.run(
            "(() => { const real = window.fetch; let held = 0; window.fetch = async (path, how) => {"
            f"const is = (how?.method ?? 'GET') === '{method}' && path.includes('{path}') && !held++;"
            f"{f'if (is) {wait}' if unsent else ''} const answer = await real(path, how);"
            f"{'' if unsent else f'if (is) {wait}'} return answer; }}; }})()"
        )

    def until_held(self) -> None:
        """Wait until it is kept back."""
        self.browser.until("!!window.release")

    def release(self) -> None:
        """Let it go."""
        self.browser.run("window.release()")

    def covered(self) -> int:
        """Pixels of the picture in sight that are coloured."""
        script = (
            "(() => { const c = document.getElementById('masks');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()"
        )
        return int(self.browser.run(script))

    def until_covered(self, pixels: int) -> None:
        """Wait until so many pixels are coloured."""
        deadline = time.monotonic() + 20
        while (found := self.covered()) != pixels:
            assert time.monotonic() < deadline, found

    def text(self, name: str) -> str:
        """Text of an element."""
        return str(self.browser.run(f"document.getElementById({json.dumps(name)}).textContent"))

    def quiet(self) -> None:
        """Nothing was complained of, and nothing asked of anybody but this server."""
        assert self.browser.console == []
        elsewhere = [
            url for url in self.browser.requests if not url.startswith(("blob:", "data:", self.served.address))
        ]
        assert elsewhere == []
