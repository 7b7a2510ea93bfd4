"""Stills with masks: beside each other, as Cutie and XMem read them, or in AOT's two trees of five sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..wording import counted, shorten
from .faults import NO_VOID, RENUMBER, RESIZE, TO_JPG, WHITE, Fault, aside, python, rename
from .mask_facts import MaskFacts, read_facts, size_of
from .trees import AOT_SETS, FLAT_SETS, Tree, files_of, folders_of, is_picture, names_in, stem, suffix
from .values import VOID


@dataclass(frozen=True)
class StillFolder:
    """One folder of stills to check.

    Attributes:
        root: the folder that was given.
        photos, masks: the same folder where they lie beside each other.
        form: `flat`, `classes` (flat, a class of fss) or `aot`.
    """

    root: Path
    photos: Path
    masks: Path
    form: str

    def fault(self, kind: str, path: Path, text: str, mend: str) -> Fault:
        """A fault at a file."""
        return Fault(kind, str(path.relative_to(self.root)), text, mend)


@dataclass(frozen=True)
class StillFindings:
    """What one folder showed: its faults, and how many photos the loader sees."""

    faults: tuple[Fault, ...]
    photos: int


def flat_folders(root: Path) -> list[StillFolder]:
    """The folders of stills below a root: itself, its known sets, the classes of fss."""
    found = [StillFolder(root, root, root, "flat")] if any(map(is_picture, names_in(root))) else []
    for name in folders_of(root):
        folder = root / name
        if name == "fss":
            found += [StillFolder(root, folder / each, folder / each, "classes") for each in folders_of(folder)]
        elif name in FLAT_SETS or not found:
            found += [StillFolder(root, folder, folder, "flat")]
    return found


def aot_folders(root: Path, tree: Tree) -> list[StillFolder]:
    """The sets of a tree that AOT looks for."""
    return [StillFolder(root, tree.photos / name, tree.masks / name, "aot")
            for name in folders_of(tree.photos) if name in AOT_SETS]  # fmt: skip


def set_faults(root: Path, photos: Path, known: Sequence[str], sides: Sequence[Path]) -> Iterator[Fault]:
    """Sets whose names differ in case from those that are looked for, and files among the classes of fss."""
    by_case = {name.casefold(): name for name in known}
    for name in folders_of(photos):
        right = by_case.get(name.casefold())
        if right is not None and right != name:
            mend = " && ".join(rename(side / name, side / right) for side in sides if (side / name).is_dir())
            text = f"it looks for {right}, as written, and passes over {name}"
            yield Fault("set-name", str((photos / name).relative_to(root)), text, mend)
    fss = photos / "fss"
    if "fss" in known and (stray := files_of(fss)):
        text = f"{shorten(stray)} among the classes: os.listdir takes it for one, and stops with NotADirectoryError"
        yield Fault("stray-file", str((fss / stray[0]).relative_to(root)), text,
                    aside(root, *(fss / name for name in stray)))  # fmt: skip


def set_notes(photos: Path, known: Sequence[str]) -> Iterator[str]:
    """Folders that are never looked for."""
    cases = {name.casefold() for name in known}
    odd = [name for name in folders_of(photos) if name.casefold() not in cases and not name.startswith(".")]
    if odd and any(name.casefold() in cases for name in folders_of(photos)):
        yield f"{shorten(odd)}: never looked for; the sets are {', '.join(known)}"


def check_stills(folder: StillFolder) -> StillFindings:
    """Every fault of one folder; runs on any process."""
    names = aot_names if folder.form == "aot" else flat_names
    faults, pairs = names(folder)
    facts = {mask: read_facts(mask) for _, mask in pairs}
    faults += list(_mask_faults(folder, facts))
    sizes = [(photo, mask) for photo, mask in pairs
             if not facts[mask].error and (size := size_of(photo)) and size != facts[mask].size]  # fmt: skip
    if sizes:
        text = f"{counted(len(sizes), 'mask')} of another size than the photo: cropped at other places, in silence"
        faults.append(folder.fault("mask-size", sizes[0][1], text, " && ".join(python(RESIZE, b, a) for a, b in sizes)))
    return StillFindings(tuple(faults), len(pairs))


def flat_names(folder: StillFolder) -> tuple[list[Fault], list[tuple[Path, Path]]]:
    """Faults of names, and the pairs that Cutie and XMem see: NAME.jpg, and NAME[:-3] + png."""
    names = set(names_in(folder.photos))
    faults: list[Fault] = []
    if folder.form == "classes":
        seen = sorted(name for name in names if name[-3:].lower() == "jpg")
    else:
        seen = sorted(name for name in names if ".jpg" in name)
    odd = [name for name in seen if not is_picture(name) or suffix(name).lower() != ".jpg"]
    doubled = [name for name in odd if name.endswith(".jpg.png") and is_picture(name)]
    if doubled:
        paths = [folder.photos / name for name in doubled]
        text = f"{shorten(doubled)}: holds .jpg, so that the mask is taken for a photo, and NAME.png is missing"
        mend = " && ".join(rename(path, path.with_name(path.name.replace(".jpg.png", ".png"))) for path in paths)
        faults.append(folder.fault("mask-name", paths[0], text, mend))
    if stray := [name for name in odd if name not in doubled]:
        paths = [folder.photos / name for name in stray]
        text = f"{shorten(stray)}: its name holds .jpg, so that it is taken for a photo, and opening it fails"
        faults.append(folder.fault("stray-file", paths[0], text, aside(folder.root, *paths)))
    unseen = sorted(
        name for name in names - set(seen) if is_picture(name) and suffix(name).lower() in (".jpg", ".jpeg")
    )
    if unseen:
        paths = [folder.photos / name for name in unseen]
        text = f"{shorten(unseen)}: expected .jpg as written; passed over in silence"
        mend = " && ".join(rename(path, path.with_suffix(".jpg")) for path in paths)
        faults.append(folder.fault("photo-suffix", paths[0], text, mend))
    kept = [name for name in seen if name not in odd]
    upper = [name for name in names if suffix(name) == ".PNG"]
    if upper:
        paths = [folder.photos / name for name in sorted(upper)]
        text = f"{shorten(sorted(upper))}: expected .png as written"
        mend = " && ".join(rename(path, path.with_suffix(".png")) for path in paths)
        faults.append(folder.fault("mask-suffix", paths[0], text, mend))
    half = {f"{stem(name)}.PNG" for name in kept} & set(upper) | {f"{stem(name)}.jpg.png" for name in kept} & set(
        doubled
    )
    lone = [name for name in kept if f"{name[:-3]}png" not in names and not half & {f"{stem(name)}.PNG", f"{name}.png"}]
    if lone:
        paths = [folder.photos / name for name in lone]
        text = f"no mask of {shorten(lone)}: expected {lone[0][:-3]}png; training stops there"
        faults.append(folder.fault("photo-without-mask", paths[0], text, aside(folder.root, *paths)))
    pairs = [(folder.photos / name, folder.photos / f"{name[:-3]}png") for name in kept if f"{name[:-3]}png" in names]
    return faults, pairs


def aot_names(folder: StillFolder) -> tuple[list[Fault], list[tuple[Path, Path]]]:
    """Faults of names, and the pairs that AOT sees: *.jpg, then *.png, against *.png, by place."""
    photos = [name for name in names_in(folder.photos) if is_picture(name)]
    jpgs, pngs = ([name for name in photos if suffix(name) == each] for each in (".jpg", ".png"))
    masks = [name for name in names_in(folder.masks) if is_picture(name) and suffix(name) == ".png"]
    faults: list[Fault] = []
    if unseen := [name for name in photos if name not in jpgs and name not in pngs]:
        paths = [folder.photos / name for name in unseen]
        text = f"{shorten(unseen)}: glob sees *.jpg and *.png as written, and nothing else"
        mend = " && ".join(rename(path, path.with_suffix(".jpg")) for path in paths)
        faults.append(folder.fault("photo-suffix", paths[0], text, mend))
    seen = [*jpgs, *pngs]
    names = {stem(name) for name in photos}
    lone = [folder.masks / name for name in masks if stem(name) not in names]
    lone += [folder.photos / name for name in seen if f"{stem(name)}.png" not in masks]
    if lone:
        what = "the set is left out" if len(seen) != len(masks) else "paired by place with the masks of others"
        alone = shorten([path.name for path in lone])
        text = f"{len(seen)} photos and {len(masks)} masks; without a partner: {alone}; {what}"
        faults.append(folder.fault("pairing", lone[0], text, aside(folder.root, *lone)))
    elif [stem(name) for name in seen] != [stem(name) for name in masks]:
        first = next(place for place, (a, b) in enumerate(zip(seen, masks, strict=False)) if stem(a) != stem(b))
        text = (f"{len(jpgs)} .jpg and {len(pngs)} .png: .jpg come first and masks are sorted by name, so that "
                f"{seen[first]} gets {masks[first]}, in silence")  # fmt: skip
        paths = [folder.photos / name for name in pngs]
        mend = f"{python(TO_JPG, *paths)} && {aside(folder.root, *paths)}"
        faults.append(folder.fault("mixed-suffixes", folder.photos / seen[first], text, mend))
    pairs = [
        (folder.photos / name, folder.masks / f"{stem(name)}.png") for name in seen if f"{stem(name)}.png" in masks
    ]
    return faults, pairs


def _mask_faults(folder: StillFolder, facts: dict[Path, MaskFacts]) -> Iterator[Fault]:
    for path, each in facts.items():
        if each.error:
            yield folder.fault("unreadable-mask", path, f"{each.error}; it stops there", aside(folder.root, path))
    read = {path: each for path, each in facts.items() if not each.error}
    empty = [path for path, each in read.items() if not each.painted]
    if empty:
        photos = [photo for path in empty for photo in folder.photos.glob(f"{path.stem}.*") if is_picture(photo.name)]
        text = f"{counted(len(empty), 'mask')} without an object"
        yield folder.fault("empty-mask", empty[0], text, aside(folder.root, *{*empty, *photos}))
    checks = _aot_values if folder.form == "aot" else _flat_values
    yield from checks(folder, {path: each for path, each in read.items() if each.painted})


def _flat_values(folder: StillFolder, facts: dict[Path, MaskFacts]) -> Iterator[Fault]:
    """convert("L"), and foreground from 128 on."""
    faint = [path for path, each in facts.items() if each.white < each.painted / 2]
    if faint:
        each = facts[faint[0]]
        text = (f'{counted(len(faint), "mask")} that convert("L") makes too dark: {each.white} of {each.painted} '
                "painted pixels are 128 or more, and only these are the object; expected 0 and 255")  # fmt: skip
        yield folder.fault("faint-mask", faint[0], text, python(WHITE, *faint))


def _listed(ids: Sequence[int]) -> str:
    return shorten(list(map(str, ids)), 8)


def _aot_values(folder: StillFolder, facts: dict[Path, MaskFacts]) -> Iterator[Fault]:
    """convert("P"): every number is an object."""
    colour = [path for path, each in facts.items() if each.is_colour]
    deep = [path for path, each in facts.items() if each.is_deep]
    void = [path for path, each in facts.items() if each.mode in ("P", "L") and VOID in each.ids and len(each.ids) > 1]
    if colour:
        each = facts[colour[0]]
        text = (f'{counted(len(colour), "mask")} of colours: convert("P") makes ids {_listed(each.ids)} of '
                f"{counted(each.stored, 'colour')}, in speckles")  # fmt: skip
        mend = " && ".join(python(RENUMBER, path) for path in colour)
        yield folder.fault("colour-mask", colour[0], text, mend)
    if deep:
        text = f'{counted(len(deep), "mask")} of 16 bits: convert("P") cuts every number over 255 to 255'
        yield folder.fault("mask-16-bit", deep[0], text, " && ".join(python(RENUMBER, path) for path in deep))
    if void:
        text = f"255 beside ids in {counted(len(void), 'mask')}: void to VOC, and an object to AOT"
        yield folder.fault("void", void[0], text, python(NO_VOID, *void))
