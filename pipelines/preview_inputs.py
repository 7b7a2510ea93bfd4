"""What a preview shows: rows of triples out of sources, made now, or out of folders of shards, as stored.

Which rows a picture or a page holds, and how they are drawn, is left to `preview_deformations` and `preview_page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from datakit.datasets import open_source, parse_source
from datakit.errors import DatakitError, ItemError, Problem, UsageError
from datakit.keys import PLAIN_VIEW, Key, is_within, sample_of, triple_key, without_view
from datakit.looking import is_file, resolved
from datakit.places import place_of
from datakit.preview import MOST_SHOWN
from datakit.samples import Sample, Triple
from datakit.shards import ShardReader
from datakit.shards.contents import differing_recipes
from datakit.shards.manifest import NAME as MANIFEST
from datakit.transforms import Recipe
from datakit.triples import make_triple, views

from .settings import BuildSettings


class Row(NamedTuple):
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
        jobs: worker processes that draw a page.
    """

    inputs: tuple[str, ...]
    out: Path
    settings: BuildSettings
    images: Mapping[str, Path] = field(default_factory=dict)
    count: int | None = None
    keys: tuple[str, ...] = ()
    jobs: int = 1


class PreviewInput(NamedTuple):
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


def open_input(text: str, config: PreviewConfig, problems: list[Problem], most: int) -> PreviewInput:
    """Open a source or a folder of shards.

    Args:
        text: as on the command line.
        config: settings and picture folders.
        problems: gets those of photos that give no sample, when they are read.
        most: draws shown of one sample by one recipe.
    """
    return _open_shards(place_of(text), most) if is_shards(text) else _open_source(text, config, problems, most)


def is_shards(text: str) -> bool:
    """Whether an input is a finished folder of shards."""
    return is_file(place_of(text) / MANIFEST)


@dataclass(frozen=True)
class _StoredRow:
    """Makes a row of what a build stored, in any process."""

    reader: ShardReader
    indices: Sequence[int]
    totals: Mapping[str, int]

    def __call__(self) -> Row:
        return Row([self.reader[index] for index in self.indices], self.totals)


def _open_shards(folder: Path, most: int) -> PreviewInput:
    reader = ShardReader(folder)
    for name, recipes in differing_recipes(reader.contents.builds).items():
        if len({repr((recipe.steps, recipe.augment)) for recipe in recipes}) > 1:  # captions go by these
            places = ", ".join(str(build.folder) for build in reader.contents.builds)
            raise UsageError(f"{folder}: the folders behind this view differ in the steps of recipe {name!r}; preview "
                             f"each on its own: {places}")  # fmt: skip
    keys = reader.keys
    stored: dict[str, dict[str, list[int]]] = {}
    for index, key in enumerate(keys):
        whole = without_view(sample_of(key))
        stored.setdefault(whole, {}).setdefault(Key.parse(key).recipe, []).append(index)

    def samples(sample: str, asked: str) -> list[Callable[[], Row]]:
        draws = stored[sample]
        shown = [each[k] for each in draws.values() for k in _shown([keys[i] for i in each], asked, most)]
        return [_StoredRow(reader, shown, {recipe: len(each) for recipe, each in draws.items()})]

    return PreviewInput(_name_of(resolved(folder)), False, reader.recipes, sorted(stored), samples)


def _name_of(folder: Path) -> str:
    """A folder of shards by name, with the folder above it where it is called `shards` as many are."""
    return "/".join(folder.parts[-2:]) if folder.name == "shards" else folder.name


def _open_source(text: str, config: PreviewConfig, problems: list[Problem], most: int) -> PreviewInput:
    spec, settings = parse_source(text), config.settings
    reader = open_source(spec, settings.source_options(config.images.get(spec.label)))
    position = {record.key: index for index, record in enumerate(reader.records)}

    tells_all = most > MOST_SHOWN and not config.keys  # a page says of everything why it is not there
    if tells_all:
        problems.extend(reader.problems)

    def samples(photo: str, asked: str) -> list[Callable[[], Row]]:
        try:
            scene = reader[position[photo]]
        except ItemError as error:
            problems.append(error.problem)
            return []
        meant = [p for p in scene.problems if asked and is_within(asked, p.key)]
        problems.extend(scene.problems if tells_all or not scene.samples else meant)
        return [partial(_row, sample, settings, asked, most) for sample in scene.samples]

    recipes = {recipe.name: recipe for recipe in settings.recipes}
    return PreviewInput(spec.label, True, recipes, sorted(position), samples)


def _row(sample: Sample, settings: BuildSettings, asked: str, most: int) -> Row:
    """The first draws by every recipe; a draw is the same whether the others are made or not."""
    shown: list[Triple] = []
    totals: dict[str, int] = {}
    for recipe in settings.recipes:
        draws = [(view, variant) for view in views(sample, recipe) for variant in range(recipe.variants)]
        totals[recipe.name] = len(draws)
        for index in _shown([triple_key(view.key, recipe.name, variant) for view, variant in draws], asked, most):
            view, variant = draws[index]
            shown.append(make_triple(view, recipe, variant, settings.seed))
    return Row(shown, totals)


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


def all_recipes(inputs: Sequence[PreviewInput]) -> dict[str, Recipe]:
    """Recipe name -> Recipe, of all inputs.

    Raises:
        UsageError: two inputs disagree on a recipe.
    """
    recipes: dict[str, Recipe] = {}
    for source in inputs:
        for name, recipe in source.recipes.items():
            if recipes.setdefault(name, recipe) != recipe:
                raise UsageError(f"{source.name}: its recipe {name!r} differs from the others'; preview it on its own")
    return recipes


def asked_rows(inputs: Sequence[PreviewInput], keys: Sequence[str], problems: Sequence[Problem]) -> Iterator[Row]:
    """Rows of photo, sample, view or triple keys; one that is known but gives no sample is among the problems."""
    for asked in keys:
        before = len(problems)
        found = [row for source in inputs for row in _matching(source, asked)]
        if not found and len(problems) == before:
            known = next((source.keys[0] for source in inputs if source.keys), "none")
            raise UsageError(f"--sample {asked}: no input holds it; a key looks like {known!r}")
        yield from found


def _matching(source: PreviewInput, asked: str) -> Iterator[Row]:
    for key in source.keys:
        if is_within(key, asked) or is_within(asked, key):
            rows = (make() for make in source.samples(key, asked))
            yield from (row for row in rows if any(is_within(triple.key, asked) for triple in row.triples))


def title(inputs: Sequence[PreviewInput], seed: int) -> str:
    """What stands above a preview."""
    drawn = f" · seed {seed}" if any(source.is_drawn for source in inputs) else ""
    return f"Guide masks from {', '.join(source.name for source in inputs)}{drawn}"


def nothing_to_show(config: PreviewConfig, problems: Sequence[Problem]) -> DatakitError:
    """The error of a preview without a sample."""
    why = f"; the first problem: {problems[0].key}: {problems[0].detail}" if problems else ""
    return DatakitError(f"{', '.join(config.inputs)}: there is no sample to show{why}")
