"""What to tell of a root that no layout recognises: what lies there, and the nearest command to try."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PillowImage

from .. import looking, reading
from ..errors import UsageError
from ..formats import SUFFIXES
from ..wording import counted
from .listing import scan, split_suffix
from .pairs import IMAGE_SUFFIXES, MASK_SUFFIXES
from .sniff import coco_files, heads

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif")
OTHERS = {
    ".h5": "HDF5 files; shards of ours are given to `datakit inspect`, `train` and `export`, not built again",
    ".tfrecord": "TFRecord files; write their photos and masks as files first",
    ".parquet": "Parquet files; write their photos and masks as files first",
    ".mdb": "LMDB files; write their photos and masks as files first",
}
HINTS = ("mask", "gt", "label", "seg", "annot", "ground", "truth", "matte", "alpha")
MOST_ENTRIES = 20_000  # files that are looked at
MOST_SHOWN = 8  # names of a folder in a message
# what stands in the head of a file that holds boxes or classes, and no masks
BOXES = {"<bndbox>": "boxes as Pascal VOC's XML holds them", '"bbox"': "boxes in JSON", '"keypoints"': "keypoints"}


DEEP = 6  # folders below the root that are looked into for annotation files
VIA_CSV = "region_shape_attributes"  # a column
OF_VIA_CSV = "VIA's CSV, which is not read: export the annotations as JSON instead, and put that beside the photos"
STUDIO_PNG = re.compile(r"task-\d+-annotation-\d+-")
YOLO_SETTINGS = re.compile(r"^(names|train|nc)\s*:", re.MULTILINE)


class Pair(NamedTuple):
    """Two folders with pictures of equal names; '' is the root itself."""

    photos: str
    masks: str
    shared: int


class Contents(NamedTuple):
    """What lies below a root.

    Attributes:
        suffixes: how many files have which suffix.
        stems: folder -> names of its pictures without suffix.
        first: suffix -> the first file that has it.
        is_all: whether every file was looked at.
    """

    suffixes: Counter[str]
    stems: dict[str, set[str]]
    first: dict[str, str]
    is_all: bool


def describe(root: Path, command: str = "datakit validate-source") -> str:
    """Sentences that say what is in a folder or file, and what to try.

    Args:
        root: which exists.
        command: that is to be tried again, without its arguments.
    """
    if looking.is_file(root):
        return _of_file(root, command)
    contents = look(root)
    if not contents.suffixes:
        return "It holds no file; give the folder that holds photos and their masks"
    return " ".join(_sentences(root, contents, command))


def look(root: Path) -> Contents:
    """Every file below a root, as far as `MOST_ENTRIES` go; none is opened."""
    contents = Contents(Counter(), defaultdict(set), {}, True)
    try:
        for count, (name, entry) in enumerate(scan(root, stay=True)):
            if count >= MOST_ENTRIES:
                return contents._replace(is_all=False)
            if entry.name.startswith("."):
                continue
            stem, suffix = split_suffix(name)
            contents.suffixes[suffix] += 1
            contents.first.setdefault(suffix, name)
            if suffix in IMAGE_SUFFIXES or suffix in MASK_SUFFIXES:
                folder, _, own = stem.rpartition("/")
                contents.stems[folder].add(own)
    except UsageError:  # a folder below that cannot be listed
        return contents._replace(is_all=False)
    return contents


def shared_names(root: Path, images: Path) -> set[str]:
    """Names without suffix of pictures below a folder of photos that pictures of the root elsewhere have, too."""
    home, photos = looking.resolved(root), looking.resolved(images)
    elsewhere = (
        stems for at, stems in look(root).stems.items() if not (home / at if at else home).is_relative_to(photos)
    )
    return set().union(*elsewhere) & set().union(*look(images).stems.values())


def names_in(root: Path) -> str:
    """The first few names in a folder, folders with a '/'."""
    try:
        names = sorted(entry.name + "/" * entry.is_dir() for entry in looking.each_entry(root))
    except OSError as error:
        return f"nothing that can be listed ({error.strerror})"
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more if names else "nothing"


def _sentences(root: Path, contents: Contents, command: str) -> Iterator[str]:
    """What is there, then what to try."""
    least = "" if contents.is_all else "at least "
    pictures = sum(len(stems) for stems in contents.stems.values())
    common = contents.suffixes.most_common(4)
    kinds = ", ".join(f"{least}{count} {suffix or 'without suffix'}" for suffix, count in common)
    yield f"Found: {names_in(root)} ({kinds})."
    unread = [suffix for suffix in contents.suffixes if suffix in SUFFIXES]
    pair = _likely_pair(contents)
    if pair:
        yield _of_pair(root, pair, command)
    elif tool := of_tools(root, contents, command):
        yield tool
    elif pictures:
        yield from _of_pictures(root, contents, command)
    elif unread:
        yield f"{contents.first[unread[0]]} {SUFFIXES[unread[0]]}."
    others = list(_of_others(root, contents, bool(pictures)))
    yield from others
    if not pictures and not unread and not others:
        yield "There is no photo in it; give the folder that holds photos and their masks."


def of_tools(root: Path, contents: Contents, command: str) -> str:
    """A sentence on an annotation tool's file that lies deep, or is of a kind that is not read; empty where none is."""
    for path, _ in coco_files(root, DEEP):
        return f"{path.relative_to(root)} is COCO: try `{command} {shlex.quote(str(path))}`."
    for path, text in heads(root, ".csv", DEEP):
        if VIA_CSV in text:
            return f"{path.relative_to(root)} is {OF_VIA_CSV}."
    for folder, stems in sorted(contents.stems.items()):
        if any(STUDIO_PNG.match(stem) for stem in stems):
            return (
                f"{folder or '.'}/ holds masks as Label Studio exports them, whose names do not say which photo they"
                " are of: export the project as JSON instead, and put that beside the photos."
            )
    return ""


