"""A table of photos and masks that somebody wrote is a source, and its faults are named by line."""

from __future__ import annotations

import json

import pytest

from datakit.datasets import LAYOUTS, ReadOptions, SourceOptions, SourceSpec, open_source
from datakit.errors import UsageError
from tests.runs import draw_source

PAIR = "images/{0:04d}.jpg,ground_truth_mask/{0:04d}.png"


@pytest.fixture
def root(tmp_path):
    return draw_source(tmp_path / "ecssd", 5)


def written(root, text, name="own.csv"):
    (root / name).write_text(text)
    return root / name


def opened(file, root, read=None, images=None, layout="pairs"):
    spec = SourceSpec("set", layout, root, "set", file)
    return open_source(spec, SourceOptions(read or ReadOptions(min_area=0), images))


def rows(count=5, head="image,mask", row=PAIR):
    return "\n".join([head, *(row.format(number) for number in range(count))]) + "\n"


def test_two_columns_are_enough(root):
    """Keys are paths without suffix; sizes are those of the files."""
    reader = opened(written(root, rows()), root)
    assert [record.key for record in reader.records] == [f"set/images/{n:04d}" for n in range(5)]
    assert all(record.size == (root / record.image).stat().st_size for record in reader.records)
    assert all(len(scene.samples) == 1 for scene in reader)


def test_records_equal_those_of_a_walk_where_keys_do(root):
    """So shards are equal, too."""
    file = written(root, rows(head="image,mask,key", row=PAIR + ",{0:04d}"))
    walked = open_source(SourceSpec("set", "ecssd", root), SourceOptions(ReadOptions(min_area=0)))
    assert list(opened(file, root).records) == list(walked.records)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_a_spreadsheet_saves_is_read(root, separator):
    """A byte order mark, capitals, other separators, empty lines, carriage returns."""
    text = "\ufeff" + rows().replace("image,mask", "Image, Mask").replace(",", separator).replace("\n", "\r\n\r\n")
    assert len(opened(written(root, text), root)) == 5


def test_a_jsonl_is_read(root):
    """Objects with the names of columns as keys."""
    pairs = ({"image": f"images/{n:04d}.jpg", "mask": f"ground_truth_mask/{n:04d}.png"} for n in range(5))
    reader = opened(written(root, "\n".join(map(json.dumps, pairs)), "own.jsonl"), root)
    assert len(reader) == 5 and reader[4].samples


def test_a_parquet_file_is_read(root):
    """As pandas or a query engine writes it."""
    pyarrow = pytest.importorskip("pyarrow", reason="extra `parquet`")
    from pyarrow.parquet import write_table

    columns = {"image": [f"images/{n:04d}.jpg" for n in range(5)], "size": [7] * 5}
    columns["mask"] = [f"ground_truth_mask/{n:04d}.png" for n in range(5)]
    write_table(pyarrow.table(columns), root / "own.parquet")
    reader = opened(root / "own.parquet", root)
    assert [record.size for record in reader.records] == [7] * 5 and reader[4].samples


def test_sizes_of_the_table_are_taken(root):
    """Then no file is looked at, and one without a size is."""
    file = written(root, rows(2, "image,mask,size,mask_size", PAIR + ",9,8") + PAIR.format(2) + ",,\n")
    first, _, last = opened(file, root).records
    assert (first.size, first.annotation[1]) == (9, 8)
    assert last.size == (root / last.image).stat().st_size


def test_objects_of_a_photo_are_told_apart_by_number(root):
    """In any order of rows; each is a sample of its own."""
    text = "image,mask,object\n" + "".join(
        f"{PAIR.format(0).replace('0000.png', f'{n:04d}.png')},{n}\n" for n in (3, 1)
    )
    (reader,) = [opened(written(root, text), root)]
    assert [sample.key for sample in reader[0].samples] == ["set/images/0000#1", "set/images/0000#3"]
    assert reader.listed_samples(reader.records[0]) == 2


def test_a_photo_that_is_not_there_is_one_problem(root):
    """Reading names it, as for any photo that vanished."""
    reader = opened(written(root, rows(6)), root)
    assert len(reader) == 6 and reader.records[5].size == 0


def test_pictures_may_lie_elsewhere(root, tmp_path):
    """`--images` is the folder of the column `image`."""
    (root / "images").rename(tmp_path / "photos")
    reader = opened(written(root, rows().replace("images/", "")), root, images=tmp_path / "photos")
    assert reader[0].key == "set/0000" and reader[0].samples


def test_a_layout_says_what_its_masks_are(root):
    """PASCAL-S has soft ones."""
    assert opened(written(root, rows()), root, layout="pascal-s").nature == LAYOUTS["pascal-s"].nature == "soft"


