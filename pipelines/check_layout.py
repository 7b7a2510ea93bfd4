"""`datakit check-layout`: a folder held against what a loader reads, and every fault with the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datakit.check_layout import Checked, Fault, Question, check_one, conclude, plan_check
from datakit.progress import progress
from datakit.wording import counted, printable

from .interrupt import terminable
from .pool import map_on_processes
from .report import as_text


def check_layout(question: Question, jobs: int = 1) -> Checked:
    """Check a folder.

    Args:
        question: which folder, and for what.
        jobs: processes.

    Raises:
        UsageError: nothing in it is what the loader reads.
    """
    plan = plan_check(question)
    found = []
    with terminable(), progress(len(plan.work), "folders") as shown:
        for each in map_on_processes(check_one, plan.work, jobs):
            found.append(each)
            shown.advance(1)
    return conclude(plan, found)


def check_layout_report(checked: Checked, examples: int, as_json: bool) -> str:
    """What was found, for people by kind of fault, or as JSON.

    Args:
        checked: of `check_layout`.
        examples: faults shown of each kind.
        as_json: all of them, as JSON.
    """
    plan = checked.plan
    if as_json:
        return as_text(_as_dict(checked))
    loader = plan.loader
    lines = [f"{plan.question.root}: checked for {loader.title}, {plan.task} ({plan.why}); {_extent(checked)}"]
    lines.append(f"rules as read in {loader.repository} at {loader.commit}")
    for kind, faults in by_kind(checked.faults).items():
        lines.append(f"{kind}: {counted(len(faults), 'place')}")
        for fault in faults[:examples]:
            lines += [f"  {fault.place}: {fault.text}", f"    mend: {fault.mend}"]
        if len(faults) > examples:
            lines.append(f"  and {len(faults) - examples} more; --examples {len(faults)} or --json shows all")
    lines += [f"note: {note}" for note in checked.notes]
    lines.append(_verdict(checked))
    return "\n".join(printable(line) for text in lines for line in text.split("\n"))


def by_kind(faults: Sequence[Fault]) -> dict[str, list[Fault]]:
    """Faults by their kind, in the order of their first."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    return kinds


def _extent(checked: Checked) -> str:
    what = "folder" if checked.plan.task == "static" else "video"
    frame = "photo" if checked.plan.task == "static" else "frame"
    parts = ((checked.folders, what), (checked.frames, frame), (checked.masks, "mask"))
    return ", ".join(counted(count, noun) for count, noun in parts)


def _verdict(checked: Checked) -> str:
    if not checked.faults:
        return f"{checked.plan.loader.title} sees all of it"
    kinds = len(by_kind(checked.faults))
    return f"{counted(len(checked.faults), 'fault')} of {counted(kinds, 'kind')}"


def _as_dict(checked: Checked) -> dict[str, Any]:
    plan = checked.plan
    loader = plan.loader
    return {
        "folder": str(plan.question.root),
        "for": plan.question.loader,
        "task": plan.task,
        "why": plan.why,
        "loader": {
            "title": loader.title,
            "repository": loader.repository,
            "commit": loader.commit,
            "files": list(loader.files),
        },
        "folders": checked.folders,
        "frames": checked.frames,
        "masks": checked.masks,
        "faults": [asdict(fault) for fault in checked.faults],
        "notes": list(checked.notes),
    }


def question_from(options: dict[str, Any], folder: Path) -> Question:
    """The question that options of the command come to."""
    return Question(folder, options["loader"], options["task"], options["fewest"], options["subset"],
                    options["empty_masks"])  # fmt: skip
