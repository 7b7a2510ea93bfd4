"""Names of a video's files: suffixes, numbers, order, counts, and which mask belongs to which frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..wording import counted, shorten
from .faults import TO_JPG, Fault, aside, python, rename, shell
from .loaders import Task, VideoRules
from .trees import Listing, in_number_order, is_picture, stem, suffix

SAV_DIGITS, SAM_DIGITS = 3, 5
SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")  # made by file browsers, and made anew when thrown away


@dataclass(frozen=True)
class Video:
    """One video to check, by which rules.

    Attributes:
        root: the folder that was given; places are relative to it.
        files: the names in its folders.
        task, rules: for what.
    """

    root: Path
    files: Listing
    task: Task
    rules: VideoRules

    def place(self, path: Path) -> str:
        """A path as a report names it."""
        return str(path.relative_to(self.root))

    def fault(self, kind: str, path: Path, found: str, usual: str, mend: str) -> Fault:
        """A fault with what this loader does."""
        return Fault(kind, self.place(path), f"{found}; {self.rules.effects.get(kind, usual)}", mend)


def frames_of(video: Video) -> list[str]:
    """Names of frames that the loader sees, in its order."""
    return [name for name in video.files.frames if is_picture(name) and suffix(name) in video.rules.frame_suffixes]


def stray_files(video: Video) -> Iterator[Fault]:
    """Files of file browsers, notes, folders: whatever is no frame among frames and no mask among masks."""
    listing, rules = video.files, video.rules
    frames = [name for name in listing.frames if not is_picture(name)] if rules.every_file else []
    masks_matter = rules.every_file or rules.pairs_by == "number"
    masks = [name for name in listing.files if not is_picture(name)] if masks_matter else []
    for folder, names, what in ((listing.photos, frames, "frame"), (listing.masks, masks, "mask")):
        if names:
            paths = [folder / name for name in names]
            hidden = all(name.startswith(".") or name in SYSTEM for name in names)
            mend = shell("rm", "-r", *paths) if hidden else aside(video.root, *paths)
            usual = f"it is taken for a {what}, and reading it fails"
            yield video.fault("stray-file", paths[0], f"no {what}: {shorten(names)}", usual, mend)


def frame_names(video: Video) -> Iterator[Fault]:
    """Suffixes, formats, whole numbers, order, and frames that are there twice."""
    listing, rules = video.files, video.rules
    pictures = [name for name in listing.frames if is_picture(name)]
    wrong = [name for name in pictures if suffix(name) not in rules.frame_suffixes]
    jpegs = [name for name in wrong if suffix(name).lower() in (".jpg", ".jpeg")]
    others = [name for name in wrong if name not in jpegs]
    if jpegs:
        paths = [listing.photos / name for name in jpegs]
        found = f"{counted(len(jpegs), 'frame')} with {suffix(jpegs[0])}, expected {rules.frame_suffixes[0]} as written"
        mend = " && ".join(rename(path, path.with_suffix(".jpg")) for path in paths)
        yield video.fault("frame-suffix", paths[0], found, "it does not find them", mend)
    kept = [name for name in pictures if name not in wrong or name in jpegs]
    stems = {stem(name) for name in kept}
    twice = [name for name in others if stem(name) in stems]
    single = [name for name in others if stem(name) not in stems]
    if twice:
        paths = [listing.photos / name for name in twice]
        found = f"{shorten(twice)}: a second picture of a frame"
        usual = "it counts as a frame of its own, and the .jpg is read twice" if rules.every_file else "it is not read"
        yield video.fault("frame-twice", paths[0], found, usual, aside(video.root, *paths))
    if single:
        paths = [listing.photos / name for name in single]
        found = f"{counted(len(single), 'frame')} with {suffix(single[0])}, expected {rules.frame_suffixes[0]}"
        mend = f"{python(TO_JPG, *paths)} && {aside(video.root, *paths)}"
        yield video.fault("frame-format", paths[0], found, "it does not find them", mend)
    yield from _numbers(video, kept)


def _numbers(video: Video, names: list[str]) -> Iterator[Fault]:
    listing = video.files
    if video.rules.integer_names:
        bad = [name for name in names if not stem(name).isdecimal()]
        if bad:
            mend = " && ".join(
                f"{rename(path, path.with_name(new + suffix(old)))}"
                for place, old in enumerate(names)
                for path, new in _renamed(listing, old, f"{place:05d}")
            )
            found = f"{shorten(bad)}: no whole number, as 00000.jpg is"
            yield video.fault("frame-name", listing.photos / bad[0], found, "int() of it fails", mend)
    elif not in_number_order(names):
        width = max(len(stem(name)) for name in names)
        mend = " && ".join(
            rename(path, path.with_name(new + suffix(path.name)))
            for old in names
            if (padded := _padded(stem(old), width)) != stem(old)
            for path, new in _renamed(listing, old, padded)
        )
        found = f"{shorten(names)}: sorted as text, these are not in the order of their numbers"
        yield video.fault("frame-order", listing.photos / names[0], found, "frames are read in the wrong order", mend)


def _renamed(listing: Listing, frame: str, new: str) -> Iterator[tuple[Path, str]]:
    """The frame and its masks, with the new stem of each."""
    yield listing.photos / frame, new
    mask = f"{stem(frame)}.png"
    if mask in listing.files:
        yield listing.masks / mask, new
    for each, names in listing.objects:
        if mask in names:
            yield listing.masks / each / mask, new


def _padded(name: str, width: int) -> str:
    """A name with zeros before its last number, `width` characters in all."""
    head = name.rstrip("0123456789")
    return head + name[len(head) :].zfill(width - len(head))


def enough_frames(video: Video) -> Iterator[Fault]:
    """No video shorter than what the loader draws at a time."""
    found, fewest = frames_of(video), video.rules.fewest
    if len(found) < fewest:
        listing = video.files
        sides = [side for side in (listing.photos, listing.masks) if side.is_dir()]
        text = f"{counted(len(found), 'frame')}, expected at least {fewest}"
        yield video.fault("too-few-frames", listing.photos, text, "it is not used", aside(video.root, *sides))


def mask_names(video: Video) -> Iterator[Fault]:
    """Suffixes and numbers of mask files, and the frames they belong to."""
    listing, rules = video.files, video.rules
    pictures = [name for name in listing.files if is_picture(name)]
    if wrong := [name for name in pictures if suffix(name) != ".png"]:
        paths = [listing.masks / name for name in wrong]
        upper = [path for path in paths if path.suffix.lower() == ".png"]
        mends = [rename(path, path.with_suffix(".png")) for path in upper]
        rest = [path for path in paths if path not in upper]
        mends += [aside(video.root, *rest)] if rest else []
        found = f"{shorten(wrong)}: expected .png as written"
        yield video.fault("mask-suffix", paths[0], found, "its frame counts as one without a mask", " && ".join(mends))
    bad = [name for name in pictures if not stem(name).isdecimal()]
    if bad and rules.pairs_by == "number" and not listing.objects:
        paths = [listing.masks / name for name in bad]
        found = f"{shorten(bad)}: no whole number, as 00000.png is"
        mend = " && ".join(_to_number(video, path) for path in paths)
        yield video.fault("mask-name", paths[0], found, "int() of it fails", mend)
    yield from _pairs(video)


def _to_number(video: Video, path: Path) -> str:
    """Call a mask by the last number of its name, or move it away where it has none."""
    digits = stem(path.name)[len(stem(path.name).rstrip("0123456789")) :]
    if digits and not path.with_name(f"{digits}.png").exists():
        return rename(path, path.with_name(f"{digits}.png"))
    return aside(video.root, path)


def _pairs(video: Video) -> Iterator[Fault]:
    """Which frame has no mask, and which mask no frame."""
    listing, rules = video.files, video.rules
    kept = [name for name in listing.frames if is_picture(name)]
    masks = [name for name in listing.mask_names if is_picture(name) and suffix(name).lower() == ".png"]
    if not masks:
        return
    key = _number if rules.pairs_by == "number" else stem
    framed, masked = {key(name) for name in kept}, {key(name) for name in masks}
    given = masks[:1] if video.task == "inference" else []  # has a check of its own
    lone = [name for name in masks if key(name) not in framed and name not in given]
    if rules.every_mask and (missing := [name for name in kept if key(name) not in masked]) and not listing.objects:
        paths = [listing.photos / name for name in missing]
        found = f"no mask of {shorten(missing)}"
        kind = "pairing" if rules.pairs_by == "position" else "frame-without-mask"
        usual = "it stops at the frame"
        if kind == "pairing":
            usual = "frames and masks are paired by place, so that all that follow have the mask of another frame"
        yield video.fault(kind, paths[0], found, usual, aside(video.root, *paths))
    if lone and not listing.objects:
        paths = [listing.masks / name for name in lone]
        kind = "pairing" if rules.pairs_by == "position" else "mask-without-frame"
        usual = "it is never read"
        if kind == "pairing":
            usual = "frames and masks are paired by place, so that all that follow have the mask of another frame"
        yield video.fault(kind, paths[0], f"no frame for {shorten(lone)}", usual, aside(video.root, *paths))
    if video.task == "inference" and not listing.objects:
        yield from _first_mask(video, masks, framed)


def _first_mask(video: Video, masks: list[str], framed: set[str]) -> Iterator[Fault]:
    """What is given must belong to a frame, by name; for SAM 2 to the first."""
    listing, kept = video.files, frames_of(video)
    if not kept:
        return
    first, begin, path = stem(masks[0]), stem(kept[0]), listing.masks / masks[0]
    if first not in framed:
        found = f"the first mask is {masks[0]}, and no frame has that name; the first frame is {kept[0]}"
        usual = "no object is ever given to the network, in silence"
        yield video.fault("first-mask", path, found, usual, rename(path, path.with_name(f"{begin}.png")))
    elif video.rules.integer_names and first != begin:
        found = f"the first mask is {masks[0]}, and the first frame {kept[0]}"
        usual = "it stops, unless --track_object_appearing_later_in_video is given"
        yield video.fault("first-mask", path, found, usual, aside(video.root, *frames_before(video, masks[0])))


def frames_before(video: Video, mask: str) -> list[Path]:
    """Frames that come before that of a mask."""
    return [video.files.photos / name for name in frames_of(video) if stem(name) < stem(mask)]


def _number(name: str) -> str:
    """The number of a name without leading zeros; the name itself where it is none."""
    return stem(name).lstrip("0") or "0" if stem(name).isdecimal() else stem(name)


def object_names(video: Video) -> Iterator[Fault]:
    """A folder for each object: whole numbers of three digits, and in them frames of exactly five."""
    listing = video.files
    if not listing.objects:
        return
    if not video.rules.object_folders:
        folders = [listing.masks / name for name, _ in listing.objects]
        found = f"a folder for each object: {shorten([name for name, _ in listing.objects])}"
        yield video.fault("object-folder", folders[0], found, "masks are expected in the folder itself",
                          aside(video.root, *folders))  # fmt: skip
        return
    bad = [name for name, _ in listing.objects if not name.isdecimal()]
    if bad:
        path = listing.masks / bad[0]
        free = next(number for number in range(1000) if not (listing.masks / f"{number:03d}").exists())
        found = f"{shorten(bad)}: no whole number, as 000 is"
        yield video.fault("object-name", path, found, "int() of it fails", rename(path, path.with_name(f"{free:03d}")))
    elif short := [name for name, _ in listing.objects if len(name) != SAV_DIGITS]:
        mend = " && ".join(rename(listing.masks / name, listing.masks / f"{int(name):03d}") for name in short)
        yield video.fault("object-digits", listing.masks / short[0], f"{shorten(short)}: expected three digits",
                          "SA-V's own tools write and compare 000, 001 …, and do not find it", mend)  # fmt: skip
    if loose := [name for name in listing.files if is_picture(name)]:
        paths = [listing.masks / name for name in loose]
        yield video.fault("stray-mask", paths[0], f"{shorten(loose)} beside folders of objects", "int() of it fails",
                          aside(video.root, *paths))  # fmt: skip
    yield from _digits(video)


def _digits(video: Video) -> Iterator[Fault]:
    wrong = [video.files.masks / each / name for each, names in video.files.objects for name in names
             if is_picture(name) and stem(name).isdecimal() and len(stem(name)) != SAM_DIGITS]  # fmt: skip
    if wrong and video.task == "train":
        mend = " && ".join(rename(path, path.with_name(f"{int(path.stem):05d}.png")) for path in wrong)
        found = f"{shorten([path.name for path in wrong])}: expected exactly five digits, as 00000.png has"
        usual = "the mask counts as empty, in silence"
        yield video.fault("mask-digits", wrong[0], found, usual, mend)