@pytest.mark.parametrize(("text", "said"), [
    ("picture,mask\na.jpg,a.png\n", r"own.csv: has no column 'image'; found picture, mask; expected at least image"),
    ("image\na.jpg\n", "has no column 'mask'; found image"),
    ("", "has no column 'image'; found none"),
    ("image,mask\n", "names no photo; expected a line for each below its columns"),
    ("key,image,annotation,size,problem\n", "a listing without its header; make it anew"),
    ("image,mask\na.jpg,a.png\nb.jpg\n", "line 3: has 1 cells, expected 2: image, mask; put names with commas in quot"),
    ("image,mask\n/data/a.jpg,a.png\n", "line 2: image '/data/a.jpg' is absolute; give it relative to the source"),
    ("image,mask\nC:/a.jpg,a.png\n", "line 2: image 'C:/a.jpg' is absolute"),
    ("image,mask\na.jpg,../a.png\n", r"line 2: mask '\.\./a.png' leads out of its folder by '\.\.'"),
    ("image,mask\nb\\a.jpg,a.png\n", r"line 2: image .* holds '\\'; write '/' between folders"),
    ("image,mask\ns3://b/a.jpg,a.png\n", "line 2: image 's3://b/a.jpg' is an address; give paths relative"),
    ("image,mask\na.jpg,\n", "line 2: mask is empty"),
    ("image,mask\na.txt,a.png\n", r"line 2: image 'a.txt' ends in .txt; expected .jpg, .jpeg"),
    ("image,mask\na.jpg,a\n", "line 2: mask 'a' ends in no suffix; expected .png"),
    ("image,mask,size\na.jpg,a.png,1.5\n", "line 2: size '1.5': expected a whole number of bytes"),
    ("image,mask,mask_size\na.jpg,a.png,-1\n", "line 2: mask_size '-1': expected a whole number of bytes"),
    ("image,mask,object\na.jpg,a.png,x\n", "line 2: object 'x': expected a whole number from 1"),
    ("image,mask,key\na.jpg,a.png,/x\n", "line 2: key '/x': expected a name without the label, such as 'a'"),
    ("image,mask\na.jpg,a.png\nb.jpg,a.png\na.png,a.png\n", "lines 2 and 4 have one key, 'set/a'; name them"),
    ("image,mask,object\na.jpg,a.png,1\na.png,b.png,2\n", "a.jpg and a.png have one key, 'set/a'; name them apart"),
    ("image,mask,object\na.jpg,a.png,1\na.jpg,b.png,1\n", "a.png and b.png are both object 1 of a.jpg; number them"),
])  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path, text, said):
    """What was found, what was expected, what to do."""
    with pytest.raises(UsageError, match=said):
        opened(written(tmp_path, text), tmp_path)


@pytest.mark.parametrize(("text", "said"), [
    ("[1]\n", "line 1: is a list, expected an object that names image and mask"),
    ('{"image": "a.jpg", "mask": "a.png"}\n{"image"', r"line 2: is no JSON \(.*was the file cut off"),
    ('{"image": 3, "mask": "a.png"}', "line 1: image is 3, expected a path"),
    ('{"image": "a.jpg", "mask": "a.png"}\n{"image": "b.jpg"}', "line 2: mask is empty"),
])  # fmt: skip
def test_a_fault_of_a_jsonl_is_named_with_its_line(tmp_path, text, said):
    """As in a csv."""
    with pytest.raises(UsageError, match=said):
        opened(written(tmp_path, text, "own.jsonl"), tmp_path)


def test_text_of_another_encoding_is_refused(tmp_path):
    """Names could not be found."""
    (tmp_path / "own.csv").write_bytes("image,mask\nä.jpg,ä.png\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"own.csv: is not UTF-8 .*; save it as UTF-8"):
        opened(tmp_path / "own.csv", tmp_path)


def test_another_kind_of_file_is_refused(tmp_path):
    """The kinds are listed."""
    with pytest.raises(
        UsageError, match=r"own.txt: expected a listing file, whose name ends in .parquet, .csv, .jsonl"
    ):
        opened(written(tmp_path, "", "own.txt"), tmp_path)


def test_a_layout_without_mask_files_is_refused(tmp_path):
    """A table names a mask for each photo."""
    with pytest.raises(UsageError, match="names a mask file for each photo, which layout coco has not"):
        opened(written(tmp_path, "image,mask\na.jpg,a.png\n"), tmp_path, layout="coco")


def test_mask_names_make_no_sense_beside_a_table(root):
    """It names every mask itself."""
    with pytest.raises(UsageError, match="names the mask of each photo, so --mask-name cannot be meant for 'set'"):
        opened(written(root, rows()), root, ReadOptions(mask_names={"set": "{stem}.png"}))


def test_columns_that_are_not_read_are_told(root, caplog):
    """A typing error would otherwise pass unseen."""
    caplog.set_level("INFO")
    opened(written(root, rows(head="image,mask,sise", row=PAIR + ",3")), root)
    assert "columns that are not read: sise; known are image, mask, key, object, size, mask_size" in caplog.text
