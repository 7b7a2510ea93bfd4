"""Words for messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 shard`, `6363 triples`: a number with its noun, which takes an s in the plural."""
    return f"{count} {noun}{'s' * (count != 1)}"
