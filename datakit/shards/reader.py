"""Read a folder of shards: a picklable, fork- and spawn-safe Sequence of Triples, and what is known of all of them."""

from __future__ import annotations

import bisect
import copy
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import ShardError, UsageError
from ..places import is_stored, place_of
from ..samples import Triple
from ..transforms import Recipe
from ..wording import counted
from .cache import Cache
from .contents import read_contents
from .manifest import Manifest
from .open_files import who_writes
from .query import Query
from .shard import Check, Shard, decode_triple, open_parts
from .stored import StoredShard, fetch
from .table import column_kinds, read_table, unknown_column, write_csv

if TYPE_CHECKING:
    import pandas as pd

OPENED_AT_ONCE = 16  # shards of a store


class ShardReader(Sequence[Triple]):
    """All triples of a finished folder of shards, in order of source, shard and row; or some, chosen by `where`.

    A view, as `datakit merge`, `select` and `split` make them, is read like a folder: folder by folder behind it.

    Pickles to its arguments; every process opens the shards it needs when it needs them, so it is safe with the
    workers of a `torch.utils.data.DataLoader`. Triples are of the photos' own sizes: give the loader `collate` of
    this package, as in `DataLoader(reader, batch_size=4, collate_fn=collate)`. For batches of tensors, cut to one
    size and augmented, take `model.dataset.TripleDataset([folder], net.coding)` with `model.dataset.collate`.

    ```python
    reader = ShardReader("shards")
    hard = reader.where("iou < 0.5 and source == 'ecssd'")
    triple = hard[0]  # .image, .guide, .target, .named_parameters, .show()
    frame = reader.to_pandas()
    ```

    Args:
        folder: a folder that `datakit build-shards` finished, or a view; on this machine, or an address such as
            `s3://bucket/shards`.
        check: which CRC-32 are compared on every read: `masks` (their cost is nothing), `all`, or `none`.
        max_open: number of shards kept open at once.
        cache: where photos of an address are kept, or its folder; see `cache.Cache` for what is taken otherwise.

    Attributes:
        contents: the builds behind it, and the portions of their shards that are read.
        recipes: recipe name -> Recipe, as built; where builds behind a view differ in one, the first, see `recipes_of`.

    Raises:
        ShardError: no manifest, a damaged one, or a shard file of another size than it says; of a view, a folder
            behind it that is gone or was built anew.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        check: Check = "masks",
        max_open: int = 64,
        cache: Cache | str | os.PathLike[str] | None = None,
    ):
        self.folder = place_of(folder)
        self.check: Check = check
        self.max_open = max_open
        self.contents = read_contents(self.folder)
        self._cache = Cache(cache) if isinstance(cache, str | os.PathLike) else cache
        self.recipes: dict[str, Recipe] = {}
        for build in self.contents.builds:
            self.recipes = build.recipes | self.recipes
        self._ends = np.cumsum([portion.triples for portion in self.contents.portions]).tolist()
        self._rows: NDArray[np.int64] | None = None  # of all, those chosen
        self._open: OrderedDict[int, Shard] = OrderedDict()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        """One line: folder, number of triples, sources and recipes."""
        all_of_them = counted(self._total, "triple")
        chosen = all_of_them if self._rows is None else f"{len(self)} of {all_of_them}"
        sources = counted(len({portion.entry.source for portion in self.contents.portions}), "source")
        behind = f", a view of {counted(len(self.contents.builds), 'folder')}" if self.contents.view else ""
        recipes = counted(len(self.recipes), "recipe")
        return f"ShardReader({str(self.folder)!r}, {chosen}, {sources}, {recipes}{behind})"

    @property
    def manifest(self) -> Manifest:
        """The manifest of the folder.

        Raises:
            UsageError: it is a view, behind which each folder has its own, see `contents.builds`.
        """
        if self.contents.view is not None:
            places = ", ".join(str(build.folder) for build in self.contents.builds)
            raise UsageError(f"{self.folder}: is a view of {places}; each of these has a manifest of its own")
        return self.contents.builds[0].manifest

    @property
    def is_stored(self) -> bool:
        """Whether any of its shards lies in a store."""
        return any(is_stored(build.folder) for build in self.contents.builds)

    @property
    def _total(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict(), "_pid": -1}

    def __len__(self) -> int:
        return self._total if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Triple: ...
    @overload
    def __getitem__(self, index: slice) -> list[Triple]: ...
    def __getitem__(self, index: int | slice) -> Triple | list[Triple]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return decode_triple(*self.locate(index), check=self.check)

    def raw(self, index: int) -> tuple[memoryview, memoryview, memoryview]:
        """Encoded bytes (image, deformed, target) of one triple, neither copied nor checked."""
        return open_parts(*self.locate(index))

    def locate(self, index: int) -> tuple[Shard, int]:
        """The open shard and the row within it of triple number `index`.

        Raises:
            IndexError: out of range.
        """
        number, row = self._find(index)
        return self.shard(number), row

    def _find(self, index: int) -> tuple[int, int]:
        """Number of the shard and row within it of triple number `index`."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"triple {index} of {len(self)}")
        index %= len(self)
        if self._rows is not None:
            index = int(self._rows[index])
        number = bisect.bisect_right(self._ends, index)
        row, rows = index - (self._ends[number - 1] if number else 0), self.contents.portions[number].rows
        return number, row if rows is None else int(rows[row])

    def prefetch(self, indices: Sequence[int]) -> None:
        """Read the photos of some triples from the store they lie in, many requests in flight; nothing on a disk.

        Raises:
            ShardError, OSError: as reading them would.
        """
        if self.is_stored:
            self.prefetch_rows([self._find(index) for index in indices])

    def prefetch_rows(self, rows: Sequence[tuple[int, int]]) -> None:
        """As `prefetch`, of triples named by the number of their shard and their row in it."""
        self._prefetch(rows, lambda shard, row: int(shard.triples["image_row"][row]))

    def prefetch_photos(self, rows: Sequence[tuple[int, int]]) -> None:
        """As `prefetch`, of photos named by the number of their shard and their row among its photos."""
        self._prefetch(rows, lambda _shard, row: row)

    def _prefetch(self, rows: Sequence[tuple[int, int]], photo: Callable[[Shard, int], int]) -> None:
        wanted: dict[int, list[int]] = {}
        for number, row in rows:
            if is_stored(self.contents.portions[number].path):
                wanted.setdefault(number, []).append(row)
        absent = []
        for number, shard in self._opened(wanted).items():
            absent += shard.missing(photo(shard, row) for row in wanted[number])
        fetch(absent)

    def _opened(self, chosen: Iterable[int]) -> dict[int, StoredShard]:
        """Shards of a store, opened at once."""
        numbers = list(chosen)
        found = {number: self._open[number] for number in numbers if number in self._open}
        new = [number for number in numbers if number not in found]
        if len(new) > 1 and self._pid == os.getpid():
            self._cache = self._cache or Cache()
            with ThreadPoolExecutor(min(len(new), OPENED_AT_ONCE)) as threads:
                for number, shard in zip(new, threads.map(self._open_shard, new), strict=True):
                    self._open[number] = shard
        return {number: self.shard(number) for number in numbers}  # type: ignore[misc]

    def shard(self, number: int) -> Shard:
        """Shard number `number`, whole, opened when first needed; `rows` says which of its triples are read."""
        if self._pid != os.getpid():  # after a fork: the parent's maps are the parent's
            self._open, self._pid = OrderedDict(), os.getpid()
        if number not in self._open:
            while len(self._open) >= self.max_open:
                self._open.popitem(last=False)
            self._open[number] = self._open_shard(number)
        self._open.move_to_end(number)
        return self._open[number]

    def _open_shard(self, number: int) -> Shard:
        portion = self.contents.portions[number]
        entry, path = portion.entry, portion.path
        if is_stored(path):
            self._cache = self._cache or Cache()
            return StoredShard(path, entry, self._cache, portion.build.manifest.max_pixels)
        about = f"{path}:" if self.contents.view is None else f"{path}, behind the view {self.folder}:"
        found = path.stat().st_size if path.is_file() else None
        if found != entry.bytes:
            state = "is missing" if found is None else f"has {found} bytes"
            who = who_writes(path) if path.is_file() else ""
            way_out = f"it is open for writing {who}: close it there" if who else "run `datakit build-shards` again"
            raise ShardError(f"{about} {state}, the manifest says {entry.bytes}; {way_out}")
        shard = Shard(path, portion.build.manifest.max_pixels)
        if len(shard.triples) != entry.triples:
            count = f"holds {len(shard.triples)} triples, the manifest says {entry.triples}"
            raise ShardError(f"{about} {count}; run `datakit build-shards` again")
        return shard

    def shards(self) -> Iterator[Shard]:
        """Every shard in order, whole, opened one at a time; `rows` says which of its triples are read."""
        for number in range(len(self.contents.portions)):
            self.open_ahead(number)
            yield self.shard(number)

    def open_ahead(self, number: int) -> None:
        """Before all shards are opened in order: of those of a store, open some more at once with this one."""
        if self.is_stored and number % OPENED_AT_ONCE == 0:
            portions = self.contents.portions[number : number + OPENED_AT_ONCE]
            self._opened(n for n, portion in enumerate(portions, number) if is_stored(portion.path))

    def rows(self, number: int) -> NDArray[np.int64]:
        """(n,) rising: rows of the triples of shard number `number` that this reader has."""
        start, stop = self._ends[number - 1] if number else 0, self._ends[number]
        portion = self.contents.portions[number]
        rows = np.arange(stop - start) if portion.rows is None else portion.rows.astype(np.int64)
        if self._rows is None:
            return rows
        low, high = np.searchsorted(self._rows, [start, stop])
        return rows[self._rows[low:high] - start]

    def targets(self, number: int) -> NDArray[np.int64]:
        """(n,) rising: rows of the targets of shard number `number`; of those that are chosen or of a view, those of
        its triples.
        """
        shard = self.shard(number)
        if self._rows is None and self.contents.portions[number].rows is None:
            return np.arange(len(shard.targets))
        return np.unique(shard.triples["target_row"][self.rows(number)]).astype(np.int64)

    def recipes_of(self, number: int) -> dict[str, Recipe]:
        """Recipe name -> Recipe, as shard number `number` was built."""
        return self.contents.portions[number].build.recipes

    @property
    def keys(self) -> list[str]:
        """Key of every triple, in order."""
        keys: list[str] = self.table("key")["key"].tolist()
        return keys

    def table(self, *names: str) -> NDArray[Any]:
        """What is known of every triple, without decoding a photo or a mask.

        Args:
            names: the columns wanted; default all: `key`, `source`, `photo_key`, `sample_key`, `height` and `width` of
                the photo, `area` of the target (px), `flags`, `recipe`, `kind`, `variant`, `object_id`, `iou`,
                `area_ratio`, `redraws`, `draw_flags`, and every drawn number by its name in the recipes.

        Returns:
            (N,) structured array; texts are str, a number that a triple's recipe does not draw is NaN.

        Raises:
            UsageError: there is no such column.
        """
        kinds = self.columns
        if unknown := [name for name in names if name not in kinds]:
            raise UsageError(f"{self.folder}: {unknown_column(unknown[0], kinds)}")
        rows = (portion.rows for portion in self.contents.portions)
        found = read_table(self.shards(), {name: kinds[name] for name in names or kinds}, rows)
        return found if self._rows is None else found[self._rows]

    @property
    def columns(self) -> dict[str, str]:
        """The columns of `table`, with NumPy's code of their values; `U` is text."""
        recipes = (build.recipes.values() for build in self.contents.builds)
        return column_kinds(recipe.parameter_names for each in recipes for recipe in each)

    def where(self, condition: str | Callable[[NDArray[Any]], NDArray[np.bool_]]) -> ShardReader:
        """A reader of those triples for which a condition holds; photos and masks are not decoded for it.

        Args:
            condition: words such as `"iou > 0.4 and source == 'ecssd'"`, which are read as a small language (see
                `query.Query`) and never run as code; or a function that is given `table()` and returns (N,) bool.

        Raises:
            UsageError: the condition is not understood, or names a column that is not there.
        """
        if isinstance(condition, str):
            query = Query.parse(condition, self.columns)
            table = self.table(*(query.names or ("variant",)))
            holds = query.rows({name: table[name] for name in query.names}, len(table))
        else:
            holds = np.asarray(condition(self.table()))
            if holds.dtype != np.bool_ or holds.shape != (len(self),):
                raise UsageError(f"the condition gave {holds.dtype} {holds.shape}, expected bool ({len(self)},)")
        return self.pick(holds)

    def pick(self, holds: NDArray[np.bool_]) -> ShardReader:
        """A reader of some triples.

        Args:
            holds: (N,) bool, which of them.
        """
        chosen = copy.copy(self)
        chosen._rows = (np.arange(len(self)) if self._rows is None else self._rows)[holds]
        chosen._open = OrderedDict()
        return chosen

    def to_pandas(self) -> pd.DataFrame:
        """`table()` as a pandas.DataFrame.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UsageError(
                "to_pandas() needs pandas: run `pip install pandas`; table() and to_csv() do without"
            ) from error
        table = self.table()
        return pd.DataFrame({name: table[name] for name in table.dtype.names or ()})

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `table()` as CSV: UTF-8, a line of names, a line for each triple, nothing for NaN.

        Raises:
            OSError: the file cannot be written.
        """
        write_csv(place_of(path), self.table())


def collate(triples: Sequence[Triple]) -> dict[str, list[Any]]:
    """A batch of triples as lists, since photos differ in size: the `collate_fn` of a DataLoader on a `ShardReader`.

    Returns:
        `key` (str), `image` (H, W, 3) uint8 RGB, `guide` and `target` (H, W) uint8 0 or 1, `ignore` like them or
        None; NumPy arrays, one of each for every triple.
    """
    names = ("key", "image", "guide", "target", "ignore")
    return {name: [getattr(triple, name) for triple in triples] for name in names}
