"""Reading a memory by likeness."""

import pytest
import torch

from model.memory import Memory, MemoryReader


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return MemoryReader(8, key=8, value=4).eval()


def frame(seed, size=4):
    """A feature (1, 8, s, s), and a mask (1, 1, 4 s, 4 s) of its left half."""
    feature = torch.randn(1, 8, size, size, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(1, 1, 4 * size, 4 * size)
    mask[..., : 2 * size] = 1
    return feature, mask


def read(reader, feature, memory):
    with torch.no_grad():
        return reader.read(feature, memory)


def test_a_frame_is_most_like_itself(reader):
    """The nearest place of the object, or of the ground, is the place itself."""
    feature, mask = frame(1)
    found = read(reader, feature, reader.write(feature, mask))
    to_object, to_ground = found[0, -2], found[0, -1]
    assert to_object[:, :2].min() == pytest.approx(1, abs=1e-5) and to_object[:, 2:].max() < 0.999
    assert to_ground[:, 2:].min() == pytest.approx(1, abs=1e-5) and to_ground[:, :2].max() < 0.999


def test_a_sharp_reading_gives_the_mask_back(reader):
    """Which share of what is alike is object."""
    feature, mask = frame(1)
    memory = reader.write(feature, mask)
    with torch.no_grad():
        reader.sharpness.fill_(6.0)
        share = read(reader, feature, memory)[0, -3]
        reader.sharpness.fill_(torch.tensor(16.0).log())
    assert share[:, :2].min() > 0.99 and share[:, 2:].max() < 0.01


def test_places_that_move_are_found_where_they_are(reader):
    """Reading asks what a place looks like, not where it is."""
    feature, mask = frame(1)
    memory = reader.write(feature, mask)
    found, moved = read(reader, feature, memory), read(reader, feature.roll(1, -1), memory)
    torch.testing.assert_close(moved, found.roll(1, -1))


def test_a_place_in_part_object_remembers_its_share(reader):
    feature, _ = frame(1, size=1)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0] = 1
    assert reader.write(feature, mask).share.item() == pytest.approx(0.25)


def test_frames_remembered_together_are_read_together(reader):
    """As if they were one larger frame."""
    parts = [reader.write(*frame(seed)) for seed in (1, 2)]
    both = Memory.joined(parts)
    assert both.share.shape == (1, 32)
    found = read(reader, frame(2)[0], both)
    assert found[0, -2:].amax(0).min() == pytest.approx(1, abs=1e-5)


def test_objects_of_unequal_memory_do_not_touch_each_other(reader):
    """What one lacks is never read: the same as each by itself."""
    short = reader.write(*frame(1))
    long = Memory.joined([reader.write(*frame(seed)) for seed in (2, 3, 4)])
    feature = frame(5)[0]
    together = read(reader, feature.repeat(2, 1, 1, 1), Memory.stacked([short, long]))
    for n, alone in enumerate((short, long)):
        torch.testing.assert_close(together[n : n + 1], read(reader, feature, alone))


def test_an_object_that_was_nowhere_is_like_nothing(reader):
    """A memory without a place of the object: its likeness is the least there is."""
    feature, mask = frame(1)
    found = read(reader, feature, reader.write(feature, torch.zeros_like(mask)))
    assert (found[0, -2] == -1).all() and (found[0, -3].abs() < 1e-6).all()
