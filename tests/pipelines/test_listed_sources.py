"""`datakit list` and `--listing`: the same shards without a walk."""

from __future__ import annotations

import json

import pytest

from tests import tiny
from tests.runs import draw_source, shard_bytes

NO_AREA = ("--min-area", 0)


@pytest.fixture
def no_walk(monkeypatch):
    """From its call on no folder may be listed."""

    def refuse():
        monkeypatch.setattr("datakit.datasets.listing._entries", lambda path: pytest.fail(f"{path} is walked"))

    return refuse


def object_masks(root):
    """Two photos with a folder of binary masks each."""
    draw_source(root / "drawn", 4)
    for photo in ("a", "b"):
        (root / "set/images").mkdir(parents=True, exist_ok=True)
        (root / "set/masks" / photo).mkdir(parents=True)
        (root / f"drawn/images/000{'ab'.index(photo)}.jpg").rename(root / f"set/images/{photo}.jpg")
        for number in (1, 2):
            mask = root / f"drawn/ground_truth_mask/000{2 * 'ab'.index(photo) + number - 1}.png"
            mask.rename(root / f"set/masks/{photo}/{number}.png")
    return root / "set"


SETS = {
    "ecssd": lambda root: draw_source(root / "ecssd"),
    "coco": lambda root: tiny.LAYOUTS["coco"](root / "coco"),
    "object masks": object_masks,
}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", SETS)
def test_a_build_from_a_listing_has_the_same_bytes(datakit, tmp_path, no_walk, name, kind):
    """Shards, manifest, settings, and what failed."""
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="extra `parquet`")
    root, file = SETS[name](tmp_path), tmp_path / f"list.{kind}"
    walked = datakit("build-shards", f"set={root}", "--out", tmp_path / "walked", *NO_AREA)
    assert walked.exit_code == 0, walked.stderr
    assert datakit("list", f"set={root}", "--out", file).exit_code == 0
    no_walk()
    result = datakit("build-shards", "--listing", file, "--out", tmp_path / "listed", *NO_AREA)
    assert result.exit_code == 0, result.stderr
    assert shard_bytes(tmp_path / "listed") == shard_bytes(tmp_path / "walked")
    assert (tmp_path / "listed/settings.json").read_bytes() == (tmp_path / "walked/settings.json").read_bytes()
    assert len(shard_bytes(tmp_path / "listed")) == 2


def test_what_was_said_when_listing_holds_when_building(datakit, tmp_path, no_walk):
    """Mask names and the picture folder are in the file, so the manifest is the same."""
    root = draw_source(tmp_path / "own")
    for mask in sorted((root / "ground_truth_mask").iterdir()):
        mask.rename(mask.with_name(f"{mask.stem}_odd.png"))
    how = ("--images", root / "images", "--mask-name", "{stem}_odd.png")
    source = f"set:pairs={root / 'ground_truth_mask'}"
    datakit("build-shards", source, "--out", tmp_path / "walked", *how)
    datakit("list", source, "--out", tmp_path / "a.csv", *how)
    no_walk()
    result = datakit("build-shards", "--listing", tmp_path / "a.csv", "--out", tmp_path / "listed")
    assert result.exit_code == 0, result.stderr
    assert shard_bytes(tmp_path / "listed") == shard_bytes(tmp_path / "walked")
    both = [json.loads((tmp_path / out / "sources.json").read_text())["set"] for out in ("walked", "listed")]
    assert both[1] == {**both[0], "listing": str(tmp_path / "a.csv")}


