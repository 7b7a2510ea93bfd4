"""`datakit preview-deformations`: a contact sheet or a page of rough masks, from sources or from shards.

From a source each triple is made by the functions that build shards, so it is the one that would be
stored; from a folder of shards it is the one that is stored. Drawing is left to `datakit.preview`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from datakit.datasets import open_source, parse_source
from datakit.errors import DatakitError, ItemError, Problem, UsageError
from datakit.files import replacing
from datakit.images import encode_png
from datakit.keys import PLAIN_VIEW, Key, is_within, sample_of, triple_key, without_view
from datakit.preview import MOST_SHOWN, PageSettings, contact_sheet, picture_bytes, write_page
from datakit.samples import Sample, Triple
from datakit.shards import ShardReader
from datakit.shards.manifest import NAME as MANIFEST
from datakit.transforms import Recipe
from datakit.triples import make_triple, views

from .plan import check_labels, recognised
from .process import single_threaded_opencv
from .settings import BuildSettings

SHEET_SAMPLES = 8
PAGE_SAMPLES = 2000  # of sources; a folder of shards is shown whole
PAGE_DRAWS = 12  # most draws of one sample by one recipe on a page


class _Row(NamedTuple):
    """The triples of one sample that are shown, and how many draws there are by each recipe."""

    triples: Sequence[Triple]
    totals: Mapping[str, int]


@dataclass(frozen=True)
class PreviewConfig:
    """What to show and where to put it.

    Attributes:
        inputs: sources as on the command line (`LABEL[:LAYOUT]=ROOT` or ROOT), or finished folders of shards.
        out: a .png or .html file; its folder is made when missing.
        settings: recipes, seed and reading as in a build; a folder of shards brings its own.
        images: label -> image folder, where a layout does not find it by itself.
        count: samples shown, spread evenly over the inputs and over their sorted keys; default `SHEET_SAMPLES` on a
            sheet; on a page every one of a folder of shards and up to `PAGE_SAMPLES` of the sources.
        keys: show these samples instead; a photo's key shows all its objects.
    """

    inputs: tuple[str, ...]
    out: Path
    settings: BuildSettings
    images: Mapping[str, Path] = field(default_factory=dict)
    count: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewSummary:
    """What was drawn.

    Attributes:
        out: the file.
        size: (H, W) of the sheet in pixels; None of a page.
        samples: rows of the sheet, or objects on the page.
        triples: these samples have in all; the first few of each recipe are shown.
        flagged: triples with a remark among those shown.
        problems: why photos or objects that were asked for are not shown.
    """

    out: Path
    size: tuple[int, int] | None
    samples: int
    triples: int
    flagged: int
    problems: tuple[Problem, ...]

    @property
    def skipped(self) -> int:
        """Number of photos and objects that are not shown."""
        return len(self.problems)


def preview_deformations(config: PreviewConfig) -> PreviewSummary:
    """Draw the contact sheet (.png) or write the page (.html).

    Args:
        config: what to show and where to put it.

    Raises:
        UsageError: another suffix, an input is no source and no shards, a key is in none, or two inputs disagree
            on a recipe.
        DatakitError: not one sample could be shown.
        OSError: `config.out` cannot be written.
    """
    forms = {".png": _sheet, ".html": _page}
    draw = forms.get(config.out.suffix.lower())
    if draw is None:
        raise UsageError(f"--out {config.out}: expected a name that ends in .png (a picture) or .html (a page)")
    problems: list[Problem] = []
    specs = tuple(parse_source(text) for text in config.inputs if not _is_shards(text))
    check_labels(specs, config.images)
    for spec in specs:
        recognised(spec, config.images.get(spec.label))
    most = MOST_SHOWN if draw is _sheet else PAGE_DRAWS
    inputs = [_open(text, config, problems, most) for text in config.inputs]
    recipes = _recipes(inputs)
    with single_threaded_opencv():
        return draw(config, inputs, recipes, problems)


def _sheet(
    config: PreviewConfig, inputs: Sequence[_Input], recipes: Mapping[str, Recipe], problems: Sequence[Problem]
) -> PreviewSummary:
    count = SHEET_SAMPLES if config.count is None else config.count
    rows = list(_asked(inputs, config.keys, problems) if config.keys else _spread(inputs, count))
    if not rows:
        raise _nothing_to_show(config, problems)
    shown = [row.triples for row in rows]
    sheet = contact_sheet(shown, recipes, _title(inputs, config.settings.seed), [row.totals for row in rows])
    config.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(config.out) as part:
        part.write_bytes(encode_png(sheet, compact=True))
    flagged = sum(bool(triple.flags) for row in shown for triple in row)
    draws = sum(sum(row.totals.values()) for row in rows)
    return PreviewSummary(config.out, sheet.shape[:2], len(rows), draws, flagged, tuple(problems))


def _page(
    config: PreviewConfig, inputs: Sequence[_Input], recipes: Mapping[str, Recipe], problems: Sequence[Problem]
) -> PreviewSummary:
    rows = _asked(inputs, config.keys, problems) if config.keys else _all(inputs, config.count)
    first = next(rows, None)
    if first is None:
        raise _nothing_to_show(config, problems)
    # a view has a photo of its own
    pictures = _expected(inputs, config) * (PAGE_DRAWS if any(recipe.augment for recipe in recipes.values()) else 1)
    is_cut = not config.keys and bool(config.count or any(source.is_drawn for source in inputs))
    most = _expected(inputs, config) if is_cut else 0
    settings = PageSettings(_title(inputs, config.settings.seed), picture_bytes(pictures), most)
    config.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(config.out) as part, part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        counts = write_page(file, chain([first], rows), recipes, settings, problems)
    return PreviewSummary(config.out, None, counts.samples, counts.triples, counts.flagged, tuple(problems))


def _nothing_to_show(config: PreviewConfig, problems: Sequence[Problem]) -> DatakitError:
    why = f"; the first problem: {problems[0].key}: {problems[0].detail}" if problems else ""
    return DatakitError(f"{', '.join(config.inputs)}: there is no sample to show{why}")


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
    samples: Callable[[str, str], list[Callable[[], _Row]]]


def _open(text: str, config: PreviewConfig, problems: list[Problem], most: int) -> _Input:
    return _open_shards(Path(text), most) if _is_shards(text) else _open_source(text, config, problems, most)


def _is_shards(text: str) -> bool:
    return (Path(text) / MANIFEST).is_file()


def _open_shards(folder: Path, most: int) -> _Input:
    reader = ShardReader(folder)
    keys = reader.keys
    stored: dict[str, dict[str, list[int]]] = {}
    for index, key in enumerate(keys):
        whole = without_view(sample_of(key))
        stored.setdefault(whole, {}).setdefault(Key.parse(key).recipe, []).append(index)

    def row(sample: str, asked: str) -> _Row:
        draws = stored[sample]
        shown = [reader[each[k]] for each in draws.values() for k in _shown([keys[i] for i in each], asked, most)]
        return _Row(shown, {recipe: len(each) for recipe, each in draws.items()})

    name = f"the shards in {folder.resolve().name}"
    return _Input(name, False, reader.recipes, sorted(stored), lambda key, asked: [partial(row, key, asked)])


def _open_source(text: str, config: PreviewConfig, problems: list[Problem], most: int) -> _Input:
    spec, settings = parse_source(text), config.settings
    reader = open_source(spec, settings.source_options(config.images.get(spec.label)))
    position = {record.key: index for index, record in enumerate(reader.records)}

    tells_all = most > MOST_SHOWN and not config.keys  # a page says of everything why it is not there
    if tells_all:
        problems.extend(reader.problems)

    def samples(photo: str, asked: str) -> list[Callable[[], _Row]]:
        try:
            scene = reader[position[photo]]
        except ItemError as error:
            problems.append(error.problem)
            return []
        meant = [p for p in scene.problems if asked and is_within(asked, p.key)]
        problems.extend(scene.problems if tells_all or not scene.samples else meant)
        return [partial(_row, sample, settings, asked, most) for sample in scene.samples]

    recipes = {recipe.name: recipe for recipe in settings.recipes}
    return _Input(spec.label, True, recipes, sorted(position), samples)


def _row(sample: Sample, settings: BuildSettings, asked: str, most: int) -> _Row:
    """The first draws by every recipe; a draw is the same whether the others are made or not."""
    shown: list[Triple] = []
    totals: dict[str, int] = {}
    for recipe in settings.recipes:
        draws = [(view, variant) for view in views(sample, recipe) for variant in range(recipe.variants)]
        totals[recipe.name] = len(draws)
        for index in _shown([triple_key(view.key, recipe.name, variant) for view, variant in draws], asked, most):
            view, variant = draws[index]
            shown.append(make_triple(view, recipe, variant, settings.seed))
    return _Row(shown, totals)


def _shown(keys: Sequence[str], asked: str, most: int) -> list[int]:
    """Positions of the draws to show: those asked for by view or triple key, then the first few.

    Of a sample with views the first few are the plain view and some turned ones.
    """
    first_of = {sample_of(key): index for index, key in reversed(list(enumerate(keys)))}
    looks = sorted(first_of.values())
    usual = list(range(min(len(keys), most)))
    if len(looks) > 1:
        plain = [index for index in looks if Key.parse(keys[index]).view == PLAIN_VIEW]
        turned = [index for index in looks if index not in plain]
        usual = plain + turned[:: max(1, len(turned) // most)]
    meant = [index for index, key in enumerate(keys) if is_within(key, asked)]
    first = meant if len(meant) < len(keys) else []
    return list(dict.fromkeys(first + usual))[:most]


def _recipes(inputs: Sequence[_Input]) -> dict[str, Recipe]:
    recipes: dict[str, Recipe] = {}
    for source in inputs:
        for name, recipe in source.recipes.items():
            if recipes.setdefault(name, recipe) != recipe:
                raise UsageError(f"{source.name}: its recipe {name!r} differs from the others'; preview it on its own")
    return recipes


def _spread(inputs: Sequence[_Input], count: int) -> Iterator[_Row]:
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


def _evenly(source: _Input, share: int) -> Iterator[_Row]:
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


def _all(inputs: Sequence[_Input], count: int | None) -> Iterator[_Row]:
    """Every sample, or, where that is more than asked for, those of photos spread evenly over every input."""
    stored = [] if count else [source for source in inputs if not source.is_drawn]
    for source in stored:
        yield from (make() for key in source.keys for make in source.samples(key, ""))
    queues = {n: _scattered(source) for n, source in enumerate(inputs) if source not in stored}
    taken = dict.fromkeys(queues, 0)
    left = count or PAGE_SAMPLES
    while queues and left > 0:
        turn = min(queues, key=lambda n: taken[n])
        makers = next(queues[turn], None)
        if makers is None:
            del queues[turn]
            continue
        yield from (make() for make in makers[:left])
        taken[turn] += len(makers)
        left -= len(makers)


def _scattered(source: _Input) -> Iterator[list[Callable[[], _Row]]]:
    """The samples of every key; the keys in an order whose every beginning is spread evenly over them."""
    total = len(source.keys)
    digits = max(1, (total - 1).bit_length())
    for turn in range(1 << digits):
        index = int(format(turn, f"0{digits}b")[::-1], 2)  # bits backwards: van der Corput's sequence
        if index < total:
            yield source.samples(source.keys[index], "")


def _expected(inputs: Sequence[_Input], config: PreviewConfig) -> int:
    """At most so many samples come to a page."""
    stored = sum(len(source.keys) for source in inputs if not source.is_drawn)
    drawn = PAGE_SAMPLES if any(source.is_drawn for source in inputs) else 0
    return len(config.keys) or config.count or stored + drawn


def _asked(inputs: Sequence[_Input], keys: Sequence[str], problems: Sequence[Problem]) -> Iterator[_Row]:
    """Rows of photo, sample, view or triple keys; one that is known but gives no sample is among the problems."""
    for asked in keys:
        before = len(problems)
        found = [row for source in inputs for row in _matching(source, asked)]
        if not found and len(problems) == before:
            known = next((source.keys[0] for source in inputs if source.keys), "none")
            raise UsageError(f"--sample {asked}: no input holds it; a key looks like {known!r}")
        yield from found


def _matching(source: _Input, asked: str) -> Iterator[_Row]:
    for key in source.keys:
        if is_within(key, asked) or is_within(asked, key):
            rows = (make() for make in source.samples(key, asked))
            yield from (row for row in rows if any(is_within(triple.key, asked) for triple in row.triples))


def _title(inputs: Sequence[_Input], seed: int) -> str:
    drawn = f" · seed {seed}" if any(source.is_drawn for source in inputs) else ""
    return f"Rough masks from {', '.join(source.name for source in inputs)}{drawn}"
