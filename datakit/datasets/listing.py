"""What lies in a folder, and which picture belongs to which mask: by name, never by position.

Listing opens no file but an `export.json`; it walks with `os.scandir`, so that millions of files cost one look each.
Every file it meets ends up in a record or in a problem.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .. import looking
from ..errors import Problem, UsageError
from ..files import EXPORT_LISTS, EXPORT_MANIFEST, is_export_manifest
from ..formats import SUFFIXES
from ..keys import escape_name, photo_key
from ..places import Entry as PlaceEntry
from ..places import Place, is_stored
from .mask_pattern import MaskPattern
from .pairing import Pairing, pair_names
from .records import Record
from .unpaired import Unpaired, UnreadFile, unpaired_problems


class Folder(NamedTuple):
    """A folder to list: files are found under `root / inside`, and named relative to `root`."""

    root: Place
    inside: str

    @property
    def path(self) -> Place:
        """Where it lies."""
        return self.root / self.inside if self.inside not in ("", ".") else self.root


class Listed(NamedTuple):
    """A file that was chosen for a name: path relative to the root, bytes."""

    path: str
    size: int


def scan(folder: Place, stay: bool = False) -> Iterator[tuple[str, PlaceEntry]]:
    """Every file below a folder with its '/'-separated path relative to it; links are followed, loops are not.

    Hidden folders, macOS resource folders and links to a folder above are given as entries instead of being entered.
    The `export.json` in which `datakit export` lists its own files, and `plans.jsonl` beside it, are passed over.

    Args:
        folder: where to begin.
        stay: give links to folders outside `folder` as entries, too.

    Raises:
        UsageError: a folder cannot be listed.
    """
    looking.learn_tree(folder)
    waiting: list[tuple[str, Place | str]] = [("", folder if is_stored(folder) else str(folder))]
    home = looking.resolved(folder) if stay else None
    while waiting:
        prefix, path = waiting.pop()
        for entry in _entries(path):
            name = prefix + entry.name
            if not is_folder(entry) or entry.name.startswith((".", "__MACOSX")) or _leads_away(entry, path, home):
                if name not in EXPORT_LISTS or not is_export_manifest(folder / EXPORT_MANIFEST):
                    yield name, entry
            else:
                waiting.append((name + "/", entry.path))


def _entries(path: Place | str) -> list[PlaceEntry]:
    try:
        return looking.entries_in(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be listed: {error.strerror}") from None


MOST_FOLDERS = 20  # of one folder that are tried, where a set may lie in any


def folders_in(root: Place) -> Iterator[Place]:
    """The first folders in a root, as far as `MOST_FOLDERS` go, in order of name; none that is hidden."""
    try:
        entries = looking.each_entry(root)
        names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__")))
    except OSError:
        return
    yield from (root / name for name in names[:MOST_FOLDERS])


def is_folder(entry: PlaceEntry) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which reading will name
        return False


def _leads_away(entry: PlaceEntry, path: Place | str, home: Place | None) -> bool:
    """Whether a folder is a link to one above it, or out of `home`."""
    if not entry.is_symlink():
        return False
    target = Path(entry.path).resolve()
    return Path(path).resolve().is_relative_to(target) or (home is not None and not target.is_relative_to(home))


def size_of(entry: PlaceEntry) -> int:
    """Bytes of a listed file; 0 where it is a dangling link, which reading will name."""
    try:
        return entry.stat().st_size
    except OSError:
        return 0


def split_suffix(path: str) -> tuple[str, str]:
    """('a/b', '.jpg') of 'a/b.JPG'; a name that only begins with a dot has no suffix."""
    stem, dot, suffix = path.rpartition(".")
    has_suffix = dot and "/" not in suffix and stem and not stem.endswith("/")
    return (stem, f".{suffix.lower()}") if has_suffix else (path, "")


class FileIndex:
    """The files of one role (pictures or masks) by key name, the best suffix first.

    Attributes:
        suffixes: accepted ones, lower case, in order of preference.
        files: key name -> file.
        shadowed: (path, path of the file preferred to it).
    """

    def __init__(self, suffixes: Sequence[str]):
        self.suffixes = suffixes
        self.files: dict[str, Listed] = {}
        self.shadowed: list[tuple[str, str]] = []

    def add(self, name: str, file: Listed) -> None:
        """Keep the file unless a better one has its name."""
        held = self.files.setdefault(name, file)
        if held is not file:
            best, other = sorted((held, file), key=self._rank)
            self.files[name] = best
            self.shadowed.append((other.path, best.path))

    def _rank(self, file: Listed) -> tuple[int, str]:
        return self.suffixes.index(split_suffix(file.path)[1]), file.path


class Rules(NamedTuple):
    """How pictures and masks are paired.

    Attributes:
        unpaired: what a picture without a mask is.
        by_words: whether masks may be called otherwise than their photos, as `pairing` knows; else names are equal.
        pattern: where the mask of a photo lies, if somebody said so; nothing else is a mask then.
    """

    unpaired: Literal["failed", "left-out"] = "failed"
    by_words: bool = False
    pattern: MaskPattern | None = None


class Found(NamedTuple):
    """Every file of a set by its role.

    Attributes:
        pictures, masks: by key name.
        unread_pictures, unread_masks: of kinds that are not read; the same where both lie in one folder.
        problems: of all other files; grows as files are ruled out.
        inside: the folders of pictures and of masks, for messages.
    """

    pictures: FileIndex
    masks: FileIndex
    unread_pictures: dict[str, list[UnreadFile]]
    unread_masks: dict[str, list[UnreadFile]]
    problems: list[Problem]
    inside: tuple[str, str]


class Listing(NamedTuple):
    """What was listed: records and problems sorted by key.

    The annotation of a record is [mask path, mask bytes], or of a mask file per object
    {"objects": [[number, mask path, mask bytes], …]}.
    """

    records: list[Record]
    problems: list[Problem]


def list_pairs(
    label: str,
    images: Folder,
    masks: Folder,
    image_suffixes: Sequence[str],
    mask_suffixes: Sequence[str],
    rules: Rules,
) -> Listing:
    """Pair the pictures of one folder with the masks of another (or the same) by relative path without suffix.

    Args:
        label: name of the source in keys.
        images: folder of the pictures.
        masks: folder of the masks; where it is the same, suffixes tell the two apart.
        image_suffixes: accepted ones, lower case, in order of preference.
        mask_suffixes: the same for masks.
        rules: how they are paired.
    """
    pictures, annotations = FileIndex(image_suffixes), FileIndex(mask_suffixes)
    problems: list[Problem] = []
    if images.path == masks.path:
        unread_pictures = unread_masks = _index_folder(label, images, [pictures, annotations], problems)
    else:
        unread_pictures = _index_folder(label, images, [pictures], problems)
        unread_masks = _index_folder(label, masks, [annotations], problems)
    found = Found(pictures, annotations, unread_pictures, unread_masks, problems, (images.inside, masks.inside))
    return pair_found(label, found, rules)


def pair_found(label: str, found: Found, rules: Rules) -> Listing:
    """Records of the pictures that have masks, and a problem for every file that is in none.

    Args:
        label: name of the source in keys.
        found: all files by role.
        rules: how they are paired.
    """
    pictures, masks = found.pictures.files, found.masks.files
    problems = [*found.problems]
    for path, best in found.pictures.shadowed + found.masks.shadowed:
        problems.append(stray(label, path, f"a twin of {best}, which is read instead"))
    pairing = _pairing(pictures, masks, rules)
    records = [
        Record(f"{label}/{name}", file.path, annotation, file.size)
        for name, file in pictures.items()
        if (annotation := _annotation(name, pairing, masks)) is not None
    ]
    taken = pairing.taken
    if rules.pattern:
        taken |= {name for name in masks if not rules.pattern.fits(name)}
        why = f"its name is none that --mask-name {rules.pattern.text} gives"
        problems += [stray(label, masks[name].path, why) for name in sorted(taken - pairing.taken)]
    alone = Unpaired(
        {
            name: file.path
            for name, file in pictures.items()
            if name not in pairing.whole and name not in pairing.objects
        },
        {name: file.path for name, file in masks.items() if name not in taken},
        found.unread_pictures,
        found.unread_masks,
        pairing.doubtful,
    )
    problems += unpaired_problems(label, alone, pictures.keys(), found.inside, rules.unpaired)
    return Listing(sorted(records, key=lambda record: record.key), sorted(problems, key=lambda each: each.key))


def _pairing(pictures: Mapping[str, Listed], masks: Mapping[str, Listed], rules: Rules) -> Pairing:
    if rules.pattern is None and not rules.by_words:
        return Pairing({name: name for name in pictures if name in masks})
    names = {name: name + split_suffix(file.path)[1] for name, file in pictures.items()}
    return rules.pattern.pair(names, masks) if rules.pattern else pair_names(names, masks)


def _annotation(name: str, pairing: Pairing, masks: Mapping[str, Listed]) -> list[Any] | dict[str, Any] | None:
    """What a record keeps of the masks of a picture; None where it has none."""
    if name in pairing.whole:
        mask = masks[pairing.whole[name]]
        return [mask.path, mask.size]
    if name not in pairing.objects:
        return None
    return {"objects": [[file.number, *masks[file.name]] for file in pairing.objects[name]]}


def _index_folder(
    label: str, folder: Folder, indexes: Sequence[FileIndex], problems: list[Problem]
) -> dict[str, list[UnreadFile]]:
    """Put every file of the folder in the index that takes its suffix, among the problems, or among those returned."""
    takers = {suffix: index for index in reversed(indexes) for suffix in index.suffixes}
    unread: dict[str, list[UnreadFile]] = {}
    for name, suffix, file in listed_files(label, folder, takers, problems, unread):
        takers[suffix].add(name, file)
    return unread


def listed_files(
    label: str,
    folder: Folder,
    suffixes: Collection[str],
    problems: list[Problem],
    unread: dict[str, list[UnreadFile]],
) -> Iterator[tuple[str, str, Listed]]:
    """Every file of a folder that has one of the suffixes: its name as keys have it, its suffix, itself.

    Args:
        label: name of the source in keys.
        folder: where they lie.
        suffixes: accepted ones, lower case.
        problems: all other files are added here.
        unread: but for those of kinds that are not read, which are added here, by key name.
    """
    prefix = "" if folder.inside in ("", ".") else folder.inside + "/"
    for name, entry in scan(folder.path):
        stem, suffix = split_suffix(name)
        if not is_utf8(name):
            problems.append(_bad_name(label, prefix + name))
        elif suffix in suffixes and not entry.name.startswith("."):
            yield escape_name(stem), suffix, Listed(prefix + name, size_of(entry))
        elif suffix in SUFFIXES and not entry.name.startswith("."):
            file = UnreadFile(prefix + name, escape_name(prefix + name), SUFFIXES[suffix])
            unread.setdefault(escape_name(stem), []).append(file)
        else:
            problems.append(stray(label, prefix + name, f"expected {', '.join(suffixes)}"))


def is_utf8(name: str) -> bool:
    """Whether a name can be written down; one made of bytes that are no text cannot."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bad_name(label: str, path: str) -> Problem:
    shown = path.encode("utf-8", "backslashreplace").decode()
    detail = f"{shown}: the file name is not UTF-8, so no key can be made of it; rename it"
    return Problem(photo_key(label, shown), "failed", "list", "name not UTF-8", detail)


def stray(label: str, path: str, why: str) -> Problem:
    """The problem of a file nobody asked for."""
    detail = f"{path}: not read: {why}"
    return Problem(photo_key(label, path), "left-out", "list", "stray file", detail)
