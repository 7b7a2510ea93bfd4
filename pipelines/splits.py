"""Whether a source holds several splits of a set, as train and val, which become one source."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from datakit.datasets import AnyReader
from datakit.looking import is_folder

SPLIT = re.compile(r"(train|training|val|valid|validation|test|testing)\d*", re.IGNORECASE)  # val2017, too


def splits_notice(label: str, reader: AnyReader) -> str:
    """A sentence on photos of several splits in one source, with the sources to give; empty where there are none."""
    if reader.is_video:  # a video may be called so
        return ""
    counts: Counter[str] = Counter()
    known: dict[str, str] = {}  # folder -> the split it is of: a million photos lie in few
    for record in reader.records:
        inside = record.image.rpartition("/")[0]
        if inside not in known:
            known[inside] = next((folder for folder in PurePosixPath(inside).parts if SPLIT.fullmatch(folder)), "")
        counts[known[inside]] += 1
    del counts[""]
    if len(counts) < 2:
        return ""
    told = " and ".join(f"{count} of {split}" for split, count in sorted(counts.items()))
    apart = "give each as a source of its own"
    if all(is_folder(reader.root / split) for split in counts):
        apart += ", " + " ".join(f"{label}-{split.lower()}={reader.root / split}" for split in sorted(counts))
    return f"{label}: photos of several splits are one source: {told}; to keep them apart, {apart}"
