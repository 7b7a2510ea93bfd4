"""From a plan to pictures: every layer of a frame read once along one map, photo and objects by the same.

What is drawn is left to motions. A frame's ids go by frame 0: an object that is not seen there is ground in all frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Labels
from ..transforms.sampling import Bend as Bending
from ..transforms.sampling import Matrix, SamplingMap, moved, reduced
from ..transforms.tps import Spline
from ..transforms.warp import Points
from .colour import mean_grey, shaded
from .effects import finish_frames, lay, smeared
from .ground import of_objects, without_objects
from .plan import GROUND, OBJECTS, Bend, ClipPlan, Layer, Pose
from .still import FACTORS, Still, at_factor


class ClipObject(NamedTuple):
    """One object of a clip.

    Attributes:
        number: its id in the label maps, from 1.
        photo: key of the photo it is from.
        object_ids: what the source calls it; several where a recipe takes all objects of a photo as one.
    """

    number: int
    photo: str
    object_ids: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """Pictures of a plan.

    Attributes:
        frames: (T, S, S, 3) uint8 RGB.
        labels: (T, S, S) uint8, ids from 1, 0 for ground.
        ignored: (T, S, S) uint8, 1 where a source knows nothing; None where all is known.
        objects: of the ids.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    ignored: NDArray[np.uint8] | None
    objects: tuple[ClipObject, ...]


_FEW = 8  # objects up to which counting each is quicker than a histogram
_OTHER = 255  # in coded masks: an object that is shown and gets no id


def render(plan: ClipPlan, stills: Sequence[Still]) -> Rendered:
    """The pictures of a plan.

    Args:
        plan: as drawn.
        stills: the photos it names, in its order.
    """
    size = plan.frames, plan.size, plan.size
    frames, labels, voids = np.empty((*size, 3), np.uint8), np.zeros(size, np.uint8), None
    if plan.layers[0].part != GROUND:
        frames[:] = _fill_row(plan)
    for number, layer in enumerate(plan.layers):
        still = stills[layer.still]
        coded = _coded(plan, number, still)
        ways = [_way(plan, layer, pose, coded) for pose in layer.poses]
        masks = _lay_labels(labels, layer, ways, coded)
        _lay(frames, plan, layer, ways, still, masks)
        voids = _ignored(voids, layer, ways, still, labels)
    if voids is not None:
        voids &= labels == 0
    finish_frames(frames, plan.finish)
    labels, objects = _with_ids(plan, stills, labels)
    return Rendered(frames, labels, voids, objects)


def _fill_row(plan: ClipPlan) -> NDArray[np.uint8]:
    """(S, 3): a row of the fill; NumPy copies rows many times faster than single pixels."""
    return np.frombuffer(bytes(plan.fill) * plan.size, np.uint8).reshape(plan.size, 3)


def counts_in_first(plan: ClipPlan, stills: Sequence[Still]) -> list[int]:
    """Pixels of each candidate in frame 0."""
    first = np.zeros((1, plan.size, plan.size), np.uint8)
    for number, layer in enumerate(plan.layers):
        coded = _coded(plan, number, stills[layer.still])
        _lay_labels(first, layer, [_way(plan, layer, layer.poses[0], coded)], coded)
    return _pixels(plan, first[0])


def _pixels(plan: ClipPlan, labels: Labels) -> list[int]:
    """Of each candidate in a frame."""
    numbers = range(1, len(plan.candidates) + 1)
    if len(numbers) <= _FEW:
        return [cv2.countNonZero(cv2.inRange(labels, number, number)) for number in numbers]
    counts: list[int] = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel().astype(int).tolist()
    return counts[1 : len(numbers) + 1]


def kept_candidates(plan: ClipPlan, pixels: Sequence[int]) -> list[int]:
    """Numbers, from 0, of those that get an id, in the order of ids.

    Args:
        plan: whose candidates.
        pixels: of each in frame 0.
    """
    seen = [n for n, count in enumerate(pixels) if count >= plan.least_pixels]
    chosen = sorted(seen, key=lambda n: plan.candidates[n].rank)[: plan.most_objects]
    return sorted(chosen)


def _with_ids(
    plan: ClipPlan, stills: Sequence[Still], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], tuple[ClipObject, ...]]:
    """(T, S, S) uint8 label maps of ids instead of candidates, and whose ids they are."""
    kept = kept_candidates(plan, _pixels(plan, labels[0]))
    table = np.zeros(256, np.uint8)
    objects = []
    for number, n in enumerate(kept, 1):
        table[n + 1] = number
        candidate = plan.candidates[n]
        still = stills[plan.layers[candidate.layer].still]
        objects.append(ClipObject(number, still.key, tuple(still.object_ids[each - 1] for each in candidate.objects)))
    named = {(candidate.layer, each) for candidate in plan.candidates for each in candidate.objects}
    shown = {(n, each) for n, layer in enumerate(plan.layers) for each in layer.objects}
    if len(kept) < len(plan.candidates) or shown - named:
        cv2.LUT(labels.reshape(-1, plan.size), table, labels.reshape(-1, plan.size))
    return labels, tuple(objects)


