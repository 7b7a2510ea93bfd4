"""Options that several commands share, and what their words become."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from datakit.formats import MAX_PIXELS

from .place_type import PlaceText, storage_options, takes_addresses

if TYPE_CHECKING:
    from datakit.datasets import ReadOptions, SourceOptions, SourceSpec

    from .listed_sources import Sources
    from .settings import BuildSettings

Command = TypeVar("Command", bound=Callable[..., Any])


def from_config(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Take defaults from a TOML file whose keys are option names; options on the command line win."""
    if path is None:
        return
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from error
    options = [option for option in ctx.command.params if isinstance(option, click.Option) and option.name != "config"]
    known = {name.removeprefix("--"): option for option in options for name in option.opts if name.startswith("--")}
    given = {}
    for key, value in values.items():
        option = known.get(key.replace("_", "-"))
        if option is None:
            raise click.BadParameter(f"{path}: unknown key {key!r}; known: {', '.join(sorted(known))}")
        given[str(option.name)] = [value] if option.multiple and not isinstance(value, list) else value
        _refuse_address(option, value)
    ctx.default_map = {**(ctx.default_map or {}), **given}


def refuse_addresses(command: click.Command, words: list[str]) -> None:
    """Refuse s3://bucket/x and the like wherever a command takes a path alone, before click looks whether it exists.

    Raises:
        UsageError: as said; see `datakit.files.check_local`.
    """
    if not any("://" in word for word in words):
        return
    parser = command.make_parser(click.Context(command, resilient_parsing=True))
    try:
        values, _, _ = parser.parse_args(list(words))
    except click.UsageError:  # which click will say itself
        return
    for parameter in command.params:
        _refuse_address(parameter, values.get(str(parameter.name)))


def _refuse_address(parameter: click.Parameter, value: Any) -> None:
    """Refuse an address among what was given for a parameter that takes none; the Dask scheduler has one, too."""
    from datakit.files import check_local

    if parameter.name in ("scheduler", "storage_option"):
        return
    name = parameter.opts[-1] if isinstance(parameter, click.Option) else str(parameter.name).upper()
    for text in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(text, str) and not takes_addresses(parameter, text):
            check_local(text, name)


def reading_options(command: Command) -> Command:
    """Options that say which triples a source gives; shared by every command that makes them."""
    recipes = [
        click.option("--recipe", "recipe_names", multiple=True, default=["masktrack"], is_eager=True,
                     help="Preset or TOML file; repeat for several (masks and boxes in one build)."),
        set_option("Change a recipe, e.g. tps.shift=0.05 or masktrack-box:box.jitter=0.1.", _recipe_settings),
        click.option("--seed", default=0, help="Root seed of every draw."),
    ]  # fmt: skip
    return with_options(recipes, source_options(command))


