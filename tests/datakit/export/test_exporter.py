"""The table of exporters: what joins it, what is refused, and a package of somebody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datakit.errors import UsageError
from datakit.export import EXPORTERS, register_exporter
from tests.runs import draw_source
from tests.third_party import install

FOREIGN = """
from dataclasses import dataclass

from datakit.config import setting
from datakit.export import Exporter


@dataclass(frozen=True)
class Sizes(Exporter):
    digits: int = setting(3, 1, 9)

    def write(self, video, sink):
        return [f"{frame.stem} {sum(int(o.mask.sum()) for o in frame.objects):0{self.digits}d}" for frame in video]

    def close(self, entries, sink):
        sink.add("sizes.txt", "\\n".join(line for entry in entries for line in entry).encode())


SIZES = Sizes("sizes", "people", "everything but sizes")
"""


def test_a_name_that_is_taken_is_refused():
    """Two exporters cannot answer to one name."""
    with pytest.raises(UsageError, match="there is one of that name already"):
        register_exporter(replace(EXPORTERS["coco"], masks="polygons"))


def test_an_exporter_says_who_reads_it():
    """`--formats` lists it."""
    with pytest.raises(UsageError, match="needs `readers`"):
        register_exporter(replace(EXPORTERS["coco"], name="mine", readers=""))


def test_something_else_is_refused():
    """Only an `Exporter` can write."""
    with pytest.raises(UsageError, match=r"expected a datakit\.export\.Exporter, found str"):
        EXPORTERS["mine"] = "coco"  # type: ignore[assignment]


def test_an_exporter_of_another_package_is_found_by_its_entry_point(tmp_path):
    """Listed, set and run, without an import."""
    installed = install(tmp_path / "site", "my-sizes", "exporters", "sizes", "my_sizes:SIZES", FOREIGN)
    source = draw_source(tmp_path / "ecssd", 2)
    assert installed.run("build-shards", source, "--out", tmp_path / "shards").returncode == 0
    ran = installed.run("export", tmp_path / "shards", "--to", "sizes", "--set", "digits=6", "--out", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    lines = (tmp_path / "out/sizes.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["ecssd_0000", "ecssd_0001"]
    assert all(len(line.split()[1]) == 6 for line in lines)
    assert "sizes\n    read by people" in installed.run("export", "--formats").stdout
