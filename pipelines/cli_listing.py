"""`datakit list`, and the option that takes what it makes."""

from __future__ import annotations

from pathlib import Path

import click

from .place_type import PlaceText, PlaceType, storage_options

listing_option = click.option(
    "--listing", "listings", type=PlaceText(), multiple=True, metavar="[LABEL[:LAYOUT]=]FILE",
    help="File of photos and masks in place of a source, so that nothing is walked: made by `datakit list`, or a table "
    "of your own with columns image and mask (.csv, .jsonl, .parquet); repeat for several. A SOURCE of its label says "
    "where its files lie now.",
)  # fmt: skip


@click.command("list")
@click.argument("source", type=PlaceText(), metavar="SOURCE")
@click.option("--out", type=PlaceType(path_type=Path, dir_okay=False), required=True,
              help="File to write: .csv, .jsonl, or .parquet (extra `parquet`).")  # fmt: skip
@click.option(
    "--images", type=PlaceText(), metavar="DIR", help="Image folder, where it does not lie in its standard place."
)
@click.option("--mask-name", metavar="PATTERN", help="Where the mask of a photo lies, as for `build-shards`.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def list_source(source: str, out: Path, images: str | None, mask_name: str | None, as_json: bool) -> None:
    """List a source into a file.

    Photos, masks, sizes and problems, as a build lists them. `build-shards --listing FILE` makes the very
    same shards of it without walking the source again. SOURCE is LABEL[:LAYOUT]=ROOT or a bare ROOT whose
    layout is recognised.

    \b
    Example:
      datakit list coco=coco/annotations/instances_train2017.json --out coco.parquet
      datakit build-shards --listing coco.parquet --out shards -j 4
    """
    from datakit.datasets import ReadOptions
    from pipelines import report
    from pipelines.listed_sources import list_json, list_lines, write_list
    from pipelines.options import mask_names_from, sources_from

    specs, folders = sources_from((source,), (images,) if images else ())
    read = ReadOptions(mask_names=mask_names_from((mask_name,) if mask_name else ()))
    header = write_list(specs[0], folders.get(specs[0].label), read, out)
    click.echo(report.as_text(list_json(out, header)) if as_json else list_lines(out, header))
