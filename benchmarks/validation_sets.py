"""The sets of the validation as ordinary trees: videos read forwards, backwards, mirrored, at half size, and fewer.

Each tree holds `JPEGImages/480p/SEQ` and `Annotations/480p/SEQ`, so that `datakit propagate --davis` and `datakit
evaluate` take it like any other. A sequence is written once, beside its place, and renamed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from datakit.arrays import Image, Labels
from datakit.errors import UsageError
from datakit.files import PART_PREFIX, digest_json
from datakit.formats import MAX_PIXELS
from datakit.images import encode_jpeg, encode_palette_png
from datakit.photo_files import read_picture
from datakit.video.labels import list_frames, open_labels, read_labels
from datakit.video.palette import palette
from pipelines.propagate.tree import frames_folder

PHOTOS, ANNOTATIONS = "JPEGImages/480p", "Annotations/480p"
QUALITY = 95  # of frames that are not the source's own files
SHIFTS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # x and y in pixels: harmless changes, see `Tree.shifted`

Pair = tuple[Path, Path]  # a frame and its annotation
Change = Callable[[Image, Labels], tuple[Image, Labels]]


@dataclass(frozen=True)
class Tree:
    """A tree of videos with annotations.

    Attributes:
        name: of the set.
        root: where it lies.
        sequences: those that count, all of them written.
        convention: by which it is scored; None for the one that fits.
        identity: digest of what it was made of.
    """

    name: str
    root: Path
    sequences: tuple[str, ...]
    convention: str | None
    identity: str

    def shifted(self, number: int) -> Tree:
        """The same tree with every frame and annotation moved by one pixel, which harms nobody.

        Args:
            number: from 1: to the right, down, left, up. What comes in at the border repeats what was there.
        """
        x, y = SHIFTS[(number - 1) % len(SHIFTS)]

        def change(image: Image, labels: Labels) -> tuple[Image, Labels]:
            return moved(image, labels, x, y)

        made = replace(self, name=f"{self.name}~{number}", root=self.root.with_name(f"{self.root.name}~{number}"))
        for name in self.sequences:
            write_sequence(made.root, name, _changed(sequence_pairs(self.root, name), change))
        return made


@dataclass(frozen=True)
class Variant:
    """One way to show a video.

    Attributes:
        name: of the set.
        chosen: which frames of a sequence, in which order.
        change: what becomes of a frame and its (H, W) uint8 ids; None where the files stay as they are.
    """

    name: str
    chosen: Callable[[Sequence[Pair]], Sequence[Pair]] = lambda pairs: pairs
    change: Change | None = None


def mirrored(image: Image, labels: Labels) -> tuple[Image, Labels]:
    """Left for right."""
    return np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(labels[:, ::-1])


def halved(image: Image, labels: Labels) -> tuple[Image, Labels]:
    """Half the sides: photos by areas, ids by the nearest pixel."""
    size = max(1, image.shape[1] // 2), max(1, image.shape[0] // 2)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def moved(image: Image, labels: Labels, x: int, y: int) -> tuple[Image, Labels]:
    """Both moved by whole pixels, the border repeated."""
    rows = np.clip(np.arange(image.shape[0]) - y, 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) - x, 0, image.shape[1] - 1)
    return image[rows[:, None], columns], labels[rows[:, None], columns]


VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("forwards"),
        Variant("backwards", lambda pairs: pairs[::-1]),
        Variant("mirrored", change=mirrored),
        Variant("half", change=halved),
        Variant("third", lambda pairs: pairs[::3]),
    )
}


def video_tree(davis: Path, name: str, chosen: Sequence[str] | None, folder: Path) -> Tree:
    """The videos of a tree, shown one way.

    Args:
        davis: as DAVIS lays it out, every frame annotated.
        name: of `VARIANTS`.
        chosen: sequences; None for all.
        folder: gets a folder for this tree.

    Raises:
        UsageError: it is no such tree, or a sequence is not in it.
    """
    root, variant = davis.resolve(), VARIANTS[name]
    known = open_labels(root).sequences
    names = tuple(known) if chosen is None else tuple(chosen)
    if missing := [each for each in names if each not in known]:
        raise UsageError(f"--sequences: {', '.join(missing)}: not in {root}, which holds {', '.join(known)}")
    identity = digest_json([str(root), name, QUALITY])
    made = Tree(name, folder / f"{name}-{identity[:8]}", names, None, identity)
    for each in names:
        pairs = variant.chosen(sequence_pairs(root, each))
        write_sequence(made.root, each, _changed(pairs, variant.change) if variant.change else iter(pairs))
    return made


def sequence_pairs(root: Path, name: str) -> list[Pair]:
    """Frames and annotations of one sequence, in order, from the first annotated frame to the last."""
    frames, annotations = list_frames(frames_folder(root) / name), open_labels(root).sequences[name]
    return [(frames[each], annotations[each]) for each in annotations if each in frames]


def _changed(pairs: Iterable[Pair], change: Change) -> Iterable[tuple[bytes, bytes]]:
    for photo, annotation in pairs:
        found = read_labels(annotation, str(annotation))
        labels = found.labels.astype(np.uint8)
        if found.ignore is not None:
            labels[found.ignore > 0] = 255
        yield encoded(*change(read_picture(photo, str(photo), MAX_PIXELS), labels))


def encoded(image: Image, labels: Labels) -> tuple[bytes, bytes]:
    """A frame as JPEG, its ids as palette PNG."""
    return encode_jpeg(np.ascontiguousarray(image), QUALITY), encode_palette_png(
        np.ascontiguousarray(labels), palette()
    )


def write_sequence(root: Path, name: str, frames: Iterable[tuple[Path | bytes, Path | bytes]]) -> None:
    """Write one sequence, numbered from 00000, unless it is there: files are linked, bytes written.

    Args:
        root: of the tree.
        name: of the sequence.
        frames: photo and annotation of each.
    """
    places = root / PHOTOS / name, root / ANNOTATIONS / name
    if places[1].is_dir():  # comes last
        return
    root.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=PART_PREFIX, dir=root))
    try:
        parts = part / "photos", part / "annotations"
        for each in parts:
            each.mkdir()
        for number, pair in enumerate(frames):
            for place, content, suffix in zip(parts, pair, (".jpg", ".png"), strict=True):
                if isinstance(content, bytes):
                    (place / f"{number:05d}{suffix}").write_bytes(content)
                else:
                    (place / f"{number:05d}{content.suffix}").symlink_to(content.resolve())
        shutil.rmtree(places[0], ignore_errors=True)
        for made, place in zip(parts, places, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            made.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
