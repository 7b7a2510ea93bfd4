"""Parts of sentences that many messages need: a long list cut short, a number with its noun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def shorten(names: Sequence[str], most: int = 3) -> str:
    """A few of many names, and how many there are."""
    rest = f" … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def counted(count: int, noun: str) -> str:
    """`1 shard`, `6363 triples`: a number with its noun, which takes an s in the plural."""
    return f"{count} {noun}{'s' * (count != 1)}"


def no_such(path: Path, expected: str = "") -> str:
    """The sentence that a path leads nowhere, or to a file where a folder is needed, and what was expected there."""
    found = "is a file" if isinstance(path, Path) and path.is_file() else "no such file or folder"
    return f"{path}: {found}" + (f"; expected {expected}" if expected else "")


def plain_kind(text: str) -> str:
    """A problem's kind as people write it: `left out`, where files have `left-out`."""
    return text.replace("left-out", "left out", 1)


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control and direction characters of file names are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def size_text(size: float) -> str:
    """Bytes in a unit fit to read."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
