"""What a folder gives to read: the shards that a build left in it, or the rows of others that a view names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DatakitError, ShardError
from ..transforms import Recipe
from .manifest import Manifest, MissingShards, ShardEntry, is_view_body, manifest_of, read_body
from .view import View, ViewFolder, folder_behind, read_rows, view_of_body


@dataclass(frozen=True)
class Build:
    """A finished folder of shards.

    Attributes:
        folder: where it lies.
        manifest: of it.
        digest: of the manifest.
    """

    folder: Path
    manifest: Manifest
    digest: str

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """Recipe name -> Recipe, as built.

        Raises:
            ShardError: they cannot be read.
        """
        try:
            return {recipe["name"]: Recipe.from_dict(recipe) for recipe in self.manifest.settings["recipes"]}
        except (DatakitError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ShardError(f"{self.folder}: its recipes cannot be read ({error})") from error


@dataclass(frozen=True, eq=False)
class Portion:
    """A shard, and which of its triples are read.

    Attributes:
        build: that it is of.
        entry: the shard, as the build's manifest lists it.
        rows: (n,) rising rows of its triples; None for all of them.
    """

    build: Build
    entry: ShardEntry
    rows: NDArray[np.int32] | None = None

    @property
    def triples(self) -> int:
        """How many triples are read."""
        return self.entry.triples if self.rows is None else len(self.rows)

    @property
    def path(self) -> Path:
        """Where the shard lies."""
        return self.build.folder / self.entry.file


@dataclass(frozen=True)
class Contents:
    """What a folder gives to read.

    Attributes:
        folder: the folder.
        digest: of its manifest; of a view, of what the view holds.
        builds: behind it, in order; of a folder of shards, itself.
        portions: in order of build and shard.
        view: what makes it a view; None where the shards are its own.
    """

    folder: Path
    digest: str
    builds: tuple[Build, ...]
    portions: tuple[Portion, ...]
    view: View | None = None

    @property
    def triples(self) -> int:
        """How many triples are read."""
        return sum(portion.triples for portion in self.portions)

    def shares(self) -> list[tuple[Path, int, int]]:
        """Of each build its folder, how many of its triples are read, and how many it has."""
        counts = {build.digest: 0 for build in self.builds}
        for portion in self.portions:
            counts[portion.build.digest] += portion.triples
        return [(build.folder, counts[build.digest], build.manifest.triples) for build in self.builds]


def read_contents(folder: Path) -> Contents:
    """What a folder of shards or a view gives to read.

    Raises:
        MissingShards, ShardError: as `manifest.read_manifest`; or a folder behind a view is gone, was built anew, or
            does not hold what the view names.
    """
    body = read_body(folder)
    if not is_view_body(body):
        build = Build(folder, manifest_of(folder, body), body["digest"])
        return Contents(folder, build.digest, (build,), tuple(Portion(build, each) for each in build.manifest.shards))
    view = view_of_body(folder, body)
    found = [(build_behind(folder, view, each), each) for each in view.folders]
    portions = [portion for build, each in found for portion in portions_of(folder, build, each)]
    return Contents(folder, view.content_digest, tuple(build for build, _ in found), tuple(portions), view)


def build_behind(folder: Path, view: View, behind: ViewFolder) -> Build:
    """The build that a view names, as it was when the view was made.

    Raises:
        ShardError: it is not there, cannot be read, or was built anew.
    """
    place = folder_behind(folder, behind.path)
    about = f"{folder}: is a view of {place}"
    was = f"manifest {behind.manifest[:12]}…"
    again = f"make the view again with `{view.command(folder)}`"
    try:
        body = read_body(place)
    except MissingShards:
        raise ShardError(
            f"{about}, and there is no such folder; expected the build with {was} there: put it back (both can be "
            f"moved together), or {again}, with the folder where it lies now"
        ) from None
    except ShardError as error:
        raise ShardError(f"{about}, which is not whole: {error}") from error
    if is_view_body(body):
        raise ShardError(f"{about}, which is a view now, expected the build with {was}; {again}")
    if body["digest"] != behind.manifest:
        raise ShardError(
            f"{about} as it was with {was}, and it has manifest {body['digest'][:12]}… now: it was built anew, so its "
            f"rows are others; {again}, or build the folder as it was"
        )
    return Build(place, manifest_of(place, body), behind.manifest)


def portions_of(folder: Path, build: Build, behind: ViewFolder) -> Iterator[Portion]:
    """The rows of a build that a view names, in order of shard.

    Raises:
        ShardError: it names a shard or a row that the build does not have.
    """
    rest = dict(behind.rows)
    count = 0
    for entry in build.manifest.shards:
        text = rest.pop(entry.file, None)
        if text is None:
            continue
        try:
            rows = read_rows(text, entry.triples)
        except (ValueError, OverflowError) as error:
            raise ShardError(f"{folder}: rows of {build.folder / entry.file} cannot be read: {error}") from error
        count += len(rows)
        yield Portion(build, entry, None if len(rows) == entry.triples else rows)
    if rest or count != behind.triples:
        wrong = (
            f"names {next(iter(rest))}, which is no shard" if rest else f"has {count} triples, not {behind.triples},"
        )
        raise ShardError(f"{folder}: is damaged: it {wrong} of {build.folder}; make the view again")


def differing_recipes(builds: Sequence[Build]) -> dict[str, list[Recipe]]:
    """Recipes that are called the same in several builds and are not the same: name -> each of them once.

    Raises:
        ShardError: recipes of a build cannot be read.
    """
    found: dict[str, list[Recipe]] = {}
    for build in builds:
        for name, recipe in build.recipes.items():
            if recipe not in found.setdefault(name, []):
                found[name].append(recipe)
    return {name: recipes for name, recipes in found.items() if len(recipes) > 1}
