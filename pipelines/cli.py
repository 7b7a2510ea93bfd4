"""The `datakit` command: options in, one call, lines out. What a command does lives in its own file."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import cli_annotate, cli_clips, cli_evaluate, cli_export, cli_layout, cli_listing, cli_network, cli_views
from .cli_group import DatakitGroup
from .cli_listing import listing_option
from .options import (
    byte_count,
    from_config,
    listed_sources_from,
    reading_options,
    settings_from,
    source_options,
    source_options_from,
    sources_from,
)
from .place_type import PlaceText, PlaceType, storage_options
from .worker_options import leave_dask_quickly, start_workers_early, worker_options, workers_from

if TYPE_CHECKING:
    from .settings import BuildConfig

logger = logging.getLogger(__name__)
EXIT_FOUND = 4
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110}


@click.group(cls=DatakitGroup, context_settings=CONTEXT)
@click.option("-q", "--quiet", is_flag=True, help="Print results and warnings only.")
@click.option("-v", "--verbose", is_flag=True, help="Print details, such as all settings of a build.")
@click.version_option(package_name="masktrack-datakit", prog_name="datakit")
def cli(quiet: bool, verbose: bool) -> None:
    """Turn static images with masks into training data for video object segmentation (MaskTrack).

    \b
    Example:
      datakit sample-data demo/data
      datakit build-shards demo/data/ecssd --out demo/shards
    """


@cli.command("build-shards")
@click.argument("sources", nargs=-1, type=PlaceText(), metavar="[SOURCE]...")
@click.option("--out", type=PlaceType(path_type=Path, file_okay=False), required=True, help="Folder of shards.")
@listing_option
@worker_options
@reading_options
@click.option(
    "--samples-per-shard", type=click.IntRange(1), default=None, help="Cut shards at this many samples, between photos."
)
@click.option("--shard-bytes", default="64MB", help="Cut shards at this size of image files.")
@click.option("--overwrite", is_flag=True, help="Build anew, whatever the folder holds.")
@click.option("--on-error", type=click.Choice(["skip", "fail"]), default="skip",
              help="Record a failed item and go on, or stop.")  # fmt: skip
@click.option("--max-error-rate", type=click.FloatRange(0, 1), default=0.01,
              help="Publish nothing when a larger fraction of items failed.")  # fmt: skip
@click.option("--drop-duplicates", is_flag=True,
              help="Leave out photos that another shows, too, in any of the sources: equal files and, with the extra "
              "`dedup`, near-duplicates. The first by name stays; every other is named.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be built and what it would cost; touch nothing.")
@click.option(
    "--performance-report", type=click.Path(path_type=Path), help="Dask's own report, as HTML (extra `report`)."
)
@click.option("--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, callback=from_config,
              help="TOML file of these options; the command line wins.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def build_shards(ctx: click.Context, /, sources: tuple[str, ...], as_json: bool, dry_run: bool, **options: Any) -> None:
    """Make shards from images with masks.

    A shard holds triples of image, guide mask and true mask. SOURCE is LABEL[:LAYOUT]=ROOT or a bare ROOT
    whose layout is recognised. A stopped or killed build goes on where it was when the same command runs
    again.

    \b
    Example:
      datakit build-shards ecssd=data/ECSSD val:coco=coco/annotations/instances_val2017.json \\
          --recipe masktrack --recipe masktrack-box --out shards -j 4
    """
    if not dry_run:
        start_workers_early(options)
    from datakit.errors import DatakitError
    from pipelines import report
    from pipelines.build_shards import build_shards as build
    from pipelines.dry_run import dry_run as estimate

    config = _build_config(sources, options)
    logger.debug(report.settings_lines(config.settings))
    if dry_run:
        estimated = estimate(config)
        click.echo(report.dry_run_report(estimated, as_json))
        ctx.exit(estimated.exit_code)
    leave_dask_quickly(options)
    try:
        summary = build(config)
    except DatakitError as error:
        if as_json and error.details:
            click.echo(report.as_text({"error": str(error), "out": str(config.out), **error.details}))
        raise
    click.echo(report.build_report(summary, as_json))


def _build_config(sources: tuple[str, ...], options: dict[str, Any]) -> BuildConfig:
    from pipelines.drop_duplicates import what_is_dropped
    from pipelines.settings import BuildConfig

    cut: dict[str, Any] = {
        "samples_per_shard": options["samples_per_shard"],
        "shard_bytes": byte_count(options["shard_bytes"]),
    }
    cut["dropped_duplicates"] = what_is_dropped() if options["drop_duplicates"] else ""
    settings = settings_from(options, **cut)
    found = listed_sources_from(sources, options, settings.read)
    run = ("out", "overwrite", "on_error", "max_error_rate", "performance_report")
    how = {name: options[name] for name in run} | workers_from(options)
    return BuildConfig(found.specs, images=found.images, settings=replace(settings, read=found.read), **how)


@cli.command("validate-source")
@click.argument("sources", nargs=-1, type=PlaceText(), metavar="[SOURCE]...")
@listing_option
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Worker processes.")
@click.option("--examples", type=click.IntRange(0), default=3, help="Examples shown of each problem and warning.")
@click.option("--duplicates/--no-duplicates", "near", default=True, help="Look for near-duplicate photos.")
@click.option("--preview", type=PlaceType(path_type=Path), metavar="FILE.png",
              help="Draw twelve photos of each source with the outlines of their objects.")  # fmt: skip
@source_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def validate_source(ctx: click.Context, /, sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Find faults and duplicates in sources.

    Reads every photo and mask and reports what is wrong, odd or there twice; builds nothing. Exits 4 when
    an item failed or a photo is in two of the sources; warnings and what is left out do not count.

    \b
    Example:
      datakit validate-source ecssd=data/ECSSD pascal-s=data/PASCAL-S -j 4
      datakit validate-source my-photos --preview understood.png
    """
    from pipelines import report
    from pipelines.validate_source import validate_source as validate

    opened = source_options_from(options)
    named = listed_sources_from(sources, options, opened.read)
    opened = replace(opened, read=named.read)
    found = validate(named.specs, opened, named.images, options["jobs"], options["near"], options["preview"])
    click.echo(report.validation_report(found, options["examples"], as_json))
    if found.found:
        ctx.exit(EXIT_FOUND)


