"""The group of the `datakit` commands: errors into exit codes, Ctrl-C into three lines, near names into suggestions."""

from __future__ import annotations

import errno
import logging
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from datakit.errors import UsageError
from datakit.shadowed import shadowing_message

from .interrupt import Stopped
from .options import refuse_addresses
from .place_type import without_secrets

EXIT_INTERRUPTED = 130


class DatakitGroup(click.Group):
    """A group that turns our errors into their exit codes, and Ctrl-C into three lines."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command to run, once no path among its words is an address such as s3://bucket/x."""
        if self.get_command(ctx, args[0]) is None and (meant := commands_like(args[0], self.commands)):
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {' or '.join(map(repr, meant))}?", ctx)
        name, command, words = super().resolve_command(ctx, args)
        if command is not None:
            refuse_addresses(command, words)
        return name, command, words

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; anything that is not one of our errors keeps its traceback."""
        from .progress import on_terminal

        level = logging.WARNING if ctx.params["quiet"] else logging.DEBUG if ctx.params["verbose"] else logging.INFO
        try:
            with on_terminal(level):
                return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            # --overwrite would throw away what was finished.
            own = without_secrets([word for word in sys.argv[1:] if word != "--overwrite"])
            command = shlex.join(["datakit", *(stopped.words if isinstance(stopped, Stopped) else own)])
            click.echo(f"\nInterrupted. What was finished is kept; to go on, run again:\n  {command}", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit):  # an Exit carries an exit code, too, and is no error
            raise
        except Exception as error:
            if isinstance(error, ImportError) and (hidden := shadowing_message(error.name)):
                error = UsageError(hidden)
            code = getattr(error, "exit_code", None)
            if code is None and (not isinstance(error, OSError) or error.errno == errno.EPIPE):
                raise
            click.echo(f"Error: {disk_error(error) if isinstance(error, OSError) else error}", err=True)
            ctx.exit(code or 1)


def commands_like(word: str, names: Iterable[str]) -> list[str]:
    """Commands of several words that a single one of them was written of: `build` of `build-shards`."""
    return [name for name in sorted(names) if word in name.split("-")]


def disk_error(error: OSError) -> str:
    """An error of the system as a sentence: the user's path, what is wrong with it, and what to do."""
    from datakit.files import PART_PREFIX
    from datakit.stores import is_address

    if error.filename is None or not error.strerror:
        return str(error)
    text = os.fsdecode(error.filename)
    if is_address(text):
        return f"{text}: {error.strerror}"
    path = Path(text)
    ours = next((n for n, part in enumerate(path.parts) if part.startswith(PART_PREFIX)), None)
    if ours is not None:  # a name of ours, which nobody knows
        path = Path(*path.parts[:ours])
    ways_out = {
        errno.EROFS: "; name a folder on another disk",
        errno.EACCES: "; change its permissions, or name another",
        errno.EPERM: "; change its permissions, or name another",
        errno.ENOSPC: "; free some space there, or name a folder on another disk",
        errno.EDQUOT: "; free some space there, or name a folder on another disk",
    }
    return f"{path}: {error.strerror}{ways_out.get(error.errno or 0, '')}"
