"""`datakit preview-clips`: clips of stills as a picture, a page that plays them, or a film; recipes side by side.

Each clip is the one that training gets of the same seed, recipe and stills. Drawing is left to `datakit.preview`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datakit.clips import (
    ClipMaker,
    ClipRecipe,
    SceneStills,
    ShardStills,
    Stills,
    configure_clip_recipe,
    configure_clip_recipes,
    load_clip_recipe,
)
from datakit.datasets import SourceOptions, open_source, parse_source
from datakit.errors import DatakitError, ItemError, Problem, UsageError
from datakit.export.davis import FEWEST
from datakit.files import check_writable, replacing
from datakit.images import encode_png
from datakit.looking import name_of
from datakit.places import place_of
from datakit.preview.clips import ShownRow, clip_sheet, film_frames, film_size
from datakit.preview.clips_page import write_clips_page
from datakit.progress import progress
from datakit.samples import Scene
from datakit.video.video_writer import VideoWriter
from datakit.wording import counted

from .plan import check_labels, recognised
from .preview_inputs import is_shards
from .process import single_threaded_opencv

CLIPS = {".png": 4, ".html": 12, ".mp4": 12}
FPS = 8  # of a film
OTHERS = 16  # photos of a source that are read beside those shown, for recipes that take objects of other photos


@dataclass(frozen=True)
class ClipsPreview:
    """What to show and where to put it.

    Attributes:
        source: a source as on the command line, or a finished folder of shards.
        out: a .png, .html or .mp4 file; its folder is made when missing.
        recipes: of different names, in the order of the columns.
        options: how a source is read.
        images: label -> image folder, where a layout does not find it by itself.
        clips: stills shown, spread evenly; None for as many as fit the form.
        seed: root of all chance.
    """

    source: str
    out: Path
    recipes: Sequence[ClipRecipe]
    options: SourceOptions = field(default_factory=SourceOptions)
    images: Mapping[str, Path] = field(default_factory=dict)
    clips: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class ClipsPreviewSummary:
    """What was drawn.

    Attributes:
        out: the file.
        recipes: names.
        stills: that are shown.
        frames: of all clips.
        empty: clips without an object.
        problems: why photos are not shown.
    """

    out: Path
    recipes: Sequence[str]
    stills: int
    frames: int
    empty: int
    problems: Sequence[Problem]


def shown_recipes(
    specs: Sequence[str], changes: Sequence[str], frames: int | None, size: int | None
) -> tuple[ClipRecipe, ...]:
    """Clip recipes to look at: of 8 frames or more, unless asked.

    Args:
        specs: names of presets, or paths of `.toml` files.
        changes: settings as [RECIPE:]KEY=VALUE.
        frames, size: of all recipes; None for their own, and no fewer than 8 frames unless `changes` say so.

    Raises:
        UsageError: there is no such recipe or setting, two share a name, or a value does not fit.
    """
    recipes = [load_clip_recipe(spec) for spec in specs]
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise UsageError(f"--recipe: two recipes are named {max(names, key=names.count)!r}; give each its own name")
    asks = any(text.partition("=")[0].rpartition(":")[2].strip() == "frames" for text in changes)
    if frames is None and not asks:
        recipes = [configure_clip_recipe(each, [f"frames={max(FEWEST, each.frames)}"]) for each in recipes]
    given = [f"{name}={value}" for name, value in (("frames", frames), ("size", size)) if value is not None]
    return configure_clip_recipes(recipes, [*changes, *given])


def preview_clips(preview: ClipsPreview) -> ClipsPreviewSummary:
    """Draw the clips.

    Raises:
        UsageError: another suffix, or the input is no source and no shards.
        DatakitError: there is no photo to show.
        OSError: the file cannot be written.
    """
    forms: dict[str, Callable[[Path, ClipsPreview, Iterator[ShownRow]], None]] = {
        ".png": _write_sheet,
        ".html": _write_page,
        ".mp4": _write_film,
    }
    suffix = preview.out.suffix.lower()
    if suffix not in forms:
        expected = "expected a name that ends in .png (a picture), .html (a page) or .mp4 (a film)"
        raise UsageError(f"--out {preview.out}: {expected}")
    check_writable(preview.out.parent, f"--out {preview.out}")
    problems: list[Problem] = []
    count = preview.clips or CLIPS[suffix]
    stills = open_stills(preview, count + OTHERS, problems)
    shown = spread_positions(len(stills), count)
    counts = _Counts()
    with single_threaded_opencv(), progress(len(shown) * len(preview.recipes), "clips") as told:
        rows = (counts.of(row) for row in _rows(stills, preview, shown, told.advance))
        with replacing(preview.out) as part:
            forms[suffix](part, preview, rows)
    names = [recipe.name for recipe in preview.recipes]
    return ClipsPreviewSummary(preview.out, names, len(shown), counts.frames, counts.empty, problems)


def open_stills(preview: ClipsPreview, most: int, problems: list[Problem]) -> Stills:
    """The stills of an input: all of a folder of shards, so many of a source, evenly over it.

    Args:
        preview: of this.
        most: photos of a source that are read.
        problems: gets those of photos that cannot be used.

    Raises:
        UsageError, DatakitError: there is none.
    """
    if is_shards(preview.source):
        return ShardStills(preview.source)
    spec = parse_source(preview.source)
    check_labels((spec,), preview.images)
    recognised(spec, preview.images.get(spec.label), preview.options.read)
    reader = open_source(spec, replace(preview.options, images=preview.images.get(spec.label)))
    scenes: list[Scene] = []
    for position in spread_positions(len(reader), most):
        try:
            scene = reader[position]
        except ItemError as error:
            problems.append(error.problem)
            continue
        if not scene.samples:
            problems.extend(scene.problems)
        scenes.append(scene)
    stills = SceneStills(scenes)
    if not stills.keys:
        why = f"; the first problem: {problems[0].key}: {problems[0].detail}" if problems else ""
        raise DatakitError(f"{preview.source}: there is no photo with an object to make clips of{why}")
    return stills


def spread_positions(total: int, count: int) -> list[int]:
    """So many positions, evenly over all there are; all of them where there are no more."""
    return sorted({int((n + 0.5) * total / count) for n in range(count)}) if count < total else list(range(total))


@dataclass
class _Counts:
    """What rows hold that went by."""

    frames: int = 0
    empty: int = 0

    def of(self, row: ShownRow) -> ShownRow:
        self.frames += sum(len(clip.frames) for clip in row.clips)
        self.empty += sum(not clip.objects for clip in row.clips)
        return row


def _rows(
    stills: Stills, preview: ClipsPreview, positions: Sequence[int], advance: Callable[[int], None]
) -> Iterator[ShownRow]:
    makers = [ClipMaker(stills, recipe, preview.seed) for recipe in preview.recipes]
    for position in positions:
        clips = []
        for maker in makers:
            clips.append(maker.clip(position))
            advance(1)
        yield ShownRow(stills.keys[position], clips)


def _title(preview: ClipsPreview) -> str:
    named = name_of(place_of(preview.source)) if is_shards(preview.source) else parse_source(preview.source).label
    return f"Clips of {named} · seed {preview.seed}"


def _write_sheet(part: Path, preview: ClipsPreview, rows: Iterator[ShownRow]) -> None:
    part.write_bytes(encode_png(clip_sheet(list(rows), preview.recipes, _title(preview)), compact=True))


def _write_page(part: Path, preview: ClipsPreview, rows: Iterator[ShownRow]) -> None:
    with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        write_clips_page(file, _title(preview), preview.recipes, rows)


def _write_film(part: Path, preview: ClipsPreview, rows: Iterator[ShownRow]) -> None:
    with VideoWriter(part, film_size(preview.recipes), FPS) as film:
        for row in rows:
            for picture in film_frames(row, preview.recipes):
                film.add(picture)


def clips_preview_report(summary: ClipsPreviewSummary) -> str:
    """What the command says of a preview."""
    recipes = f"{counted(len(summary.recipes), 'recipe')} ({', '.join(summary.recipes)})"
    lines = [f"{summary.out}: {counted(summary.stills, 'photo')} by {recipes}, {counted(summary.frames, 'frame')}"]
    if summary.empty:
        lines.append(f"  clips without an object, since none is seen in their first frame: {summary.empty}")
    lines += [f"  not shown: {problem.key}: {problem.detail}" for problem in summary.problems]
    return "\n".join(lines)