def set_option(text: str, describe: Callable[[click.Context], str]) -> Callable[[Command], Command]:
    """`--set KEY=VALUE`, which lists all keys where it is given as `--set help`.

    Args:
        text: what it changes, for the help.
        describe: gives the list, a line for every key.
    """

    def show(ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
        if "help" in texts:
            click.echo(describe(ctx))
            ctx.exit()
        return texts

    return click.option("--set", "set_", multiple=True, metavar="KEY=VALUE", is_eager=True, callback=show,
                        help=f"{text} `--set help` lists all keys.")  # fmt: skip


def _recipe_settings(ctx: click.Context) -> str:
    from datakit.transforms import load_recipe
    from datakit.transforms.presets import describe_settings

    recipes = [load_recipe(name) for name in ctx.params.get("recipe_names") or ["masktrack"]]
    return "\n".join(f"{recipe.name}:\n{describe_settings(recipe)}" for recipe in recipes)


def source_options(command: Command) -> Command:
    """Options that say which photos and masks a source gives; shared by every command that opens sources."""
    reading = [
        click.option("--layouts", is_flag=True, is_eager=True, expose_value=False, callback=_show_layouts,
                     help="Describe the layouts, those of installed packages too, and exit."),
        click.option("--images", type=PlaceText(), multiple=True, metavar="[LABEL=]DIR",
                     help="Image folder of a source that does not lie in its standard place."),
        click.option("--annotated", multiple=True, metavar="[LABEL=]upright|stored",
                     help="Whether outlines were drawn on photos as EXIF turns them or as they are stored, where the "
                     "file does not tell."),
        click.option("--mask-name", multiple=True, metavar="[LABEL=]PATTERN",
                     help="Where the mask of a photo lies, e.g. '{stem}_seg.png' or 'gt/{folder}/{name}.png'; what * "
                     "finds are masks of one object each."),
        click.option("--objects", type=click.Choice(["each", "merged"]), default="each",
                     help="One sample per object, or all objects of a photo as one."),
        click.option("--crowds/--no-crowds", default=False, help="Keep COCO crowd regions."),
        click.option("--min-area", type=click.IntRange(0), default=None,
                     help="Leave out smaller objects (px²).  [default: 400 for instance sets, 0 for others]"),
        click.option("--max-pixels", type=click.IntRange(1), default=MAX_PIXELS,
                     help="Refuse photos of more pixels, judged by their header."),
        click.option("--image-size", type=click.IntRange(16), default=None,
                     help="Longest side of stored images and masks in pixels; default: as they are."),
        click.option("--image-codec", default="source", metavar="source|png|jpeg:Q",
                     help="How images are stored; `source` keeps the file's own bytes where it can."),
        click.option("--limit", type=click.IntRange(1), default=None, help="First N photos of every source only."),
        storage_options,
    ]  # fmt: skip
    return value_options(with_options(reading, command))


def value_options(command: Command) -> Command:
    """Options that say what the values of masks are; shared by every command that reads masks."""
    meaning = [
        click.option("--threshold", type=click.IntRange(0, 254), default=None,
                     help="Grey levels of masks are soft, foreground above this one.  [default: 127, where a mask is "
                     "seen to be soft]"),
        click.option("--ids", is_flag=True, help="Grey levels of masks are object ids, whatever they look like."),
    ]  # fmt: skip
    return with_options(meaning, command)


def device_options(command: Command) -> Command:
    """Options that say where a network runs; shared by every command that runs one."""
    where = [
        click.option("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="Where the network runs."),
        click.option("--precision", type=click.Choice(["auto", "bf16", "fp32"]), default="auto",
                     help="Arithmetic; auto is bf16 where the machine computes in it."),
        click.option("--threads", type=click.IntRange(0), default=0,
                     help="Threads of torch; 0 lets the command choose."),
    ]  # fmt: skip
    return with_options(where, command)


def cache_options(command: Command) -> Command:
    """Options of commands that read photos of shards in a store again and again."""
    kept = [
        click.option("--cache", type=click.Path(path_type=Path, file_okay=False), expose_value=False, is_eager=True,
                     callback=_set_cache, help="Folder that keeps what was read of shards in a store.  [default: "
                     "$DATAKIT_CACHE, or ~/.cache/masktrack-datakit]"),
        click.option("--cache-size", metavar="SIZE", expose_value=False, is_eager=True, callback=_set_cache_size,
                     help="Most it may take, e.g. 200GB.  [default: $DATAKIT_CACHE_SIZE, or 20GB]"),
    ]  # fmt: skip
    return with_options(kept, command)


def _set_cache(_ctx: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    """Say it to this process and all that it starts."""
    if folder is not None:
        os.environ["DATAKIT_CACHE"] = str(folder.expanduser().absolute())


def _set_cache_size(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> None:
    if text is not None:
        os.environ["DATAKIT_CACHE_SIZE"] = str(byte_count(text, "--cache-size"))


def _show_layouts(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from datakit.datasets import LAYOUTS

        texts = (f"{name}\n    {' + '.join(each.tree)}\n    {each.source}" for name, each in LAYOUTS.items())
        click.echo("\n".join(texts))
        ctx.exit()


def with_options(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    """The command with these options, shown in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def settings_from(options: Mapping[str, Any], **cut: Any) -> BuildSettings:
    """BuildSettings from the options of `reading_options`.

    Raises:
        UsageError: a recipe is unknown, two share a name, or an option does not fit.
    """
    from datakit.errors import UsageError
    from datakit.transforms import configure, load_recipe
    from pipelines.settings import BuildSettings

    recipes = configure([load_recipe(name) for name in options["recipe_names"]], options["set_"])
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise UsageError(f"--recipe: two recipes are named {max(names, key=names.count)!r}; give each its own name")
    source = source_options_from(options)
    return BuildSettings(
        recipes, options["seed"], source.read, source.image_size, source.image_codec, limit=source.limit, **cut
    )


def source_options_from(options: Mapping[str, Any]) -> SourceOptions:
    """SourceOptions from the options of `source_options`; picture folders are left to `sources_from`.

    Raises:
        UsageError: an option does not fit.
    """
    from datakit.datasets import ReadOptions, SourceOptions

    read = {name: options[name] for name in ("objects", "crowds", "min_area", "max_pixels")}
    read |= {**values_from(options["threshold"], options["ids"]), "annotated": annotated_from(options["annotated"])}
    read["mask_names"] = mask_names_from(options["mask_name"])
    kept = {name: options[name] for name in ("image_size", "image_codec", "limit")}
    return SourceOptions(ReadOptions(**read), **kept)


def values_from(threshold: int | None, ids: bool) -> dict[str, Any]:
    """Fields of ReadOptions out of --threshold and --ids.

    Raises:
        UsageError: both are given.
    """
    from datakit.datasets import ReadOptions
    from datakit.errors import UsageError

    if ids and threshold is not None:
        raise UsageError("--ids and --threshold: grey levels are either object ids or a soft mask; give one of them")
    if threshold is None:
        return {"values": "ids" if ids else None}
    return {"threshold": threshold, "values": "soft" if threshold == ReadOptions.threshold else None}


def annotated_from(texts: tuple[str, ...]) -> dict[str, str]:
    """Label -> `upright` or `stored`, out of `[LABEL=]upright|stored`; the label of all others is empty.

    Raises:
        UsageError: it is something else.
    """
    from datakit.datasets.sources import derive_label
    from datakit.errors import UsageError

    found = {}
    for text in texts:
        label, _, how = text.rpartition("=")
        if how not in ("upright", "stored"):
            raise UsageError(f"--annotated {text}: expected upright or stored, or LABEL=upright or LABEL=stored")
        found[label and derive_label(label)] = how
    return found


def mask_names_from(texts: tuple[str, ...]) -> dict[str, str]:
    """Label -> pattern of mask names, out of `[LABEL=]PATTERN`; the label of all others is empty.

    Raises:
        UsageError: a pattern is none.
    """
    from datakit.datasets.mask_pattern import MaskPattern
    from datakit.datasets.pairs import MASK_SUFFIXES
    from datakit.datasets.sources import LABEL

    found = {}
    for text in texts:
        label, equals, pattern = text.partition("=")
        if not (equals and LABEL.fullmatch(label)):
            label, pattern = "", text
        MaskPattern.parse(pattern, MASK_SUFFIXES)
        found[label] = pattern
    return found


def sources_from(specs: Sequence[str], images: Sequence[str]) -> tuple[tuple[SourceSpec, ...], dict[str, Path]]:
    """Sources as named on the command line, and label -> picture folder out of `--images [LABEL=]DIR`.

    The label may be left out where there is one source.

    Raises:
        UsageError: one is not of its form, or a layout is unknown.
    """
    from datakit.datasets import parse_source
    from datakit.datasets.sources import derive_label
    from datakit.errors import UsageError
    from datakit.places import place_of

    sources = tuple(parse_source(spec) for spec in specs)
    folders = {}
    for entry in images:
        label, equals, folder = entry.partition("=")
        if not equals or "/" in label:  # an '=' inside a path is no separator
            if len(sources) != 1:
                raise UsageError(f"--images {entry}: expected LABEL=DIR, since there is not one source alone")
            label, folder = sources[0].label, entry
        if not (label and folder):
            raise UsageError(f"--images {entry}: expected LABEL=DIR, or DIR for one source")
        folders[derive_label(label)] = place_of(folder)
    return sources, folders


def listed_sources_from(specs: Sequence[str], options: Mapping[str, Any], read: ReadOptions) -> Sources:
    """Sources as named on the command line and those of its `--listing` files, see `listed_sources.with_listings`.

    Raises:
        UsageError: there is none, or one cannot be used.
    """
    from pipelines.listed_sources import Sources, with_listings

    if not specs and not options["listings"]:
        raise click.UsageError("Missing argument 'SOURCE...': name a source, or a file by --listing.")
    sources, images = sources_from(specs, options["images"])
    if not options["listings"]:
        return Sources(sources, images, read)
    return with_listings(sources, images, read, options["listings"])


def byte_count(text: str | int, option: str = "--shard-bytes") -> int:
    """`64MB`, `1.5GB`, `500kB` or a plain number of bytes."""
    units = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "b": 1}
    lowered = str(text).strip().lower()
    unit = next((unit for unit in units if lowered.endswith(unit)), "")
    try:
        size = int(float(lowered.removesuffix(unit)) * units.get(unit, 1))
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise click.BadParameter(f"{text!r} is not a size; expected e.g. 64MB", param_hint=option)
    return size
