"""`datakit inspect`: what is in a folder of shards, and whether a triple is still what its source makes.

Statistics come from the tables alone; `--sample` decodes the source anew and rebuilds the triple.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datakit.datasets import AnyReader, SourceSpec, open_source
from datakit.errors import DatakitError, ItemError, UsageError
from datakit.keys import photo_of, sample_of, source_of
from datakit.places import is_file, place_of, read_text
from datakit.samples import TRIPLE_COLUMNS, Sample, Triple
from datakit.shards import Shard, ShardReader
from datakit.shards.layout import IMAGES
from datakit.shards.manifest import SOURCES
from datakit.tools import tool_versions
from datakit.triples import expand
from datakit.wording import counted

from .process import single_threaded_opencv
from .settings import BuildSettings, differences

BINS = np.linspace(0.0, 1.0, 11)
RATIO_BINS = np.array([0.0, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, np.inf])


@dataclass(frozen=True)
class GroupStatistics:
    """Counts and distributions of one group of triples (a source and a recipe, or all).

    Attributes:
        source, recipe, kind: of the group; `all` for the whole.
        triples, samples, photos: counts.
        heights, widths: (min, median, max) of the photos, in pixels.
        iou_mean, iou_histogram: of guide mask and target, over ten equal bins.
        area_ratio_mean, area_ratio_histogram: rough over true area, over `RATIO_BINS`.
        redraws: draws thrown away.
        flags: remark -> count.
    """

    source: str
    recipe: str
    kind: str
    triples: int
    samples: int
    photos: int
    heights: tuple[int, int, int]
    widths: tuple[int, int, int]
    iou_mean: float
    iou_histogram: list[int]
    area_ratio_mean: float
    area_ratio_histogram: list[int]
    redraws: int
    flags: dict[str, int]


def statistics(folder: Path) -> list[GroupStatistics]:
    """Statistics per source and recipe, and of everything last."""
    reader = ShardReader(folder)
    groups: dict[tuple[str, str, str], list[dict[str, NDArray[Any]]]] = {}
    for number, shard in enumerate(reader.shards()):
        source = reader.contents.portions[number].entry.source
        columns = _columns(shard, number, reader.rows(number))
        for recipe in np.unique(columns["recipe"]):
            mine = {name: column[columns["recipe"] == recipe] for name, column in columns.items()}
            groups.setdefault((source, recipe.decode(), mine["kind"][0].decode()), []).append(mine)
    found = [_summarise(*group, _joined(parts)) for group, parts in sorted(groups.items())]
    everything = [part for parts in groups.values() for part in parts]
    return [*found, _summarise("all", "all", "all", _joined(everything))] if everything else []


def _columns(shard: Shard, number: int, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    triples, images = shard.triples[rows], shard.images
    columns = {name: triples[name] for name in ("recipe", "kind", "iou", "area_ratio", "redraws")}
    columns["flags"] = np.array(shard.flags(), np.str_)[rows]
    columns["height"] = images["height"][triples["image_row"]]
    columns["width"] = images["width"][triples["image_row"]]
    columns["photo"] = triples["image_row"].astype(np.int64) + (number << 32)
    columns["sample"] = triples["target_row"].astype(np.int64) + (number << 32)
    return columns


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _summarise(source: str, recipe: str, kind: str, columns: Mapping[str, NDArray[Any]]) -> GroupStatistics:
    _, photos = np.unique(columns["photo"], return_index=True)
    flags, counts = np.unique(columns["flags"], return_counts=True)
    return GroupStatistics(
        source=source,
        recipe=recipe,
        kind=kind,
        triples=len(columns["iou"]),
        samples=len(np.unique(columns["sample"])),
        photos=len(photos),
        heights=_spread(columns["height"][photos]),
        widths=_spread(columns["width"][photos]),
        iou_mean=float(columns["iou"].mean()),
        iou_histogram=np.histogram(columns["iou"], BINS)[0].tolist(),
        area_ratio_mean=float(columns["area_ratio"].mean()),
        area_ratio_histogram=np.histogram(columns["area_ratio"], RATIO_BINS)[0].tolist(),
        redraws=int(columns["redraws"].sum()),
        flags={str(flag): int(count) for flag, count in zip(flags, counts, strict=True) if flag},
    )


def _spread(values: NDArray[Any]) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())


@dataclass(frozen=True)
class Comparison:
    """One stored triple against the same triple made anew from its source.

    Attributes:
        key: of the triple.
        differs: what is not equal, one sentence each; empty means identical.
    """

    key: str
    differs: tuple[str, ...]


def compare_with_source(
    folder: Path, keys: Sequence[str], sources: Sequence[SourceSpec] = (), images: Mapping[str, Path] | None = None
) -> list[Comparison]:
    """Rebuild triples from their sources and compare every byte and number with what is stored.

    Args:
        folder: a finished folder of shards.
        keys: triple keys, or sample keys for all their triples.
        sources: where the sources lie now; default where they lay when the folder was built.
        images: label -> picture folder, likewise.

    Raises:
        UsageError: a key the folder does not hold.
        DatakitError: a source cannot be found.
    """
    reader = ShardReader(folder)
    rebuilder = Rebuilder(reader, sources, images)
    with single_threaded_opencv():
        return [rebuilder.compare(index) for index in _rows(reader, keys)]


def random_keys(folder: Path, count: int, seed: int) -> list[str]:
    """`count` triple keys of a folder, drawn without replacement."""
    keys = ShardReader(folder).keys
    chosen = np.random.default_rng(seed).permutation(len(keys))[:count]
    return [keys[index] for index in sorted(chosen)]


def _rows(reader: ShardReader, keys: Sequence[str]) -> list[int]:
    known = {key: [index] for index, key in enumerate(reader.keys)}
    for key, index in list(known.items()):
        known.setdefault(sample_of(key), []).extend(index)
    for key in keys:
        if key not in known:
            raise UsageError(f"{reader.folder}: holds no {key!r}; {_near(key, known)}")
    return [index for key in keys for index in known[key]]


def _near(key: str, known: Mapping[str, object]) -> str:
    """What to say of a key that is not there: what is there of its photo, else the nearest key."""
    of_photo = [each for each in known if photo_of(each) == photo_of(key) and each != sample_of(each)]
    close = difflib.get_close_matches(key, of_photo or known, 3, 0.0 if of_photo else 0.6)
    if close:
        return f"did you mean {', '.join(close)}?"
    return f"a key looks like {next(iter(known), 'none')!r}"


class Rebuilder:
    """Makes triples anew from the sources of a folder of shards, or of those behind a view; each is listed once."""

    def __init__(
        self, reader: ShardReader, sources: Sequence[SourceSpec] = (), images: Mapping[str, Path] | None = None
    ):
        self._reader = reader
        builds = reader.contents.builds
        self._builds = {build.folder: build for build in builds}
        self._settings = {build.folder: BuildSettings.from_dict(build.manifest.settings) for build in builds}
        self._specs = moved_sources_of(list(self._builds), sources, images)
        self._opened: dict[tuple[Path, str], tuple[AnyReader, dict[str, int]]] = {}

    def compare(self, index: int) -> Comparison:
        """Compare triple number `index` with its like from the source."""
        shard, row = self._reader.locate(index)
        stored, folder = self._reader[index], shard.path.parent
        tools = differences(self._builds[folder].manifest.tools, tool_versions(), "version of")
        try:
            sample, fresh = self._rebuild(folder, stored)
        except ItemError as error:
            return Comparison(stored.key, (f"the source gives no such sample now: {error}", *tools))
        except LookupError as error:
            return Comparison(stored.key, (str(error.args[0]), *tools))
        differs = tuple(_differences(shard, row, stored, sample, fresh))
        return Comparison(stored.key, (*differs, *tools) if differs else ())

    def _rebuild(self, folder: Path, stored: Triple) -> tuple[Sample, Triple]:
        settings = self._settings[folder]
        reader, rows = self._open(folder, source_of(stored.key))
        photo_key = photo_of(stored.sample_key)
        if photo_key not in rows:
            raise LookupError(f"the source no longer holds {photo_key}")
        for sample in reader[rows[photo_key]].samples:
            for view, triples in expand(sample, settings.recipes, settings.seed):
                for triple in triples:
                    if triple.key == stored.key:
                        return view, triple
        raise LookupError(f"the source no longer gives {stored.sample_key}")

    def _open(self, folder: Path, label: str) -> tuple[AnyReader, dict[str, int]]:
        if (folder, label) not in self._opened:
            specs = self._specs[folder]
            if label not in specs:
                raise DatakitError(f"{folder}: where source {label!r} lies is not known; say --source {label}=ROOT")
            spec, images = specs[label]
            reader = open_source(spec, self._settings[folder].source_options(images))
            self._opened[folder, label] = reader, {record.key: row for row, record in enumerate(reader.records)}
        return self._opened[folder, label]


def moved_sources_of(
    folders: Sequence[Path], sources: Sequence[SourceSpec], images: Mapping[str, Path] | None = None
) -> dict[Path, dict[str, tuple[SourceSpec, Path | None]]]:
    """`moved_sources` of each of some folders; a source that is named goes to those that were built from it.

    Raises:
        UsageError: none of them was built from a source that is named.
    """
    if len(folders) == 1:
        return {folders[0]: moved_sources(folders[0], sources, images)}
    found, used = {}, set()
    for folder in folders:
        stored = stored_sources(folder)
        mine = [spec for spec in sources if not stored or spec.label in stored]
        pictures = {label: path for label, path in (images or {}).items() if not stored or label in stored}
        used |= {spec.label for spec in mine} | set(pictures)
        found[folder] = moved_sources(folder, mine, pictures)
    if unknown := sorted(({spec.label for spec in sources} | set(images or {})) - used):
        places = ", ".join(map(str, folders))
        raise UsageError(f"{places}: none of these folders was built from a source {unknown[0]!r}")
    return found


def moved_sources(
    folder: Path, sources: Sequence[SourceSpec], images: Mapping[str, Path] | None = None
) -> dict[str, tuple[SourceSpec, Path | None]]:
    """Where the sources lie now: as given, with the layout and picture folder of the build where nothing is given.

    Raises:
        UsageError: a source is named that the folder was not built from.
    """
    stored, given = stored_sources(folder), dict(images or {})
    unknown = sorted(({spec.label for spec in sources} | set(given)) - set(stored)) if stored else []
    if unknown:
        raise UsageError(f"{folder}: was not built from a source {unknown[0]!r}; its sources are {', '.join(stored)}")
    now = dict(stored)
    for spec in sources:
        before, pictures = stored.get(spec.label, (spec, None))
        moved = SourceSpec(spec.label, spec.layout or before.layout, spec.root, listing=before.listing)
        now[spec.label] = moved, pictures
    return {label: (spec, given.get(label, pictures)) for label, (spec, pictures) in now.items()}


def stored_sources(folder: Path) -> dict[str, tuple[SourceSpec, Path | None]]:
    """Where the sources lay when the folder was built, from its `sources.json`; empty where that is gone."""
    try:
        stored = json.loads(read_text(folder / SOURCES))
        return {
            label: (
                SourceSpec(label, entry["layout"], place_of(entry["root"]), listing=_still_there(entry.get("listing"))),
                place_of(entry["images"]) if entry["images"] else None,
            )
            for label, entry in stored.items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _still_there(listing: str | None) -> Path | None:
    """The listing file a source was built from, unless it is gone: then the source is listed anew."""
    return place_of(listing) if listing and is_file(place_of(listing)) else None


def _differences(shard: Shard, row: int, stored: Triple, sample: Sample, fresh: Triple) -> Iterator[str]:
    image_row = int(shard.triples[row]["image_row"])
    if shard.images[image_row]["source_crc32"] != sample.photo.source_crc32:
        yield "the source image file has changed"
    if shard.targets[shard.triples[row]["target_row"]]["source_crc32"] != sample.source_crc32:
        yield "the source annotation has changed"
    if bytes(shard.record(IMAGES, image_row)) != sample.photo.encoded:
        yield f"image: {_changed(stored.image, fresh.image)}"
    for name in ("target", "guide", "ignore"):
        before, after = getattr(stored, name), getattr(fresh, name)
        if (before is None) != (after is None) or (before is not None and not np.array_equal(before, after)):
            yield f"{name}: {_changed(before, after)}"
    if stored.parameters.tobytes() != fresh.parameters.tobytes():
        yield f"drawn parameters: {stored.parameters.tolist()} stored, {fresh.parameters.tolist()} now"
    for name in [column.attribute for column in TRIPLE_COLUMNS if column.attribute and not column.shape]:
        if getattr(stored, name) != getattr(fresh, name):
            yield f"{name}: {getattr(stored, name)} stored, {getattr(fresh, name)} now"


def _changed(before: NDArray[np.uint8] | None, after: NDArray[np.uint8] | None) -> str:
    if before is None or after is None:
        return "present in one only"
    if before.shape != after.shape:
        return f"{before.shape} stored, {after.shape} now"
    pixels = (before != after).reshape(*before.shape[:2], -1).any(axis=2)
    if not pixels.any():
        return "encoded otherwise, pixels equal"
    y, x = np.argwhere(pixels)[0]
    count = int(pixels.sum())
    return f"{counted(count, 'pixel')} {'differs' if count == 1 else 'differ'}, the first at x {x}, y {y}"
