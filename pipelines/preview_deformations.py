"""`datakit preview-deformations`: a contact sheet of rough masks, from sources or from shards.

From a source each triple is made by the functions that build shards, so it is the one that would be
stored; from a folder of shards it is the one that is stored. Drawing is left to `datakit.preview`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from datakit.datasets import parse_source
from datakit.deformations import Recipe
from datakit.errors import DatakitError, ItemError, UsageError
from datakit.files import replacing
from datakit.images import encode_png
from datakit.preview import MOST_SHOWN, contact_sheet
from datakit.samples import Problem, Sample, Triple
from datakit.shards import ShardReader
from datakit.shards.manifest import NAME as MANIFEST
from datakit.triples import make_triples, triple_key, views

from .plan import open_source
from .settings import BuildConfig, BuildSettings
from .shard_task import single_threaded_opencv

VIEW = re.compile(r"~r[+-][0-9.e+-]+f?$")
PLAIN_VIEW = re.compile(r"~r\+0$")


class Row(NamedTuple):
    """The triples of one sample that are shown, and how many draws there are by each recipe."""

    triples: Sequence[Triple]
    totals: Mapping[str, int]


@dataclass(frozen=True)
class PreviewConfig:
    """What to show and where to put it.

    Attributes:
        inputs: sources as on the command line (`LABEL[:LAYOUT]=ROOT` or ROOT), or finished folders of shards.
        out: PNG file; its folder is made when missing.
        settings: recipes, seed and reading as in a build; a folder of shards brings its own.
        images: label -> image folder, where a layout does not find it by itself.
        count: samples shown, spread evenly over the inputs and over their sorted keys.
        keys: show these samples instead; a photo's key shows all its objects.
    """

    inputs: tuple[str, ...]
    out: Path
    settings: BuildSettings
    images: Mapping[str, Path] = field(default_factory=dict)
    count: int = 8
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewSummary:
    """What was drawn.

    Attributes:
        out: the PNG file.
        size: (H, W) of the sheet in pixels.
        samples: rows of the sheet.
        triples: these samples have in all; the sheet shows the first few of each recipe.
        flagged: triples with a remark among those shown.
        problems: why photos or objects that were asked for are not shown.
    """

    out: Path
    size: tuple[int, int]
    samples: int
    triples: int
    flagged: int
    problems: tuple[Problem, ...]

    @property
    def skipped(self) -> int:
        """Number of photos and objects that are not shown."""
        return len(self.problems)


def preview_deformations(config: PreviewConfig) -> PreviewSummary:
    """Draw the contact sheet.

    Raises:
        UsageError: an input is no source and no shards, a key is in none, or two inputs disagree on a recipe.
        DatakitError: not one sample could be shown.
        OSError: `config.out` cannot be written.
    """
    problems: list[Problem] = []
    inputs = [_open(text, config, problems) for text in config.inputs]
    recipes = _recipes(inputs)
    with single_threaded_opencv():
        rows = list(_asked(inputs, config.keys) if config.keys else _spread(inputs, config.count))
    if not rows:
        why = f"; the first problem: {problems[0].detail}" if problems else ""
        raise DatakitError(f"{', '.join(config.inputs)}: there is no sample to show{why}")
    shown = [row.triples for row in rows]
    sheet = contact_sheet(shown, recipes, _title(inputs), [row.totals for row in rows])
    config.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(config.out) as part:
        part.write_bytes(encode_png(sheet))
    flagged = sum(bool(triple.flags) for row in shown for triple in row)
    draws = sum(sum(row.totals.values()) for row in rows)
    return PreviewSummary(config.out, sheet.shape[:2], len(rows), draws, flagged, tuple(problems))


class _Input(NamedTuple):
    """One source or folder of shards: keys that can be shown, and how to get their rows."""

    name: str
    recipes: Mapping[str, Recipe]
    keys: Sequence[str]
    rows: Callable[[str], list[Row]]


def _open(text: str, config: PreviewConfig, problems: list[Problem]) -> _Input:
    if (Path(text) / MANIFEST).is_file():
        return _open_shards(Path(text))
    return _open_source(text, config, problems)


def _open_shards(folder: Path) -> _Input:
    reader = ShardReader(folder)
    indices: dict[str, dict[str, list[int]]] = {}
    for index, key in enumerate(reader.keys):
        sample, _, draw = key.rpartition("@")
        indices.setdefault(VIEW.sub("", sample), {}).setdefault(draw.rpartition("/")[0], []).append(index)
    keys = reader.keys

    def rows(sample_key: str) -> list[Row]:
        draws = indices[sample_key].values()
        shown = [reader[i] for each in draws for i in (each[k] for k in _shown([keys[i] for i in each]))]
        return [Row(shown, {name: len(each) for name, each in indices[sample_key].items()})]

    return _Input(folder.name, reader.recipes, sorted(indices), rows)


def _open_source(text: str, config: PreviewConfig, problems: list[Problem]) -> _Input:
    spec, settings = parse_source(text), config.settings
    reader: Any = open_source(spec, BuildConfig((spec,), config.out.parent, settings, config.images))
    position = {record.key: index for index, record in enumerate(reader.records)}

    def rows(photo_key: str) -> list[Row]:
        try:
            scene = reader[position[photo_key]]
        except ItemError as error:
            problems.append(error.problem)
            return []
        if not scene.samples:
            problems.extend(scene.problems)
        return [_row(sample, settings) for sample in scene.samples]

    return _Input(spec.label, {recipe.name: recipe for recipe in settings.recipes}, sorted(position), rows)


def _row(sample: Sample, settings: BuildSettings) -> Row:
    """The first draws by every recipe; a draw is the same whether the others are made or not."""
    shown: list[Triple] = []
    totals: dict[str, int] = {}
    for recipe in settings.recipes:
        looks = list(views(sample, recipe))
        draws = [(look, variant) for look in looks for variant in range(recipe.variants)]
        totals[recipe.name] = len(draws)
        for index in _shown([triple_key(look.key, recipe.name, variant) for look, variant in draws]):
            look, variant = draws[index]
            shown.append(make_triples(look, replace(recipe, variants=variant + 1), settings.seed)[variant])
    return Row(shown, totals)


def _shown(keys: Sequence[str]) -> list[int]:
    """Positions of the draws to show: the first few, or of a sample with views the plain one and some turned ones."""
    first_of = {key.rpartition("@")[0]: index for index, key in reversed(list(enumerate(keys)))}
    looks = sorted(first_of.values())
    if len(looks) == 1:
        return list(range(min(len(keys), MOST_SHOWN)))
    plain = [index for index in looks if PLAIN_VIEW.search(keys[index].rpartition("@")[0])]
    turned = [index for index in looks if index not in plain]
    some = turned[:: max(1, len(turned) // MOST_SHOWN)]
    return (plain + some)[:MOST_SHOWN]


def _recipes(inputs: Sequence[_Input]) -> dict[str, Recipe]:
    recipes: dict[str, Recipe] = {}
    for source in inputs:
        for name, recipe in source.recipes.items():
            if recipes.setdefault(name, recipe) != recipe:
                raise UsageError(f"{source.name}: its recipe {name!r} differs from the others'; preview it on its own")
    return recipes


def _spread(inputs: Sequence[_Input], count: int) -> Iterator[Row]:
    """One sample of each of `count` keys, evenly over the inputs and within each over its keys."""
    for number, source in enumerate(inputs):
        share = count // len(inputs) + (number < count % len(inputs))
        yield from _evenly(source, share)


def _evenly(source: _Input, share: int) -> Iterator[Row]:
    """At evenly spaced keys a row; a key without one hands over to the next that is not yet taken."""
    total = len(source.keys)
    starts = [int((k + 0.5) * total / share) for k in range(min(share, total))]
    left = dict.fromkeys(range(total))
    for turn, start in enumerate(starts):
        for index in (*range(start, total), *range(start)):
            if index in left:
                del left[index]
                if rows := source.rows(source.keys[index]):
                    yield rows[turn % len(rows)]
                    break


def _asked(inputs: Sequence[_Input], keys: Sequence[str]) -> Iterator[Row]:
    for key in keys:
        found = [row for source in inputs for row in _matching(source, key)]
        if not found:
            known = next((source.keys[0] for source in inputs if source.keys), "none")
            raise UsageError(f"--sample {key}: no input holds it; a key looks like {known!r}")
        yield from found


def _matching(source: _Input, asked: str) -> Iterator[Row]:
    """Rows of a sample, view or triple key, or of all objects of a photo key."""
    for key in source.keys:
        if _is_within(key, asked) or _is_within(asked, key):
            for row in source.rows(key):
                if any(_is_within(triple.key, asked) for triple in row.triples):
                    yield row


def _is_within(key: str, whole: str) -> bool:
    """Whether `key` is `whole` or an object, view or triple of it."""
    return key == whole or key.startswith((f"{whole}#", f"{whole}~", f"{whole}@"))


def _title(inputs: Sequence[_Input]) -> str:
    return f"Rough masks from {', '.join(source.name for source in inputs)}"
