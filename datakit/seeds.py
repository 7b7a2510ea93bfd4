"""One random generator per (root seed, sample key, variant): position, worker and run play no part.

So a triple is the same for one worker or sixteen, and adding or dropping a source
changes no other sample's deformation. By a key's hash, too, photos are held back from training.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from .keys import original_of, without_view


@lru_cache(16)  # one key for all variants
def key_hash(key: str) -> int:
    """Stable unsigned 64-bit hash of a sample key (Python's own `hash` changes from run to run)."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")


def generator(seed: int, key: str, variant: int) -> np.random.Generator:
    """The generator that draws variant number `variant` of sample `key`.

    Only `random()` and `integers()` of it are used, whose streams NumPy keeps stable.

    Source: NumPy manual, "Parallel random number generation", spawn keys.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(key_hash(key), variant))
    return np.random.Generator(np.random.PCG64(sequence))


def is_held_back(photo_key: str, share: float) -> bool:
    """Whether a photo belongs to the share that is validated on and never trained on.

    A photo's first-frame views go where the photo goes; in whichever folder it lies, with whatever other photos. So do
    the altered copies that Roboflow makes of one photo.

    Args:
        photo_key: `label/name`.
        share: of all photos, 0..1.
    """
    return key_hash(original_of(without_view(photo_key))) < share * 2**64
