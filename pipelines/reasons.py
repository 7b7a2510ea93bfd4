"""Why items gave no sample: counted by reason, each with examples, for reports and for errors that end a build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from datakit.errors import DatakitError, Problem
from datakit.validate import Notice
from datakit.wording import plain_kind, printable

MOST_REASONS = 5  # that an error tells; the error log has them all

Error = TypeVar("Error", bound=DatakitError)


def grouped(entries: Sequence[Problem | Notice], examples: int) -> list[dict[str, Any]]:
    """Entries counted by kind and reason, most first, each with its first few examples."""
    counts = Counter((getattr(entry, "kind", "warning"), entry.reason) for entry in entries)
    groups = []
    for (kind, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        mine = (e for e in entries if (getattr(e, "kind", "warning"), e.reason) == (kind, reason))
        shown = [{"key": entry.key, "detail": entry.detail} for entry, _ in zip(mine, range(examples), strict=False)]
        groups.append({"kind": kind, "reason": reason, "count": count, "examples": shown})
    return groups


def withheld(kind: type[Error], fault: str, problems: Sequence[Problem], ledger: Path, way_out: str = "") -> Error:
    """The error of a build that publishes nothing: what happened, the commonest reasons with an example each.

    Args:
        kind: class of the error.
        fault: what happened, as the first line.
        problems: those that are to blame.
        ledger: where all of them stand.
        way_out: what to do, as the end of the last line.

    Returns:
        The error; its `details` hold the same for scripts.
    """
    groups = sorted(grouped(problems, 1), key=lambda group: -group["count"])
    lines = [fault]
    for group in groups[:MOST_REASONS]:
        example = group["examples"][0]
        lines.append(
            f"  {group['count']} {plain_kind(group['kind'])}: {group['reason']}, e.g. {printable(example['key'])}: "
            f"{printable(example['detail'])}"
        )
    if len(groups) > MOST_REASONS:
        lines.append(f"  and {len(groups) - MOST_REASONS} more reasons")
    lines.append(f"all of them stand in {ledger}" + (f"; {way_out}" if way_out else ""))
    error = kind("\n".join(lines))
    error.details = {"groups": groups, "ledger": str(ledger)}
    return error
