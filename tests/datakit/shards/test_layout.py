"""Columns are declared once: types, documentation and every reader and writer follow the declaration."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datakit.samples import Column
from datakit.shards import layout

ROOT = Path(__file__).parents[3]


def dtype_text(column):
    if column.is_text:
        return "text" if column.is_wide else f"text of {column.dtype[1:]} bytes"
    return column.dtype.removeprefix("<") + " × P" * bool(column.shape)


@pytest.mark.parametrize("table", layout.TABLES)
def test_the_documentation_lists_the_columns_as_declared(table):
    """Name, type, unit and meaning, in the order of the file."""
    page = (ROOT / "docs/shard-format.md").read_text(encoding="utf-8")
    rows = re.search(rf"^`{table}`:\n\n.*\n.*\n((?:\|.*\n)+)", page, re.M)[1].splitlines()
    assert rows == [f"| `{c.name}` | {dtype_text(c)} | {c.unit} | {c.meaning} |" for c in layout.COLUMNS[table]]


def test_a_row_has_its_columns_in_order_without_gaps():
    """Text as wide as asked for, at least a byte; so are drawn numbers."""
    columns = (Column("a", "S", ""), Column("b", "S4", ""), Column("c", "<u4", ""), Column("d", "<f8", "", shape="P"))
    dtype = layout.row_dtype(columns, {"a": 3, "d": 5})
    assert dtype == np.dtype([("a", "S3"), ("b", "S4"), ("c", "<u4"), ("d", "<f8", (5,))])
    assert layout.row_dtype(columns, {"a": 0, "d": 0}) == np.dtype(
        [("a", "S1"), ("b", "S4"), ("c", "<u4"), ("d", "<f8", (1,))]
    )
    assert layout.widths_of(dtype, columns) == {"a": 3, "d": 5}


MORE = """
import sys
from dataclasses import dataclass
from pathlib import Path
from datakit import samples

@dataclass(frozen=True, slots=True, repr=False)
class Timed(samples.Triple):
    seconds: float = 0.25

samples.Triple = Timed
samples.TRIPLE_COLUMNS += (samples.Column("seconds", "<f8", "time it took", "s", attribute="seconds"),)

from datakit.shards import Shard, ShardReader, merge_shards
from datakit.shards.examine import examine
from tests.made import made_header
from tests.small_shards import write_shards

folder = write_shards(Path(sys.argv[1]), photos=2, per_shard=1)
reader = ShardReader(folder)
assert reader[0].seconds == 0.25 and reader.table("seconds")["seconds"].tolist() == [0.25] * 6
assert len(reader.where("seconds > 0.2")) == 6
paths = sorted(folder.glob("*.h5"))
merge_shards(paths, folder / "both.h5", made_header(), folder)
assert Shard(folder / "both.h5").triples["seconds"].tolist() == [0.25] * 6
assert examine(folder / "both.h5") == []
"""


def test_a_column_more_is_one_line(tmp_path):
    """Written, read, merged, checked, listed and asked for, with no other change than its attribute of a triple."""
    done = subprocess.run([sys.executable, "-c", MORE, tmp_path / "out"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("kind", "version", "text"), [
    ("a shard", np.int64(0), "is of format version 0, this datakit reads version 1; build it anew with this datakit"),
    ("a shard", 2, "is of format version 2, this datakit reads version 1; install a newer datakit"),
    ("a shard", None, "is of format version None, this datakit reads version 1; build it anew with this datakit"),
    ("a cat", 1, "is a 'a cat', expected a 'a shard'"),
])  # fmt: skip
def test_another_version_says_what_to_do(kind, version, text):
    """An old one is built anew, a new one needs a newer reader."""
    assert layout.other_format(kind, version, "a shard", 1) == text
