"""`datakit preview-deformations`: a contact sheet of rough masks, from sources or from shards.

From a source each triple is made by the functions that build shards, so it is the one that would be
stored; from a folder of shards it is the one that is stored. Drawing is left to `datakit.preview`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
    if config.out.suffix.lower() != ".png":
        raise UsageError(f"--out {config.out}: expected a name that ends in .png")
    problems: list[Problem] = []
    inputs = [_open(text, config, problems) for text in config.inputs]
    recipes = _recipes(inputs)
    with single_threaded_opencv():
        rows = list(_asked(inputs, config.keys, problems) if config.keys else _spread(inputs, config.count))
    if not rows:
        why = f"; the first problem: {problems[0].key}: {problems[0].detail}" if problems else ""
        raise DatakitError(f"{', '.join(config.inputs)}: there is no sample to show{why}")
    shown = [row.triples for row in rows]
    sheet = contact_sheet(shown, recipes, _title(inputs, config.settings.seed), [row.totals for row in rows])
    config.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(config.out) as part:
        part.write_bytes(encode_png(sheet, compact=True))
    flagged = sum(bool(triple.flags) for row in shown for triple in row)
    draws = sum(sum(row.totals.values()) for row in rows)
    return PreviewSummary(config.out, sheet.shape[:2], len(rows), draws, flagged, tuple(problems))


class _Input(NamedTuple):
    """One source or folder of shards.

    Attributes:
        name: for the title.
        is_drawn: False where the triples were stored by a build, whatever the seed is now.
        recipes: recipe name -> Recipe.
        keys: sorted; of photos (a source) or of samples (shards).
        samples: of one key, and of the key the user asked for or '': a function for each sample that makes its row.
    """

    name: str
    is_drawn: bool
    recipes: Mapping[str, Recipe]
    keys: Sequence[str]
    samples: Callable[[str, str], list[Callable[[], Row]]]


def _open(text: str, config: PreviewConfig, problems: list[Problem]) -> _Input:
    if (Path(text) / MANIFEST).is_file():
        return _open_shards(Path(text))
    return _open_source(text, config, problems)


def _open_shards(folder: Path) -> _Input:
    reader = ShardReader(folder)
    keys = reader.keys
    stored: dict[str, dict[str, list[int]]] = {}
    for index, key in enumerate(keys):
        sample, _, draw = key.rpartition("@")
        stored.setdefault(VIEW.sub("", sample), {}).setdefault(draw.rpartition("/")[0], []).append(index)

    def row(sample: str, asked: str) -> Row:
        draws = stored[sample]
        shown = [reader[each[k]] for each in draws.values() for k in _shown([keys[i] for i in each], asked)]
        return Row(shown, {recipe: len(each) for recipe, each in draws.items()})

    name = f"the shards in {folder.resolve().name}"
    return _Input(name, False, reader.recipes, sorted(stored), lambda key, asked: [partial(row, key, asked)])


def _open_source(text: str, config: PreviewConfig, problems: list[Problem]) -> _Input:
    spec, settings = parse_source(text), config.settings
    reader: Any = open_source(spec, BuildConfig((spec,), config.out.parent, settings, config.images))
    position = {record.key: index for index, record in enumerate(reader.records)}

    def samples(photo: str, asked: str) -> list[Callable[[], Row]]:
        try:
            scene = reader[position[photo]]
        except ItemError as error:
            problems.append(error.problem)
            return []
        meant = [p for p in scene.problems if asked and _is_within(asked, p.key)]
        problems.extend(meant if scene.samples else scene.problems)
        return [partial(_row, sample, settings, asked) for sample in scene.samples]

    recipes = {recipe.name: recipe for recipe in settings.recipes}
    return _Input(spec.label, True, recipes, sorted(position), samples)


def _row(sample: Sample, settings: BuildSettings, asked: str) -> Row:
    """The first draws by every recipe; a draw is the same whether the others are made or not."""
    shown: list[Triple] = []
    totals: dict[str, int] = {}
    for recipe in settings.recipes:
        draws = [(look, variant) for look in views(sample, recipe) for variant in range(recipe.variants)]
        totals[recipe.name] = len(draws)
        for index in _shown([triple_key(look.key, recipe.name, variant) for look, variant in draws], asked):
            look, variant = draws[index]
            shown.append(make_triples(look, replace(recipe, variants=variant + 1), settings.seed)[variant])
    return Row(shown, totals)


def _shown(keys: Sequence[str], asked: str) -> list[int]:
    """Positions of the draws to show: those asked for by view or triple key, then the first few.

    Of a sample with views the first few are the plain view and some turned ones.
    """
    first_of = {key.rpartition("@")[0]: index for index, key in reversed(list(enumerate(keys)))}
    looks = sorted(first_of.values())
    usual = list(range(min(len(keys), MOST_SHOWN)))
    if len(looks) > 1:
        plain = [index for index in looks if PLAIN_VIEW.search(keys[index].rpartition("@")[0])]
        turned = [index for index in looks if index not in plain]
        usual = plain + turned[:: max(1, len(turned) // MOST_SHOWN)]
    meant = [index for index, key in enumerate(keys) if _is_within(key, asked)]
    first = meant if len(meant) < len(keys) else []
    return list(dict.fromkeys(first + usual))[:MOST_SHOWN]


def _recipes(inputs: Sequence[_Input]) -> dict[str, Recipe]:
    recipes: dict[str, Recipe] = {}
    for source in inputs:
        for name, recipe in source.recipes.items():
            if recipes.setdefault(name, recipe) != recipe:
                raise UsageError(f"{source.name}: its recipe {name!r} differs from the others'; preview it on its own")
    return recipes


def _spread(inputs: Sequence[_Input], count: int) -> Iterator[Row]:
    """One sample of each of `count` keys, evenly over the inputs and within each over its keys."""
    for source, share in zip(inputs, _shares([len(source.keys) for source in inputs], count), strict=True):
        yield from _evenly(source, share)


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """`count` in nearly equal parts, none larger than its size; what the small ones leave goes to the others."""
    shares = [0] * len(sizes)
    smallest_first = sorted(range(len(sizes)), key=lambda n: sizes[n])
    for turn, n in enumerate(smallest_first):
        shares[n] = min(sizes[n], -(-(count - sum(shares)) // (len(sizes) - turn)))
    return shares


def _evenly(source: _Input, share: int) -> Iterator[Row]:
    """At evenly spaced keys a row; a key without one hands over to the next that is not yet taken."""
    total = len(source.keys)
    taken: set[int] = set()
    for turn in range(share):
        start = int((turn + 0.5) * total / share)
        for index in (*range(start, total), *range(start)):
            if index not in taken:
                taken.add(index)
                if makers := source.samples(source.keys[index], ""):
                    yield makers[turn % len(makers)]()
                    break


def _asked(inputs: Sequence[_Input], keys: Sequence[str], problems: Sequence[Problem]) -> Iterator[Row]:
    """Rows of photo, sample, view or triple keys; one that is known but gives no sample is among the problems."""
    for asked in keys:
        before = len(problems)
        found = [row for source in inputs for row in _matching(source, asked)]
        if not found and len(problems) == before:
            known = next((source.keys[0] for source in inputs if source.keys), "none")
            raise UsageError(f"--sample {asked}: no input holds it; a key looks like {known!r}")
        yield from found


def _matching(source: _Input, asked: str) -> Iterator[Row]:
    for key in source.keys:
        if _is_within(key, asked) or _is_within(asked, key):
            rows = (make() for make in source.samples(key, asked))
            yield from (row for row in rows if any(_is_within(triple.key, asked) for triple in row.triples))


def _is_within(key: str, whole: str) -> bool:
    """Whether `key` is `whole` or an object, view or triple of it."""
    return key == whole or key.startswith((f"{whole}#", f"{whole}~", f"{whole}@"))


def _title(inputs: Sequence[_Input], seed: int) -> str:
    drawn = f" · seed {seed}" if any(source.is_drawn for source in inputs) else ""
    return f"Rough masks from {', '.join(source.name for source in inputs)}{drawn}"
