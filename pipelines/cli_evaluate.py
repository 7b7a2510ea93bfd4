"""The command `evaluate`. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import value_options, values_from

CONVENTIONS = ("davis2016", "davis2017", "youtube-vos", "youtube-objects", "segtrack", "mosev2")


@click.command("evaluate")
@click.argument("predictions", nargs=-1, required=True, metavar="[NAME=]PREDICTIONS...")
@click.argument("ground_truth", type=click.Path(path_type=Path))
@click.option("--convention", type=click.Choice(CONVENTIONS), default=None,
              help="Which frames and ids count.  [default: youtube-vos where objects enter late, davis2017 where a "
              "sequence begins with several, else davis2016]")  # fmt: skip
@click.option(
    "--sequences",
    metavar="A,B|FILE",
    default=None,
    help="Score these only: names, or a file with one a line.  [default: all of the ground truth]",
)
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, help="Processes.")
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), help="Write J and F per object and frame.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False),
              help="Write a page that works offline: curves, and the worst frames to look at.")  # fmt: skip
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), default=None,
              help="Pictures of the frames, for the page.  [default: JPEGImages beside the Annotations]")  # fmt: skip
@click.option(
    "--frames", type=click.Path(path_type=Path, file_okay=False), hidden=True, help="The old name of --pictures."
)
@click.option("--only-predicted", is_flag=True, help="Score the frames that have a prediction, and no others.")
@click.option("--part", is_flag=True, help="The predictions are of a part of each clip, of frames that follow each "
              "other or every so many-th: score that as a video of its own.")  # fmt: skip
@value_options
@click.option("--markdown", is_flag=True, help="Report as Markdown, the best of several methods in bold.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def evaluate(
    predictions: tuple[str, ...],
    ground_truth: Path,
    as_json: bool,
    markdown: bool,
    frames: Path | None,
    **options: Any,
) -> None:
    """Score segmented videos by J, F and J&F.

    With mean, recall and decay per object, sequence and set, of one method or of several side by side. All are
    folders of one folder a sequence, or one such folder each; the last is the ground truth. Exits 4 without a
    score, and says why, when a sequence or frame has no prediction, or one does not fit its ground truth. A run of
    `datakit propagate` that was asked for a part of a clip is scored on that part.

    \b
    Example:
      datakit evaluate results DAVIS/Annotations/480p --sequences DAVIS/ImageSets/2017/val.txt -j 4
      datakit evaluate results/dog DAVIS/Annotations/480p/dog --html dog.html
      datakit evaluate lite=results online=results-online DAVIS/Annotations/480p --html both.html
    """
    if options["jobs"] > 1:
        from pipelines.fork_server import start_fork_server

        start_fork_server(["pipelines.evaluate.measure"])  # before the imports that it makes too, as for a build
    from datakit.datasets import ReadOptions
    from datakit.errors import UsageError
    from pipelines.evaluate.compare_report import compare_report
    from pipelines.evaluate.methods import named_methods
    from pipelines.evaluate.report import evaluate_report
    from pipelines.evaluate.result import EvaluateConfig
    from pipelines.evaluate.run import compare
    from pipelines.evaluate.run import evaluate as score
    from pipelines.process import keep_freed_memory

    keep_freed_memory()
    read = ReadOptions(**values_from(options.pop("threshold"), options.pop("ids")))
    options["pictures"] = options["pictures"] or frames  # the old name
    if as_json and markdown:
        raise UsageError("--json and --markdown: choose one")
    methods = named_methods(predictions)
    config = EvaluateConfig(next(iter(methods.values())), ground_truth, read=read, **options)
    if len(methods) > 1:
        click.echo(compare_report(compare(methods, config), as_json, markdown))
    else:
        click.echo(evaluate_report(score(config), as_json, markdown))
