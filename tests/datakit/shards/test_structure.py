"""A shard from a stranger is refused with a reason, before memory is taken for what it claims."""

import re
import resource
import shutil
import tracemalloc

import h5py
import numpy as np
import pytest

from datakit.errors import ShardError
from datakit.headers import image_size
from datakit.shards import Shard
from datakit.shards.sandbox import SandboxedVerifier
from datakit.shards.shard import decode_triple
from datakit.shards.verify import verify_file
from tests.hostile_shards import OPENING, READING, write_shard
from tests.made import made_photo


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A sound shard, to be copied."""
    path = tmp_path_factory.mktemp("sound") / "sound.h5"
    write_shard(path)
    return path


@pytest.fixture(scope="module")
def sandbox():
    """One child for all."""
    with SandboxedVerifier() as child:
        yield child


def trapped(sound, tmp_path, trap):
    path = shutil.copyfile(sound, tmp_path / "trap.h5")
    with h5py.File(path, "r+") as file:
        trap(file)
    return path


@pytest.mark.parametrize("name", OPENING)
def test_a_trap_is_refused_on_opening(sound, tmp_path, name):
    """Every trap ends in a ShardError that names it, with no more memory than the index of a sound shard takes."""
    trap, words = OPENING[name]
    path = trapped(sound, tmp_path, trap)
    tracemalloc.start()
    try:
        with pytest.raises(ShardError, match=words):
            Shard(path)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", READING)
def test_a_trap_is_found_on_reading(sound, tmp_path, sandbox, name):
    """What lies in the records is found by `verify`, in a child."""
    trap, words = READING[name]
    found = verify_file(trapped(sound, tmp_path, trap), sandbox)
    assert re.search(words, found[0].text + found[0].place)
    assert sandbox.deaths == 0


@pytest.mark.parametrize("name", ["a picture of 30 000 x 30 000", "a mask of a trillion pixels"])
def test_a_bomb_is_not_decoded(sound, tmp_path, name):
    """A reader that meets it raises, with the memory of an ordinary triple."""
    shard = Shard(trapped(sound, tmp_path, READING[name][0]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ShardError, match=r"triples\[0\]"):
        decode_triple(shard, 0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_larger_photos_need_a_larger_limit(sound):
    """The limit on pixels is the caller's, as --max-pixels was the builder's."""
    with pytest.raises(ShardError, match="1 to 4799 pixels"):
        Shard(sound, max_pixels=60 * 80 - 1)
    Shard(sound, max_pixels=60 * 80).close()


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"x" * 5000, b"\x89HDF\r\n\x1a\n" + b"\0" * 5000])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    """Empty, cut and foreign files end in a ShardError."""
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(ShardError, match="not a readable shard"):
        Shard(tmp_path / "x.h5")


def test_a_folder_is_no_shard(tmp_path):
    """Nor is anything else that cannot be read as a file."""
    with pytest.raises(ShardError, match="regular file"):
        Shard(tmp_path)


def test_a_sparse_giant_is_refused(sound, tmp_path):
    """A terabyte that costs its maker nothing costs its reader nothing either."""
    path = shutil.copyfile(sound, tmp_path / "sparse.h5")
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ShardError, match="belong to no data set"):
        Shard(path)


def test_the_size_of_a_picture_is_in_its_header():
    """PNG and JPEG; what is neither is refused."""
    import cv2

    pixels = made_photo(0, 31, 45).pixels
    for suffix in (".png", ".jpg"):
        assert image_size(cv2.imencode(suffix, pixels)[1].tobytes()) == (31, 45)
    progressive = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert image_size(progressive) == (31, 45)
    for broken in (b"", b"BM" + b"\0" * 60, progressive[:10], b"\xff\xd8" + b"\xff" * 40, np.zeros(99, "u1").tobytes()):
        with pytest.raises(ValueError, match="neither"):
            image_size(broken)
