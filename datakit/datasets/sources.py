"""From what a user writes to a reader: labels, layouts, and the guess for a bare folder.

Which layouts there are stands in `layout.LAYOUTS`.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .. import looking, store_memory
from ..errors import UsageError
from ..files import check_local
from ..places import Place, is_stored, place_of
from ..stores import is_address
from ..wording import no_such
from .layout import LAYOUTS, Layout, Match, Sureness
from .listing import folders_in
from .own_table import OWN_LAYOUT, open_listed
from .pairs import IMAGE_SUFFIXES, MASK_SUFFIXES, PairsLayout
from .reader import ReadOptions
from .sniff import coco_files, stems_in
from .unrecognised import ARCHIVES, describe, looks_like_masks, shared_names
from .views import AnyReader, MinArea, Resize

LEVELS = 2  # of folders below a root that are tried as roots of their own
MOST_TRIED = 40  # folders of one level
DRAWN = (".json", ".txt", ".xml")  # suffixes of annotation files
LABEL = re.compile(r"[a-z0-9_-]+")


class SourceSpec(NamedTuple):
    """A source as the user named it.

    Attributes:
        label: of its keys.
        layout: None where it is to be recognised.
        root: folder or file.
        written: the label as the user wrote it; '' where the label was made of the root's name.
        listing: file of what the source lists, see `listing_file`, which is read in place of its folders.
    """

    label: str
    layout: str | None
    root: Path
    written: str = ""
    listing: Path | None = None


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened.

    Attributes:
        read: how annotations become masks.
        images: folder of the pictures, where it is not in the layout's place.
        image_size: longest side of photos and masks in pixels; None keeps their size.
        image_codec: `source` (bytes untouched where possible), `png` or `jpeg:QUALITY`.
        limit: only the first so many photos.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    images: Path | None = None
    image_size: int | None = None
    image_codec: str = "source"
    limit: int | None = None


def parse_source(text: str) -> SourceSpec:
    """Read `LABEL[:LAYOUT]=ROOT`, or a bare ROOT whose label is made of its own name.

    A label that keys and file names cannot hold is made into one that they can.

    Raises:
        UsageError: the label is missing, the layout is none, or the root is an address such as s3://bucket/x.
    """
    name, equals, root = text.partition("=")
    if not equals or "/" in name:  # an '=' inside a path is no separator
        path = _place_of(text, text)
        return SourceSpec(derive_label(_name_of(path)), None, path)
    label, colon, layout = name.partition(":")
    if not root or not label:
        raise UsageError(f"source {text!r}: expected LABEL=ROOT, found no {'ROOT' if label else 'LABEL'}")
    if colon:
        LAYOUTS.find(layout, f"source {text!r}")
    return SourceSpec(derive_label(label), layout if colon else None, _place_of(root, text), label)


def _place_of(root: str, text: str) -> Place:
    if not is_address(root):
        check_local(text, "source")
    elif root.lower().endswith(ARCHIVES):
        raise UsageError(f"source {text}: is an archive; download it first, unpack it and give the folder")
    return place_of(root)


def check_label(label: str, text: str) -> str:
    """The label, if it is made of a-z, 0-9, '_' and '-' only.

    Raises:
        UsageError: it is not.
    """
    if not LABEL.fullmatch(label):
        raise UsageError(f"source {text!r}: label {label!r} may hold a-z, 0-9, '_' and '-' only; say LABEL=ROOT")
    return label


def derive_label(name: str) -> str:
    """A label out of the name of a file or folder: `my-photos` of "My Photos", `fotos` of "Fötös".

    Letters that have no a-z in them are left out; where nothing is left, the label is `source`.
    """
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-") or "source"


def derived_label_notice(spec: SourceSpec) -> str:
    """A sentence on a label that had to be made of another name; empty where it is that name."""
    if spec.written:
        rule = "labels hold a-z, 0-9, '_' and '-'"
        return f"{spec.written}: labelled {spec.label!r}; {rule}" if spec.label != spec.written else ""
    name = _name_of(spec.root)
    if spec.label != derive_label(name) or spec.label == name.lower():
        return ""
    return f"{name}: labelled {spec.label!r}; say LABEL=ROOT for another label"


def _name_of(root: Path) -> str:
    return root.stem if root.suffix.lower() in (".json", ".xml") else looking.name_of(root.absolute())


def open_source(source: SourceSpec | str, options: SourceOptions | None = None) -> AnyReader:
    """Open a data set of any layout.

    Args:
        source: label, layout and root, or the same as `LABEL[:LAYOUT]=ROOT` or a bare ROOT.
        options: how it is opened. Where `read.min_area` is None, that of the layout is taken.

    Returns:
        A Sequence of Scenes sorted by key.

    Raises:
        UsageError: the root is missing, or not of the layout, or no layout fits.
    """
    spec = parse_source(source) if isinstance(source, str) else source
    options = options or SourceOptions()
    check_label(spec.label, spec.label)
    with store_memory.remembered():
        return _open(spec, options)


def _open(spec: SourceSpec, options: SourceOptions) -> AnyReader:
    # Absolute, since a worker may stand in another folder.
    root, images = spec.root.absolute(), options.images.absolute() if options.images else None
    mask_name = options.read.mask_name(spec.label)
    if spec.listing is None:
        layout = layout_of(spec._replace(root=root), images, mask_name)
    else:
        layout = LAYOUTS.find(spec.layout or OWN_LAYOUT, f"source {spec.label!r}")
    if mask_name and not isinstance(layout, PairsLayout):
        raise UsageError(
            f"--mask-name {mask_name!r}: source {spec.label!r} is read as {layout.name}, which has no mask file to a"
            f" photo; say --mask-name LABEL=PATTERN for another source, or {spec.label}:pairs=ROOT"
        )
    if spec.listing is None:
        opened = layout.open(spec.label, root, images, options.read)
    else:
        opened = open_listed(spec.label, layout, spec.listing.absolute(), root, images, options.read)
    opened.layout, opened.is_video = layout.name, layout.is_video
    pixels = layout.min_area if options.read.min_area is None else options.read.min_area
    reader: AnyReader = MinArea(opened, pixels) if pixels else opened
    if options.image_size or options.image_codec != "source":
        reader = Resize(reader, options.image_size, options.image_codec)
    return _limited(reader, options.limit)


def _limited(reader: AnyReader, limit: int | None) -> AnyReader:
    """The first `limit` photos of a reader, with everything listing had to say about it."""
    if limit is None or limit >= len(reader):
        return reader
    part, problems = reader[:limit], reader.problems
    part.problems = problems
    return part


def layout_of(spec: SourceSpec, images: Path | None = None, mask_name: str | None = None) -> Layout:
    """The layout of a source: the one named, else the one recognised.

    Args: as `recognise`.

    Raises:
        UsageError: the root is missing, or no layout fits.
    """
    check_root(spec.root)
    if spec.layout is not None:
        return LAYOUTS.find(spec.layout, f"source {spec.label!r}")
    return LAYOUTS[recognise(spec.root, mask_name, images)[0]]


def check_root(root: Path) -> None:
    """Refuse a root that is not there, or that is an archive.

    Raises:
        UsageError: as said.
    """
    if is_stored(root):
        check_stored(root)
    elif not root.exists():
        raise UsageError(no_such(root))
    if looking.is_file(root) and root.suffix.lower() in ARCHIVES:
        raise UsageError(f"{root}: is an archive; unpack it first and give the folder")


def check_stored(root: Place) -> None:
    """Refuse an address that nothing lies at, or that may not be listed.

    Raises:
        UsageError: as said.
        DatakitError: the store fails.
    """
    if root.suffix and looking.is_file(root):
        return
    looking.learn_tree(root)
    try:
        if looking.entries_in(root) or looking.is_file(root):
            return
        raise UsageError(f"{root}: holds no file, or its server gives no list of it; name the annotation file itself")
    except FileNotFoundError as error:
        if not looking.is_file(root):
            raise UsageError(f"{root}: {error.strerror}; check its address") from None
    except OSError as error:
        raise UsageError(error.strerror or str(error)) from None


def recognise(root: Path, mask_name: str | None = None, images: Path | None = None) -> tuple[str, str]:
    """Guess the layout of a root from its folders and its name.

    Args:
        root: the folder or file.
        mask_name: what masks are said to be called; then it is a layout with mask files.
        images: the pictures' folder, where the user named one; then a folder of no annotation tool's is one of masks.

    Returns:
        The layout's name, and a sentence that says what the guess rests on.

    Raises:
        UsageError: the root is missing, or nothing fits; it lists the layouts and what was found.
    """
    with store_memory.remembered():
        return _recognise(root, mask_name, images)


def _recognise(root: Path, mask_name: str | None, images: Path | None) -> tuple[str, str]:
    check_root(root)
    found = _beside(root, images) if images and looking.is_folder(root) else _best(root)
    shown = looking.name_of(root)
    if mask_name and looking.is_folder(root) and (found is None or not isinstance(found[0], PairsLayout)):
        return "pairs", f"{shown}: taken for pairs, for --mask-name"
    if found is None and images and looking.is_folder(root):
        return "pairs", f"{shown}: taken for pairs, for --images"
    if found is None:
        raise UsageError(
            f"{root}: no known layout. {_nearest(root) or _above(root) or describe(root)}\nKnown: {', '.join(LAYOUTS)}"
        )
    layout, match = found
    return layout.name, f"{shown}: taken for {layout.name}, {match.why}"


def looks_like(spec: SourceSpec) -> str:
    """A sentence where a root looks like another layout than the one named, and not like that one; else empty."""
    try:
        best = _best(spec.root)
    except UsageError:  # a layout that is not meant, and cannot be opened until the user says more
        return ""
    if best is None or spec.layout in (None, best[0].name) or LAYOUTS[str(spec.layout)].match(spec.root) is not None:
        return ""
    return f"{spec.label}: read as {spec.layout}, as you say; it looks like {best[0].name}, {best[1].why}"


def _best(root: Path) -> tuple[Layout, Match] | None:
    """The surest layout of a root; of equals the one registered first.

    None where nothing but names of files speaks for it, and a folder inside is a set with rules of its own.
    """
    found = _surest(root, LAYOUTS.values())
    if found and isinstance(found[0], PairsLayout) and found[0].anywhere and found[1].sureness == Sureness.LAST:
        others = [each for each in LAYOUTS.values() if not (isinstance(each, PairsLayout) and each.is_plain)]
        if any(_surest(folder, others) for folder in folders_in(root)):
            return None
    return found


def _beside(root: Path, images: Path) -> tuple[Layout, Match] | None:
    """The layout of a root whose pictures lie elsewhere: that of its annotation files, unless masks lie there, too."""
    found = _best(root)
    if found and found[1].sureness == Sureness.FILE:
        return found
    drawn = _surest(root, (each for each in LAYOUTS.values() if not isinstance(each, PairsLayout)))
    return None if drawn and shared_names(root, images) else drawn


def _surest(root: Path, layouts: Iterable[Layout]) -> tuple[Layout, Match] | None:
    matches = ((layout, layout.match(root)) for layout in layouts)
    found = [(layout, match) for layout, match in matches if match is not None]
    return min(found, key=lambda each: each[1].sureness, default=None)


def _nearest(root: Path) -> str:
    """A sentence on folders inside a root that are recognised; empty where none is."""
    if not looking.is_folder(root):
        return ""
    found: list[tuple[Path, tuple[Layout, Match]]] = []
    level = [root]
    for _ in range(LEVELS):
        level = [folder for each in level for folder in folders_in(each)][:MOST_TRIED]
        if found := [(folder, best) for folder in level if (best := _best(folder)) is not None]:
            break
    if not found:
        return ""
    named = ", ".join(
        f"{folder.relative_to(root)}/ ({layout.name}, {match.why})" for folder, (layout, match) in found[:3]
    )
    roots = " ".join(shlex.quote(str(folder)) for folder, _ in found[:3])
    return f"Inside it: {named}. Try `datakit validate-source {roots}`."


def _above(root: Path) -> str:
    """A sentence on a set of which a root is the folder of pictures; empty where it is none."""
    root = root.absolute()
    pictures = stems_in(root, IMAGE_SUFFIXES) if looking.is_folder(root) else set()
    if not pictures:
        return ""
    for above in root.parents[:2]:
        file = _drawn_on(pictures, root, above)
        try:
            best = _best(above) if file else None
        except UsageError:  # which giving the folder says, too
            continue
        if best and file:
            shown = f"{file.relative_to(above)}{'/' * looking.is_folder(file)}" if file != above else f"{above.name}/"
            return (
                f"It is a folder of pictures alone; what is drawn on them is in {shown} of the folder above"
                f" ({best[0].name}, {best[1].why}). Try `datakit validate-source {shlex.quote(str(above))}`."
            )
    return ""


def _drawn_on(pictures: set[str], root: Path, above: Path) -> Path | None:
    """The folder or COCO file in a folder above a root that has the names of its pictures; None where none is.

    Of the folder above that one only folders are looked into that are called after masks: others may be other sets.
    """
    is_next = above == root.parent
    folders = [folder for folder in folders_in(above) if is_next or looks_like_masks(folder.name)]
    kinds = (*DRAWN, *MASK_SUFFIXES) if is_next else DRAWN
    for place in (above, *folders, *(folder / root.name for folder in folders)):
        if place != root and looking.is_folder(place) and pictures & stems_in(place, kinds):
            return place
    for place in (above, *folders):
        for path, text in coco_files(place, 0):
            if pictures & set(re.findall(r'["/\\]([^"/\\]+)\.\w+"', text)):
                return path
    return None
