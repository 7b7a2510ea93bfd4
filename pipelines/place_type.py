"""Where the command line takes a path or an address such as `s3://bucket/x`, and how it opens stores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from datakit.places import place_of
from datakit.stores import is_address, parse_storage_options, unused_options, use_storage_options

OPTION = "--storage-option"
HIDDEN = "…"  # in place of a value that may be a secret
Command = TypeVar("Command", bound=Callable[..., Any])


class PlaceType(click.Path):
    """A path as `click.Path` takes it, or an address in a store."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The place.

        Raises:
            UsageError: an address that holds a secret, or whose extra is not installed.
        """
        if isinstance(value, str) and is_address(value):
            return place_of(value)
        if not isinstance(value, str | os.PathLike):
            return value  # a place already
        return super().convert(value, param, ctx)


class PlaceText(click.types.StringParamType):
    """A text with a path or an address in it, such as LABEL=ROOT, which the command itself reads."""


def takes_addresses(parameter: click.Parameter, text: str) -> bool:
    """Whether a text given for a parameter is an address that it takes."""
    label, equals, place = text.partition("=")
    bare = place if equals and "/" not in label else text
    return isinstance(parameter.type, PlaceType | PlaceText) and is_address(bare)


def storage_options(command: Command) -> Command:
    """`--storage-option`, for commands that read or write a store."""
    return click.option(
        OPTION, multiple=True, metavar="KEY=VALUE", expose_value=False, is_eager=True, callback=_use,
        help="Open addresses (s3://, gs://, az://, https://) with an option of their fsspec file system, such as "
        "endpoint_url=http://host:9000 or anon=true; repeat for several. It is kept nowhere. Credentials are better "
        "given as the store's own tools take them.",
    )(command)  # fmt: skip


def _use(ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    use_storage_options(parse_storage_options(texts))
    ctx.call_on_close(_tell_unused)


def _tell_unused() -> None:
    """Say so where options were given and there was nothing to open with them."""
    if names := unused_options():
        click.echo(f"{OPTION} {', '.join(names)}: was not used, since nothing here is an address", err=True)


def without_secrets(words: Sequence[str]) -> list[str]:
    """The words of a command line as they may be shown: without the values of `--storage-option`."""
    shown, after = [], False
    for word in words:
        is_joined = word.startswith(f"{OPTION}=")
        if after or is_joined:
            start = OPTION + "=" if is_joined else ""
            shown.append(f"{start}{word.removeprefix(start).partition('=')[0]}={HIDDEN}")
        else:
            shown.append(word)
        after = word == OPTION
    return shown
