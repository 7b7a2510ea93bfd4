"""The clips of the validation: short `smooth` films of photos that were held back from training, their truth exact.

As many with 1, 2, 3 and 4 objects; objects leave and return, pass each other, and are hidden by those in front. What
is drawn depends on the shards, the seed and the recipe alone, and the first clips of a larger set are those of a
smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from datakit.clips import ClipMaker, ClipRecipe, ShardStills, configure_clip_recipe, load_clip_recipe
from datakit.clips.still import Stills
from datakit.errors import UsageError
from datakit.files import digest_json
from datakit.seeds import is_held_back

from .validation_sets import ANNOTATIONS, QUALITY, Tree, encoded, write_sequence

CLIPS = 100
COUNTS = (1, 2, 3, 4)  # objects of a clip
HELD_BACK = 0.1  # of the photos, as `datakit train` holds back
SEED = 19
PASSES = 40  # over the photos, before a number of objects is given up
SETTINGS = (
    "frames=24", "size=384", "more_stills_high=3",
    "motion.leave=0.6", "motion.cross=0.6",  # the recipe's are 0.25 and 0.4: objects that return are what is asked
)  # fmt: skip


def clip_recipe() -> ClipRecipe:
    """`smooth`, longer, with more that leaves, returns and passes."""
    return configure_clip_recipe(load_clip_recipe("smooth"), SETTINGS)


def held_back_stills(shards: Sequence[Path]) -> ShardStills:
    """The photos that a training on these shards has not seen.

    Raises:
        ShardError: no finished folder of shards, or a damaged one.
        UsageError: no photo is held back.
    """
    return ShardStills([str(each) for each in shards], chosen=lambda key: is_held_back(key, HELD_BACK))


def clip_tree(shards: Sequence[Path], clips: int, folder: Path) -> Tree:
    """The clips as a tree of videos: `N-KK` is clip KK with N objects.

    Args:
        shards: folders that `datakit build-shards` finished, with the labels that training gave their sources.
        clips: how many, a multiple of 4.
        folder: gets a folder for this tree.

    Raises:
        ShardError, UsageError: as `held_back_stills`; or the photos do not give that many objects.
    """
    stills, recipe = held_back_stills(shards), clip_recipe()
    digests = [str(reader.contents.digest) for reader in stills.readers]
    identity = digest_json([digests, recipe.to_dict(), HELD_BACK, SEED, QUALITY, np.__version__])
    maker, root = ClipMaker(stills, recipe, SEED), folder / f"clips-{identity[:8]}"
    each = max(1, clips // len(COUNTS))
    names = tuple(f"{count}-{number:02d}" for count in COUNTS for number in range(each))
    if not all((root / ANNOTATIONS / name).is_dir() for name in names):
        for name, position, repeat in drawn(maker, each):
            if not (root / ANNOTATIONS / name).is_dir():
                clip = maker.clip(position, repeat=repeat)
                write_sequence(root, name, (encoded(*pair) for pair in zip(clip.frames, clip.labels, strict=True)))
    return Tree("clips", root, names, "davis2017", identity)


def drawn(maker: ClipMaker, each: int) -> Iterator[tuple[str, int, int]]:
    """Name, position of the first photo, and repeat of the clips, `each` of every number of objects.

    The photos come in a fixed random order, over and over. Passed over are draws with another number of objects, with
    too many of that number already, with an object that frame 0 hardly shows, and with regions nobody knows.

    Raises:
        UsageError: `PASSES` over the photos were not enough.
    """
    order = np.random.default_rng(maker.seed).permutation(len(maker)).tolist()
    found = dict.fromkeys(COUNTS, 0)
    for repeat in range(PASSES):
        for position in order:
            plan = maker.plan(position, repeat=repeat)
            count = len(plan.candidates)
            if found.get(count, each) < each and plan.redraws < maker.recipe.max_redraws:
                if not is_known(maker.stills, plan.stills):
                    continue
                yield f"{count}-{found[count]:02d}", position, repeat
                found[count] += 1
                if min(found.values()) == each:
                    return
    missing = ", ".join(f"{number} of {each} clips with {count}" for count, number in found.items() if number < each)
    raise UsageError(
        f"clips of {len(maker)} photos held back: only {missing} objects; give more shards, or fewer clips"
    )


def is_known(stills: Stills, keys: Sequence[str]) -> bool:
    """Whether every pixel of some photos is known to be an object's or ground."""
    return all(stills.find(key).ignored is None for key in keys)
