"""The commands of the network: train, score and propagate. Options in, one call, lines out, as in `cli`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .interrupt import Stopped
from .options import cache_options, device_options, set_option, value_options
from .place_type import PlaceText, PlaceType, storage_options
from .worker_options import worker_options

if TYPE_CHECKING:
    from pipelines.train_job import TrainJob

TRAIN_PRESETS = ("default", "paper")
ONLINE_PRESETS = (*TRAIN_PRESETS, "several")


def _train_settings(ctx: click.Context) -> str:
    from model.settings import PRESETS, describe_settings

    return describe_settings(PRESETS[ctx.params.get("preset") or "default"])


def _propagate_settings(_ctx: click.Context) -> str:
    from pipelines.propagate.options import describe_settings

    return describe_settings()


@click.command("train")
@click.argument(
    "shards", nargs=-1, required=False, type=PlaceType(path_type=Path, file_okay=False), metavar="SHARDS..."
)
@click.option("--out", type=PlaceType(path_type=Path, file_okay=False), help="Folder of the run.")
@click.option("--preset", type=click.Choice(TRAIN_PRESETS), default="default", is_eager=True,
              help="`default`: lite with what measures best; `paper`: MaskTrack to the letter.")  # fmt: skip
@click.option("--network", default=None, help="lite, lite-memory or deeplab-vgg16.  [default: the preset's]")
@click.option("--init", type=PlaceText(), default=None, metavar="imagenet|bundled|none|FILE",
              help="Where the weights begin.  [default: imagenet]")  # fmt: skip
@click.option("--iterations", type=click.IntRange(1), default=None, help="Steps.  [default: the preset's]")
@click.option("--batch", type=click.IntRange(1), default=None, help="Samples a step.  [default: the preset's]")
@click.option("--redraw/--no-redraw", default=None,
              help="Deform anew at read time, or read the stored guide masks.  [default: the preset's]")  # fmt: skip
@click.option("--weight", "weights", multiple=True, metavar="SOURCE[/KIND]=NUMBER",
              help="Draw a source, or its masks or boxes, more or less often, e.g. ecssd/box=0.5.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=None, help="Root seed.  [default: 0]")
@set_option("Change any other setting, e.g. optimizer.learning_rate=1e-3 or view.size=256.", _train_settings)
@click.option("--resume", is_flag=True,
              help="Go on with a run, whose folder knows its shards and settings: datakit train --resume RUN. More "
              "--iterations are allowed, other settings are not. If the shards were moved: datakit train SHARDS "
              "--resume --out RUN.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Begin anew in a folder that holds a run.")
@click.option("--workers", type=click.IntRange(0), default=2, help="Loader processes.")
@click.option("--save-every", type=click.IntRange(1), default=100, help="Steps from one checkpoint to the next.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard events, too (extra `tensorboard`).")
@cache_options
@storage_options
@device_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.pass_context
def train(ctx: click.Context, /, shards: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Train a network on shards.

    It learns to turn guide masks into accurate ones. A run that was stopped goes on by --resume RUN, to the
    very losses it would have made. Start it by torchrun to share the work among processes.

    \b
    Example:
      datakit train demo/shards --out demo/run --iterations 20 --batch 4 --init bundled
      datakit train --resume demo/run --iterations 40
    """
    from pipelines import report
    from pipelines.process import keep_freed_memory, let_idle_threads_sleep

    let_idle_threads_sleep()
    keep_freed_memory(trains=True)
    from pipelines.mirror import output_at
    from pipelines.train import train as run
    from pipelines.train_job import run_among

    if options["resume"]:
        if options["overwrite"]:
            raise click.UsageError("--resume goes on with a run, --overwrite begins it anew; give one of them", ctx)
        shards, options["out"] = run_among(shards, options["out"])
    with output_at(options["out"]) as out:
        summary = run(_train_job(ctx, shards, {**options, "out": out.here}))
        told = out.told(report.train_report(summary, as_json))
    if summary.stopped:
        raise Stopped("train", "--resume", str(out.place))
    click.echo(told)


