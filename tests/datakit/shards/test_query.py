"""Conditions in words: what they choose, and that nothing of them is ever run."""

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.shards.query import Query

COLUMNS = {
    "iou": np.array([0.2, 0.5, 0.9, np.nan]),
    "kind": np.array(["mask", "box", "mask", "mask"]),
    "flags": np.array(["", "low-iou", "low-iou,no-tps", ""]),
    "variant": np.array([0, 1, 2, 3], np.uint32),
    "affine.scale": np.array([1.0, 1.1, 0.9, np.nan]),
}
KINDS = {"iou": "<f8", "kind": "U", "flags": "U", "variant": "<u4", "affine.scale": "<f8"}


@pytest.mark.parametrize(("text", "rows"), [
    ("iou > 0.4", [1, 2]),
    ("iou >= 0.5 and kind == 'mask'", [2]),
    ("iou < 0.3 or variant == 3", [0, 3]),
    ("(iou < 0.3) | (variant == 3)", [0, 3]),
    ("(iou > 0.1) & ~(kind == 'box')", [0, 2]),
    ("not iou > 0.4", [0, 3]),
    ("0.1 < iou <= 0.5", [0, 1]),
    ("affine.scale != 1 and iou > 0", [1, 2]),
    ("-affine.scale < -1", [1]),
    ("variant * 2 - 1 == 3", [2]),
    ("iou / affine.scale < 0.3", [0]),
    ("'no-tps' in flags", [2]),
    ("'low-iou' not in flags", [0, 3]),
    ("kind in ('box', 'none')", [1]),
    ("kind not in ['box']", [0, 2, 3]),
    ("1 < 2", [0, 1, 2, 3]),
    (" flags == '' ", [0, 3]),
])  # fmt: skip
def test_a_condition_chooses_rows(text, rows):
    """As Python would read it for each row alone."""
    query = Query.parse(text, KINDS)
    chosen = query.rows({name: COLUMNS[name] for name in query.names}, 4)
    assert np.flatnonzero(chosen).tolist() == rows


@pytest.mark.parametrize(("text", "words"), [
    ("iou >", "invalid syntax"),
    ("", "invalid syntax"),
    ("iou = 1", "iou > 0.4 and source"),
    ("iuo > 1", "did you mean 'iou'"),
    ("kind == box", "text needs quotes"),
    ("affine.size > 1", "did you mean 'affine.scale'"),
    ("iou.real > 1", "no column 'iou.real'"),
    ("zzz > 1", r"the columns are iou, kind, flags, variant and drawn numbers such as affine\.scale"),
    ("iou > 'a'", "numbers and text do not mix"),
    ("'a' in iou", "numbers and text do not mix"),
    ("iou", "is a value, not a condition"),
    ("iou + 1", "is a value, not a condition"),
    ("iou ** 9 > 1", r"'iou \*\* 9' is not understood"),
    ("iou is 1", "not understood"),
    ("kind[0] == 'm'", "not understood"),
    ("len(kind) > 1", "no column 'len'"),
    ("iou > [0.1]", r"'\[0\.1\]' is not understood"),
])  # fmt: skip
def test_what_is_no_condition_is_told(text, words):
    """With the condition and what to write instead."""
    with pytest.raises(UsageError, match=words) as told:
        query = Query.parse(text, KINDS)
        query.rows({name: COLUMNS[name] for name in query.names}, 4)
    assert repr(text) in str(told.value)


@pytest.mark.parametrize("text", [
    "__import__('os').system('touch HERE')",
    "iou.__class__.__mro__",
    "[x for x in (1,)]",
    "(lambda: 1)() == 1",
    "iou > 0 if kind else open('HERE', 'w')",
    "f'{iou}' == ''",
    "(iou := 1) > 0",
    "(" * 5000 + "iou" + ")" * 5000,
])  # fmt: skip
def test_nothing_is_run(text, tmp_path, monkeypatch):
    """Calls, attributes of objects, loops and functions are refused."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        query = Query.parse(text, KINDS)
        query.rows({name: COLUMNS[name] for name in query.names}, 4)
    assert not list(tmp_path.iterdir())
