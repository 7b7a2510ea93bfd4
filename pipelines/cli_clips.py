"""The commands of clips: `export-clips` and `preview-clips`. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import cache_options, set_option, source_options, source_options_from, sources_from
from .place_type import PlaceText, PlaceType, storage_options
from .worker_options import leave_dask_quickly, start_workers_early, worker_options, workers_from

DEFAULT_RECIPE = "smooth"
PRELOAD = ("distributed", "pipelines.export_task")


def _settings(ctx: click.Context) -> str:
    from datakit.clips import describe_clip_settings, load_clip_recipe

    given = ctx.params.get("recipe") or DEFAULT_RECIPE
    recipes = [load_clip_recipe(name) for name in ([given] if isinstance(given, str) else given)]
    return "\n".join(f"{recipe.name}:\n{describe_clip_settings(recipe)}" for recipe in recipes)


@click.command("export-clips")
@click.argument("shards", type=PlaceType(path_type=Path), nargs=-1, required=True, metavar="SHARDS...")
@click.option("--to", required=True, metavar="FORMAT",
              help="Format: davis, youtube-vos, sav, ytvis, or another of `datakit export --formats`.")  # fmt: skip
@click.option("--out", type=PlaceType(path_type=Path, file_okay=False), required=True, help="Folder to make.")
@click.option("--clips", type=click.IntRange(1), default=1000, help="How many videos.")
@click.option("--frames", type=click.IntRange(1, 256), default=None,
              help="Frames of a video.  [default: the recipe's, and 8 at least]")  # fmt: skip
@click.option("--recipe", default=DEFAULT_RECIPE, is_eager=True, metavar="NAME|FILE.toml",
              help="Clip preset or TOML file.")  # fmt: skip
@set_option("Change the recipe, e.g. size=480, or the format, e.g. davis.split=val.", _settings)
@click.option("--seed", default=0, help="Root seed of every draw.")
@click.option("--image-codec", default="jpeg:95", metavar="jpeg:Q|png", help="How frames are stored.")
@worker_options
@click.option("--overwrite", is_flag=True, help="Replace an export of other data or settings in the folder.")
@cache_options
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def export_clips(shards: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Make videos of stills.

    Clips of a recipe, finished and on disk, for training that reads videos. With as many clips as photos or more,
    clip n begins with photo n modulo their number; fewer are spread over them. Where the first frame of a clip
    shows no object it is drawn anew, as the recipe allows. The folder appears when it is whole; a stopped or
    killed run goes on where it was when the same command runs again, and any number of workers gives the same
    bytes. `datakit verify` checks them.

    \b
    Example:
      datakit export-clips demo/shards --to davis --clips 100 --out demo/clips -j 2
      datakit export-clips shards --to youtube-vos --recipe aot --frames 16 --set size=480 --out videos
    """
    start_workers_early(options, PRELOAD)
    from pipelines.export_clips import ClipsJob, clips_report
    from pipelines.export_clips import export_clips as make
    from pipelines.export_run import ExportRun
    from pipelines.mirror import output_at

    leave_dask_quickly(options)
    kept = {name: options[name] for name in ("to", "clips", "recipe", "frames", "seed")}
    with output_at(options["out"]) as out:
        options["out"] = out.here
        run = ExportRun(options["out"], options["overwrite"], **workers_from(options))
        job = ClipsJob(shards, changes=options["set_"], codec=options["image_codec"], run=run, **kept)
        told = out.told(clips_report(make(job), as_json))
    click.echo(told)


@click.command("preview-clips")
@click.argument("source", type=PlaceText(), metavar="SOURCE|SHARDS")
@click.option("--out", type=PlaceType(path_type=Path, dir_okay=False), required=True,
              help="File to write: a picture (.png), a page that plays them and works offline (.html) or a film "
              "(.mp4).")  # fmt: skip
@click.option("--recipe", multiple=True, default=[DEFAULT_RECIPE], is_eager=True, metavar="NAME|FILE.toml",
              help="Clip preset or TOML file; repeat for several, side by side.")  # fmt: skip
@set_option("Change a recipe, e.g. size=480, rough=deformed or cutie:motion.rotation=5.", _settings)
@click.option("--clips", type=click.IntRange(1), default=None,
              help="Photos shown, spread over the input.  [default: 4 in a picture, else 12]")  # fmt: skip
@click.option("--frames", type=click.IntRange(1, 256), default=None,
              help="Frames of a clip.  [default: the recipe's, and 8 at least]")  # fmt: skip
@click.option("--size", type=click.IntRange(32, 2048), default=None,
              help="Side of a frame in pixels, as it is made.  [default: the recipe's]")  # fmt: skip
@click.option("--seed", default=0, help="Root seed of every draw.")
@source_options
def preview_clips(source: str, out: Path, **options: Any) -> None:
    """Look at clips before training.

    Short videos as a recipe makes them of stills, objects in colours and rough masks as white outlines: frames
    across in a picture, clips that play on a page or in a film, several recipes side by side on the same
    photos. Of a source some photos are read, of a folder of shards all.

    \b
    Example:
      datakit preview-clips demo/shards --recipe stcn --recipe cutie --out clips.html
      datakit preview-clips data/ECSSD --set rough=deformed --out clips.png
    """
    from pipelines.preview_clips import ClipsPreview, clips_preview_report, shown_recipes
    from pipelines.preview_clips import preview_clips as draw

    recipes = shown_recipes(options["recipe"], options["set_"], options["frames"], options["size"])
    _, images = sources_from([source] if options["images"] else (), options["images"])
    shown = {name: options[name] for name in ("clips", "seed")}
    preview = ClipsPreview(source, out, recipes, source_options_from(options), images, **shown)
    click.echo(clips_preview_report(draw(preview)))