@cli.command("recipes")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def recipes(as_json: bool) -> None:
    """List recipes and their steps.

    The presets as TOML files, and every step a recipe can name with its keys, ranges and defaults.

    \b
    Example:
      datakit recipes --json
    """
    from pipelines.recipes import recipes_json, recipes_text

    click.echo(recipes_json() if as_json else recipes_text())


@cli.command("verify")
@click.argument("shards", type=PlaceType(path_type=Path), metavar="FOLDER|FILE.h5")
@click.option("-j", "--jobs", type=click.IntRange(1), default=None,
              help="Processes.  [default: one a core; with --repair 1]")  # fmt: skip
@click.option("--deep", is_flag=True, help="Decode every mask and photo: for shards from an untrusted source.")
@click.option("--repair", is_flag=True, help="Restore damaged files from their sources to the very same bytes.")
@click.option(
    "--source", "sources", multiple=True, metavar="LABEL=ROOT", help="With --repair: where a source lies now."
)
@click.option(
    "--images", type=PlaceText(), multiple=True, metavar="LABEL=DIR", help="With --repair: where its pictures lie."
)
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def verify(ctx: click.Context, /, shards: Path, as_json: bool, **options: Any) -> None:
    """Check shards, and repair them; check exports.

    A folder is compared with its manifest: every byte, and the structure and tables of every shard.
    With --deep down to the meaning of every mask; so are damaged shards, and whatever has no manifest.
    Shards are opened in child processes, so that a damaged one cannot crash the command.
    Of an export every file is compared with export.json: missing, changed and extra ones are named.
    Exits 4 when anything is found (after --repair: when anything remains), naming shard, record and sample key.

    \b
    Example:
      datakit verify shards -j 4
      datakit verify from-a-stranger --deep
      datakit verify shards --repair --source ecssd=/data/ECSSD
    """
    from pipelines import report
    from pipelines.verify_export import is_export, verify_export, verify_export_report
    from pipelines.verify_shards import verify_shards

    options["jobs"] = options["jobs"] or (1 if options["repair"] else os.cpu_count() or 1)
    if is_export(shards):
        checked = verify_export(shards, options["jobs"], options["repair"])
        click.echo(verify_export_report(checked, as_json))
        ctx.exit(EXIT_FOUND if checked.findings else 0)
    sources, images = sources_from(options.pop("sources"), options.pop("images"))
    if (sources or images) and not options["repair"]:
        raise click.UsageError("--source and --images say where to repair from; give --repair with them")
    summary = verify_shards(shards, sources=sources, images=images, **options)
    click.echo(report.verify_report(summary, as_json))
    if summary.remaining:
        ctx.exit(EXIT_FOUND)


