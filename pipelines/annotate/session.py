"""What the page can ask for, without any protocol: drawings, boxes, propagation, exports of one project."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import Any

from datakit.arrays import Labels, only_ids
from datakit.errors import UsageError
from datakit.images import encode_jpeg
from datakit.preview.overlay import drawn
from datakit.resize import shrunk
from datakit.video.palette import bright_colours

from .export import FORMATS, export_to
from .gaps import DIRECTIONS, Carrier, kept_drawings
from .jobs import Advance, Event, Jobs, WhenQuiet
from .masker import Masker
from .offer import offered
from .project import Project
from .signs import signs

QUALITY, THUMB_QUALITY, THUMB_SIDE, THUMBS_KEPT = 90, 75, 160, 512
LEAST_DRAWINGS, MOST_DRAWINGS = 2, 40  # that are learned from
QUIET = 0.5  # seconds after a stroke in which no other one follows: often the last one before the button
LEARNT_BYTES = 500_000_000  # of these at most, as they are in memory meanwhile


class Session:
    """A project that is open.

    Args:
        project: what is annotated.
        masker: the network; None where the project is only looked at.
        tell: gets what happens in the background.
    """

    def __init__(self, project: Project, masker: Masker | None, tell: Callable[[Event], None]):
        self.project, self._masker, self._tell = project, masker, tell
        self.jobs, self._ahead = Jobs(tell), WhenQuiet(QUIET)
        self._identity = project.media.identity()
        self._revisions = itertools.count(time.time_ns() // 1_000)  # those of the next program are later ones
        self._aside = project.media.apart()  # whoever waits for a picture does not wait for thumbnails as well
        self._drawing = kept_drawings(project.media.apart())
        self._small = lru_cache(THUMBS_KEPT)(lambda place: shrunk(self._aside.once(place), THUMB_SIDE))

    def end(self) -> None:
        """Stop what runs in the background, after the step it is at."""
        self._ahead.end()
        self.jobs.stop(wait=10)

    def state(self) -> dict[str, Any]:
        """All that a page needs to begin."""
        project, media = self.project, self.project.media
        return {
            "title": media.path.name, "kind": media.kind, "names": list(media.names), "fps": media.fps,
            "folder": str(project.folder), "identity": self._identity, "writes": project.writes, "at": project.at,
            "job": self.jobs.state, "remark": self._masker.remark if self._masker else "",
            "formats": {name: about for name, (about, kinds, _) in FORMATS.items() if media.kind in kinds},
            "colours": bright_colours().tolist(), **self.changes(),
        }  # fmt: skip

    def changes(self) -> dict[str, Any]:
        """What the page shows beside masks; answers may overtake each other, and of two the later revision holds."""
        revision = next(self._revisions)
        objects = [{"id": number, "name": name} for number, name in self.project.objects().items()]
        about = {"signs": signs(self.project), "offer": offered(self.project)}
        learned = self._masker.learned if self._masker else 0
        return {"revision": revision, "objects": objects, **about, "learned": learned}

    def look_again(self) -> None:
        """Take in what another session has written, and tell of it.

        Raises:
            UsageError, DatakitError, OSError: the project cannot be read any more.
        """
        places = self.project.look_again()
        for place in places or ():
            self._tell({"kind": "drawn", "place": place, "version": self.project.version(place)})
        if places is not None:
            self._tell(self._after())

    def place(self, text: str) -> int:
        """A place out of an address.

        Raises:
            LookupError: there is no such picture.
        """
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) >= len(self.project.media):
            raise LookupError(text)
        return int(text)

    def place_of(self, name: str) -> int:
        """The place of a picture by its name; a page may be older than the folder it shows.

        Raises:
            UsageError: there is none of that name any more.
        """
        if name not in self.project.media.names:
            raise UsageError(f"{name}: is no picture of this project any more; reload the page")
        return self.project.media.names.index(name)

    def photo(self, place: int) -> bytes:
        """A picture as JPEG."""
        return encode_jpeg(self.project.media[place], QUALITY)

    def thumb(self, place: int) -> bytes:
        """A small picture with its masks, as JPEG."""
        small = self._small(place)
        return encode_jpeg(drawn(small, self.project.labels(place), small.shape[:2]), THUMB_QUALITY)

    def mask(self, place: int) -> tuple[Labels, dict[str, Any]]:
        """The label map of a picture, and what else is known of it."""
        project = self.project
        H, W = project.media.size(place)
        with project.lock:
            row = project.row(place) or {}
            return project.labels(place), {
                "drawn": place in project.drawn, "settled": sorted(project.settled(place)),
                "drawing": project.drawing(place), "version": project.version(place), "size": [H, W],
                **{name: row[name] for name in ("confidence", "agreement") if row.get(name) is not None},
            }  # fmt: skip

    def draw(self, place: int, labels: Labels, settled: Collection[int] | None = None, base: str | None = None) -> None:
        """Keep a drawing, as `Project.draw`; the network sees it before somebody asks for its masks to be carried on.

        Raises:
            UsageError, DatakitError, OSError: it cannot be kept.
        """
        self.project.draw(place, labels, settled, base)
        if self._masker is not None and self._masker.remembers and self.project.media.kind != "stills":
            self._ahead.ask(partial(self._see, self._masker, place))

    def _see(self, masker: Masker, place: int, wanted: Callable[[], bool]) -> None:
        """Have the network remember a drawing, whose picture was just looked at, as runs will show it."""
        with contextlib.suppress(Exception):  # who asks for masks is told
            labels = self.project.labels(place)
            for close in (True, False):
                if wanted() and not self.jobs.running:
                    masker.fresh(close).replay(labels, labels, partial(self._drawing, place))

    def box(self, place: int, number: Any, box: Any) -> Labels:
        """The mask of the object in a box.

        Raises:
            UsageError: the box does not lie in the picture, or the project is only looked at.
        """
        if self._masker is None:
            raise UsageError("this project is open to be looked at only; start without --read-only to change it")
        corners = isinstance(box, list) and len(box) == 4 and all(isinstance(side, int) for side in box)
        if not corners or not isinstance(number, int) or number not in self.project.objects():
            raise UsageError(f"box {box} of object {number}: expected x0, y0, x1, y1 in pixels, and one of its objects")
        x0, y0, x1, y1 = box
        return self._masker.box(self.project.media[place], number, (x0, y0, x1, y1))

    def propagate(self, direction: str, at: int) -> None:
        """Carry masks through the film, in the background.

        Raises:
            UsageError: photos, no drawing of an object, an unknown direction, or a job that is running.
        """
        project, masker = self.project, self._must_make("propagate")
        if direction not in DIRECTIONS:
            raise UsageError(f"direction {direction!r}: expected one of {', '.join(DIRECTIONS)}")
        if not any(map(project.drawn_ids, project.drawn)):
            raise UsageError("nothing to propagate: draw an object in a frame first")

        def work(advance: Advance) -> None:
            self._ahead.end()
            carrier = Carrier(project, masker.fresh, masker.remembers, project.media.apart(), drawing=self._drawing)
            for made, left in carrier.run(direction, at):
                revision = next(self._revisions)
                advance(left, {
                    "kind": "made", "place": made.place, "version": project.version(made.place), "revision": revision
                })  # fmt: skip

        self.jobs.start("propagate", work, self._after)

    def learn(self) -> None:
        """Fit the network to the drawings, in the background; masks made before are to be made again then.

        Raises:
            UsageError: photos, fewer than two drawings of objects, or a job that is running.
        """
        project, masker = self.project, self._must_make("learn")
        shown = {place: ids for place in project.drawn if (ids := project.drawn_ids(place))}
        if len(shown) < LEAST_DRAWINGS:
            first = "one more frame, far from the first" if shown else "an object in two frames, far apart"
            raise UsageError(f"Draw {first}: what is learned from one alone does not hold for the film.")

        def work(advance: Advance) -> None:
            media, drawings = project.media.apart(), []
            H, W = media.size(min(shown))
            places = spread(shown, max(LEAST_DRAWINGS, min(MOST_DRAWINGS, LEARNT_BYTES // (4 * H * W))))
            for place in places:
                drawings.append((media.once(place), drawn_objects(project, place)))
                advance(masker.steps)
            masker.learn(drawings, advance)
            project.made_by(masker.name)

        self.jobs.start("learn", work, self._after)

    def forget(self) -> None:
        """Have the network as it was before it learned, in the background; masks are to be made again then.

        Raises:
            UsageError: it has learned nothing, or a job is running.
        """
        project, masker = self.project, self._must_make("forget")
        if not masker.learned:
            raise UsageError("forget: nothing was learned from drawings of this film")

        def work(advance: Advance) -> None:
            masker.forget()
            project.made_by(masker.name)

        self.jobs.start("forget", work, self._after)

    def _must_make(self, what: str) -> Masker:
        """The network, for a film that may be changed.

        Raises:
            UsageError: it may not, or has photos.
        """
        if self._masker is None:
            raise UsageError(f"{what}: this project is open to be looked at only")
        if self.project.media.kind == "stills":
            raise UsageError(f"{what}: photos are annotated one by one")
        return self._masker

    def export(self, formats: list[str]) -> None:
        """Write the project in formats of other programs, in the background.

        Raises:
            UsageError: none, or one that does not fit, or a job that is running.
        """
        known = self.state()["formats"]
        if not formats or (unknown := [name for name in formats if name not in known]):
            raise UsageError(f"export {', '.join(unknown) if formats else ''}: expected some of {', '.join(known)}")
        if not self.project.writes:
            raise UsageError("export: this project is open to be looked at only")
        self.jobs.start("export", lambda advance: export_to(self.project, formats, advance), self._after)

    def _after(self) -> Event:
        return {"kind": "changes", **self.changes()}


def drawn_objects(project: Project, place: int) -> Labels:
    """(H, W) uint8: what was drawn in a picture, without what was made of objects of which the drawing says nothing."""
    return only_ids(project.labels(place), project.settled(place))


def spread(shown: Mapping[int, Collection[int]], most: int) -> list[int]:
    """So many drawings at most: one of each object, then those that are furthest from all that were taken.

    Args:
        shown: place of a drawing -> the ids that it shows, one at least.
        most: how many.

    Returns:
        Their places, ascending.
    """
    taken: list[int] = []
    for number in sorted(set().union(*shown.values())):
        if not any(number in shown[place] for place in taken):
            taken.append(next(place for place in sorted(shown) if number in shown[place]))
    taken = taken[:most]
    while len(taken) < min(most, len(shown)):
        taken.append(max(shown.keys() - set(taken), key=lambda place: (min(abs(place - t) for t in taken), -place)))
    return sorted(taken)
