"""What each use of masks asks of them: one table of masks, uses, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import ReadOptions
from datakit.errors import ItemError, ItemRef
from datakit.mask_files import read_mask
from datakit.masks import (
    GIVEN,
    GIVEN_OBJECTS,
    SCORED,
    STILLS,
    Policy,
    decode,
    is_unnumbered,
    plain_labels,
    read_label_map,
    why_empty,
)
from tests.mask_files import blocks, disc, save, standard

POLICIES = {"any": STILLS["any"], "ids": STILLS["ids"], "soft": STILLS["soft"]}
POLICIES |= {"given": GIVEN, "given objects": GIVEN_OBJECTS, "scored": SCORED}


def coloured(*colours: tuple[int, int, int]) -> np.ndarray:
    """(60, 80, 3) blocks of these colours on black."""
    table = np.array([(0, 0, 0), *colours], np.uint8)
    return table[blocks(*range(1, len(colours) + 1))]


MASKS = {
    "white": blocks(255),
    "an id": blocks(7),
    "ids and void": blocks(1, 2, ignore=255),
    "soft": disc(),
    "one colour": coloured((200, 30, 30)),
    "two colours": coloured((200, 30, 30), (30, 30, 200)),
    "two palette colours": coloured((128, 0, 0), (0, 128, 0)),
    "empty": blocks(),
}
# mask -> what all uses make of it, and what single ones do instead: ids, or the reason of a refusal
TABLE: dict[str, tuple[object, dict[str, object]]] = {
    "white": ((1,), {}),
    "an id": ((7,), {"soft": (1,)}),
    "ids and void": ((1, 2), {"soft": (1,)}),
    "soft": ((1,), {"scored": "soft mask"}),
    "one colour": ((1,), {}),
    "two colours": ((1, 2), {"scored": "colour mask"}),
    "two palette colours": ((1, 2), {}),
    "empty": ((), {"given objects": "empty mask"}),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("use", POLICIES)
def test_a_use_differs_from_the_others_only_where_its_policy_says_so(tmp_path: Path, name: str, use: str) -> None:
    """The rule of what values mean is one; a policy refuses, or knows what a set holds."""
    usual, others = TABLE[name]
    expected = others.get(use, usual)
    path = save(tmp_path / "m.png", MASKS[name])
    try:
        found: object = read_label_map(path, "m", POLICIES[use], ReadOptions()).ids
    except ItemError as error:
        found = error.problem.reason
    assert found == expected


def test_an_option_stands_above_a_refusal(tmp_path: Path) -> None:
    """A soft mask is scored where somebody said that it is one."""
    path = save(tmp_path / "m.png", disc())
    found = read_label_map(path, "m", SCORED, ReadOptions(values="soft"))
    assert found.soft and found.ids == (1,)


@pytest.mark.parametrize(
    ("plane", "policy", "one"),
    [
        (blocks(255), STILLS["any"], True),
        (blocks(255), STILLS["ids"], True),
        (blocks(1), STILLS["any"], True),
        (blocks(1), STILLS["ids"], False),
        (blocks(2), STILLS["any"], False),
        (blocks(1, 2), STILLS["any"], False),
    ],
)
def test_one_object_that_needs_no_number(tmp_path: Path, plane: np.ndarray, policy: Policy, one: bool) -> None:
    """White, or the 1 of a set whose masks may be 0 and 1."""
    mask = read_mask(save(tmp_path / "m.png", plane), "m", 10**6)
    assert is_unnumbered(mask, decode(mask, ReadOptions(), ItemRef("m", "m"), policy), policy) is one


@pytest.mark.parametrize(
    ("plane", "colours", "policy", "told"),
    [
        (blocks(), None, STILLS["any"], "every pixel is 0"),
        (blocks(90, 91), None, STILLS["soft"], "no pixel above the threshold 127 (highest value 91)"),
        (blocks(ignore=255), standard(), STILLS["ids"], "only void (255), no object"),
    ],
)
def test_why_a_mask_is_empty_is_said(
    tmp_path: Path, plane: np.ndarray, colours: list[int] | None, policy: Policy, told: str
) -> None:
    """In words that name the way out, where there is one."""
    mask = read_mask(save(tmp_path / "m.png", plane, colours), "m", 10**6)
    found = decode(mask, ReadOptions(), ItemRef("m", "m"), policy)
    assert found.ids == () and why_empty(mask.plane, found, ReadOptions()).startswith(told)


def test_colours_of_no_palette_are_told_with_the_ids_they_got(tmp_path: Path) -> None:
    """So that whoever reads several masks can give one colour one id; near-greys are light and dark, not colours."""
    two = read_label_map(save(tmp_path / "a.png", MASKS["two colours"]), "a", GIVEN, ReadOptions())
    assert set(two.colours.values()) == {(200, 30, 30), (30, 30, 200)} and not two.numbered
    known = read_label_map(save(tmp_path / "b.png", MASKS["two palette colours"]), "b", GIVEN, ReadOptions())
    assert known.numbered and known.colours == {}
    grey = read_label_map(save(tmp_path / "c.png", coloured((250, 255, 252))), "c", GIVEN, ReadOptions())
    assert grey.ids == (1,) and grey.colours == {} and not grey.numbered


@pytest.mark.parametrize(
    ("labels", "plain"), [([0, 255], [0, 1]), ([0, 255, 2], [0, 0, 2]), ([0, 128], [0, 128]), ([0, 0], [0, 0])]
)
def test_255_is_void_beside_other_ids_and_the_object_where_alone(labels, plain):
    """A grey 0/255 mask is object 1."""
    assert plain_labels(np.array([labels], np.uint8)).tolist() == [plain]
