"""The command `export`. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import cache_options, set_option
from .place_type import PlaceText, PlaceType, storage_options
from .worker_options import leave_dask_quickly, start_workers_early, worker_options, workers_from


def _settings(ctx: click.Context) -> str:
    from pipelines.export import describe_exporters, describe_settings

    name = ctx.params.get("to")
    return describe_settings(name) if name else f"name a format by --to; there are\n{describe_exporters()}"


def _show_formats(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from pipelines.export import describe_exporters

        click.echo(describe_exporters())
        ctx.exit()


@click.command("export")
@click.argument("source", type=PlaceType(path_type=Path), metavar="SHARDS|LABELS")
@click.option("--to", required=True, is_eager=True, metavar="FORMAT", help="Format; `--formats` lists them.")
@click.option("--out", type=PlaceType(path_type=Path, file_okay=False), required=True, help="Folder to make.")
@click.option("--video", type=click.Path(path_type=Path), metavar="FILE|FOLDER",
              help="For label pictures of videos: the frames they belong to, a film or a folder, or a folder of one "
              "for each sequence.")  # fmt: skip
@set_option("Change how the format is written, e.g. jpeg_quality=100.", _settings)
@click.option("--formats", is_flag=True, is_eager=True, expose_value=False, callback=_show_formats,
              help="Describe the formats, those of installed packages too, and exit.")  # fmt: skip
@worker_options
@click.option("--overwrite", is_flag=True, help="Replace an export of other data or settings in the folder.")
@cache_options
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def export(source: Path, as_json: bool, **options: Any) -> None:
    """Write data for other programs.

    Photos and true masks of a folder of shards, each photo once, or what `datakit propagate` made of
    videos. Of overlapping objects the later lies on top. The folder appears when it is whole; a stopped or
    killed export goes on where it was when the same command runs again.

    \b
    Example:
      datakit export demo/shards --to coco --out demo/coco
      datakit export results --video dog.mp4 --to ytvis --out dog-ytvis
    """
    start_workers_early(options, ("distributed", "pipelines.export_task"))
    from pipelines.export import ExportJob, export_report
    from pipelines.export import export as run
    from pipelines.mirror import output_at

    leave_dask_quickly(options)
    with output_at(options["out"]) as out:
        options["out"] = out.here
        kept = {name: options[name] for name in ("to", "out", "video", "overwrite")}
        job = ExportJob(source, changes=options["set_"], **kept, **workers_from(options))
        told = out.told(export_report(run(job), as_json))
    click.echo(told)


@click.command("export-network")
@click.argument("weights", type=PlaceText(), metavar="bundled|lite-memory|FILE")
@click.option("--to", type=click.Choice(["onnx"]), default="onnx", help="Format (extra `onnx`).")
@click.option("--out", type=PlaceType(path_type=Path, dir_okay=False), required=True, help="File to write, x.onnx.")
@click.option("--size", type=click.IntRange(64), default=None, help="Side of the cut it is shown.  [default: 352]")
@click.option("--mirrored/--once", default=None, help="Look mirrored too, or just once.  [default: the network's]")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def export_network(weights: str, to: str, out: Path, size: int | None, mirrored: bool | None, as_json: bool) -> None:
    """Write a network for other runtimes.

    The graph takes a cut of a frame as it is, uint8 RGB, and its guide mask, and gives scores in the cut's pixels:
    coding, mirrored look and enlargement are inside. A network with a memory becomes two files. Every file is
    compared with torch before it appears; see docs/onnx.md.

    \b
    Example:
      datakit export-network bundled --to onnx --out masktrack.onnx
    """
    del to  # the only one
    from pipelines.export_network import export_network as run
    from pipelines.export_network import network_report

    click.echo(network_report(run(weights, out, size, mirrored), as_json))
