"""What is known of every triple, as a table: read from the index of shards, no photo or mask is decoded.

Its columns are named as the attributes of `Triple`; beside them stand `source`, `photo_key`, the photo's `height` and
`width`, the target's `area` (px), and every drawn number by its name in the recipes.
"""

from __future__ import annotations

import csv
import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files import replacing
from ..samples import TRIPLE_COLUMNS
from ..wording import shorten
from .shard import Shard

Table = NDArray[Any]

# Columns beside the triple's own: what it is -> NumPy's kind of the values.
_BESIDE = {"source": "U", "photo_key": "U", "sample_key": "U", "height": "<u4", "width": "<u4", "area": "<u4",
           "flags": "U"}  # fmt: skip

VALUES = ("box", "mask", "low-iou")  # of text columns, as people write them without quotes


def column_kinds(drawn: Iterable[Sequence[str]]) -> dict[str, str]:
    """Every column of the table, in order, with NumPy's code of its values; `U` is text.

    Args:
        drawn: of each recipe, names of its drawn numbers.
    """
    own = {column.attribute: "U" if column.is_text else column.dtype
           for column in TRIPLE_COLUMNS if column.attribute and not column.shape}  # fmt: skip
    numbers = dict.fromkeys((name for names in drawn for name in names), "<f8")
    return {"key": "U", **_BESIDE, **own} | numbers


def unknown_column(name: str, kinds: Mapping[str, str]) -> str:
    """What to say where there is no such column: the nearest, or the columns there are."""
    if name in VALUES:
        return f"no column {name!r}; text needs quotes: kind == {name!r}"
    near = difflib.get_close_matches(name, kinds, 1)
    numbers = [kind for kind in kinds if "." in kind]
    known = ", ".join(kind for kind in kinds if kind not in numbers)
    drawn = f" and drawn numbers such as {numbers[0]}" if numbers else ""
    return f"no column {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"the columns are {known}{drawn}")


def read_table(
    shards: Iterable[Shard], kinds: Mapping[str, str], rows: Iterable[NDArray[np.integer[Any]] | None] | None = None
) -> Table:
    """The table of all triples of some shards.

    Args:
        shards: in order.
        kinds: the columns wanted, of `column_kinds`.
        rows: of each shard, those of its triples that are wanted; None for all.

    Returns:
        (N,) structured; texts are str, numbers that a recipe does not draw are NaN.
    """
    chosen = (slice(None) if each is None else each for each in rows or itertools.repeat(None))
    parts = [[_column(shard, name)[mine] for name in kinds] for shard, mine in zip(shards, chosen, strict=False)]
    columns = {name: np.concatenate([np.zeros(0, "U1" if kind == "U" else kind), *(part[n] for part in parts)])
               for n, (name, kind) in enumerate(kinds.items())}  # fmt: skip
    count = len(next(iter(columns.values()), ()))
    table = np.empty(count, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def what_is_there(table: Table) -> list[str]:
    """Of each column its range, or its values where they are texts: `iou 0.31 to 0.98`, `kind 'box', 'mask'`."""
    found = []
    for name in table.dtype.names or ():
        values = table[name]
        if values.dtype.kind == "U":
            found.append(f"{name} {shorten([repr(str(value)) for value in np.unique(values)], 8)}")
            continue
        known = values[~np.isnan(values.astype(np.float64))]
        found.append(f"{name} {known.min():.6g} to {known.max():.6g}" if len(known) else f"{name} no number")
    return found


def _column(shard: Shard, name: str) -> NDArray[Any]:
    """One column of the table, of one shard."""
    triples, images, targets = shard.triples, shard.images, shard.targets
    stored = {column.attribute: column for column in TRIPLE_COLUMNS if column.attribute and not column.shape}
    if name in stored:
        return _as_text(triples[stored[name].name])
    of_image, of_target = triples["image_row"], triples["target_row"]
    found: NDArray[Any]
    match name:
        case "flags":
            found = np.array(shard.flags(), np.str_)
        case "source":
            found = np.full(len(triples), shard.source)
        case "height" | "width":
            found = images[name][of_image]
        case "area":
            found = targets["area"][of_target]
        case "photo_key":
            found = _as_text(images["key"])[of_image]
        case "sample_key":
            found = _as_text(targets["key"])[of_target]
        case _:
            found = _drawn(shard, name)
    return found


def _drawn(shard: Shard, name: str) -> NDArray[np.float64]:
    """A drawn number of every triple; NaN where its recipe draws no such."""
    triples = shard.triples
    drawn = np.full(len(triples), np.nan)
    for recipe, names in shard.parameter_names.items():
        if name in names:
            rows = triples["recipe"] == recipe.encode()
            drawn[rows] = triples["parameters"][rows, names.index(name)]
    return drawn


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    """A column of the file, text in it as str."""
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def write_csv(path: Path, table: Table) -> None:
    """Write a table as CSV in UTF-8, in one step: a line of names, then one for each row; nothing for NaN.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.dtype.names or ())
        for row in table.tolist():
            writer.writerow(["" if value != value else value for value in row])
