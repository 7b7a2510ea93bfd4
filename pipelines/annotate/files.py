"""The files of a project: their names, and how its description and its log are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels
from datakit.errors import DatakitError
from datakit.files import canonical_json, replacing

FORMAT, VERSION = "masktrack-datakit annotations", 1
ABOUT, DRAWN, MADE, LOG, EXPORTS = "project.json", "drawn", "made", "made.jsonl", "export"
KINDS = {"media": str, "kind": str, "count": int, "objects": dict, "removed": list, "settled": dict}


def read_about(folder: Path) -> dict[str, Any] | None:
    """What `project.json` of a folder says; None where there is none.

    Raises:
        DatakitError: it is damaged, or of another version.
    """
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if about["format"] != FORMAT or about["version"] != VERSION:
            raise DatakitError(f"{path}: is {about['format']!r}, version {about['version']}; this reads {VERSION}")
        if wrong := [name for name, kind in KINDS.items() if not isinstance(about[name], kind)]:
            raise TypeError(wrong[0])
        {int(number): str(each["name"]) for number, each in about["objects"].items()}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DatakitError(f"{path}: damaged ({error!r}); masks are in {DRAWN}/, restore or remove {ABOUT}") from None
    return about


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log, without one that a kill has cut off."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a log by these lines."""
    with replacing(path) as part:
        part.write_text("".join(canonical_json(row) + "\n" for row in rows), encoding="utf-8")


def ids_in(labels: Labels) -> set[int]:
    """The object ids of a label map."""
    return {int(number) for number in np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1)[1:]) + 1}
