"""Files of names that a loader insists on: XMem's and Cutie's subsets, Cutie's empty masks, ImageSets, meta.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..wording import shorten
from .faults import Fault, python, rename, shell
from .loaders import Task, VideoRules
from .trees import RESOLUTIONS, Tree, folders_of, stem
from .values import VideoFindings

META = (
    "import sys, json, pathlib\nimport numpy as np\nfrom PIL import Image\nmasks, out = sys.argv[1:]\nv = {}\n"
    "for f in sorted(pathlib.Path(masks).glob('*/*.png')):\n"
    " o = v.setdefault(f.parent.name, {'objects': {}})['objects']\n"
    " for k in np.unique(np.array(Image.open(f))):\n"
    "  if k: o.setdefault(str(k), {'category': 'object', 'frames': []})['frames'].append(f.stem)\n"
    "json.dump({'videos': v}, open(out, 'w'), indent=1)"
)
EMPTY = (
    "import sys, json, pathlib\nimport numpy as np\nfrom PIL import Image\nmasks, out = sys.argv[1:]\n"
    "json.dump({d.name: [f.stem for f in sorted(d.glob('*.png')) if not np.array(Image.open(f)).any()]"
    " for d in sorted(pathlib.Path(masks).iterdir()) if d.is_dir()}, open(out, 'w'))"
)


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        ValueError: it is no JSON; says why.
        UsageError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def subset_faults(subset: Path, tree: Tree) -> Iterator[Fault]:
    """Names of a subset, one a line, as XMem and Cutie compare them: every character counts."""
    try:
        lines = subset.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{subset}: cannot be read: {error}") from None
    videos = tree.videos()
    again = f"ls {shell(tree.photos)} > {shell(subset)}"
    if blurred := [line for line in lines if line not in videos and line.strip() in videos]:
        found = shorten([repr(line) for line in blurred])
        text = f"{found}: spaces around a name count, and the video is not used, in silence"
        yield Fault("subset-spaces", str(subset), text, again)
    if not set(lines) & set(videos):
        text = f"names none of the {len(videos)} videos, so that none is used; it begins with {shorten(lines)}"
        yield Fault("subset", str(subset), text, again)


def subset_notes(subset: Path | None, tree: Tree, rules: VideoRules) -> Iterator[str]:
    """What a subset leaves out, or that one is needed."""
    if subset is None:
        if rules.list_kind == "subset":
            yield ("XMem takes only videos that util/yv_subset.txt or util/davis_subset.txt names: to train on these, "
                   f"ls {shell(tree.photos)} > util/yv_subset.txt; --subset FILE checks such a file")  # fmt: skip
        return
    lines = set(subset.read_text(encoding="utf-8").splitlines())
    if left := [name for name in tree.videos() if name not in lines]:
        yield f"{subset} does not name {shorten(left)}: not used"


def empty_masks_faults(file: Path, tree: Tree, found: Sequence[VideoFindings]) -> Iterator[Fault]:
    """Cutie's list of frames without an object: JSON, with an entry for every video."""
    again = python(EMPTY, tree.masks, file)
    try:
        listed = read_json(file)
    except ValueError as error:
        yield Fault("empty-masks", str(file), f"expected JSON, VIDEO -> [frames], whatever its suffix; {error}", again)
        return
    if not isinstance(listed, dict):
        yield Fault(
            "empty-masks", str(file), f"expected an object, VIDEO -> [frames], found {type(listed).__name__}", again
        )
        return
    if missing := [name for name in tree.videos() if name not in listed]:
        text = f"has no entry for {shorten(missing)}: every video needs one, if only []; training stops with KeyError"
        yield Fault("empty-masks", str(file), text, again)
    differs = [each.name for each in found if each.name in listed and set(each.empty) - set(listed[each.name] or ())]
    if differs:
        text = f"does not name all frames without an object of {shorten(differs)}: they are drawn as first frames"
        yield Fault("empty-masks", str(file), text, again)


