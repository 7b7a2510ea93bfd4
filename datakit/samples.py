"""The nouns that travel through the house: Photo, Sample, Scene, Note, Triple.

A reader yields one Scene per photo; a Scene holds one Sample per object and one
Problem per object that gives none; `triples.make_triples` turns a Sample into Triples.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .arrays import Image, Mask
from .errors import Problem
from .images import decode_picture
from .keys import source_of

SHOWN_WIDTH = 1200  # pixels of three pictures side by side


@dataclass(frozen=True)
class Photo:
    """One picture as it is stored; its pixels are decoded when first asked for, which a build never does.

    Attributes:
        encoded: JPEG or PNG bytes which a plain `cv2.imdecode(…, IMREAD_COLOR)` turns into `pixels` (as BGR).
        size: (H, W) in pixels, upright.
        normalised: '' when `encoded` is the source file untouched, else why it was re-encoded
            (`rotated`, `cmyk`, `16-bit`, `alpha`, `format`, `resized`, `augmented` …).
        source_crc32: CRC-32 of the source file's bytes, to notice a changed source later.
        orientation: EXIF orientation of the source file, 1..8, already applied to `pixels`; masks are turned by it.
    """

    encoded: bytes | memoryview
    size: tuple[int, int]
    normalised: str
    source_crc32: int
    orientation: int = 1

    @classmethod
    def decoded(
        cls, pixels: Image, encoded: bytes | memoryview, normalised: str, source_crc32: int, orientation: int = 1
    ) -> Photo:
        """A photo whose pixels, those of `encoded`, are at hand already."""
        photo = cls(encoded, (pixels.shape[0], pixels.shape[1]), normalised, source_crc32, orientation)
        vars(photo)["pixels"] = pixels  # where cached_property keeps them
        return photo

    def __getstate__(self) -> dict[str, Any]:
        """A view into a shard becomes bytes of its own when the photo travels."""
        return {**vars(self), "encoded": bytes(self.encoded)}

    @cached_property
    def pixels(self) -> Image:
        """(H, W, 3) uint8 RGB, upright."""
        return decode_picture(self.encoded)


@dataclass(frozen=True, slots=True)
class Sample:
    """One object of one photo.

    Attributes:
        key: unique in a build; `label/name`, with `#object` where a photo may hold several.
        photo_key: key of the photo, equal for all its objects.
        photo: the picture.
        mask: (H, W) uint8, 0 or 1, not empty, same size as the photo.
        object_id: number of the object in its source (annotation id, palette index); 1 where there is only one.
        source_crc32: CRC-32 of the annotation (mask file's bytes, or canonical JSON of the record).
        ignore: (H, W) uint8, 1 where the annotation is void; None when nothing is.
        view: the drawn first-frame augmentation by name (empty for the photo as it is).
    """

    key: str
    photo_key: str
    photo: Photo
    mask: Mask
    object_id: int
    source_crc32: int
    ignore: Mask | None = None
    view: dict[str, float] = field(default_factory=dict)

    @property
    def image(self) -> Image:
        """(H, W, 3) uint8 RGB."""
        return self.photo.pixels

    @property
    def source(self) -> str:
        """Label of the source, the first part of the key."""
        return source_of(self.key)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read and deserves a word, in the build's table too: a choice made, a part left out.

    Attributes:
        key: sample or photo key.
        reason: what it is, in words that follow a count and group equal causes: `outlines cut off by …`.
        detail: the whole sentence. Paths are relative to the source root.
    """

    key: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One photo with all its objects: what a reader yields.

    Attributes:
        key: photo key, `label/name`.
        samples: one per object, in order of object id.
        problems: one per object that gives no sample.
        notes: what is worth telling beside; they count no item.
    """

    key: str
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of shards.

    Attributes:
        name: in the file.
        dtype: NumPy's code, little-endian; `S` is UTF-8 text as wide as its longest value, `S4` text of 4 bytes.
        meaning: one line for the documentation.
        unit: of the values; '' for text and counts.
        shape: '' for one value in each row, `P` for as many as the longest of the recipes' `parameter_names`, at
            least one; NaN where a row has none.
        attribute: of `Triple` that the values are; '' for a row number, which means something in its file only.
        refers_to: kind of records whose rows the values count, from 0; a signed column may say -1 for none.
    """

    name: str
    dtype: str
    meaning: str
    unit: str = ""
    shape: str = ""
    attribute: str = ""
    refers_to: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return self.dtype.startswith("S")

    @property
    def is_wide(self) -> bool:
        """Whether the width is a matter of the values, so that it differs from shard to shard."""
        return self.dtype == "S" or bool(self.shape)


# A triple's row in shards, declared here alone: type of the table, writing, reading, structure check, merging, the
# comparison of `inspect`, `ShardReader.table` and the preview page go through this list, by name.
TRIPLE_COLUMNS = (
    Column("key", "S", "`SAMPLE@RECIPE/VARIANT`, unique in a build", attribute="key"),
    Column("recipe", "S", "name of the recipe", attribute="recipe"),
    Column("kind", "S4", "`mask` or `box`: what the guide mask looks like", attribute="kind"),
    Column("variant", "<u4", "number of the draw, from 0", attribute="variant"),
    Column("object_id", "<i8", "number of the object in its source", attribute="object_id"),
    Column("image_row", "<u4", "row of the photo", refers_to="images"),
    Column("target_row", "<u4", "row of the sample", refers_to="targets"),
    Column("iou", "<f8", "IoU of the guide mask with the target", "0..1", attribute="iou"),
    Column("area_ratio", "<f8", "area of the guide mask over that of the target", "ratio", attribute="area_ratio"),
    Column("redraws", "<u4", "draws thrown away before this one", attribute="redraws"),
    Column("flags", "S", "remarks of the draw: `low-iou` where no draw reached `min_iou` before dilation, `no-tps`; "
           "`ShardReader` gives it as `draw_flags`, and in `flags` a `low-iou` that goes by `iou`",
           attribute="draw_flags"),
    Column("parameters", "<f8", "drawn numbers, named per recipe in `parameter_names_json`; NaN where a step did not "
           "apply", "px, degrees, ratios", shape="P", attribute="parameters"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideDraw:
    """What is known of a guide mask beside its pixels: how it was drawn, and how far it lies from its target.

    Attributes:
        parameters: (P,) float64, every drawn number in the order of the recipe's `parameter_names`; NaN where a step
            did not apply, and for a view's numbers until they are taken from its sample.
        iou: of the guide mask with its target.
        area_ratio: area of the guide mask over area of its target.
        redraws: draws thrown away before this one.
        draw_flags: '' or comma-separated remarks of the draw, which is what shards store: `low-iou` (no draw reached
            the recipe's `min_iou` before dilation, this is the best), `no-tps` (mask too small or degenerate for the
            spline).
    """

    parameters: NDArray[np.float64]
    iou: float
    area_ratio: float
    redraws: int
    draw_flags: str


DRAW_FIELDS = tuple(each.name for each in fields(GuideDraw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Triple(GuideDraw):
    """One training example: the image, a guide mask, and the mask it should become.

    Attributes:
        parameters, iou, area_ratio, redraws, draw_flags: as in `GuideDraw`.
        key: `<sample key>@<recipe>/<variant>`.
        sample_key: key of the sample it was made from.
        photo: the picture; `image` is its pixels.
        guide: (H, W) uint8, 0 or 1; the guide mask, deformed from the target.
        target: (H, W) uint8, 0 or 1; the undeformed mask.
        ignore: (H, W) uint8, 1 in the ignore region, where neither mask counts; None where there is none.
        recipe: name of the recipe.
        kind: `mask` or `box`: what the guide mask looks like.
        variant: number of the draw, from 0.
        object_id: as in the sample.
        flags: '' or comma-separated remarks, see `flags_of`: those of the draw, but `low-iou` says that `iou` is
            below the recipe's `min_iou`.
        parameter_names: the recipe's names of `parameters`, e.g. `affine.scale`.
    """

    key: str
    sample_key: str
    photo: Photo
    guide: Mask
    target: Mask
    ignore: Mask | None
    recipe: str
    kind: str
    variant: int
    object_id: int
    flags: str
    parameter_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: key, IoU, width x height."""
        H, W = self.target.shape
        return f"Triple({self.key!r}, IoU {self.iou:.2f}, {W}x{H})"

    @property
    def image(self) -> Image:
        """(H, W, 3) uint8 RGB."""
        return self.photo.pixels

    @property
    def deformed(self) -> Mask:
        """The former name of `guide`, for one more version."""
        return self.guide

    @property
    def named_parameters(self) -> dict[str, float]:
        """Every drawn number by its name in the recipe; NaN where a step did not apply."""
        return dict(zip(self.parameter_names, self.parameters.tolist(), strict=True))

    def show(self) -> PillowImage.Image:
        """The photo, then what the guide mask and what the target show of it, side by side: for notebooks.

        Returns:
            An RGB picture of at most `SHOWN_WIDTH` pixels across.
        """
        seen = (np.where(mask[..., None], self.image, self.image // 5) for mask in (self.guide, self.target))
        picture = PillowImage.fromarray(np.hstack([self.image, *seen]))
        picture.thumbnail((SHOWN_WIDTH, SHOWN_WIDTH))
        return picture

    def _repr_png_(self) -> bytes:
        """What a notebook shows of it."""
        file = io.BytesIO()
        self.show().save(file, "png")
        return file.getvalue()


LOW_IOU = "low-iou"


def flags_of(draw_flags: str, iou: float, min_iou: float | None) -> str:
    """The remarks on a triple as people see them, everywhere: `low-iou` goes by the IoU that is stored.

    `min_iou` holds while drawing, after the last warp: coarsening after it (a dilation, a box) is wanted and calls
    for no redraw, but on a tiny object it alone can take the guide mask below the floor. The draw's own `low-iou`
    therefore misses triples that lie below, and names some that dilation lifted above. Shards keep the draw's remark,
    since their bytes are what was published; who reads them goes by `iou`, which is of the very mask that is stored.

    Args:
        draw_flags: '' or comma-separated, as a draw gives them and shards store them.
        iou: of the guide mask with its target, dilation included.
        min_iou: of the recipe; None where it is not known, then the draw's remark stands.

    Returns:
        '' or comma-separated.
    """
    if min_iou is None:
        return draw_flags
    others = [flag for flag in draw_flags.split(",") if flag and flag != LOW_IOU]
    return ",".join([LOW_IOU] * (iou < min_iou) + others)
