"""From one sample to its training triples (image, rough mask, target): the heart of the house.

The image is never touched and the target is the mask as annotated; only the mask that goes in is
deformed. What a rough mask looks like is left to `deformations`, where triples go to `shards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .images import encode_png
from .keys import triple_key, view_key
from .samples import Photo, Sample, Triple, flags_of
from .seeds import generator
from .transforms import Recipe, deform_all
from .transforms.apply import DrawnGuide
from .transforms.object_crop import ObjectCrop
from .transforms.rotate_flip import turned_image, turned_mask


@dataclass(frozen=True)
class Look:
    """A sample, or a view of it, and the recipes that make triples of it."""

    sample: Sample
    recipes: tuple[Recipe, ...]

    @property
    def pixels(self) -> int:
        """Of all its triples' masks."""
        return self.sample.mask.size * sum(recipe.variants for recipe in self.recipes)


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
    return make_all([Look(sample, (recipe,))], seed)[0]


def make_all(looks: Sequence[Look], seed: int) -> list[list[Triple]]:
    """The triples of many samples or views at once, the same that `make_triples` makes of each.

    Args:
        looks: in any order; the memory of all their masks is held at once.
        seed: root seed of the build.

    Returns:
        Of each look the triples by all its recipes, in order.
    """
    figures = [ObjectCrop.of(look.sample.mask) for look in looks]
    made: list[list[Triple]] = [[] for _ in looks]
    for recipe in dict.fromkeys(recipe for look in looks for recipe in look.recipes):
        drawn = [
            (n, variant) for n, look in enumerate(looks) if recipe in look.recipes for variant in range(recipe.variants)
        ]
        rngs = [generator(seed, looks[n].sample.key, variant) for n, variant in drawn]
        for (n, variant), rough in zip(drawn, deform_all([figures[n] for n, _ in drawn], recipe, rngs), strict=True):
            made[n].append(_triple(looks[n].sample, recipe, variant, rough))
    return made


def _triple(sample: Sample, recipe: Recipe, variant: int, rough: DrawnGuide) -> Triple:
    if recipe.augment and sample.view:
        names = recipe.augment.parameter_names
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
        flags=flags_of(rough.flags, rough.iou, recipe.min_iou),
        draw_flags=rough.flags,
        parameter_names=recipe.parameter_names,
    )


def views(sample: Sample, recipe: Recipe) -> Iterator[Sample]:
    """The sample itself, or, for a recipe with first-frame augmentation, every view of it.

    A view has its own key (`…~r+10f`: 10 degrees, flipped), and its numbers in `view`. A view
    out of which the object was cropped is left out.
    """
    if recipe.augment is None:
        yield sample
        return
    for angle, flip in recipe.augment.turns():
        mask = turned_mask(sample.mask, angle, flip)
        if mask.any():
            yield replace(
                sample,
                key=view_key(sample.key, angle, flip),
                photo_key=view_key(sample.photo_key, angle, flip),
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
    for look in looks(sample, recipes):
        yield look.sample, make_all([look], seed)[0]


def looks(sample: Sample, recipes: Sequence[Recipe]) -> Iterator[Look]:
    """Every view of a sample that a build makes triples of."""
    for augment in dict.fromkeys(recipe.augment for recipe in recipes):
        sharing = tuple(recipe for recipe in recipes if recipe.augment == augment)
        for view in views(sample, sharing[0]):
            yield Look(view, sharing)
