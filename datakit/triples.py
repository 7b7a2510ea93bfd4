"""From one sample to its training triples (image, guide mask, target): the heart of the house.

The image is never touched and the target is the mask as annotated; only the mask that goes in is
deformed. What a guide mask looks like is left to `transforms`, where triples go to `shards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .images import encode_png
from .keys import triple_key, view_key
from .samples import DRAW_FIELDS, Photo, Sample, Triple, flags_of
from .seeds import generator
from .transforms import Recipe, deform_all
from .transforms.apply import DrawnGuide
from .transforms.object_crop import ObjectCrop
from .transforms.rotate_flip import turned_image, turned_mask


@dataclass(frozen=True)
class RecipeJob:
    """A sample, or a view of it, and the recipes that make triples of it."""

    sample: Sample
    recipes: tuple[Recipe, ...]


def make_triples(sample: Sample, recipe: Recipe, seed: int) -> list[Triple]:
    """The triples of one sample (or one view of it), one for each variant of the recipe.

    They depend on the seed, the sample's key, its mask and the recipe's settings, and on nothing else.

    Args:
        sample: the object.
        recipe: how its guide masks are made.
        seed: root seed of the build.

    Returns:
        `recipe.variants` triples in order.

    Source: arXiv 1612.02646 §3.1: the mask is deformed, image and target are not.
    """
    return make_all([RecipeJob(sample, (recipe,))], seed)[0]


def make_triple(sample: Sample, recipe: Recipe, variant: int, seed: int) -> Triple:
    """One of the triples that `make_triples` makes, without the others.

    Args:
        sample: the object, or one view of it.
        recipe: how its guide masks are made.
        variant: which; from 0.
        seed: root seed of the build.

    Raises:
        ValueError: the recipe has no such variant.
    """
    if not 0 <= variant < recipe.variants:
        raise ValueError(f"make_triple: variant {variant}, recipe {recipe.name} has 0 to {recipe.variants - 1}")
    (guide,) = deform_all([ObjectCrop.of(sample.mask)], recipe, [generator(seed, sample.key, variant)])
    return _triple(sample, recipe, variant, guide)


def make_all(jobs: Sequence[RecipeJob], seed: int) -> list[list[Triple]]:
    """The triples of many samples or views at once, the same that `make_triples` makes of each.

    Args:
        jobs: in any order; the memory of all their masks is held at once.
        seed: root seed of the build.

    Returns:
        Of each job the triples by all its recipes, in order.
    """
    figures = [ObjectCrop.of(job.sample.mask) for job in jobs]
    made: list[list[Triple]] = [[] for _ in jobs]
    for recipe in dict.fromkeys(recipe for job in jobs for recipe in job.recipes):
        drawn = [
            (n, variant) for n, job in enumerate(jobs) if recipe in job.recipes for variant in range(recipe.variants)
        ]
        rngs = [generator(seed, jobs[n].sample.key, variant) for n, variant in drawn]
        for (n, variant), guide in zip(drawn, deform_all([figures[n] for n, _ in drawn], recipe, rngs), strict=True):
            made[n].append(_triple(jobs[n].sample, recipe, variant, guide))
    return made


def _triple(sample: Sample, recipe: Recipe, variant: int, guide: DrawnGuide) -> Triple:
    if recipe.augment and sample.view:
        names = recipe.augment.parameter_names
        guide.parameters[: len(names)] = [sample.view[name] for name in names]
    return Triple(
        key=triple_key(sample.key, recipe.name, variant),
        sample_key=sample.key,
        photo=sample.photo,
        guide=guide.mask,
        target=sample.mask,
        ignore=sample.ignore,
        recipe=recipe.name,
        kind=recipe.kind,
        variant=variant,
        object_id=sample.object_id,
        **{name: getattr(guide, name) for name in DRAW_FIELDS},
        flags=flags_of(guide.draw_flags, guide.iou, recipe.min_iou),
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
    for job in view_jobs(sample, recipes):
        yield job.sample, make_all([job], seed)[0]


def view_jobs(sample: Sample, recipes: Sequence[Recipe]) -> Iterator[RecipeJob]:
    """Every view of a sample that a build makes triples of."""
    for augment in dict.fromkeys(recipe.augment for recipe in recipes):
        sharing = tuple(recipe for recipe in recipes if recipe.augment == augment)
        for view in views(sample, sharing[0]):
            yield RecipeJob(view, sharing)