def _train_job(ctx: click.Context, shards: tuple[Path, ...], options: dict[str, Any]) -> TrainJob:
    """The job of the options; on resume what was not given is as the folder has it."""
    from dataclasses import replace

    from model.settings import PRESETS, configure
    from pipelines.train_job import TrainJob, stored_job

    if not shards and not options["resume"]:
        raise click.UsageError("Missing argument 'SHARDS...'; only --resume RUN knows them from the folder", ctx)
    if options["out"] is None:
        raise click.UsageError("Missing option '--out': the folder that gets the run, such as --out run", ctx)
    given = {name for name in options if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    config, weights = PRESETS[options["preset"]], _weights(options["weights"])
    if options["resume"]:
        begun = stored_job(options["out"], shards)
        config = replace(config, iterations=begun.config.iterations) if "preset" in given else begun.config
    settings = ("network", "init", "iterations", "batch", "redraw", "seed")
    changed = {name: options[name] for name in settings if options[name] is not None}
    config = configure(replace(config, **changed), options["set_"])
    how = ("out", "resume", "overwrite", "workers", "device", "precision", "threads", "save_every", "tensorboard")
    if options["resume"]:
        changed_how = {name: options[name] for name in how if name in given}
        return replace(begun, config=config, weights=weights or begun.weights, **changed_how)
    return TrainJob(shards, config=config, weights=weights, **{name: options[name] for name in how})


def _weights(texts: tuple[str, ...]) -> dict[str, float]:
    weights = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not 0 <= weights[name] < float("inf"):
            raise click.BadParameter(
                f"{text!r}: expected SOURCE[/KIND]=NUMBER, a number of at least 0", param_hint="--weight"
            )
    return weights


@click.command("score")
@click.argument("shards", type=PlaceType(path_type=Path))
@click.option(
    "--weights",
    type=PlaceText(),
    default="bundled",
    metavar="bundled|lite-memory|FILE",
    help="Of this package, or a checkpoint of `datakit train`.",
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Judge only N triples, evenly spread.")
@click.option("--held-back", is_flag=True, help="Judge only photos that the training of these weights held back.")
@click.option("--size", type=click.IntRange(32), default=None, help="Side of the network's input.  [default: 352]")
@click.option("--mirrored/--once", default=None,
              help="Look mirrored too, or just once.  [default: twice with lite, twice with lite-memory, once with "
              "deeplab-vgg16]")  # fmt: skip
@click.option("--full-frame", is_flag=True, help="Show the network the whole photo instead of a cut around the mask.")
@click.option("--picture", type=PlaceType(path_type=Path, dir_okay=False), help="PNG file: some results to look at.")
@cache_options
@storage_options
@device_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def score(shards: Path, as_json: bool, **options: Any) -> None:
    """Score a network on shards by IoU.

    Mean IoU of the guide masks and of what the network makes of them, in total and per source and kind.

    \b
    Example:
      datakit score demo/shards --limit 20
    """
    from pipelines.process import let_idle_threads_sleep

    let_idle_threads_sleep()
    from model.refine import RefineConfig
    from pipelines import report
    from pipelines.score import ScoreJob, score_shards

    given = {name: options.pop(name) for name in ("size", "full_frame", "mirrored")}
    view = RefineConfig(**{name: value for name, value in given.items() if value is not None})
    summary = score_shards(ScoreJob(shards, view=view, **options))
    click.echo(report.score_report(summary, as_json))


@click.command("propagate")
@click.argument("video", required=False, type=PlaceType(path_type=Path), metavar="VIDEO")
@click.option("--mask", "masks", multiple=True, metavar="FILE[@FRAME]|FOLDER",
              help="Objects in the first frame, or in the one of that number or name; repeat for several. Of a folder "
              "every picture, at the frame of its name.")  # fmt: skip
@click.option("--box", "boxes", multiple=True, metavar="x0,y0,x1,y1[@FRAME][:ID]",
              help="An object by a box instead, in pixels, half-open; repeat for several.")  # fmt: skip
@click.option("--out", type=PlaceType(path_type=Path, file_okay=False), help="Folder of sequences.")
@click.option("--first-frame", type=PlaceType(path_type=Path, dir_okay=False),
              help="PNG file: write the first frame there, to paint objects on (a flat colour each) and give back "
              "as --mask, and stop.")  # fmt: skip
@click.option("--davis", type=click.Path(path_type=Path, file_okay=False), metavar="ROOT",
              help="Segment every sequence of a tree as DAVIS lays it out, each object from the first annotation "
              "that holds it.")  # fmt: skip
@value_options
@click.option("--sequences", metavar="A,B|FILE|SPLIT", help="With --davis: only these.")
@click.option("--from-boxes", is_flag=True, help="With --davis: begin with the objects' boxes, not their masks.")
@click.option("--annotate-every", type=click.IntRange(1), default=None, metavar="N",
              help="With --davis: give of every N annotations one in full, from the first on; frames between are made "
              "forwards and backwards.")  # fmt: skip
@click.option("--annotate-share", type=click.FloatRange(0, 1, min_open=True), default=None, metavar="SHARE",
              help="With --davis: give that share of the annotations instead, evenly spread.")  # fmt: skip
@partial(worker_options, only="With --davis: ")
@click.option("--start", type=click.IntRange(0), default=0, help="Number of the first frame.")
@click.option("--stop", type=click.IntRange(1), default=None, help="Number after the last frame.  [default: all]")
@click.option("--stride", type=click.IntRange(1), default=1, help="Of every N frames, one.")
@click.option(
    "--weights",
    type=PlaceText(),
    default="lite-memory",
    metavar="lite-memory|bundled|FILE",
    help="Of this package, where `bundled` is the network without a memory, or a checkpoint of `datakit train`.",
)
@click.option("--online/--no-online", default=False, help="Fine-tune on the annotated frames first.")
@click.option("--online-preset", type=click.Choice(ONLINE_PRESETS), default="default",
              help="`default`: what measures best with one annotated frame; `several`: with every tenth; `paper`: 200 "
                   "steps of the offline stage's settings.")  # fmt: skip
@click.option("--flow", default="none", metavar="none|dis|DIR",
              help="Look at the movement, too: OpenCV's DIS flow, or .flo files of a folder.")  # fmt: skip
@click.option("--crf", is_flag=True, help="Sharpen every frame by a dense CRF (extra `crf`).")
@click.option("--size", type=click.IntRange(32), default=None, help="Side of the network's input.  [default: 352]")
@click.option("--margin", type=click.FloatRange(0.01), default=None,
              help="Room around the object, as a multiple of its longer side.  [default: 0.3 with lite-memory, else "
                   "0.4]")  # fmt: skip
@click.option("--full-frame", is_flag=True, help="Show the network the whole frame instead of a cut.")
@set_option("Change any other setting, e.g. dilation=0 or online.optimizer.learning_rate=1e-4.", _propagate_settings)
@click.option("--seed", type=click.IntRange(0), default=0, help="Root seed of the online stage.")
@click.option("--backend", type=click.Choice(["torch", "openvino"]), default="torch",
              help="What runs the network; openvino (an extra) is quicker on a processor, once begun.")  # fmt: skip
@click.option("--overlay/--no-overlay", "film", default=True, help="Make the overlay video.")
@click.option("--overwrite", is_flag=True, help="Replace what was made with other settings.")
@cache_options
@storage_options
@device_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
def propagate(video: Path | None, as_json: bool, **options: Any) -> None:
    """Carry masks of objects through a video.

    From masks or boxes it makes a label picture of every frame, and a video to look at.
    VIDEO is a folder of frames or a video file. A run that was stopped or killed goes on where it was when the
    same command runs again; with --crf a video that was not finished begins anew.

    \b
    Example:
      datakit propagate clip.mp4 --first-frame first.png
      datakit propagate clip.mp4 --mask first-mask.png --out results
      datakit propagate clip.mp4 --box 120,40,310,260 --out results
    """
    from pipelines.mirror import output_at
    from pipelines.process import keep_freed_memory, let_idle_threads_sleep
    from pipelines.propagate import report
    from pipelines.propagate.options import job_from, save_first_frame_from, tree_from

    let_idle_threads_sleep()
    keep_freed_memory(trains=options["online"])

    if options["first_frame"]:
        click.echo(save_first_frame_from(video, options))
        return
    with output_at(options["out"]) as out:
        options["out"] = out.here
        if options["davis"]:
            from pipelines.propagate.tree import propagate_tree

            told = report.tree_report(propagate_tree(tree_from(video, options)), as_json)
        else:
            from pipelines.propagate.run import propagate as run

            told = report.propagate_report(run(job_from(video, options)), as_json)
    click.echo(out.told(told))
