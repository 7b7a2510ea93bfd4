"""Readers into a view: which rows of which folders it names, and what must not meet in one.

What two builds have in common is looked for only under labels that both have.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..seeds import is_held_back
from ..wording import counted
from .contents import Build
from .reader import ShardReader
from .shard import Shard
from .stored import open_shard
from .view import View, ViewFolder, path_from, write_rows

Rows = NDArray[np.int64]


@dataclass
class Gathered:
    """What a view takes of one build.

    Attributes:
        build: the build.
        rows: shard file -> rising rows of its triples, one at least.
        twice: how many triples came more than once.
    """

    build: Build
    rows: dict[str, Rows] = field(default_factory=dict)
    twice: int = 0

    @property
    def triples(self) -> int:
        """How many triples it takes."""
        return sum(map(len, self.rows.values()))

    @property
    def labels(self) -> set[str]:
        """Labels of the sources of these."""
        return {entry.source for entry in self.build.manifest.shards if entry.file in self.rows}

    def shards(self, label: str) -> list[tuple[Shard, Rows]]:
        """The shards of a source, opened, with their rows."""
        files = [
            entry.file for entry in self.build.manifest.shards if entry.source == label and entry.file in self.rows
        ]
        return [(self._open(file), self.rows[file]) for file in files]

    def count_photos(self) -> int:
        """Photos of which it takes a triple."""
        count = 0
        for entry in self.build.manifest.shards:
            rows = self.rows.get(entry.file, ())
            if len(rows) == entry.triples:
                count += entry.photos
            elif len(rows):
                count += len(np.unique(self._open(entry.file).triples["image_row"][rows]))
        return count

    def _open(self, file: str) -> Shard:
        entry = next(each for each in self.build.manifest.shards if each.file == file)
        return open_shard(self.build.folder / file, entry, self.build.manifest.max_pixels)


def gather(readers: Sequence[ShardReader]) -> list[Gathered]:
    """The rows of all readers, build by build; of one build that is there several times every triple once.

    A build is known by the digest of its manifest: a copy of its folder is the same build.
    """
    found: dict[str, Gathered] = {}
    for reader in readers:
        for build in reader.contents.builds:
            found.setdefault(build.digest, Gathered(build))
        for number, portion in enumerate(reader.contents.portions):
            rows, file = reader.rows(number), portion.entry.file
            if len(rows):
                mine = found[portion.build.digest]
                before = mine.rows.get(file, rows[:0])
                mine.rows[file] = np.union1d(before, rows)
                mine.twice += len(before) + len(rows) - len(mine.rows[file])
    return [each for each in found.values() if each.rows]


def check_apart(gathered: Sequence[Gathered]) -> list[str]:
    """Make sure that every key means one thing in all builds together.

    Returns:
        What they have in common all the same, for the user to know.

    Raises:
        UsageError: one key is of two triples, or of two photos.
    """
    notes = []
    for one, two in itertools.combinations(gathered, 2):
        for label in sorted(one.labels & two.labels):
            notes += _meeting(one, two, label)
    return notes


def _meeting(one: Gathered, two: Gathered, label: str) -> list[str]:
    """What two builds have in common under a label."""
    where = f"{one.build.folder} and {two.build.folder}"
    rest = f"datakit select {two.build.folder} --where \"source != '{label}'\" --out REST"
    way_out = f"leave them out of one, `{rest}`, and merge REST instead"
    notes = []
    layouts = [each.build.manifest.sources.get(label, {}).get("layout") for each in (one, two)]
    if layouts[0] != layouts[1]:
        notes.append(f"{where}: label {label!r} is of layout {layouts[0]} in the one and of {layouts[1]} in the other: "
                     "two sets under one label")  # fmt: skip
    (photos, crcs), (other_photos, other_crcs) = _photos(one, label), _photos(two, label)
    common, mine, theirs = np.intersect1d(photos, other_photos, return_indices=True)
    if not len(common):
        return notes
    changed = common[crcs[mine] != other_crcs[theirs]]
    if len(changed):
        raise UsageError(
            f"{where}: {counted(len(changed), 'key')} such as {changed[0].decode()} are of two photos, whose files "
            f"differ: two sources have one label; build one of them with another label (LABEL=ROOT), or {way_out}"
        )
    twice = np.intersect1d(_keys(one, label, common), _keys(two, label, common))
    if len(twice):
        raise UsageError(
            f"{where}: {counted(len(twice), 'triple')} such as {twice[0].decode()} are in both, made by two builds, "
            f"and a key may mean one triple only; {way_out}"
        )
    return [*notes, f"{where}: {counted(len(common), 'photo')} of {label!r} in both, with other triples"]


def _photos(gathered: Gathered, label: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Keys of the photos of a source, and the CRC-32 of their files."""
    parts = [shard.images[np.unique(shard.triples["image_row"][rows])] for shard, rows in gathered.shards(label)]
    return np.concatenate([part["key"] for part in parts]), np.concatenate([part["source_crc32"] for part in parts])


def _keys(gathered: Gathered, label: str, photos: NDArray[Any]) -> NDArray[Any]:
    """Keys of the triples of some photos of a source."""
    found = []
    for shard, rows in gathered.shards(label):
        is_meant = np.isin(shard.images["key"], photos)[shard.triples["image_row"][rows]]
        found.append(shard.triples["key"][rows[is_meant]])
    return np.concatenate(found)


def view_of(gathered: Sequence[Gathered], out: Path, command: str, inputs: Sequence[Path],
            options: Mapping[str, Any]) -> View:  # fmt: skip
    """The view of what was gathered.

    Args:
        gathered: of `gather`.
        out: the folder that it is for; paths are taken from there.
        command: that makes it, without `datakit`.
        inputs: folders that the command was given.
        options: of the command, which make it what it is.
    """
    counts = [{entry.file: entry.triples for entry in each.build.manifest.shards} for each in gathered]
    folders = [
        ViewFolder(path_from(out, each.build.folder), each.build.digest, each.triples,
                   {file: write_rows(rows, count[file]) for file, rows in each.rows.items()})
        for each, count in zip(gathered, counts, strict=True)
    ]  # fmt: skip
    made = {"command": command, "inputs": [path_from(out, each) for each in inputs], "options": dict(options)}
    return View(tuple(folders), made)


def whole_photos(reader: ShardReader, chosen: ShardReader) -> ShardReader:
    """A reader of all triples of those photos of which some are chosen, first-frame views of a photo included.

    Args:
        reader: of all triples.
        chosen: of some of them, by `reader.where`.
    """
    parts = []
    for number in range(len(reader.contents.portions)):
        rows, some = reader.rows(number), chosen.rows(number)
        if 0 < len(some) < len(rows):
            shard = reader.shard(number)
            photos = np.char.partition(shard.images["key"], b"~")[:, 0]
            parts.append(np.isin(photos, photos[shard.triples["image_row"][some]])[shard.triples["image_row"][rows]])
        else:
            parts.append(np.full(len(rows), len(some) > 0))
    return reader.pick(np.concatenate(parts))


def held_back(reader: ShardReader, share: float) -> NDArray[np.bool_]:
    """(N,) bool: which triples are of photos that training holds back, see `seeds.is_held_back`."""
    parts = [np.zeros(0, np.bool_)]
    for number, shard in enumerate(reader.shards()):
        of_photo = np.array([is_held_back(key.decode(), share) for key in shard.images["key"]], np.bool_)
        parts.append(of_photo[shard.triples["image_row"][reader.rows(number)]])
    return np.concatenate(parts)
