"""The sets of the validation: what each shows of a video, written once as a tree that the commands take."""

import cv2
import numpy as np
import pytest

from benchmarks.validation_sets import ANNOTATIONS, PHOTOS, moved, video_tree
from datakit.errors import UsageError
from datakit.video.labels import list_frames, open_labels, read_labels
from tests.drawing import mask, picture, write_picture

FRAMES = 7


@pytest.fixture
def davis(tmp_path):
    """Two sequences, numbered from 00003, a frame without annotation at the end."""
    for name in ("cow", "dog"):
        for number in range(FRAMES):
            write_picture(tmp_path / "davis" / ANNOTATIONS / name / f"{number + 3:05d}.png", mask(number) * 255)
        for number in range(FRAMES + 1):
            write_picture(tmp_path / "davis" / PHOTOS / name / f"{number + 3:05d}.jpg", picture(number))
    return tmp_path / "davis"


def shown(tree, name="cow"):
    """0/1 masks of a sequence, in order."""
    files = open_labels(tree.root).sequences[name].values()
    return [read_labels(file, str(file)).labels for file in files]


def numbers(masks):
    """Which of the source's masks these are."""
    return [next(n for n in range(FRAMES) if np.array_equal(mask(n), each)) for each in masks]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("forwards", [0, 1, 2, 3, 4, 5, 6]), ("backwards", [6, 5, 4, 3, 2, 1, 0]), ("third", [0, 3, 6])],
)
def test_a_set_shows_these_frames_in_this_order(davis, tmp_path, name, expected):
    """Annotations and photos alike, numbered from 00000; what is not annotated is left out."""
    tree = video_tree(davis, name, None, tmp_path)
    assert numbers(shown(tree)) == expected
    photos = list_frames(tree.root / PHOTOS / "cow")
    assert list(photos) == [f"{n:05d}" for n in range(len(expected))]
    for number, file in zip(expected, photos.values(), strict=True):
        assert file.read_bytes() == (davis / PHOTOS / "cow" / f"{number + 3:05d}.jpg").read_bytes()


def test_mirrored_turns_photo_and_annotation(davis, tmp_path):
    """A mask again mirrored is that of the source, and the bright object still lies on it."""
    tree = video_tree(davis, "mirrored", ["cow"], tmp_path)
    assert numbers([each[:, ::-1] for each in shown(tree)]) == list(range(FRAMES))
    photo = cv2.imread(str(next(iter(list_frames(tree.root / PHOTOS / "cow").values()))))
    assert (photo[..., 2] > 180)[cv2.erode(mask(0)[:, ::-1], np.ones((5, 5))) > 0].all()


def test_half_halves_photo_and_annotation(davis, tmp_path):
    """Sides of 48 and 64 become 24 and 32."""
    tree = video_tree(davis, "half", ["cow"], tmp_path)
    photo = cv2.imread(str(next(iter(list_frames(tree.root / PHOTOS / "cow").values()))))
    assert photo.shape[:2] == shown(tree)[0].shape == (24, 32)
    assert np.array_equal(shown(tree)[0], mask(0)[::2, ::2])


def test_a_tree_shifted_is_one_pixel_to_the_right(davis, tmp_path):
    """The first harmless change; the border is repeated."""
    tree = video_tree(davis, "forwards", ["cow"], tmp_path)
    shifted = tree.shifted(1)
    assert shifted.root != tree.root
    assert np.array_equal(shown(shifted)[0][:, 1:], mask(0)[:, :-1])


def test_moving_repeats_the_border():
    """Down by one: the first row is there twice, the last has gone."""
    ids = np.arange(6, dtype=np.uint8).reshape(3, 2)
    image, labels = moved(np.repeat(ids[..., None], 3, axis=2), ids, 0, 1)
    assert labels.tolist() == [[0, 1], [0, 1], [2, 3]]
    assert np.array_equal(image[..., 0], labels)


def test_what_is_written_is_kept_and_what_is_missing_is_added(davis, tmp_path):
    """A second call with more sequences writes those alone."""
    first = video_tree(davis, "half", ["cow"], tmp_path)
    made = (first.root / ANNOTATIONS / "cow").stat().st_ino
    second = video_tree(davis, "half", None, tmp_path)
    assert (second.root / ANNOTATIONS / "cow").stat().st_ino == made
    assert sorted(open_labels(second.root).sequences) == ["cow", "dog"]


def test_photos_of_a_write_that_was_killed_are_replaced(davis, tmp_path):
    """Annotations come last; photos without them are of no use."""
    tree = video_tree(davis, "third", ["cow"], tmp_path)
    (tree.root / ANNOTATIONS / "cow").rename(tmp_path / "lost")
    (tree.root / PHOTOS / "cow" / "00009.jpg").write_bytes(b"")
    video_tree(davis, "third", ["cow"], tmp_path)
    assert len(list_frames(tree.root / PHOTOS / "cow")) == len(shown(tree)) == 3


def test_an_unknown_sequence_is_named(davis, tmp_path):
    """With those that there are."""
    with pytest.raises(UsageError, match=r"cat: not in .*, which holds cow, dog"):
        video_tree(davis, "forwards", ["cat"], tmp_path)
