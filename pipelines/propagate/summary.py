"""What `report.json` says of a finished sequence: every frame, when objects were lost, and which frame to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datakit.video.frames import Frames

from .output import ONLINE_REPORT, Output
from .prompts import Prompts

SURE = 0.9  # margin from which no frame is proposed


def report_of(frames: Frames, start: Prompts, output: Output) -> dict[str, Any]:
    """What `report.json` holds; see docs/cli.md."""
    given = {frames.names[place]: [output.number(each) for each in ids] for place, ids in start.given().items()}
    rows = output.rows()
    ids = sorted({int(number) for name in frames.names for number in rows[name]["area"]})
    listed = [_frame_of(name, rows[name], ids) for name in frames.names]
    lost = {str(number): [row["frame"] for row in listed if number in row["lost"]] for number in ids}
    spent = [row["ms"] for row in listed]
    online = output.report / ONLINE_REPORT
    return {
        "sequence": output.labels.name,
        "size": {"height": frames.size[0], "width": frames.size[1]},
        "objects": ids,
        "given": given,
        "colours": {str(number): list(colour) for number, colour in sorted(start.colours.items())},
        "lost": {number: names for number, names in lost.items() if names},
        "mean_margin": _mean_margins(listed),
        "look_at": look_at(listed, frames.numbers),
        "ms_per_frame": {"median": float(np.median(spent)), "max": max(spent)},
        "online": json.loads(online.read_text(encoding="utf-8")) if online.is_file() else None,
        "frames": listed,
    }


def _frame_of(name: str, row: Mapping[str, Any], ids: Sequence[int]) -> dict[str, Any]:
    area = {str(number): row["area"].get(str(number), 0) for number in ids}
    objects = [number for number in ids if area[str(number)]]
    return {
        "frame": name,
        "ms": row["ms"],
        "area": area,
        "objects": objects,
        "empty": not objects,
        "lost": row["lost"],
        "margin": row.get("margin", {}),  # rows of earlier versions have none
    }


def _mean_margins(listed: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row in listed:
        for number, margin in row["margin"].items():
            found.setdefault(number, []).append(margin)
    return {number: round(float(np.mean(margins)), 4) for number, margins in sorted(found.items(), key=_by_number)}


def confidence_table(content: Mapping[str, Any]) -> str:
    """`confidence.csv`: how sure every frame is of every object that is known there; see docs/cli.md.

    Args:
        content: what `report_of` gives.

    Returns:
        CSV: `frame`, `object`, `confidence` (1 of an object that is given there, 0 of one without a pixel, else its
        margin; empty of a frame made by a version that stored none), `area` in pixels, `lost` (0 or 1).
    """
    lines = ["frame,object,confidence,area,lost"]
    for row in content["frames"]:
        given = content["given"].get(row["frame"], ())
        for number in content["objects"]:
            area, margin, lost = row["area"][str(number)], row["margin"].get(str(number)), number in row["lost"]
            if not (area or lost or number in given or margin is not None):
                continue  # not known yet, or known to be absent
            confidence = 1.0 if number in given else margin if area else 0.0
            shown = "" if confidence is None else f"{confidence:.4f}"
            lines.append(f"{row['frame']},{number},{shown},{area},{int(lost)}")
    return "\n".join(lines) + "\n"


def _by_number(entry: tuple[str, Any]) -> int:
    return int(entry[0])


def is_unsure(found: Mapping[str, Any] | None) -> bool:
    """Whether the frame that `look_at` gives is worth a correction."""
    return found is not None and found["margin"] < SURE


def look_at(listed: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> dict[str, Any] | None:
    """The frame and object of which the network was least sure, where a correction would help most.

    Args:
        listed: frames as `report_of` lists them.
        numbers: of the frames in the whole video.

    Returns:
        `frame`, `number`, `object` and `margin`; of equal ones the first. None where every frame was given.
    """
    found = [
        (margin, place, int(number)) for place, row in enumerate(listed) for number, margin in row["margin"].items()
    ]
    if not found:
        return None
    margin, place, number = min(found)
    return {"frame": listed[place]["frame"], "number": numbers[place], "object": number, "margin": margin}
