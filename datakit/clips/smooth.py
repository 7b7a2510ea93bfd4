"""Motion that continues, as a camera sees it: a scene that is panned over, and objects that go their own ways in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..config import setting
from .cast import STAYS, Actor, Cast
from .colour import GAINS
from .motion import UNION, Drawn, Material
from .paths import drift
from .pieces import pieces_of
from .plan import GROUND, OBJECTS, Candidate, Finish, Layer, Shade
from .scene import blurs, foothold, poses_of

_EDGE = 0.7  # pixels: deviation of the rim's blend
_LOOK = 8  # factor at which colours are looked at
_SLOW = 12.0  # frames between two aims of the exposure
_DARK = 8.0  # grey levels added to means before their ratio is taken
_GREYISH = 6.0  # grey levels between the largest and the least colour, in the mean, of a photo without colours
_GAINS = 0.75, 1.3  # least and largest


@dataclass(frozen=True)
class Smooth(Cast):
    """A short film of a photo: the camera moves within it, its objects move apart from their ground.

    Where an object leaves, the ground is filled. Objects of further photos stand and move in the scene as well. What
    the photo's border cuts stays at the border. Speeds are in sides of the view each frame, so that a longer clip
    shows more motion, not a slower one.

    Attributes:
        harmony: how far a pasted object's colours go to those of the scene; 1 for half the way.
        shutter: largest share of a frame's time that it is exposed.
        drift: largest relative change of exposure within a clip.
        tint: largest relative change of red and of blue within a clip.
        jpeg: share of clips whose frames are JPEGs.
        quality_low, quality_high: least and largest quality of those JPEGs.
        lag: share of clips in which blocks that hardly change stay as they were.
        lag_high: largest mean change of a block, in grey levels, that counts as hardly one.
        least: smallest area of an object in frame 0, as a share of the frame; others get no id.
    """

    kind: ClassVar[str] = "smooth"

    harmony: float = setting(1.0, 0, 1)
    shutter: float = setting(0.6, 0, 1)
    drift: float = setting(0.1, 0, 0.5)
    tint: float = setting(0.03, 0, 0.3)
    jpeg: float = setting(0.7, 0, 1)
    quality_low: int = setting(60, 1, 100)
    quality_high: int = setting(95, 1, 100)
    lag: float = setting(0.3, 0, 1)
    lag_high: float = setting(3.0, 0, 50)
    least: float = setting(0.003, 0, 1)

    def draw(self, rng: np.random.Generator, material: Material) -> Drawn:
        """A film: the ground, and on it everyone by how near they are."""
        own = pieces_of(material.stills[0].labels, material.objects == UNION)
        stage = self.draw_stage(rng, material, own)
        actors = [self.draw_own(rng, stage, piece) for piece in own]
        largest = max(actors, key=lambda actor: actor.piece.pixels, default=None)
        pasted = [self.draw_pasted(rng, stage, material, n, largest) for n in range(1, len(material.stills))]
        actors = sorted([*actors, *filter(None, pasted)], key=lambda actor: actor.depth)

        frames, size = material.frames, material.size
        shades = [material.colour.draw_frame(rng, frame) for frame in range(frames)]
        clip_shades, shutter = material.colour.draw_clip(rng), self.shutter * float(rng.random())
        middle = np.array([size / 2, size / 2])
        seen = [(base[:, :2] @ middle + base[:, 2]).tolist() for base in stage.base]
        blur = blurs(stage.base, seen, shutter)
        moved = tuple(n for actor in actors if not actor.still and actor.story != STAYS for n in actor.piece.objects)
        layers = [Layer(0, poses_of(stage.base, blur, shades), GROUND, moved, None, clip_shades)]
        for actor in actors:
            harmony = self._harmony(material, actor) if actor.still else ()
            if actor.story == STAYS:
                poses, edge = poses_of(stage.base, blur, shades), 0.0
            else:
                own_blur = blurs(actor.matrices, [_chest(actor)] * frames, shutter)
                poses, edge = poses_of(actor.matrices, own_blur, shades, actor.bent), _EDGE
            layers.append(Layer(actor.still, poses, OBJECTS, actor.piece.objects, None, (*harmony, *clip_shades), edge))
        numbers = {
            "stories": [actor.story for actor in actors],
            "stills": [actor.still for actor in actors],
            "shutter": shutter,
            "sides": [view.side for view in stage.views],
        }
        return Drawn(tuple(layers), self._candidates(material, actors), self._finish(rng, frames), numbers)

    def _candidates(self, material: Material, actors: Sequence[Actor]) -> tuple[Candidate, ...]:
        """Objects that are large enough in frame 0 if nothing hides them; the largest are kept first."""
        found = []
        for layer, actor in enumerate(actors, 1):
            pixels = actor.piece.seen(actor.matrices[0], material.size)
            is_one = material.objects == UNION
            for group in [actor.piece.objects] if is_one else [(n,) for n in actor.piece.objects]:
                count = math.fsum(pixels[n] for n in group)
                if count >= self.least * material.size**2:
                    found.append((count, layer, group))
        order = sorted(range(len(found)), key=lambda n: -found[n][0])
        return tuple(Candidate(layer, group, order.index(n)) for n, (_, layer, group) in enumerate(found))

    def _harmony(self, material: Material, actor: Actor) -> tuple[Shade, ...]:
        """A factor of each colour that brings a piece nearer to the scene's mean; grey where the scene is."""
        looked = material.stills[0].image(_LOOK).reshape(-1, 3)
        scene = looked.mean(0, dtype=np.float64)
        small = material.stills[actor.still].image(_LOOK)
        columns, rows = (actor.piece.places / _LOOK).astype(np.intp).T
        own = small[np.minimum(rows, len(small) - 1), np.minimum(columns, small.shape[1] - 1)].mean(0, dtype=np.float64)
        if self.harmony and float(np.ptp(looked, axis=1).mean()) < _GREYISH:
            return (Shade("grey", 1.0),)
        gains = np.clip(1 + self.harmony / 2 * ((scene + _DARK) / (own + _DARK) - 1), *_GAINS)
        return tuple(Shade(kind, round(gain, 4)) for kind, gain in zip(GAINS, gains.tolist(), strict=True))

    def _finish(self, rng: np.random.Generator, frames: int) -> tuple[Finish, ...]:
        """Exposure that drifts, and one codec for the whole clip."""
        is_jpeg, quality, lags, lag = rng.random(4).tolist()
        made = (
            self.quality_low + int(quality * (self.quality_high - self.quality_low + 1)) if is_jpeg < self.jpeg else 0
        )
        limit = lag * self.lag_high if lags < self.lag else 0.0
        amounts = drift(rng, (self.drift, self.tint, self.tint), frames, _SLOW).at(frames, _SLOW / 3)
        return tuple(
            Finish(tuple(map(Shade, GAINS, (1 + light + red, 1 + light, 1 + light + blue))), made, limit)
            for light, red, blue in amounts
        )


def _chest(actor: Actor) -> tuple[float, float]:
    """The point of a piece whose motion is taken for that of all of it."""
    x0, y0, x1, y1 = actor.piece.box
    return (x0 + x1) / 2, (foothold(actor.piece)[1] + (y0 + y1) / 2) / 2
