"""Colours of object ids: DAVIS's in files, and others on a screen, where they must be told apart."""

import numpy as np

from datakit.video.palette import bright_colours, palette


def test_ids_have_the_colours_of_voc():
    """As every reader of DAVIS expects."""
    assert palette()[:12] == (0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0)


def test_bright_colours_of_two_dozen_ids_are_told_apart():
    """The palette's own hues come again from the eighth id on."""
    colours = bright_colours()[1:25].astype(float)
    distance = np.sqrt(((colours[:, None] - colours[None]) ** 2).sum(-1)) + 1e9 * np.eye(24)
    assert distance.min() > 60
    assert (colours.max(1) == 255).all()
