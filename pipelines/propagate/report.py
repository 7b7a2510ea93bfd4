"""What `datakit propagate` says on standard output, as text for people or JSON for scripts."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datakit.video.palette import palette
from datakit.wording import counted

from ..progress import clock
from ..report import as_text, table
from .network import online_words
from .output import SHEET, SUMMARY, VIDEO
from .run import PropagateSummary
from .summary import is_unsure
from .tree import TreeSummary

MOST_NAMED = 5


def propagate_report(summary: PropagateSummary, as_json: bool) -> str:
    """Where everything lies, how fast it was, and which objects were lost when."""
    if as_json:
        return as_text(_plain(summary))
    content = summary.content
    per_frame = content["ms_per_frame"]["median"]
    kept = f", {summary.kept} of them made before" if summary.kept else ""
    objects = ", ".join(map(str, content["objects"])) or "none"
    lines = [
        f"{summary.labels}: {counted(summary.frames, 'frame')}{kept}, objects {objects}, in {clock(summary.seconds)} "
        f"({per_frame:.0f} ms a frame)"
    ]
    for number, frames in content["lost"].items():
        named = ", ".join(frames[:MOST_NAMED]) + (" …" if len(frames) > MOST_NAMED else "")
        lines.append(f"  object {number} was not found in {counted(len(frames), 'frame')}: {named}")
    online = content.get("online") or {}
    lines += [f"  {online_words(online)}"] if "judge" in online else []
    lines += _where_to_look(summary)
    names = (VIDEO, SHEET, SUMMARY)
    return "\n".join([*lines, *(str(summary.report / name) for name in names if (summary.report / name).is_file())])


def _where_to_look(summary: PropagateSummary) -> list[str]:
    """The frame where a correction would help most, and how to make one."""
    found = summary.content["look_at"]
    if not is_unsure(found):
        return []
    video, frame = shlex.quote(str(summary.video)), found["frame"]
    fix = shlex.quote(str(_unused(summary.labels.with_name(f"{summary.labels.name}-{frame}.png"))))
    return [
        f"  frame {frame}: look here, object {found['object']} is least sure there (margin {found['margin']:.2f}). "
        f"To correct it: datakit propagate {video} --first-frame {fix} --start {found['number']}, paint the objects"
        f"{_colours(summary.content, found['object'])}, and run again with --mask {fix}@{frame} added and --overwrite"
    ]


def _colours(content: Mapping[str, Any], first: int) -> str:
    """What to paint objects in, so that they are known again: the colours of the first masks, or of result pictures.

    Args:
        content: of the summary.
        first: id of the object that is named first.
    """
    table, own = palette(), content["colours"]
    ids = sorted((n for n in content["objects"] if n < 255), key=lambda n: (n != first, n))
    words = [f"object {n} in RGB {' '.join(map(str, own.get(str(n), table[3 * n : 3 * n + 3])))}" for n in ids]
    rest = f", others as in the {'given masks' if own else 'results'}" if len(words) > MOST_NAMED else ""
    return f" ({', '.join(words[:MOST_NAMED])}{rest})" if words else ""


def _unused(path: Path) -> Path:
    """The name, with a number where there is such a file: it may be a mask that was painted."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], numbered) if not each.exists())


def tree_report(summary: TreeSummary, as_json: bool) -> str:
    """A line for each sequence."""
    if as_json:
        return as_text(
            {
                "out": str(summary.out),
                "seconds": summary.seconds,
                "remarks": list(summary.remarks),
                "sequences": [_plain(s) for s in summary.sequences],
            }
        )
    rows = [
        [s.labels.name, s.frames, s.kept, len(s.content["objects"]), sum(map(len, s.content["lost"].values())),
         f"{s.content['ms_per_frame']['median']:.0f}"]
        for s in sorted(summary.sequences, key=lambda s: s.labels.name)
    ]  # fmt: skip
    frames = sum(s.frames for s in summary.sequences)
    total = f"{summary.out}: {counted(len(rows), 'sequence')}, {counted(frames, 'frame')}, in {clock(summary.seconds)}"
    remarks = [*summary.remarks, *(f"{s.labels.name}: {remark}" for s in summary.sequences for remark in s.remarks)]
    stages = [s.content.get("online") or {} for s in summary.sequences]
    if declined := [stage["judge"]["declined"] for stage in stages if "judge" in stage]:
        remarks.append(f"online stage: declined in {sum(declined)} of {counted(len(declined), 'sequence')}")
    return "\n".join([table(("sequence", "frames", "kept", "objects", "lost", "ms a frame"), rows), *remarks, total])


def _plain(summary: PropagateSummary) -> dict[str, Any]:
    return {
        **summary.content,
        "labels": str(summary.labels),
        "report": str(summary.report),
        "kept": summary.kept,
        "seconds": summary.seconds,
        "remarks": list(summary.remarks),
    }
