"""The command `annotate`. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("annotate")
@click.argument("media", type=click.Path(path_type=Path), metavar="VIDEO|FOLDER|PROJECT")
@click.option("--project", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of what is drawn and made.  [default: NAME-annotations in this folder]")  # fmt: skip
@click.option("--stills/--frames", "stills", default=None,
              help="Pictures of a folder are photos of their own, or frames of a film.  [default: photos where their "
              "sizes differ]")  # fmt: skip
@click.option("--weights", default="lite-memory", metavar="bundled|lite-memory|FILE",
              help="Of this package, or a checkpoint of `datakit train`.")  # fmt: skip
@click.option("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="Where the network runs.")
@click.option("--threads", type=click.IntRange(0), default=0,
              help="Of the network; 0 for all cores but one.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; 0 for any that is free.")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser of this machine.")
@click.option("--read-only", is_flag=True, help="Look at a project, also while another session has it open.")
def annotate(media: Path, **options: Any) -> None:
    """Draw a few masks, the network makes the rest.

    A few frames are drawn by hand, the others are made by the network and corrected where it errs; or photos, a
    box and a few strokes each. The page is served to this machine alone and works without a network. All is
    saved as it is drawn, in a folder of plain files; give the same VIDEO, or that folder, to go on.

    \b
    Example:
      datakit annotate clip.mp4
      datakit annotate photos --stills
      datakit annotate clip.mp4 --no-browser --port 8000      # then, elsewhere: ssh -L 8000:127.0.0.1:8000 THIS-MACHINE
    """
    from datakit.extras import require

    require("annotate", 'the command "annotate"')
    if not options["read_only"]:
        require("network", 'the command "annotate" (but for --read-only)')

    from pipelines.annotate.run import AnnotateJob
    from pipelines.annotate.run import annotate as run
    from pipelines.process import keep_freed_memory, let_idle_threads_sleep

    let_idle_threads_sleep()
    keep_freed_memory()
    run(AnnotateJob(media, **options), click.echo)
