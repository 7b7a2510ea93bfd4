"""`datakit preview-deformations`: a contact sheet or a page of guide masks, from sources or from shards.

From a source each triple is made by the functions that build shards, so it is the one that would be
stored; from a folder of shards it is the one that is stored. Drawing is left to `datakit.preview`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.datasets import parse_source
from datakit.errors import Problem, UsageError
from datakit.files import check_writable, replacing
from datakit.images import encode_png
from datakit.preview import MOST_SHOWN, contact_sheet
from datakit.transforms import Recipe

from .plan import check_labels, recognised
from .preview_inputs import (
    PreviewConfig,
    PreviewInput,
    Row,
    all_recipes,
    asked_rows,
    is_shards,
    nothing_to_show,
    open_input,
    title,
)
from .preview_page import PAGE_DRAWS, preview_page
from .process import single_threaded_opencv

SHEET_SAMPLES = 8


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
    check_writable(config.out.parent, f"--out {config.out}")
    problems: list[Problem] = []
    specs = tuple(parse_source(text) for text in config.inputs if not is_shards(text))
    check_labels(specs, config.images)
    for spec in specs:
        recognised(spec, config.images.get(spec.label), config.settings.read)
    most = MOST_SHOWN if draw is _sheet else PAGE_DRAWS
    inputs = [open_input(text, config, problems, most) for text in config.inputs]
    recipes = all_recipes(inputs)
    with single_threaded_opencv():
        return draw(config, inputs, recipes, problems)


def _sheet(
    config: PreviewConfig, inputs: Sequence[PreviewInput], recipes: Mapping[str, Recipe], problems: Sequence[Problem]
) -> PreviewSummary:
    count = SHEET_SAMPLES if config.count is None else config.count
    rows = list(asked_rows(inputs, config.keys, problems) if config.keys else _spread(inputs, count))
    if not rows:
        raise nothing_to_show(config, problems)
    shown = [row.triples for row in rows]
    sheet = contact_sheet(shown, recipes, title(inputs, config.settings.seed), [row.totals for row in rows])
    with replacing(config.out) as part:
        part.write_bytes(encode_png(sheet, compact=True))
    flagged = sum(bool(triple.flags) for row in shown for triple in row)
    draws = sum(sum(row.totals.values()) for row in rows)
    return PreviewSummary(config.out, sheet.shape[:2], len(rows), draws, flagged, tuple(problems))


def _page(
    config: PreviewConfig, inputs: Sequence[PreviewInput], recipes: Mapping[str, Recipe], problems: Sequence[Problem]
) -> PreviewSummary:
    counts = preview_page(config, inputs, recipes, problems)
    return PreviewSummary(config.out, None, counts.samples, counts.triples, counts.flagged, tuple(problems))


def _spread(inputs: Sequence[PreviewInput], count: int) -> Iterator[Row]:
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


def _evenly(source: PreviewInput, share: int) -> Iterator[Row]:
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
