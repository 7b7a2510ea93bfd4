"""Image and mask become the four channels the trunks were trained for."""

import numpy as np
import pytest
import torch

from model.inputs import CAFFE_BGR, UNIT_RGB, InputCoding, pack_input

every_coding = pytest.mark.parametrize("coding", [UNIT_RGB, CAFFE_BGR], ids=["unit", "caffe"])


@pytest.fixture
def pair():
    """One pixel of foreground beside one of background."""
    image = np.array([[[255, 127, 0], [10, 20, 30]]], dtype=np.uint8)
    return image, np.array([[1, 0]], dtype=np.uint8)


def test_lite_reads_rgb_of_about_one(pair):
    """(RGB - 127) / 128, and the mask as ±1."""
    packed = pack_input(*pair, UNIT_RGB)
    assert packed.dtype == torch.float32 and packed.shape == (4, 1, 2)
    assert packed[:, 0, 0].tolist() == [1.0, 0.0, -127 / 128, 1.0]
    assert packed[:, 0, 1].tolist() == [-117 / 128, -107 / 128, -97 / 128, -1.0]


def test_vgg_reads_bgr_without_its_mean(pair):
    """BGR minus ImageNet's mean, and the mask as ±100."""
    packed = pack_input(*pair, CAFFE_BGR)
    torch.testing.assert_close(packed[:, 0, 0], torch.tensor([-103.939, 127 - 116.779, 255 - 123.68, 100.0]))
    torch.testing.assert_close(packed[:, 0, 1], torch.tensor([30 - 103.939, 20 - 116.779, 10 - 123.68, -100.0]))


@every_coding
def test_batch_is_its_items(coding):
    """A batch holds what its items hold alone, whatever the memory layout of the arrays."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)[:, ::-1]
    masks = rng.integers(0, 2, (3, 5, 7), dtype=np.uint8)[:, :, ::-1]
    packed = pack_input(images, masks, coding)
    assert packed.shape == (3, 4, 5, 7) and packed.is_contiguous()
    for index in range(3):
        assert torch.equal(packed[index], pack_input(images[index], masks[index], coding))


@every_coding
def test_fill_is_zero_after_normalisation(coding):
    """Pixels of the fill colour differ from zero by at most half a grey level."""
    image = np.full((1, 1, 3), coding.fill, dtype=np.uint8)
    packed = pack_input(image, np.zeros((1, 1), np.uint8), coding)
    assert (packed[:3, 0, 0].abs() * torch.tensor(coding.scale) <= 0.5).all()


def test_fill_is_rgb():
    """The fill colour of a BGR coding is given as RGB."""
    coding = InputCoding((1.0, 2.0, 3.0), (1.0, 1.0, 1.0), "BGR", (0.0, 1.0))
    assert coding.fill == (3, 2, 1)


def test_arrays_are_left_alone(pair):
    """Packing does not write into what it was given."""
    image, mask = pair
    before = image.copy(), mask.copy()
    pack_input(image, mask, CAFFE_BGR)
    assert np.array_equal(image, before[0]) and np.array_equal(mask, before[1])


@pytest.mark.parametrize(
    ("image", "mask", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), "image is .* float32"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "image is"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8), "mask is"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), "mask is"),
        (np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 255, np.uint8), "mask holds 255"),
    ],
)
def test_other_arrays_are_refused(image, mask, words):
    """A mask of 0 and 255, or of another size, never reaches a network."""
    with pytest.raises(ValueError, match=words):
        pack_input(image, mask, UNIT_RGB)
