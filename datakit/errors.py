"""What can go wrong, as few classes as there are ways for a caller to react.

Every message names the place, what was expected, what was found and the way out.
`exit_code` is what the command line leaves with; the table stands in docs/cli.md. `Problem` is an error put on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple


class DatakitError(Exception):
    """Base of every error raised on purpose; its text is written for the user, `details` for scripts (`--json`)."""

    exit_code = 1
    details: Mapping[str, Any] = MappingProxyType({})


class UsageError(DatakitError):
    """An option, a recipe or a path cannot be used as given."""

    exit_code = 2


class ShardError(DatakitError):
    """A shard or a shard folder is not what it says it is."""


class TooManyFailed(DatakitError):
    """More items failed than `--max-error-rate` allows, so nothing was published."""

    exit_code = 3


class Mismatch(DatakitError):
    """Predictions and ground truth do not fit each other, so there is no score."""

    exit_code = 4


class SettingsDiffer(DatakitError):
    """The output folder was made with other settings than those asked for now."""

    exit_code = 5


class Locked(DatakitError):
    """Another run holds the output folder."""

    exit_code = 6


@dataclass(frozen=True, slots=True)
class Problem:
    """An item without a sample, and why.

    Attributes:
        key: sample or photo key, `label/name` or `label/name#object`.
        kind: `failed` is damage, `left-out` a choice (crowd, minimum area, empty, stray file).
        stage: where it happened: `list`, `read`, `decode`, `mask`, `select` or `deform`.
        reason: a few words that group equal causes in the summary, e.g. `truncated image`.
        detail: the whole sentence: place, expected, found, way out. Paths are relative to the source root.
    """

    key: str
    kind: Literal["failed", "left-out"]
    stage: str
    reason: str
    detail: str


class ItemError(DatakitError):
    """One photo or object of a source gives no sample; `problem` says which and why."""

    def __init__(self, problem: Problem):
        super().__init__(f"{problem.key}: {problem.detail}")
        self.problem = problem

    def __reduce__(self) -> tuple[type[ItemError], tuple[Problem]]:
        return type(self), (self.problem,)


class ItemRef(NamedTuple):
    """What an error is about: the key of the item, and the file's path relative to the source root."""

    key: str
    path: str

    def failed(self, stage: str, reason: str, detail: str) -> ItemError:
        """The error that says this item is damaged, how, and where."""
        return ItemError(Problem(self.key, "failed", stage, reason, f"{self.path}: {detail}"))
