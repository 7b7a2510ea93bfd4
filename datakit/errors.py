"""What can go wrong, as few classes as there are ways for a caller to react.

Every message names the place, what was expected, what was found and the way out.
`exit_code` is what the command line leaves with; the table stands in docs/cli.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .samples import Problem


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


class ItemError(DatakitError):
    """One photo or object of a source gives no sample; `problem` says which and why."""

    def __init__(self, problem: Problem):
        super().__init__(f"{problem.key}: {problem.detail}")
        self.problem = problem

    def __reduce__(self) -> tuple[type[ItemError], tuple[Problem]]:
        return type(self), (self.problem,)