class _Way(NamedTuple):
    """How one layer is read in one frame.

    Attributes:
        pose: as planned.
        factor: at which the photo is read.
        box: x0, y0, x1, y1 of the part of the frame that the maps are of, in which all of the layer lies.
        full: map into the photo at its full size, for masks.
        small: map into the photo at that factor.
    """

    pose: Pose
    factor: int
    box: Box
    full: SamplingMap
    small: SamplingMap


def _way(plan: ClipPlan, layer: Layer, pose: Pose | None, coded: Labels) -> _Way | None:
    """None where nothing of the layer lies in the frame."""
    if pose is None:
        return None
    matrix = pose.as_matrix()
    box = _box(plan, layer, pose, coded)
    if box[0] >= box[2] or box[1] >= box[3]:
        return None
    shrink = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    factor = next((each for each in FACTORS if each <= shrink), 1)
    x0, y0 = _corner(layer)
    full = _map(plan, moved(matrix, x0, y0), pose.bend, box)
    if factor == 1:
        return _Way(pose, 1, box, full, full)
    small = _map(plan, moved(reduced(matrix, factor), x0 // factor, y0 // factor), pose.bend, box)
    return _Way(pose, factor, box, full, small)


def _box(plan: ClipPlan, layer: Layer, pose: Pose, coded: Labels) -> Box:
    """x0, y0, x1, y1 of the part of a frame in which a layer's photo, or its objects and their rims, can lie."""
    if layer.part == GROUND or pose.bend is not None or (pose.blur is not None and layer.part != OBJECTS):
        return 0, 0, plan.size, plan.size
    x, y, width, height = cv2.boundingRect(coded) if layer.part == OBJECTS else (0, 0, *coded.shape[::-1])
    x0, y0 = _corner(layer)
    corners = np.array([[x + x0 + u * width, y + y0 + v * height] for u in (0, 1) for v in (0, 1)]) - 0.5
    matrix = pose.as_matrix()
    points = np.linalg.solve(matrix[:, :2], (corners - matrix[:, 2]).T)
    rim = _rim(layer, pose) + 2  # pixels, and two for rounding
    low, high = np.clip(points.min(1) - rim, 0, plan.size).astype(int), np.clip(points.max(1) + rim, 0, plan.size)
    return int(low[0]), int(low[1]), math.ceil(high[0]), math.ceil(high[1])


def _rim(layer: Layer, pose: Pose) -> int:
    """How many pixels around objects are touched."""
    return math.ceil(3 * layer.edge) + (math.ceil(max(map(abs, pose.blur)) / 2) if pose.blur else 0)


def _corner(layer: Layer) -> tuple[int, int]:
    """x and y of the first pixel of the photo that is shown; a multiple of the largest factor."""
    return (0, 0) if layer.visible is None else (max(round(layer.visible[0]), 0), max(round(layer.visible[1]), 0))


def _map(plan: ClipPlan, matrix: Matrix, bend: Bend | None, box: Box) -> SamplingMap:
    size = plan.size, plan.size
    if bend is None:
        return SamplingMap.linear(matrix, size, box)
    return SamplingMap.bent(matrix, size, _bending(plan, bend), bend.is_cut)


def _bending(plan: ClipPlan, bend: Bend) -> Bending:
    """What x and y of a frame's pixels are read from, in pixels of the frame."""
    spline, side = Spline(bend.end, bend.start, smoothing=False), plan.size
    step = side - 1 if plan.stretch else side

    def read_from(x: Points, y: Points) -> tuple[Points, Points]:
        if plan.stretch:
            u, v = spline(x / step, y / step)
            return u * side, v * side
        u, v = spline((x + 0.5) / side, (y + 0.5) / side)
        return u * side - 0.5, v * side - 0.5

    return read_from


def _part(plane: NDArray[np.uint8], layer: Layer, factor: int = 1) -> NDArray[np.uint8]:
    """What of a photo or mask is shown."""
    if layer.visible is None:
        return plane
    (left, top), (_, _, right, bottom) = _corner(layer), layer.visible
    return plane[
        top // factor : max(round(bottom / factor), top // factor + 1),
        left // factor : max(round(right / factor), left // factor + 1),
    ]


def _coded(plan: ClipPlan, number: int, still: Still) -> Labels:
    """What of a still a layer shows: number of the candidate, `_OTHER` for an object that is none, 0 for ground."""
    layer = plan.layers[number]
    table = np.zeros(256, np.uint8)
    table[list(layer.objects)] = _OTHER
    for n, candidate in enumerate(plan.candidates, 1):
        if candidate.layer == number:
            table[list(candidate.objects)] = n
    return cv2.LUT(np.ascontiguousarray(_part(still.labels, layer)), table)  # type: ignore[return-value]


def _lay_labels(
    labels: NDArray[np.uint8], layer: Layer, ways: Sequence[_Way | None], coded: Labels
) -> list[Labels | None]:
    """Lay a layer's objects on the label maps of all frames; what it shows of objects in each."""
    masks: list[Labels | None] = []
    for frame, way in enumerate(ways):
        if way is None or layer.part == GROUND:
            masks.append(None)
        elif layer.part == OBJECTS:
            mask = way.full.mask(coded)
            x0, y0, x1, y1 = way.box
            cv2.copyTo(mask, mask, labels[frame, y0:y1, x0:x1])
            masks.append(mask)
        else:
            mask = labels[frame]
            mask[:] = 0
            x0, y0, x1, y1 = way.box
            masks.append(way.full.mask(coded, into=mask[y0:y1, x0:x1]))
    return masks


def _lay(
    frames: NDArray[np.uint8],
    plan: ClipPlan,
    layer: Layer,
    ways: Sequence[_Way | None],
    still: Still,
    masks: Sequence[Labels | None],
) -> None:
    """Lay one layer on all frames."""
    factors = [way.factor for way in ways if way]
    if not factors:
        return
    photos = {factor: _source(photo, layer, still, factor) for factor, photo in at_factor(still, factors).items()}
    for frame, (way, mask) in enumerate(zip(ways, masks, strict=True)):
        if way is None:
            continue
        if layer.part == OBJECTS:
            assert mask is not None
            _paste(frames[frame], plan, layer, way, photos[way.factor], mask)
        else:
            _read(plan, layer, way, photos[way.factor], frames[frame])


def _source(photo: Image, layer: Layer, still: Still, factor: int) -> Image:
    if layer.part == GROUND:
        photo = without_objects(photo, still.labels, layer.objects, factor)
    elif layer.edge:
        photo = of_objects(photo, still.labels, layer.objects, factor)
    return shaded(np.ascontiguousarray(_part(photo, layer, factor)), layer.shades)


def _read(plan: ClipPlan, layer: Layer, way: _Way, photo: Image, into: Image) -> None:
    """One layer in one frame, with what lies beyond its photo filled."""
    border = cv2.BORDER_REFLECT_101 if layer.part == GROUND else cv2.BORDER_CONSTANT
    x0, y0, x1, y1 = way.box
    if layer.still and (x0, y0, x1, y1) != (0, 0, plan.size, plan.size):
        into[:] = _fill_row(plan)
    way.small.image(photo, plan.fill, border, into[y0:y1, x0:x1])
    if plan.bend_fill is not None and way.small.hidden is not None:
        into[way.small.hidden] = np.array(plan.bend_fill, np.uint8)
    shaded(into, way.pose.shades, into=into)
    if way.pose.blur:
        into[:] = smeared(into, way.pose.blur)


def _paste(frame: Image, plan: ClipPlan, layer: Layer, way: _Way, photo: Image, mask: Labels) -> None:
    """Lay objects on a frame, hard or with a soft rim; only the part of the frame they lie in is touched."""
    blur, rim = way.pose.blur, _rim(layer, way.pose)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return
    (H, W), (left, top, _, _) = mask.shape, way.box
    x0, y0, x1, y1 = max(x - rim, 0), max(y - rim, 0), min(x + width + rim, W), min(y + height + rim, H)
    image = way.small.part((x0, y0, x1, y1)).image(photo, plan.fill)
    image = shaded(image, way.pose.shades, grey=mean_grey(photo))
    below, shown = frame[top + y0 : top + y1, left + x0 : left + x1], mask[y0:y1, x0:x1]
    if not layer.edge and not blur:
        cv2.copyTo(image, shown, below)
        return
    share = (shown > 0) * np.uint8(255)
    if layer.edge:
        share = cv2.GaussianBlur(share, (0, 0), layer.edge, borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    lay(below, image, share, blur)


def _ignored(
    voids: NDArray[np.uint8] | None, layer: Layer, ways: Sequence[_Way | None], still: Still, labels: NDArray[np.uint8]
) -> NDArray[np.uint8] | None:
    """Where a source knows nothing, of the layers so far."""
    if still.ignored is None or layer.part == OBJECTS:
        return voids
    voids = np.zeros(labels.shape, np.uint8) if voids is None else voids
    own = _part(still.ignored, layer)
    for frame, way in enumerate(ways):
        if way is not None:
            x0, y0, x1, y1 = way.box
            voids[frame, y0:y1, x0:x1] = way.full.mask(own)
    return voids
