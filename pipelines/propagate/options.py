"""What the options of `datakit propagate` come to: a job for one video, or for a tree of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from datakit.config import help_text, keys_of, parsed, settings_of, split_assignment, unknown_key
from datakit.datasets import ReadOptions
from datakit.errors import UsageError
from datakit.places import is_stored

from ..options import values_from
from ..worker_options import workers_from
from .masks import Spacing
from .network import ONLINE_KEYS, NetworkChoice
from .prompts import parse_box, parse_mask
from .run import PropagateJob, write_first_frame

if TYPE_CHECKING:
    from .tree import TreeJob

EVERY, SHARE = "--annotate-every", "--annotate-share"
CHOSEN = {"start": 0, "stop": None, "stride": 1}  # options that choose frames, and what they are if not given


def save_first_frame_from(video: Path | None, options: Mapping[str, Any]) -> str:
    """Write the frame that --first-frame asks for; a sentence that says so."""
    if video is None:
        raise UsageError("--first-frame: name the VIDEO whose frame is wanted")
    path: Path = options["first_frame"]
    if path.suffix.lower() != ".png":
        raise UsageError(f"--first-frame {path}: expected a PNG file, such as {path.with_suffix('.png')}")
    H, W = write_first_frame(video, options["start"], path)
    how = "paint each object on it in a flat colour, or white on black in a new picture"
    chosen = [f"--{name} {options[name]}" for name, usual in CHOSEN.items() if options[name] != usual]
    mask = path.name if is_stored(path) else str(path)  # masks are files of this machine
    command = " ".join(["datakit propagate", quote(str(video)), "--mask", quote(mask), *chosen, "--out results"])
    where = "copy it here, " if is_stored(path) else ""
    return f"{path}: frame {options['start']} of {video}; {where}{how} of {W}x{H}, save it as PNG, then: {command}"


def job_from(video: Path | None, options: Mapping[str, Any]) -> PropagateJob:
    """The job for one video.

    Raises:
        UsageError: an option is missing, of another form, or belongs to --davis.
    """
    if video is None:
        raise UsageError("name the VIDEO, a folder of frames or a video file; or a whole tree with --davis ROOT")
    ours = {"sequences": "--sequences", "from_boxes": "--from-boxes", "scheduler": "--scheduler", "jobs": "-j",
            "adaptive": "--adaptive", "annotate_every": EVERY, "annotate_share": SHARE}  # fmt: skip
    for name, flag in ours.items():
        if options[name] not in ((1,) if name == "jobs" else (None, False)):
            raise UsageError(f"{flag} belongs to --davis ROOT; one video is segmented frame after frame")
    return _job(video, options)


def tree_from(video: Path | None, options: Mapping[str, Any]) -> TreeJob:
    """The job for a tree.

    Raises:
        UsageError: an option belongs to single videos.
    """
    from .tree import TreeJob

    if video is not None or options["masks"] or options["boxes"]:
        raise UsageError("--davis takes videos and masks from the tree; leave VIDEO, --mask and --box out")
    how = {name: options[name] for name in ("sequences", "from_boxes")} | workers_from(options)
    every, share = options["annotate_every"], options["annotate_share"]
    if every is not None and share is not None:
        raise UsageError(f"{EVERY} {every} and {SHARE} {share:g}: both say which annotations are given; give one")
    spacing = None if every is None and share is None else Spacing(every or 1, share)
    return TreeJob(options["davis"], _job(options["davis"], options), spacing=spacing, **how)


def _job(video: Path, options: Mapping[str, Any]) -> PropagateJob:
    if options["out"] is None:
        raise UsageError(
            "--out DIR is needed: the folder that gets a folder of label pictures for each sequence, "
            "such as --out results"
        )
    return PropagateJob(
        video,
        options["out"],
        tuple(parse_mask(text) for text in options["masks"]),
        tuple(parse_box(text) for text in options["boxes"]),
        network=network_from(options),
        read=ReadOptions(**values_from(options["threshold"], options["ids"])),
        overlay=options["film"],
        **{name: options[name] for name in ("start", "stop", "stride", "overwrite")},
    )


def network_from(options: Mapping[str, Any]) -> NetworkChoice:
    """What segments the frames.

    Raises:
        UsageError: an unknown setting, or a value outside its range.
    """
    from model.online import ONLINE
    from model.propagate import PropagateConfig
    from model.settings import configure

    shorthands = {"size": options["size"], "margin": options["margin"], "full_frame": options["full_frame"] or None}
    given = {name: value for name, value in shorthands.items() if value is not None}
    given |= parsed_settings([text for text in options["set_"] if not text.startswith(ONLINE_KEYS)], PropagateConfig)
    online_set = tuple(text for text in options["set_"] if text.startswith(ONLINE_KEYS))
    configure(ONLINE[options["online_preset"]], online_set, ONLINE_KEYS)  # refused here, before any frame is read
    if not options["online"] and (online_set or options["online_preset"] != "default"):
        unused = f"--set {online_set[0]}" if online_set else "--online-preset"
        raise UsageError(f"{unused}: says how the online stage is done; add --online to have it done")
    names = ("weights", "online", "online_preset", "flow", "crf", "seed", "device", "precision", "backend", "threads")
    return NetworkChoice(given=given, online_set=online_set, **{name: options[name] for name in names})


def parsed_settings(texts: Sequence[str], config: type[Any]) -> dict[str, Any]:
    """Settings out of `KEY=VALUE`.

    Raises:
        UsageError: not of that form, an unknown key, or a value outside its range.
    """
    known, given = settings_of(config), {}
    for text in texts:
        key, value = split_assignment(text, f"KEY=VALUE or {ONLINE_KEYS}KEY=VALUE; see --set help")
        if key not in known:
            raise unknown_key(key, known, f"--set {text}", more=f", and {ONLINE_KEYS}KEY")
        given[key] = parsed(known[key], value, f"--set {text}")
    return given


def describe_settings() -> str:
    """A line for every key of `datakit propagate --set`: its default, what it may be, what it means."""
    from model.online import ONLINE
    from model.propagate import PropagateConfig
    from model.settings import parts_of

    online = ONLINE["default"]
    return "\n".join((help_text(keys_of(PropagateConfig())), help_text(keys_of(online, parts_of(online)), ONLINE_KEYS)))
