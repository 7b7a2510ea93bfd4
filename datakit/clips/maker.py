"""Clips drawn and made: which pictures go into one, draws that are thrown away, guide masks, and clips made again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..seeds import generator
from .motion import Material
from .plan import ClipPlan
from .recipe import ClipRecipe
from .render import ClipObject, Rendered, counts_in_first, kept_candidates, render
from .rough import Rough
from .still import Still, Stills

_BLOCK = 31 << 20  # bytes; glibc learns from blocks of up to 32 MiB


@dataclass(frozen=True)
class Clip:
    """A short video made of stills.

    Attributes:
        key: of the photo it begins with, and the recipe.
        frames: (T, S, S, 3) uint8 RGB.
        labels: (T, S, S) uint8: ids from 1 without gaps, by frame 0; 0 for ground.
        objects: of the ids.
        ignored: (T, S, S) uint8, 1 where a source knows nothing; None where all is known.
        guides: (T, K, S, S) uint8 0/1, a rough mask of each object; None where the recipe makes none.
        plan: every drawn number: `ClipMaker.replay` makes the same clip of it again.
    """

    key: str
    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    objects: tuple[ClipObject, ...]
    ignored: NDArray[np.uint8] | None
    guides: NDArray[np.uint8] | None
    plan: ClipPlan

    def __repr__(self) -> str:
        """One line: key, frames, size, objects."""
        return f"Clip({self.key!r}, {len(self.frames)} frames of {self.plan.size} px, {len(self.objects)} objects)"


class ClipMaker:
    """Clips of some pictures by one recipe; a clip is a function of (seed, epoch, key, repeat) and the pictures.

    Args:
        stills: the pictures.
        recipe: what is made of them.
        seed: root of all chance.
    """

    def __init__(self, stills: Stills, recipe: ClipRecipe, seed: int = 0):
        if not isinstance(stills, Stills) or not isinstance(recipe, ClipRecipe):
            raise UsageError(f"ClipMaker({type(stills).__name__}, {type(recipe).__name__}): expected Stills, such as "
                             "ShardStills(FOLDER), and a ClipRecipe, such as load_clip_recipe(NAME)")  # fmt: skip
        if not isinstance(seed, int) or seed < 0:
            raise UsageError(f"seed {seed!r}: expected a whole number from 0 on")
        self.stills, self.recipe, self.seed = stills, recipe.checked(), seed

    def __len__(self) -> int:
        return len(self.stills)

    def clip(self, position: int, epoch: int = 0, repeat: int = 0, frames: Sequence[int] | None = None) -> Clip:
        """The clip that begins with one picture.

        Args:
            position: of the picture.
            epoch: pass over the data.
            repeat: how often the picture came before in this epoch.
            frames: numbers of the frames that are made, the first of them 0; None for all. Most of a clip's time is
                that of its frames.

        Raises:
            ShardError: a picture is damaged.
        """
        _keep_freed_memory()
        plan, stills = self._drawn(position, epoch, repeat)
        if frames is not None:
            plan = plan.picked(frames)
        made = render(plan, stills)
        guides = None
        if self.recipe.rough is not None:
            rng = self._generator("guide", plan.stills[0], epoch, repeat)
            guides, numbers = _rough(made, self.recipe.rough, rng)
            plan = replace(plan, guides=numbers)
        return self._clip(plan, made, guides)

    def prefetch(self, draws: Iterable[tuple[int, int, int]]) -> None:
        """Read the pictures of clips that are wanted soon, all at once, where they lie in a store.

        Args:
            draws: position, epoch and repeat of each, as for `clip`.

        Raises:
            ShardError, OSError: as making the clips would.
        """
        self.stills.prefetch([n for position, epoch, repeat in draws
                              for n in self._positions(self._start(position, epoch, repeat), position)])  # fmt: skip

    def plan(self, position: int, epoch: int = 0, repeat: int = 0) -> ClipPlan:
        """What would be drawn for `clip`, without its guide masks and pictures."""
        return self._drawn(position, epoch, repeat)[0]

    def replay(self, plan: ClipPlan) -> Clip:
        """The clip of a plan, equal in every byte.

        Raises:
            UsageError: a picture it names is not here, or it is of a recipe that made guide masks by other rules.
        """
        made = render(plan, [self.stills.find(key) for key in plan.stills])
        guides = None
        if plan.guides and self.recipe.rough is not None:
            guides = _replayed(made, self.recipe.rough, plan.guides)
        return self._clip(plan, made, guides)

    def _clip(self, plan: ClipPlan, made: Rendered, guides: NDArray[np.uint8] | None) -> Clip:
        key = f"{plan.stills[0]}@{plan.recipe}"
        return Clip(key, made.frames, made.labels, made.objects, made.ignored, guides, plan)

    def _generator(self, what: str, key: str, epoch: int, repeat: int) -> np.random.Generator:
        return generator(self.seed, f"{key}@{self.recipe.name} {what} {epoch}", repeat)

    def _start(self, position: int, epoch: int, repeat: int) -> np.random.Generator:
        return self._generator("clip", self.stills.keys[position], epoch, repeat)

    def _drawn(self, position: int, epoch: int, repeat: int) -> tuple[ClipPlan, list[Still]]:
        """The first draw that the recipe lets pass, or the last there may be."""
        recipe = self.recipe
        rng = self._start(position, epoch, repeat)
        redraws = 0
        while True:
            positions = self._positions(rng, position)
            self.stills.prefetch(positions)
            stills = [self.stills[n] for n in positions]
            plan = replace(self._plan(rng, stills), redraws=redraws)
            if recipe.redraw == "never" or redraws == recipe.max_redraws or self._passes(plan, stills):
                return plan, stills
            redraws += 1

    def _positions(self, rng: np.random.Generator, first: int) -> list[int]:
        """The picture itself, and others, none of them twice as far as there are enough."""
        low, high = self.recipe.more_stills_low, self.recipe.more_stills_high
        count = low + int(float(rng.random()) * (high - low + 1))
        chosen = [first]
        for _ in range(count):
            free = len(self.stills) - len(chosen)
            at = int(float(rng.random()) * max(free, 1))
            for taken in sorted(chosen):
                at += at >= taken
            chosen.append(at if free > 0 else first)
        return chosen

    def _plan(self, rng: np.random.Generator, stills: Sequence[Still]) -> ClipPlan:
        recipe = self.recipe
        material = Material(stills, recipe.frames, recipe.size, recipe.colour, recipe.objects)
        drawn = recipe.motion.draw(rng, material)
        return ClipPlan(
            recipe=recipe.name,
            size=recipe.size,
            fill=recipe.fill,
            stills=tuple(still.key for still in stills),
            layers=drawn.layers,
            candidates=drawn.candidates,
            least_pixels=recipe.least_pixels,
            most_objects=recipe.most_objects,
            finish=drawn.finish,
            bend_fill=(0, 0, 0) if recipe.faithful else None,
            stretch=recipe.faithful,
            drawn=drawn.numbers,
        )

    def _passes(self, plan: ClipPlan, stills: Sequence[Still]) -> bool:
        pixels = counts_in_first(plan, stills)
        if self.recipe.redraw == "lost":
            return bool(pixels) and min(pixels) >= plan.least_pixels
        return bool(kept_candidates(plan, pixels))


@cache
def _keep_freed_memory() -> None:
    """Once a process: let the C library keep what a clip frees for the next one.

    glibc gives freed memory back to the system beyond twice the largest block that it has seen freed; the frames of
    every clip would then be 1 700 page faults, a quarter of its time. A block that is never touched costs nothing.
    """
    np.empty(_BLOCK, np.uint8)


def _rough(
    made: Rendered, rule: Rough, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[tuple[tuple[float, ...], ...], ...]]:
    """A guide mask of each object in each frame, and its numbers; the true mask where the rule does not apply."""
    guides = _true_masks(made)
    numbers = []
    for frame in range(len(guides)):
        drawn = []
        for n, target in enumerate(guides[frame]):
            more: tuple[float, ...] = ()
            if rule.applies(frame) and target.any():
                guides[frame, n], more = rule.draw(target, rng)
            drawn.append(more)
        numbers.append(tuple(drawn))
    return guides, tuple(numbers)


def _replayed(made: Rendered, rule: Rough, numbers: Sequence[Sequence[Sequence[float]]]) -> NDArray[np.uint8]:
    guides = _true_masks(made)
    for frame, drawn in enumerate(numbers):
        for n, each in enumerate(drawn):
            if each:
                guides[frame, n] = rule.replay(guides[frame, n].copy(), each)
    return guides


def _true_masks(made: Rendered) -> NDArray[np.uint8]:
    """(T, K, S, S) uint8 0/1."""
    numbers = np.array([each.number for each in made.objects], np.uint8)
    masks: NDArray[np.uint8] = (made.labels[:, None] == numbers[None, :, None, None]).view(np.uint8)
    return masks
