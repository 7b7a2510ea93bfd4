"""The `datakit` command: options in, one call, lines out. What a command does lives in its own file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
EXIT_FOUND = 4
EXIT_INTERRUPTED = 130
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110}


class House(click.Group):
    """A group that turns our errors into their exit codes, and Ctrl-C into three lines."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; anything that is not one of our errors keeps its traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            command = shlex.join(["datakit", *sys.argv[1:]])
            click.echo(f"\nInterrupted. What was finished is kept; to go on, run again:\n  {command}", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except click.ClickException:
            raise
        except Exception as error:
            code = getattr(error, "exit_code", None)
            if code is None and not isinstance(error, OSError):
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(code or 1)


@click.group(cls=House, context_settings=CONTEXT)
@click.version_option(package_name="masktrack-datakit", prog_name="datakit")
def cli() -> None:
    """Turn static images with masks into training data for video object segmentation (MaskTrack).

    \b
    Example:
      datakit sample-data demo/data
      datakit build-shards demo/data/ecssd --out demo/shards
    """


def _from_config(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Take defaults from a TOML file whose keys are option names; options on the command line win."""
    if path is None:
        return
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from error
    known = {parameter.name for parameter in ctx.command.params} - {"config"}
    given = {key.replace("-", "_"): value for key, value in values.items()}
    unknown = sorted(set(given) - known)
    if unknown:
        raise click.BadParameter(f"{path}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    ctx.default_map = {**(ctx.default_map or {}), **given}


def reading_options(command: Command) -> Command:
    """Options that say which masks a source gives; shared by every command that opens sources."""
    for option in reversed(
        [
            click.option("--recipe", "recipe_names", multiple=True, default=["masktrack"],
                         help="Preset or TOML file; repeat for several (masks and boxes in one build)."),
            click.option("--set", "set_", multiple=True, metavar="KEY=VALUE",
                         help="Change a recipe, e.g. tps.shift=0.05 or masktrack-box:box.jitter=0.1."),
            click.option("--seed", default=0, help="Root seed of every draw."),
            click.option("--images", multiple=True, metavar="LABEL=DIR",
                         help="Image folder of a source that does not lie in its standard place."),
            click.option("--threshold", type=click.IntRange(0, 254), default=127,
                         help="Soft masks are foreground above this grey level."),
            click.option("--objects", type=click.Choice(["each", "merged"]), default="each",
                         help="One sample per object, or all objects of a photo as one."),
            click.option("--crowds/--no-crowds", default=False, help="Keep COCO crowd regions."),
            click.option("--min-area", type=click.IntRange(0), default=None,
                         help="Leave out smaller objects (px²).  [default: 400 for instance sets, 0 for others]"),
            click.option("--max-pixels", type=click.IntRange(1), default=100_000_000,
                         help="Refuse photos of more pixels, judged by their header."),
            click.option("--image-size", type=click.IntRange(16), default=None,
                         help="Longest side of stored images and masks in pixels; default: as they are."),
            click.option("--image-codec", default="source", metavar="source|png|jpeg:Q",
                         help="How images are stored; `source` keeps the file's own bytes where it can."),
            click.option("--limit", type=click.IntRange(1), default=None, help="First N photos of every source only."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def _settings(options: dict[str, Any], **cut: Any) -> Any:
    """BuildSettings from the options of `reading_options`."""
    from datakit.datasets import ReadOptions
    from datakit.deformations import configure, load_recipe
    from datakit.errors import UsageError
    from pipelines.settings import BuildSettings

    recipes = configure([load_recipe(name) for name in options["recipe_names"]], options["set_"])
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise UsageError(f"--recipe: two recipes are named {max(names, key=names.count)!r}; give each its own name")
    read = {name: options[name] for name in ("threshold", "objects", "crowds", "min_area", "max_pixels")}
    kept = {name: options[name] for name in ("seed", "image_size", "image_codec", "limit")}
    return BuildSettings(recipes=recipes, read=ReadOptions(**read), **kept, **cut)


def _sources(specs: tuple[str, ...], images: tuple[str, ...]) -> tuple[tuple[Any, ...], dict[str, Path]]:
    from datakit.datasets import parse_source
    from datakit.errors import UsageError

    folders = {}
    for entry in images:
        label, equals, folder = entry.partition("=")
        if not equals:
            raise UsageError(f"--images {entry}: expected LABEL=DIR")
        folders[label] = Path(folder)
    return tuple(parse_source(spec) for spec in specs), folders


def _news(line: str) -> None:
    click.echo(line, err=True)


@cli.command("build-shards")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of shards.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Worker processes.")
@click.option("--scheduler", metavar="ADDRESS", help="Use this running Dask cluster instead, e.g. tcp://host:8786.")
@reading_options
@click.option("--samples-per-shard", type=click.IntRange(1), default=None, help="Cut shards after this many photos.")
@click.option("--shard-bytes", default="64MB", help="Cut shards at this size of image files.")
@click.option("--overwrite", is_flag=True, help="Replace a folder made with other settings.")
@click.option("--on-error", type=click.Choice(["skip", "fail"]), default="skip",
              help="Record a failed item and go on, or stop.")  # fmt: skip
@click.option("--max-error-rate", type=click.FloatRange(0, 1), default=0.01,
              help="Publish nothing when a larger fraction of items failed.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be built and what it would cost; touch nothing.")
@click.option("--performance-report", type=click.Path(path_type=Path), help="Dask's own report, as HTML (needs bokeh).")
@click.option("--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, callback=_from_config,
              help="TOML file of these options; the command line wins.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def build_shards(sources: tuple[str, ...], as_json: bool, dry_run: bool, **options: Any) -> None:
    """Make shards of (image, rough mask, true mask) from static images with masks.

    SOURCE is LABEL[:LAYOUT]=ROOT or a bare ROOT whose layout is recognised. A stopped or killed
    build goes on where it was when the same command runs again.

    \b
    Example:
      datakit build-shards ecssd=data/ECSSD val:coco=coco/annotations/instances_val2017.json \\
          --recipe masktrack --recipe masktrack-box --out shards -j 4
    """
    from pipelines import report
    from pipelines.build_shards import build_shards as build
    from pipelines.dry_run import dry_run as estimate
    from pipelines.progress import progress

    config = _build_config(sources, options)
    _news(report.settings_lines(config.settings))
    if dry_run:
        click.echo(report.dry_run_report(estimate(config), as_json))
        return
    summary = build(config, _news, lambda total: progress(total, "photos", sys.stderr))
    click.echo(report.build_report(summary, as_json))


def _build_config(sources: tuple[str, ...], options: dict[str, Any]) -> Any:
    from pipelines.settings import BuildConfig

    cut = {"samples_per_shard": options["samples_per_shard"], "shard_bytes": _bytes(options["shard_bytes"])}
    specs, images = _sources(sources, options["images"])
    run = ("out", "jobs", "scheduler", "overwrite", "on_error", "max_error_rate", "performance_report")
    return BuildConfig(
        specs, images=images, settings=_settings(options, **cut), **{name: options[name] for name in run}
    )


def _bytes(text: str | int) -> int:
    """`64MB`, `1.5GB`, `500kB` or a plain number of bytes."""
    units = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "b": 1}
    lowered = str(text).strip().lower()
    unit = next((unit for unit in units if lowered.endswith(unit)), "")
    try:
        size = int(float(lowered.removesuffix(unit)) * units.get(unit, 1))
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise click.BadParameter(f"{text!r} is no size; expected e.g. 64MB", param_hint="--shard-bytes")
    return size


@cli.command("verify")
@click.argument("shards", type=click.Path(path_type=Path))
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Processes.")
@click.option("--quick", is_flag=True, help="Judge bytes only (sizes and SHA-256), decode nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def verify(ctx: click.Context, shards: Path, jobs: int, quick: bool, as_json: bool) -> None:
    """Check a folder of shards, from the manifest's digest down to the meaning of every mask.

    Exits 4 when anything is found, naming shard, record and sample key.

    \b
    Example:
      datakit verify shards -j 4
    """
    from datakit.shards.verify import verify as check
    from pipelines.report import verify_report

    findings = check(shards, jobs, quick)
    click.echo(verify_report(shards, findings, as_json))
    if findings:
        ctx.exit(EXIT_FOUND)


@cli.command("inspect")
@click.argument("shards", type=click.Path(path_type=Path))
@click.option("--sample", "keys", multiple=True, metavar="KEY", help="Rebuild this triple or sample from its source.")
@click.option("--random", "random", type=click.IntRange(1), help="Rebuild N triples drawn at random.")
@click.option("--seed", default=0, help="Seed of --random.")
@click.option("--source", "sources", multiple=True, metavar="LABEL=ROOT", help="Where a source lies now.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def inspect(ctx: click.Context, shards: Path, as_json: bool, **options: Any) -> None:
    """Show what is in a folder of shards, or compare triples with what their source makes now.

    With --sample or --random, exits 4 when anything differs.

    \b
    Example:
      datakit inspect shards
      datakit inspect shards --sample ecssd/0001@masktrack/0
    """
    from pipelines import inspect_shards, report

    keys = list(options["keys"])
    if options["random"]:
        keys += inspect_shards.random_keys(shards, options["random"], options["seed"])
    if not keys:
        click.echo(report.statistics_report(shards, inspect_shards.statistics(shards), as_json))
        return
    compared = inspect_shards.compare_with_source(shards, keys, _sources(options["sources"], ())[0])
    click.echo(report.comparison_report(compared, as_json))
    if any(comparison.differs for comparison in compared):
        ctx.exit(EXIT_FOUND)


@cli.command("preview-deformations")
@click.argument("inputs", nargs=-1, required=True, metavar="SOURCE|SHARDS...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Picture to write (.png).")
@click.option("--count", type=click.IntRange(1), default=8, help="Samples shown, spread over the sources.")
@click.option("--sample", "keys", multiple=True, metavar="KEY", help="Show this sample; repeat for several.")
@reading_options
def preview_deformations(inputs: tuple[str, ...], **options: Any) -> None:
    """Draw a contact sheet of rough masks beside their targets, by the very code that builds shards.

    From a source it shows what would be stored, from a folder of shards what is.

    \b
    Example:
      datakit preview-deformations data/ECSSD --recipe masktrack --recipe lucid --out preview.png
    """
    from pipelines import report
    from pipelines.preview_deformations import PreviewConfig
    from pipelines.preview_deformations import preview_deformations as draw

    _, images = _sources((), options["images"])
    shown = {name: options[name] for name in ("out", "count", "keys")}
    summary = draw(PreviewConfig(inputs, settings=_settings(options), images=images, **shown))
    click.echo(report.preview_report(summary))


@cli.command("sample-data")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=0, help="Seed of what is drawn.")
@click.option("--photos", type=click.IntRange(1), default=24, help="Number of saliency photos.")
def sample_data(out: Path, seed: int, photos: int) -> None:
    """Draw a small data set with exact masks, in the on-disk layouts of real ones.

    \b
    Example:
      datakit sample-data demo/data
    """
    from datakit.sample import draw_sample_data

    click.echo(draw_sample_data(out, seed, photos))
