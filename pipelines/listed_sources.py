"""`datakit list`, and `--listing FILE`: sources whose photos a file names, so that no folder is walked for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.datasets import ReadOptions, SourceOptions, SourceSpec, View, open_source, parse_source
from datakit.datasets.listing_file import ListingHeader, read_header, write_listing
from datakit.datasets.own_table import OWN_LAYOUT
from datakit.datasets.sources import derive_label
from datakit.datasets.tables import kind_of
from datakit.errors import UsageError
from datakit.places import place_of
from datakit.store_memory import remembered

from .plan import recognised

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """What the words of a command name.

    Attributes:
        specs: the sources, those of listing files with them.
        images: label -> picture folder.
        read: how annotations become masks.
    """

    specs: tuple[SourceSpec, ...]
    images: Mapping[str, Path]
    read: ReadOptions


def write_list(spec: SourceSpec, images: Path | None, read: ReadOptions, out: Path) -> ListingHeader:
    """List a source into a file.

    Args:
        spec: the source.
        images: its picture folder, where the layout does not find it by itself.
        read: what masks are called.
        out: ends in .csv, .jsonl or .parquet.

    Raises:
        UsageError: the source or the file cannot be used.
    """
    kind_of(out)
    with remembered():  # both look into the same folders
        spec = recognised(spec, images, read)
        reader = open_source(spec, SourceOptions(replace(read, min_area=0), images))
    if isinstance(reader, View):
        raise UsageError(f"{spec.root}: layout {reader.layout} gives no plain list of photos")
    return write_listing(out, reader, spec.root, images)


def with_listings(
    sources: Sequence[SourceSpec], images: Mapping[str, Path], read: ReadOptions, texts: Sequence[str]
) -> Sources:
    """Sources together with those of listing files; a source of the same label says where the listed files lie now.

    What the user said when a file was listed (`--images`, `--mask-name`) holds again, so that a build is the same.

    Args:
        sources: as named.
        images: label -> picture folder.
        read: how annotations become masks.
        texts: `[LABEL[:LAYOUT]=]FILE` of each listing.

    Raises:
        UsageError: a file cannot be used, or two listings have one label.
    """
    named = {spec.label: spec for spec in sources}
    listed: dict[str, tuple[SourceSpec, ListingHeader | None]] = {}
    for text in texts:
        spec, header = listed_source(text, named)
        if spec.label in listed:
            raise UsageError(f"--listing {text}: another listing is labelled {spec.label!r}, too; say LABEL=FILE")
        listed[spec.label] = spec, header
    headers = {label: header for label, (_, header) in listed.items() if header}
    asked = {label: place_of(header.asked_images) for label, header in headers.items() if header.asked_images}
    asked = {label: folder for label, folder in asked.items() if named.get(label) is None}
    specs = [spec for spec in sources if spec.label not in listed] + [spec for spec, _ in listed.values()]
    names = mask_names(headers, len(specs), read)
    return Sources(tuple(specs), {**asked, **images}, replace(read, mask_names=names) if names else read)


def listed_source(text: str, named: Mapping[str, SourceSpec]) -> tuple[SourceSpec, ListingHeader | None]:
    """The source of a listing file, and the header of a file that `datakit list` made.

    Args:
        text: `[LABEL[:LAYOUT]=]FILE`.
        named: label -> source that was named beside.

    Raises:
        UsageError: the file cannot be used.
    """
    given = parse_source(text)
    header = read_header(given.root)
    label = given.label if given.written else header.label if header else derive_label(given.root.stem)
    layout = given.layout or (header.layout if header else OWN_LAYOUT)
    beside = named.get(label)
    if beside and beside.layout not in (None, layout):
        raise UsageError(f"--listing {text}: is of layout {layout}, the source {label!r} beside it of {beside.layout}")
    root = beside.root if beside else place_of(header.root) if header else given.root.absolute().parent
    return SourceSpec(label, layout, root, given.written, given.root.absolute()), header


def mask_names(headers: Mapping[str, ListingHeader], sources: int, read: ReadOptions) -> dict[str, str]:
    """What is said of mask names, with what was said when files were listed; empty where that adds nothing.

    A pattern that was said of all sources stays so where all of them were listed by it.
    """
    said = {label: header.mask_names for label, header in headers.items() if header.mask_names}
    added: dict[str, str] = {}
    alike = len(said) == sources and all(names == {"": next(iter(names.values()))} for names in said.values())
    patterns = {pattern for names in said.values() for pattern in names.values()}
    for label, names in said.items():
        if read.mask_name(label) is None:
            (pattern,) = names.values()
            added["" if alike and len(patterns) == 1 else label] = pattern
    return {**added, **read.mask_names} if added else {}


def list_lines(out: Path, header: ListingHeader) -> str:
    """What was listed, for people."""
    told = f"{header.photos} photos of {header.label} ({header.layout})"
    return f"{out}: {told}, {header.problems} problems; build from it with `--listing {out}`"


def list_json(out: Path, header: ListingHeader) -> dict[str, Any]:
    """What was listed, for scripts."""
    known = ("label", "layout", "root", "photos", "problems")
    return {"listing": str(out), **{name: getattr(header, name) for name in known}}
