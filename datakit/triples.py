"""From one sample to its training triples (image, rough mask, target): the heart of the house.

The image is never touched and the target is the mask as annotated; only the mask that goes in is
deformed. What a rough mask looks like is left to `deformations`, where triples go to `shards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .deformations import Recipe, deform
from .deformations.augment import turned_image, turned_mask
from .deformations.figure import Figure
from .images import encode_png
from .samples import Photo, Sample, Triple
from .seeds import generator


def make_triples(sample: Sample, recipe: Recipe, seed: int) -> list[Triple]:
    """The triples of one sample (or one view of it), one for each variant of the recipe.

    They depend on the seed, the sample's key, its mask and the recipe's settings, and on nothing else.

    Args:
        sample: the object.
        recipe: how its rough masks are made.
        seed: root seed of the build.

    Returns:
        `recipe.variants` triples in order.

    Source: arXiv 1612.02646 §3.1: the mask is deformed, image and target are not.
    """
    figure = Figure.of(sample.mask)
    return [_triple(sample, figure, recipe, seed, variant) for variant in range(recipe.variants)]


def _triple(sample: Sample, figure: Figure, recipe: Recipe, seed: int, variant: int) -> Triple:
    rough = deform(figure, recipe, generator(seed, sample.key, variant))
    if recipe.augment and sample.view:
        names = recipe.augment.names
        rough.parameters[: len(names)] = [sample.view[name] for name in names]
    return Triple(
        key=triple_key(sample.key, recipe.name, variant),
        sample_key=sample.key,
        photo=sample.photo,
        deformed=rough.mask,
        target=sample.mask,
        ignore=sample.ignore,
        recipe=recipe.name,
        kind=recipe.kind,
        variant=variant,
        object_id=sample.object_id,
        parameters=rough.parameters,
        iou=rough.iou,
        area_ratio=rough.area_ratio,
        redraws=rough.redraws,
        flags=rough.flags,
    )


def triple_key(sample_key: str, recipe_name: str, variant: int) -> str:
    """`<sample key>@<recipe>/<variant>`, unique in a build."""
    return f"{sample_key}@{recipe_name}/{variant}"


def views(sample: Sample, recipe: Recipe) -> Iterator[Sample]:
    """The sample itself, or, for a recipe with first-frame augmentation, every view of it.

    A view has its own key (`…~r+10f`: 10 degrees, flipped), and its numbers in `view`. A view
    out of which the object was cropped is left out.
    """
    if recipe.augment is None:
        yield sample
        return
    for angle, flip in recipe.augment.looks():
        mask = turned_mask(sample.mask, angle, flip)
        if mask.any():
            suffix = f"~r{angle:+g}{'f' * flip}"
            yield replace(
                sample,
                key=sample.key + suffix,
                photo_key=sample.photo_key + suffix,
                photo=_turned_photo(sample.photo, angle, flip),
                mask=mask,
                ignore=None if sample.ignore is None else turned_mask(sample.ignore, angle, flip),
                view={"angle": float(angle), "flip": float(flip)},
            )


def _turned_photo(photo: Photo, angle: float, flip: bool) -> Photo:
    if not angle and not flip:
        return photo
    pixels = turned_image(photo.pixels, angle, flip)
    return Photo.decoded(pixels, encode_png(pixels), "augmented", photo.source_crc32)


def expand(sample: Sample, recipes: Sequence[Recipe], seed: int) -> Iterator[tuple[Sample, list[Triple]]]:
    """Everything a build makes of one sample: each view with its triples by all recipes that share it.

    Args:
        sample: the object.
        recipes: of different names.
        seed: root seed of the build.
    """
    for augment in dict.fromkeys(recipe.augment for recipe in recipes):
        sharing = [recipe for recipe in recipes if recipe.augment == augment]
        for view in views(sample, sharing[0]):
            yield view, [triple for recipe in sharing for triple in make_triples(view, recipe, seed)]