def _likely_pair(contents: Contents) -> Pair | None:
    """The two folders that share the most names of pictures; which of them holds masks is told by its name."""
    best, most = None, (0, False)
    folders = sorted(contents.stems)
    for at, first in enumerate(folders):
        for second in folders[at + 1 :]:
            shared = len(contents.stems[first] & contents.stems[second])
            first_is, second_is = looks_like_masks(first), looks_like_masks(second)
            if shared and (shared, first_is != second_is) > most:
                most = shared, first_is != second_is
                best = Pair(second, first, shared) if first_is and not second_is else Pair(first, second, shared)
    return best


def looks_like_masks(folder: str) -> bool:
    """Whether a folder is called after masks or annotations."""
    return any(hint in folder.lower() for hint in HINTS)


def _of_pair(root: Path, pair: Pair, command: str) -> str:
    photos, masks = (shlex.quote(str(root / name)) for name in (pair.photos, pair.masks))
    named = f"{pair.photos or '.'}/ and {pair.masks or '.'}/ share {counted(pair.shared, 'name')} of pictures"
    return f"{named}: try `{command} mine:pairs={masks} --images mine={photos}`."


def _of_pictures(root: Path, contents: Contents, command: str) -> Iterator[str]:
    """What to tell of pictures without a folder of equal names beside them."""
    folder = max(sorted(contents.stems), key=lambda name: len(contents.stems[name]))
    found = f"{counted(len(contents.stems[folder]), 'picture')} in {folder or '.'}/"
    if _are_masks(root, folder, contents):
        masks = shlex.quote(str(root / folder))
        way = f"`{command} mine:pairs={masks} --images mine=PHOTOS`"
        yield f"Found only what looks like masks, {found}: give their photos, too, {way}."
        return
    yield (
        f"No mask has the name of any of {found}: training needs a mask for each photo; draw them, e.g. with LabelMe,"
        f" or name them by a pattern: `{command} mine={shlex.quote(str(root))} --mask-name '{{stem}}_mask.png'`."
    )


def _are_masks(root: Path, folder: str, contents: Contents) -> bool:
    """Whether the pictures of a folder are masks, by its name or by the mode of one of them."""
    if looks_like_masks(folder or root.name):
        return True
    name = next((path for path in contents.first.values() if path.rpartition("/")[0] == folder), "")
    try:
        data = reading.read_file(root / name)
    except OSError:
        return False
    try:
        with PillowImage.open(BytesIO(data)) as picture:
            return picture.mode in ("1", "P")
    except Exception:  # no picture at all
        return False


def _of_others(root: Path, contents: Contents, has_pictures: bool) -> Iterator[str]:
    """What to tell of files that are no pictures."""
    for suffix, name in contents.first.items():
        if suffix in ARCHIVES:
            yield f"{name} is an archive: unpack it first."
        elif suffix in FILMS and not has_pictures:
            film = shlex.quote(str(root / name))
            way = f"`datakit propagate {film} --first-frame first.png`"
            yield f"{name} is a film: {way}, draw a mask on that picture, and go on from it."
        elif suffix in OTHERS:
            yield f"{name} is one of {OTHERS[suffix]}."
        elif suffix in (".json", ".xml"):
            yield from _of_annotations(root / name, name)


def _of_annotations(path: Path, name: str) -> Iterator[str]:
    try:
        head = reading.read_head(path, 8192).decode("utf-8-sig", "replace")
    except OSError:
        return
    for mark, what in BOXES.items():
        if mark in head and '"segmentation"' not in head:
            yield f"{name} holds {what}, and no masks."
            return
    yield f"{name} is of no kind that is read by itself; say which it is: LABEL:LAYOUT=ROOT."


def _of_file(path: Path, command: str) -> str:
    suffix = path.suffix.lower()
    if suffix in FILMS:
        return f"It is a film: `datakit propagate {shlex.quote(str(path))} --first-frame first.png`"
    again = f"`{command} {shlex.quote(str(path.absolute().parent))}`"
    if suffix in IMAGE_SUFFIXES or suffix in SUFFIXES:
        return f"It is one picture; give the folder: {again}"
    text = next((text for _, text in heads(path, suffix)), "")
    if suffix in (".yaml", ".yml") and YOLO_SETTINGS.search(text):
        return f"It says what a YOLO set holds; give the set's folder: {again}"
    if suffix == ".csv" and VIA_CSV in text:
        return f"It is {OF_VIA_CSV}"
    return "It is a file of a kind that is not read; give the folder of photos and masks, or the annotation file"
