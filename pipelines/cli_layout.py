"""The command that checks folders for other tools' loaders: options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

LOADERS = ("cutie", "xmem", "aot", "sam2", "mose", "youtube-vos")  # and those of other packages
TASKS = ("train", "inference", "static")


@click.command("check-layout")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("--for", "loader", required=True, metavar="LOADER",
              help="What is to read it: " + ", ".join(LOADERS) + ".")  # fmt: skip
@click.option("--task", type=click.Choice(TASKS), default=None,
              help="What for; left out, it is taken from what is there.", show_default=False)  # fmt: skip
@click.option("--fewest", type=click.IntRange(1), default=None, help="Frames a video must have, if not as published.")
@click.option("--subset", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file of names that XMem or Cutie is given.")  # fmt: skip
@click.option("--empty-masks", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Cutie's file of frames without an object.")  # fmt: skip
@click.option("--examples", type=click.IntRange(1), default=3, help="Faults shown of each kind.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Worker processes.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def check_layout(ctx: click.Context, /, folder: Path, examples: int, jobs: int, as_json: bool, **options: Any) -> None:
    """Would that loader see objects here?

    Holds a folder of videos or stills against what Cutie, XMem, AOT, SAM 2, MOSEv2's baseline or a reader of
    YouTube-VOS makes of it, and names every fault with the command that mends it. Exits 4 when there is one.

    \b
    Example:
      datakit check-layout my-videos --for cutie
      datakit check-layout my-videos --for sam2 --task inference
    """
    from pipelines import check_layout as checks

    checked = checks.check_layout(checks.question_from(options, folder), jobs)
    click.echo(checks.check_layout_report(checked, examples, as_json))
    if checked.faults:
        ctx.exit(4)  # something was found, as the table in docs/cli.md has it
