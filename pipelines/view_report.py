"""What `merge`, `select`, `split` and `inspect` say of views, as text for people or JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datakit.files import json_text
from datakit.shards import Contents
from datakit.wording import counted

from .make_view import MadeView


def view_report(made: Sequence[MadeView], as_json: bool) -> str:
    """What was made: of how many triples how many, of which folders, and what it takes on disk."""
    if as_json:
        command = made[0].view.made["command"]
        views = [_as_dict(each) for each in made]
        return json_text({"command": command, **(views[0] if len(views) == 1 else {"views": views})}).rstrip("\n")
    lines = []
    for each in made:
        written = "was there already" if each.kept else f"{counted(each.bytes, 'byte')} written, no picture copied"
        share = counted(each.of, "triple")
        share = share if each.view.triples == each.of else f"{each.view.triples} of {share}"
        lines.append(f"{each.out}: a view with {share}, of {counted(each.photos, 'photo')}; {written}")
        lines += folder_lines(each.folders)
    notes = dict.fromkeys(note for each in made for note in each.notes)
    return "\n".join([*lines, *(f"  note: {note}" for note in notes)])


def _as_dict(made: MadeView) -> dict[str, Any]:
    return {"out": str(made.out), "triples": made.view.triples, "of": made.of, "photos": made.photos,
            "folders": folder_dicts(made.folders), "bytes": made.bytes, "kept": made.kept,
            "notes": list(made.notes)}  # fmt: skip


def folder_lines(folders: Sequence[tuple[Path, int, int]]) -> list[str]:
    """A line for each folder behind a view."""
    return [f"  {place}: {triples} of {counted(of, 'triple')}" for place, triples, of in folders]


def folder_dicts(folders: Sequence[tuple[Path, int, int]]) -> list[dict[str, Any]]:
    """The folders behind a view, for JSON."""
    return [{"folder": str(place), "triples": triples, "of": of} for place, triples, of in folders]


def view_lines(contents: Contents) -> list[str]:
    """What `inspect` says first of a view; nothing of a folder of shards."""
    if contents.view is None:
        return []
    made = contents.view.made
    options = "".join(f" --{name}{'' if value is True else f' {value!r}'}" for name, value in made["options"].items())
    behind = counted(len(contents.builds), "folder")
    return [f"{contents.folder}: a view of {behind}, made by `datakit {made['command']}{options}`",
            *folder_lines(contents.shares()), ""]  # fmt: skip


def view_dict(contents: Contents) -> dict[str, Any]:
    """The same for JSON: a key `view`, which a folder of shards does not have."""
    if contents.view is None:
        return {}
    return {"view": {"made": contents.view.made, "folders": folder_dicts(contents.shares())}}