def image_sets_faults(root: Path, tree: Tree, task: Task) -> Iterator[Fault]:
    """AOT's DAVIS: JPEGImages/480p and ImageSets/2017/train.txt or val.txt."""
    if tree.photos.name not in RESOLUTIONS:
        mends = [_into(side, side / "480p") for side in (tree.photos, tree.masks)]
        text = "no folder 480p or Full-Resolution between it and the videos: it looks nowhere else"
        yield Fault("resolution-folder", str(tree.photos.relative_to(root)), text, " && ".join(mends))
        return
    file = tree.base / "ImageSets/2017" / ("train.txt" if task == "train" else "val.txt")
    again = f"{shell('mkdir', '-p', file.parent)} && ls {shell(tree.photos)} > {shell(file)}"
    place = str(file.relative_to(root))
    if not file.is_file():
        yield Fault("image-sets", place, "is not there, and AOT takes the names of videos from it alone", again)
        return
    names = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    if unknown := [name for name in names if name not in tree.videos()]:
        named = shorten([name or "an empty line" for name in unknown])
        text = f"names {named}, and there is no such folder: it stops there"
        yield Fault("image-sets", place, text, again)


def _into(side: Path, folder: Path) -> str:
    """Move all folders of a side into one of them."""
    names = [name for name in folders_of(side) if name != folder.name]
    return f"{shell('mkdir', '-p', folder)} && {shell('mv', *(side / name for name in names), folder)}"


def meta_faults(root: Path, tree: Tree, task: Task, found: Sequence[VideoFindings]) -> Iterator[Fault]:
    """YouTube-VOS: which objects each video has, and in which frames; nothing else is looked at."""
    file = tree.base / "meta.json"
    place = str(file.relative_to(root))
    write = python(META, tree.masks, file)
    if not file.is_file():
        yield Fault("meta", place, "is not there, and names of videos and frames are taken from it alone", write)
        return
    again = f"{rename(file, file.with_name('meta.old.json'))} && {write}"
    try:
        videos = read_json(file)["videos"]
        listed = {str(name): _frames_of(entry["objects"]) for name, entry in videos.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = 'expected {"videos": {VIDEO: {"objects": {"1": {"category": …, "frames": [names without suffix]}}}}}'
        yield Fault("meta", place, f"{text}; {type(error).__name__}: {error}", again)
        return
    for text in _meta_texts(tree, task, found, listed):
        yield Fault("meta", place, text, again)


def _frames_of(objects: Any) -> dict[str, list[str]]:
    """Object -> names of its frames, of one video of meta.json."""
    return {str(number): [str(name) for name in entry["frames"]] for number, entry in objects.items()}


def _meta_texts(
    tree: Tree, task: Task, found: Sequence[VideoFindings], listed: dict[str, dict[str, list[str]]]
) -> Iterator[str]:
    """What a list of objects says that is not so."""
    videos = tree.videos()
    if left := [name for name in videos if name not in listed]:
        yield f"does not name {shorten(left)}: never looked at"
    if gone := [name for name in listed if name not in videos]:
        yield f"names {shorten(gone)}, and there is no such folder: it stops there"
    for each in found:
        objects = listed.get(each.name)
        if objects is None:
            continue
        if odd := [number for number in each.ids if str(number) not in objects]:
            yield (f"{each.name}: masks hold id {shorten(list(map(str, odd)))}, listed objects are "
                   f"{shorten(list(objects)) or 'none'}")  # fmt: skip
        frames = sorted({frame for names in objects.values() for frame in names})
        photos = {stem(path.name) for path in (tree.photos / each.name).glob("*.jpg")}
        masks = {stem(path.name) for path in (tree.masks / each.name).glob("*.png")}
        if missing := [frame for frame in frames if frame not in photos]:
            yield f"{each.name}: no photo {shorten([f'{frame}.jpg' for frame in missing])} of a listed frame"
        needed = frames if task == "train" else sorted({names[0] for names in objects.values() if names})
        if missing := [frame for frame in needed if frame not in masks]:
            yield f"{each.name}: no mask {shorten([f'{frame}.png' for frame in missing])} of a listed frame"
        short = [number for number, names in objects.items() if len(names) < 2]
        if task == "train" and short and len(frames) < 2:
            yield f"{each.name}: objects {shorten(short)} are listed in fewer than two frames: passed over"