@cli.command("inspect")
@click.argument("shards", type=PlaceType(path_type=Path))
@click.option("--sample", "keys", multiple=True, metavar="KEY", help="Rebuild this triple or sample from its source.")
@click.option("--random", "random", type=click.IntRange(1), help="Rebuild N triples drawn at random.")
@click.option("--seed", default=0, help="Seed of --random.")
@click.option(
    "--source", "sources", type=PlaceText(), multiple=True, metavar="LABEL=ROOT", help="Where a source lies now."
)
@click.option(
    "--images",
    type=PlaceText(),
    multiple=True,
    metavar="LABEL=DIR",
    help="Where its pictures lie, if not in their place.",
)
@click.option("--csv", type=PlaceType(path_type=Path, dir_okay=False),
              help="Write a line for each triple: key, source, sizes, IoU, flags, every drawn number.")  # fmt: skip
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def inspect(ctx: click.Context, /, shards: Path, as_json: bool, **options: Any) -> None:
    """Show what is in a folder of shards.

    Or compare triples with what their source makes now. With --sample or --random, exits 4 when anything differs.

    \b
    Example:
      datakit inspect shards
      datakit inspect shards --csv triples.csv
      datakit inspect shards --sample ecssd/0001@masktrack/0
    """
    from datakit.files import check_writable
    from datakit.shards import ShardReader, read_contents
    from pipelines import inspect_shards, report

    if options["csv"]:
        check_writable(options["csv"].parent, f"--csv {options['csv']}")
        ShardReader(shards).to_csv(options["csv"])
    keys = list(options["keys"])
    if options["random"]:
        keys += inspect_shards.random_keys(shards, options["random"], options["seed"])
    if not keys:
        lines = [] if as_json else report.written(options["csv"])
        told = report.statistics_report(read_contents(shards), inspect_shards.statistics(shards), as_json)
        click.echo("\n".join([told, *lines]))
        return
    compared = inspect_shards.compare_with_source(shards, keys, *sources_from(options["sources"], options["images"]))
    click.echo(report.comparison_report(compared, as_json))
    if any(comparison.differs for comparison in compared):
        ctx.exit(EXIT_FOUND)


@cli.command("preview-deformations")
@click.argument("inputs", nargs=-1, type=PlaceText(), required=True, metavar="SOURCE|SHARDS...")
@click.option("--out", type=PlaceType(path_type=Path, dir_okay=False), required=True,
              help="File to write: a picture (.png) or a page that works offline (.html).")  # fmt: skip
@click.option("--count", type=click.IntRange(1), default=None,
              help="Samples shown, spread over the sources.  [default: 8 in a picture; in a page all of a folder of "
              "shards, up to 2000 of sources]")  # fmt: skip
@click.option("--sample", "keys", multiple=True, metavar="KEY", help="Show this sample; repeat for several.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Worker processes that draw a page.")
@reading_options
def preview_deformations(inputs: tuple[str, ...], **options: Any) -> None:
    """Draw guide masks beside their true masks.

    A picture or a page, by the very code that builds shards. From a source it shows what would be stored,
    from a folder of shards what is. The page holds every sample in one file to sort, filter and enlarge,
    with the distributions of IoU and area.

    \b
    Example:
      datakit preview-deformations data/ECSSD --recipe masktrack --recipe lucid --out preview.png
      datakit preview-deformations shards --out preview.html
    """
    if options["jobs"] > 1:
        from pipelines.fork_server import start_fork_server

        start_fork_server(["pipelines.preview_page"])  # before the imports that it makes too, as for a build
    from pipelines import report
    from pipelines.preview_deformations import preview_deformations as draw
    from pipelines.preview_inputs import PreviewConfig

    _, images = sources_from((), options["images"])
    shown = {name: options[name] for name in ("out", "count", "keys", "jobs")}
    summary = draw(PreviewConfig(inputs, settings=settings_from(options), images=images, **shown))
    click.echo(report.preview_report(summary))


@cli.command("sample-data")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=0, help="Seed of what is drawn.")
@click.option("--photos", type=click.IntRange(1), default=24, help="Number of saliency photos.")
def sample_data(out: Path, seed: int, photos: int) -> None:
    """Draw a small data set to try things on.

    It has exact masks, in the on-disk layouts of real sets.

    \b
    Example:
      datakit sample-data demo/data
    """
    from datakit.files import check_writable
    from datakit.sample import draw_sample_data
    from pipelines.report import sample_report

    check_writable(out, f"OUT {out}")
    click.echo(sample_report(draw_sample_data(out, seed, photos)))


OTHERS = (
    cli_views.merge,
    cli_views.select,
    cli_views.split,
    cli_listing.list_source,
    cli_layout.check_layout,
    cli_evaluate.evaluate,
    cli_network.train,
    cli_network.score,
    cli_network.propagate,
    cli_annotate.annotate,
    cli_export.export,
    cli_clips.export_clips,
    cli_clips.preview_clips,
    cli_export.export_network,
)
for command in OTHERS:
    cli.add_command(command)