def test_a_listing_and_a_source_are_built_together(datakit, tmp_path):
    """In order of label, as always; two listings as well."""
    one, two = draw_source(tmp_path / "one", 3), draw_source(tmp_path / "two", 4)
    (tmp_path / "own.csv").write_text("image,mask\n" + "".join(
        f"two/images/{n:04d}.jpg,two/ground_truth_mask/{n:04d}.png\n" for n in range(4)))  # fmt: skip
    datakit("list", two, "--out", tmp_path / "two.jsonl")
    words = (one, "--listing", tmp_path / "two.jsonl", "--listing", f"mine={tmp_path / 'own.csv'}", "--json")
    result = datakit("build-shards", *words, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert {label: source["samples"] for label, source in manifest["sources"].items()} == {
        "mine": 4,
        "one": 3,
        "two": 4,
    }


def test_a_resume_and_a_repair_work_from_the_listing(datakit, tmp_path, no_walk):
    """A lost shard is made again to the same bytes, without a walk; nothing is made twice."""
    root = draw_source(tmp_path / "ecssd")
    datakit("list", root, "--out", tmp_path / "a.csv")
    no_walk()
    words = ("build-shards", "--listing", tmp_path / "a.csv", "--out", tmp_path / "out", "--samples-per-shard", 5)
    assert datakit(*words).exit_code == 0
    before = shard_bytes(tmp_path / "out")
    (tmp_path / "out/ecssd-00001.h5").unlink()
    again = datakit(*words)
    assert "2 of 3 shards complete and verified, 1 to do" in again.stderr
    assert shard_bytes(tmp_path / "out") == before
    (tmp_path / "out/ecssd-00002.h5").unlink()
    assert datakit("verify", tmp_path / "out", "--repair").exit_code == 0
    assert datakit("inspect", tmp_path / "out", "--random", 2).exit_code == 0
    assert shard_bytes(tmp_path / "out") == before


def test_a_source_beside_its_listing_says_where_it_lies_now(datakit, tmp_path, no_walk):
    """A moved folder needs no new listing."""
    root = draw_source(tmp_path / "ecssd")
    datakit("list", root, "--out", tmp_path / "a.jsonl")
    root.rename(tmp_path / "moved")
    gone = datakit("build-shards", "--listing", tmp_path / "a.jsonl", "--out", tmp_path / "out")
    assert gone.exit_code == 2 and "or ecssd=ROOT beside the listing, where it was moved" in gone.stderr
    no_walk()
    words = (f"ecssd={tmp_path / 'moved'}", "--listing", tmp_path / "a.jsonl")
    assert datakit("build-shards", *words, "--out", tmp_path / "out").exit_code == 0


def test_a_vanished_photo_is_a_failed_item(datakit, tmp_path):
    """As in a walked source; the ledger has it."""
    root = draw_source(tmp_path / "ecssd")
    datakit("list", root, "--out", tmp_path / "a.jsonl")
    (root / "images/0004.jpg").unlink()
    words = ("build-shards", "--listing", tmp_path / "a.jsonl", "--out", tmp_path / "out", "--max-error-rate", 1)
    assert datakit(*words).exit_code == 0
    assert json.loads((tmp_path / "out/errors.jsonl").read_text())["key"] == "ecssd/0004"


def test_validate_source_reads_a_listing(datakit, tmp_path, no_walk):
    """The counts are those of the source itself."""
    root = draw_source(tmp_path / "ecssd")
    (root / "ground_truth_mask/0003.png").unlink()
    datakit("list", root, "--out", tmp_path / "a.csv")
    walked = datakit("validate-source", root, "--json", "--no-duplicates")
    no_walk()
    listed = datakit("validate-source", "--listing", tmp_path / "a.csv", "--json", "--no-duplicates")
    assert listed.exit_code == walked.exit_code == 4 and json.loads(listed.stdout) == json.loads(walked.stdout)


def test_a_dry_run_tells_the_cost(datakit, tmp_path, no_walk):
    """Bytes of photos and masks, a request for each, none to list what a file lists."""
    root = draw_source(tmp_path / "ecssd")
    words = ("--out", tmp_path / "out", "--dry-run", "--samples-per-shard", 5)
    walked = datakit("build-shards", root, *words, "--json")
    datakit("list", root, "--out", tmp_path / "a.csv")
    no_walk()
    listed = datakit("build-shards", "--listing", tmp_path / "a.csv", *words, "--json")
    size = sum(file.stat().st_size for file in root.glob("*/*"))
    first, second = (json.loads(result.stdout)["cost"] for result in (walked, listed))
    assert first["read_bytes"] == second["read_bytes"] == size
    assert first["write_bytes"] == json.loads(walked.stdout)["bytes"]
    assert (first["read_requests"], first["write_requests"], first["list_requests"]) == (24, 6, 1)
    assert (second["list_requests"], second["requests"]) == (0, 30)
    assert 0 < first["hours_100_workers"] < 0.01
    told = datakit("build-shards", "--listing", tmp_path / "a.csv", *words).stdout
    assert "in 24 requests, to write" in told and "h with 100 workers" in told


@pytest.mark.parametrize(("words", "said"), [
    ((), "Missing argument 'SOURCE...': name a source, or a file by --listing"),
    (("--listing", "{0}/none.csv"), "none.csv: no such file or folder; expected the listing file"),
    (("--listing", "{0}/a.csv", "--listing", "{0}/a.csv"), "another listing is labelled 'ecssd', too; say LABEL=FILE"),
    (("--listing", "other={0}/a.csv"), "lists ecssd:ecssd, asked for as other:ecssd; leave its label out, or make it"),
    (("ecssd:pairs={0}/ecssd", "--listing", "{0}/a.csv"), "is of layout ecssd, the source 'ecssd' beside it of pairs"),
])  # fmt: skip
def test_words_that_do_not_fit_are_refused(datakit, tmp_path, words, said):
    """Exit 2, with the way out."""
    datakit("list", draw_source(tmp_path / "ecssd"), "--out", tmp_path / "a.csv")
    result = datakit("build-shards", *(word.format(tmp_path) for word in words), "--out", tmp_path / "out")
    assert result.exit_code == 2 and said in result.stderr


def test_listing_says_what_it_wrote(datakit, tmp_path):
    """For people and for scripts."""
    root = draw_source(tmp_path / "ecssd")
    assert "12 photos of ecssd (ecssd), 0 problems" in datakit("list", root, "--out", tmp_path / "a.csv").stdout
    told = json.loads(datakit("list", root, "--out", tmp_path / "a.csv", "--json").stdout)
    assert (told["photos"], told["problems"], told["layout"]) == (12, 0, "ecssd")


@pytest.mark.parametrize(("name", "code", "said"), [
    ("a.txt", 2, "expected a listing file, whose name ends in"),
    ("ecssd/images/0000.jpg/a.csv", 1, "it is a file; name a folder"),
])  # fmt: skip
def test_a_file_that_cannot_be_written_is_refused(datakit, tmp_path, name, code, said):
    """Another kind, or a folder that is a file."""
    result = datakit("list", draw_source(tmp_path / "ecssd"), "--out", tmp_path / name)
    assert result.exit_code == code and said in result.stderr
