"""`datakit export-clips`: finished videos made of the stills of shards, as the files of another program."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datakit.clips import ClipRecipe, configure_clip_recipe, load_clip_recipe
from datakit.config import split_assignment
from datakit.errors import UsageError
from datakit.export import EXPORTERS
from datakit.export.davis import FEWEST
from datakit.files import json_text
from datakit.places import is_stored
from datakit.shards import read_contents
from datakit.shards.manifest import NAME
from datakit.wording import counted, size_text

from .export import configured
from .export_run import ExportRun, ExportSummary, closing_lines, run_export
from .export_task import ClipFolders

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipsJob:
    """Which videos to make, and where to.

    Attributes:
        shards: folders that `datakit build-shards` finished.
        to: name of the exporter.
        clips: how many videos.
        recipe: name of a clip preset, or path of a `.toml` file.
        changes: settings of the recipe as KEY=VALUE, of the exporter as EXPORTER.KEY=VALUE.
        frames: of a video; None for those of the recipe, and no fewer than 8 unless `changes` say so.
        seed: root of all chance.
        codec: of the frames, `jpeg:QUALITY` or `png`.
        run: where to, and how.
    """

    shards: tuple[Path, ...]
    to: str
    clips: int
    recipe: str
    changes: Sequence[str]
    frames: int | None
    seed: int
    codec: str
    run: ExportRun


def export_clips(job: ClipsJob) -> ExportSummary:
    """Make the videos, or finish what an earlier run of the same job has begun.

    Raises:
        UsageError: an exporter, a recipe, a setting or a folder cannot be used as given.
        ShardError, DatakitError: a shard is damaged, or the format cannot hold what is made.
        Locked: another run writes there.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    ours = [text for text in job.changes if _is_of_exporter(text)]
    exporter = configured(job.to, [text.partition(".")[2] for text in ours])
    if foreign := next((text for text in ours if not text.startswith(f"{job.to}.")), None):
        raise UsageError(f"--set {foreign}: is a setting of another format than --to {job.to}")
    recipe = video_recipe(job.recipe, [text for text in job.changes if text not in ours], job.frames)
    if recipe.frames < FEWEST:
        logger.warning(
            f"videos of {counted(recipe.frames, 'frame')}: Cutie, XMem and SAM 2 pass over those of fewer than "
            f"{FEWEST}, without a word; give --frames {FEWEST} or more for these"
        )

    def find() -> ClipFolders:
        for path in job.shards:
            _check_shards(path)
        return ClipFolders(job.shards, recipe, job.clips, job.seed, job.codec)

    return run_export(find, exporter, job.run)


def video_recipe(spec: str, changes: Sequence[str], frames: int | None) -> ClipRecipe:
    """A clip recipe whose clips serve as videos: 8 frames or more, drawn anew where the first shows no object.

    What `frames` or a change of `frames` or `redraw` says stays as it is.

    Raises:
        UsageError: there is no such recipe or setting, or a value does not fit.
    """
    recipe = configure_clip_recipe(load_clip_recipe(spec), changes)
    asked = {split_assignment(text)[0] for text in changes}
    if frames is not None:
        recipe = configure_clip_recipe(recipe, [f"frames={frames}"])
    elif "frames" not in asked:
        recipe = replace(recipe, frames=max(FEWEST, recipe.frames))
    if recipe.redraw == "never" and "redraw" not in asked:
        recipe = replace(recipe, redraw="empty")
    return recipe


def _is_of_exporter(text: str) -> bool:
    return split_assignment(text)[0].partition(".")[0] in EXPORTERS


def _check_shards(path: Path) -> None:
    """Say of a folder that holds no shards what to do.

    Raises:
        UsageError, ShardError: it is none.
    """
    if not is_stored(path) and path.is_dir() and not (path / NAME).is_file() and any(path.iterdir()):
        raise UsageError(
            f"{path}: holds no {NAME}, so it is no finished folder of shards; build them first: `datakit build-shards "
            f"{path} --out shards`"
        )
    read_contents(path)


def clips_report(summary: ExportSummary, as_json: bool) -> str:
    """What the command says of the videos it made."""
    found, exporter = summary.manifest, summary.exporter
    size = sum(size for _, size, _ in found["files"])
    source = found["asked"]["source"]
    recipe = source["recipe"]
    if as_json:
        about = {"out": str(summary.out), "to": exporter.name, "recipe": recipe["name"], "seed": source["seed"]}
        counts = {"clips": found["clips"], "frames": found["photos"], "objects": found["objects"]}
        files = {"files": len(found["files"]), "bytes": size, "kept": summary.kept, "notes": found["notes"]}
        return json_text({**about, **counts, **files, "lost": exporter.lost}).rstrip("\n")
    stills = len({key for _, key, _ in found["clip_photos"]})
    lines = [
        f"{summary.out}: {counted(found['clips'], 'video')} of {counted(recipe['frames'], 'frame')} by "
        f"{recipe['name']}, {counted(found['objects'], 'object')}, {counted(len(found['files']), 'file')}, "
        f"{size_text(size)} as {exporter.name}",
        f"  made of {counted(stills, 'photo')}; export.json has the key of each, plans.jsonl every number drawn",
    ]
    if summary.kept:
        lines.append(f"  {summary.kept} of the frames were there from an earlier run")
    return "\n".join([*lines, *closing_lines(summary)])
