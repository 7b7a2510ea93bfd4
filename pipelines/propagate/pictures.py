"""What a propagation is looked at by: the overlay video, made while it runs, and a sheet of frames at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from datakit.arrays import Image, Labels
from datakit.files import PART_PREFIX, put_in_place, replacing
from datakit.images import encode_png
from datakit.preview import chosen_frames, overlay, shown_size, video_sheet
from datakit.video.frames import Frames
from datakit.video.video_writer import VideoWriter

from .output import SHEET, Output


class OverlayVideo:
    """The overlay video. Frames may come in any order; those that did not come in turn are drawn at the end.

    Args:
        path: of the video that is made.
        frames: the video that was segmented.
    """

    def __init__(self, path: Path, frames: Frames):
        self._path, self._frames = path, frames
        self._part = path.with_name(f"{PART_PREFIX}{path.name}")
        self._writer = VideoWriter(self._part, shown_size(frames.size), frames.fps)

    def __enter__(self) -> OverlayVideo:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._writer.abandon()
        self._part.unlink(missing_ok=True)

    def add_frame(self, place: int, image: Image, labels: Labels) -> None:
        """Draw a frame if it is the next."""
        if place == self._writer.count:
            self._writer.add(overlay(image, labels, self._frames.names[place]))

    def finish(self, output: Output) -> None:
        """Draw what is left from the label pictures, and give the video its name."""
        for place in range(self._writer.count, len(self._frames)):
            self.add_frame(place, self._frames[place], labels_of(output, self._frames, place))
        self._writer.close()
        put_in_place(self._part, self._path)


def labels_of(output: Output, frames: Frames, place: int) -> Labels:
    """The finished label map of a frame."""
    labels = output.kept(frames.names[place], frames.size)
    if labels is None:
        raise FileNotFoundError(output.labels / f"{frames.names[place]}.png")
    return labels


def write_sheet(
    output: Output,
    frames: Frames,
    rows: Mapping[str, Mapping[str, Any]],
    title: str,
    look_at: Mapping[str, Any] | None = None,
) -> None:
    """Draw some frames: first, last, those where an object was just lost, and others evenly between.

    Args:
        output: what was made.
        frames: the video.
        rows: frame name -> its row of the log.
        title: stands above everything.
        look_at: the frame to look at, as `summary.look_at` gives it; it is among those drawn, and marked.
    """
    least = look_at["frame"] if look_at else None
    places = chosen_frames(len(frames), newly_lost(frames.names, rows))
    if least is not None and (at := frames.names.index(least)) not in places:  # so many that there is one between
        places.remove(min(places[1:-1], key=lambda place: abs(place - at)))
        places = sorted([*places, at])
    names = [frames.names[place] for place in places]
    pictures = [
        (frames[place], labels_of(output, frames, place), _caption(name, rows[name], name == least))
        for place, name in zip(places, names, strict=True)
    ]
    with replacing(output.report / SHEET) as part:
        part.write_bytes(encode_png(video_sheet(pictures, title), compact=True))


def newly_lost(names: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> list[int]:
    """Places of frames in which an object is lost that was there in the frame before."""
    before: set[int] = set()
    found = []
    for place, name in enumerate(names):
        lost = set(rows[name]["lost"])
        if lost - before:
            found.append(place)
        before = lost
    return found


def _caption(name: str, row: Mapping[str, Any], least: bool) -> str:
    lost, margins = ", ".join(map(str, row["lost"])), row.get("margin", {}).values()
    parts = [name, f"lost: {lost}" if lost else "", f"margin {min(margins):.2f}" if margins else ""]
    return ", ".join(part for part in parts if part) + (": look here" if least else "")
