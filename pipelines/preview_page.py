"""The page of `datakit preview-deformations`: which samples it holds, drawn in this process or on several.

A page's bytes are the same whatever the number of processes: they get whole photos and give them back in order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice

from datakit.errors import Problem
from datakit.files import replacing
from datakit.preview import DrawnSample, PageCounts, PageSettings, draw_sample, picture_bytes, write_page
from datakit.progress import Progress, progress
from datakit.transforms import Recipe

from .pool import stream_on_processes
from .preview_inputs import PreviewConfig, PreviewInput, Row, asked_rows, nothing_to_show, title

PAGE_SAMPLES = 2000  # of sources; a folder of shards is shown whole
PAGE_DRAWS = 12  # most draws of one sample by one recipe on a page
CHUNK = 16  # photos handed to a process at once, some 8 MB; by fours, opening shards anew took a fifth of the work

Photo = Sequence[Callable[[], Row]]
"""A function for each sample of one photo that makes its row."""


def preview_page(
    config: PreviewConfig, inputs: Sequence[PreviewInput], recipes: Mapping[str, Recipe], problems: Sequence[Problem]
) -> PageCounts:
    """Write the page; it is whole or not there.

    Args:
        config: where to, how many samples, and on how many processes.
        inputs: of the samples.
        recipes: recipe name -> Recipe, of all inputs.
        problems: of photos that give no sample; grows while they are read.

    Returns:
        How many samples and triples are in the page.

    Raises:
        DatakitError: there is no sample, or a process died.
        OSError: `config.out` cannot be written.
    """
    expected = expected_samples(inputs, config)
    # a view has a photo of its own
    pictures = expected * (PAGE_DRAWS if any(recipe.augment for recipe in recipes.values()) else 1)
    is_cut = not config.keys and bool(config.count or any(source.is_drawn for source in inputs))
    settings = PageSettings(title(inputs, config.settings.seed), expected if is_cut else 0)
    photos, jobs = all_photos(inputs, config.count), config.jobs
    if config.keys:  # few, and judged by their triples, which are made here
        photos, jobs = ([partial(_given, row)] for row in asked_rows(inputs, config.keys, problems)), 1
    draw = partial(draw_photos, recipes=recipes, most=picture_bytes(pictures))
    unit = "photos" if any(source.is_drawn for source in inputs) else "samples"
    total = expected_photos(inputs, config)
    with (
        progress(total, unit) as shown,
        contextlib.closing(stream_on_processes(draw, chunks(photos), jobs, __name__)) as drawn,
    ):
        samples = counted_off(drawn, total, shown)
        first = next(samples, None)
        if first is None:
            raise nothing_to_show(config, problems)
        with replacing(config.out) as part, part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            return write_page(file, chain([first], samples), recipes, settings, problems)


def draw_photos(photos: Sequence[Photo], recipes: Mapping[str, Recipe], most: int) -> list[list[DrawnSample]]:
    """What a page holds of some photos: for each of them a list, empty where it gives no sample.

    Args:
        photos: of these.
        recipes: recipe name -> Recipe.
        most: bytes of one picture.
    """
    return [[draw_sample(*make(), recipes, most) for make in photo] for photo in photos]


def chunks(photos: Iterable[Photo]) -> Iterator[list[Photo]]:
    """Photos in lists of `CHUNK`, none taken before it is needed."""
    taken = iter(photos)
    while chunk := list(islice(taken, CHUNK)):
        yield chunk


def counted_off(drawn: Iterable[list[list[DrawnSample]]], total: int, shown: Progress) -> Iterator[DrawnSample]:
    """The samples of chunks of photos; progress ends at `total`, however many photos it took to get them."""
    left = total
    for chunk in drawn:
        yield from chain.from_iterable(chunk)
        if done := min(left, len(chunk)):
            left -= done
            shown.advance(done)
    if left:
        shown.advance(left)


def _given(row: Row) -> Row:
    return row


def all_photos(inputs: Sequence[PreviewInput], count: int | None) -> Iterator[Photo]:
    """Every photo, or, where that is more samples than asked for, those spread evenly over every input."""
    stored = [] if count else [source for source in inputs if not source.is_drawn]
    for source in stored:
        yield from (source.samples(key, "") for key in source.keys)
    queues = {n: _scattered(source) for n, source in enumerate(inputs) if source not in stored}
    taken = dict.fromkeys(queues, 0)
    left = count or PAGE_SAMPLES
    while queues and left > 0:
        turn = min(queues, key=lambda n: taken[n])
        makers = next(queues[turn], None)
        if makers is None:
            del queues[turn]
            continue
        yield makers[:left]
        taken[turn] += len(makers)
        left -= len(makers)


def _scattered(source: PreviewInput) -> Iterator[list[Callable[[], Row]]]:
    """The samples of every key; the keys in an order whose every beginning is spread evenly over them."""
    total = len(source.keys)
    digits = max(1, (total - 1).bit_length())
    for turn in range(1 << digits):
        index = int(format(turn, f"0{digits}b")[::-1], 2)  # bits backwards: van der Corput's sequence
        if index < total:
            yield source.samples(source.keys[index], "")


def expected_samples(inputs: Sequence[PreviewInput], config: PreviewConfig) -> int:
    """At most so many samples come to a page."""
    stored = sum(len(source.keys) for source in inputs if not source.is_drawn)
    drawn = PAGE_SAMPLES if any(source.is_drawn for source in inputs) else 0
    return len(config.keys) or config.count or stored + drawn


def expected_photos(inputs: Sequence[PreviewInput], config: PreviewConfig) -> int:
    """Photos a page takes where each gives one sample; of folders of shards it is the samples that are counted."""
    if config.keys:
        return len(config.keys)
    sizes = {True: 0, False: 0}
    for source in inputs:
        sizes[source.is_drawn] += len(source.keys)
    if config.count:
        return min(config.count, sum(sizes.values()))
    return sizes[False] + min(PAGE_SAMPLES, sizes[True])
