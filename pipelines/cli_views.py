"""The commands of views: `merge`, `select` and `split`. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .place_type import PlaceType, storage_options

Command = TypeVar("Command", bound=Callable[..., Any])

_OUT = click.option("--out", type=PlaceType(path_type=Path, file_okay=False), required=True, help="Folder to make.")
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace another view in the folder.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
_SHARDS = click.argument("shards", type=PlaceType(path_type=Path))


def _view_options(command: Command) -> Command:
    """Where a view goes, and how it is told."""
    return _OUT(_OVERWRITE(storage_options(_JSON(command))))


@click.command("merge")
@click.argument("shards", type=PlaceType(path_type=Path), nargs=-1, required=True, metavar="SHARDS...")
@_view_options
def merge(shards: tuple[Path, ...], out: Path, overwrite: bool, as_json: bool) -> None:
    """Put folders of shards together as one.

    The new folder is a view: a manifest that names the rows of the others, which stay where they are. Every
    command that reads shards reads it, and no picture is copied. Refused where one key would mean two triples
    or two photos.

    \b
    Example:
      datakit merge shards-ecssd shards-coco --out all
    """
    from pipelines.make_view import merge as make
    from pipelines.view_report import view_report

    click.echo(view_report([make(shards, out, overwrite)], as_json))


@click.command("select")
@_SHARDS
@click.option("--where", required=True, metavar="CONDITION",
              help="Which triples, by the columns of `inspect --csv`: comparisons, and, or, not, in.")  # fmt: skip
@click.option("--photos", is_flag=True, help="Take all triples of every photo of which one is chosen.")
@_view_options
def select(shards: Path, where: str, photos: bool, out: Path, overwrite: bool, as_json: bool) -> None:
    """Choose triples of shards by a condition.

    The new folder is a view: a manifest that names the rows, no picture is copied. Exits 2 where the condition
    holds for none, and says what its columns hold.

    \b
    Example:
      datakit select shards --where "iou > 0.5 and source == 'coco'" --out good
      datakit select shards --where "'low-iou' in flags" --photos --out hard
    """
    from pipelines.make_view import select as make
    from pipelines.view_report import view_report

    click.echo(view_report([make(shards, where, out, photos, overwrite)], as_json))


@click.command("split")
@_SHARDS
@click.option("--val", "share", type=click.FloatRange(0, 1, min_open=True, max_open=True), required=True,
              metavar="SHARE", help="Share of the photos that go to val, such as 0.1.")  # fmt: skip
@_view_options
def split(shards: Path, share: float, out: Path, overwrite: bool, as_json: bool) -> None:
    """Split shards by photo, to train and to judge.

    Makes two views, OUT/train and OUT/val, that share no photo. Photos go to val by the rule by which `train`
    holds them back: by the hash of their key, so a photo goes to the same side in every folder.

    \b
    Example:
      datakit split shards --val 0.1 --out parts
    """
    from pipelines.make_view import split as make
    from pipelines.view_report import view_report

    click.echo(view_report(make(shards, share, out, overwrite), as_json))
