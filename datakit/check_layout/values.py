"""What is in a video's masks, read as the loader reads them: modes, ids, sizes, emptiness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..wording import counted, shorten
from .faults import BINARY, NO_VOID, RENUMBER, RESIZE, Fault, aside, in_folder, python
from .mask_facts import MaskFacts, read_facts, size_of
from .names import Video, enough_frames, frame_names, frames_before, frames_of, mask_names, object_names, stray_files
from .trees import is_picture, stem, suffix

VOID = 255


@dataclass(frozen=True)
class VideoFindings:
    """What one video showed.

    Attributes:
        name: of the video.
        faults: in order of checks.
        frames: how many the loader sees.
        masks: how many files were read.
        ids: of all of them, 0 left out; of a folder for each object its number + 1.
        empty: names of frames whose mask holds no object.
    """

    name: str
    faults: tuple[Fault, ...]
    frames: int
    masks: int
    ids: tuple[int, ...]
    empty: tuple[str, ...]


def check_video(video: Video) -> VideoFindings:
    """Every fault of one video; runs on any process."""
    checks = (stray_files, frame_names, enough_frames, mask_names, object_names)
    faults = [fault for check in checks for fault in check(video)]
    files = _mask_files(video)
    facts = {path: read_facts(path) for path in files}
    faults += _folder_faults(video, facts)
    faults += _value_faults(video, facts)
    faults += _size_faults(video, facts)
    read = {path: each for path, each in facts.items() if not each.error}
    faults += _empty_faults(video, read)
    whole = {path.name for path, each in read.items() if each.ids}
    empty = tuple(stem(name) for name in sorted({path.name for path in read} - whole))
    ids = sorted({number for each in read.values() for number in each.ids})
    return VideoFindings(video.files.name, tuple(faults), len(frames_of(video)), len(facts), tuple(ids), empty)


def _mask_files(video: Video) -> list[Path]:
    listing = video.files
    found = [listing.masks / name for name in listing.files if is_picture(name) and suffix(name).lower() == ".png"]
    found += [listing.masks / each / name for each, names in listing.objects for name in names
              if is_picture(name) and suffix(name).lower() == ".png"]  # fmt: skip
    return found


def _folder_faults(video: Video, facts: Mapping[Path, MaskFacts]) -> Iterator[Fault]:
    """Photos without masks, masks without photos, files that are no pictures."""
    listing = video.files
    if not listing.frames and not listing.photos.is_dir():
        found = "masks, and no folder of photos of that name"
        usual = "it is not used" if video.rules.videos_in == "photos" else "it stops with FileNotFoundError"
        yield video.fault("no-frames", listing.masks, found, usual, aside(video.root, listing.masks))
    elif not facts:
        usual = "it stops at the first mask" if video.rules.videos_in != "lists" else "it finds no mask"
        yield video.fault("no-masks", listing.photos, "photos, and no mask", usual, aside(video.root, listing.photos))
    for path, each in facts.items():
        if each.error:
            yield video.fault("unreadable-mask", path, each.error, "it stops there", aside(video.root, path))


def _on(video: Video, code: str, bad: list[Path], facts: Mapping[Path, MaskFacts]) -> str:
    """A command for some masks: for all of a folder where it may be all, else for each by name."""
    if len(bad) == len(facts) and not video.files.objects and all(path.suffix == ".png" for path in bad):
        return in_folder(code, video.files.masks)
    return python(code, *bad)


def _value_faults(video: Video, facts: Mapping[Path, MaskFacts]) -> Iterator[Fault]:
    """Modes that lose ids, and 255 beside ids."""
    colour = [path for path, each in facts.items() if each.is_colour]
    deep = [path for path, each in facts.items() if each.is_deep]
    bits = [path for path, each in facts.items() if each.mode == "1"]
    reads = video.rules.reads
    every = sorted(facts)
    if colour:
        each = facts[colour[0]]
        kind = "mask-mode" if reads == "mode" and each.mode != "RGB" else "colour-mask"
        found = f"{each.mode} mask of {counted(each.stored, 'colour')}, expected ids as palette or grey"
        ids = shorten(list(map(str, each.ids)), 8)
        usual = f'convert("P") makes {counted(len(each.ids), "id")} of it, in speckles: {ids}'
        yield video.fault(kind, colour[0], found, usual, python(RENUMBER, *every))
    if deep:
        each = facts[deep[0]]
        kind = "mask-mode" if reads == "mode" else "mask-16-bit"
        found = f"{each.mode} mask of {counted(each.stored, 'value')}, expected 8 bits"
        usual = 'convert("P") cuts every number over 255 to 255'
        yield video.fault(kind, deep[0], found, usual, python(RENUMBER, *every))
    if bits and reads != "array" and not video.files.objects:
        kind = "mask-mode" if reads == "mode" else "mask-1-bit"
        usual = 'convert("P") makes id 255 of it'
        yield video.fault(kind, bits[0], f"{counted(len(bits), '1-bit mask')}", usual, _on(video, BINARY, bits, facts))
    plain = {path: each for path, each in facts.items() if each.mode in ("P", "L")}
    void = [path for path, each in plain.items() if VOID in each.ids]
    if void and not video.files.objects and any(set(each.ids) - {VOID} for each in plain.values()):
        found = f"255 beside ids in {counted(len(void), 'mask')}"
        usual = "it is void to DAVIS and VOC, and an object number 255 to this loader"
        yield video.fault("void", void[0], found, usual, _on(video, NO_VOID, void, facts))


def _size_faults(video: Video, facts: Mapping[Path, MaskFacts]) -> Iterator[Fault]:
    """Masks of another size than their frames."""
    photos = {stem(name): video.files.photos / name for name in frames_of(video)}
    wrong, size = [], None
    for path, each in facts.items():
        photo = photos.get(path.stem)
        if photo is None or each.error:
            continue
        size = size_of(photo)
        if size is not None and size != each.size:
            wrong.append((path, photo, each.size, size))
    if wrong:
        path, photo, mask, size = wrong[0]
        found = f"{counted(len(wrong), 'mask')} of another size: {mask[0]}x{mask[1]}, its frame is {size[0]}x{size[1]}"
        mend = " && ".join(python(RESIZE, path, photo) for path, photo, _, _ in wrong)
        yield video.fault("mask-size", path, found, "frame and mask do not fit each other", mend)


def _empty_faults(video: Video, facts: Mapping[Path, MaskFacts]) -> Iterator[Fault]:
    """No object at all, or none where the network is given its first."""
    if not facts:
        return
    listing = video.files
    if not any(each.ids for each in facts.values()):
        sides = [side for side in (listing.photos, listing.masks) if side.is_dir()]
        found = f"no object in {counted(len(facts), 'mask')}"
        yield video.fault("empty-video", listing.masks, found, "there is nothing to learn or to follow",
                          aside(video.root, *sides))  # fmt: skip
        return
    if video.task == "inference" and not listing.objects:
        first = min(facts, key=lambda path: path.name)
        if not facts[first].ids:
            later = [path for path, each in sorted(facts.items()) if each.ids]
            found = f"the first mask holds no object, {later[0].name} is the first that does"
            away = [path for path, each in facts.items() if path < later[0]]
            if video.rules.integer_names:
                away += frames_before(video, later[0].name)
            yield video.fault("empty-first", first, found, "nothing is given to the network, and nothing followed",
                              aside(video.root, *away))  # fmt: skip
