"""The small files beside a YOLO set: names of classes in data.yaml or classes.txt, and whether it holds key points.

Of YAML only `names` is read, in the four ways in which it is written; a whole parser is not worth a dependency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ...reading import read_part

MOST = 1 << 20  # bytes of such a file
COMPANIONS = ("classes.txt", "notes.json", "train.txt", "val.txt", "test.txt", "obj.names", "obj.data")


def is_companion(name: str) -> bool:
    """Whether a file belongs to a set and says nothing of a photo: settings, names, lists of photos, caches."""
    own = name.rpartition("/")[2].lower()
    return own in COMPANIONS or own.endswith(".cache") or (own == name.lower() and own.endswith((".yaml", ".yml")))


def has_key_points(root: Path, others: Iterable[str]) -> bool:
    """Whether the set is one of key points, whose lines look like outlines and are none."""
    return any(re.search(r"^kpt_shape\s*:", text, re.MULTILINE) for text in _settings(root, others))


def class_names(root: Path, others: Iterable[str]) -> dict[int, str]:
    """Number of a class -> its name; empty where no file has them.

    Args:
        root: folder of the set.
        others: its files, relative to it.
    """
    names = list(others)
    for text in _settings(root, names):
        found = names_of_yaml(text)
        if found:
            return found
    if "classes.txt" in names:
        return dict(enumerate(line.strip() for line in _text(root / "classes.txt").splitlines()))
    return {}


def names_of_yaml(text: str) -> dict[int, str]:
    """The names in a data.yaml: `[a, b]`, `{0: a, 1: b}`, or a line `- a` or `0: a` for each."""
    head = re.search(r"^names[ \t]*:[ \t]*", text, re.MULTILINE)
    if head is None:
        return {}
    rest = text[head.end() :]
    flow = re.match(r"[\[{]([^\]}]*)[\]}]", rest)
    if flow is not None:
        parts = flow[1].split(",")
    else:
        block = re.match(r"[^\n]*\n((?:[ \t]+[^\n]*\n?|-[^\n]*\n?|[ \t]*(?:#[^\n]*)?\n)*)", rest)
        parts = block[1].splitlines() if block else []
    found: dict[int, str] = {}
    for part in map(str.strip, parts):
        number = re.match(r"(\d{1,9})\s*:\s", part)
        value = part[number.end() :] if number else part.removeprefix("- ")
        name = _unquoted(value.strip())
        if name:
            found[int(number[1]) if number else len(found)] = name
    return found


def _unquoted(text: str) -> str:
    """A name without its quotes, or without the comment behind it."""
    if text[:1] in ("'", '"'):
        return text[1:].partition(text[0])[0]
    return "" if text.startswith("#") else text.partition(" #")[0].strip()


def _settings(root: Path, others: Iterable[str]) -> list[str]:
    """The .yaml files of the root itself."""
    names = sorted(name for name in others if "/" not in name and name.lower().endswith((".yaml", ".yml")))
    return [_text(root / name) for name in names]


def _text(path: Path) -> str:
    """A small file's text; nothing where it cannot be read."""
    try:
        data = read_part(path, 0, MOST + 1)
        return "" if len(data) > MOST else data.decode("utf-8-sig", "replace")
    except OSError:
        return ""
