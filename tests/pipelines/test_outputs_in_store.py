"""Every command that writes a folder or a file writes it to a store as well: the bytes that a disk gets."""

import json
import re

import pytest

from datakit.files import EXPORT_MANIFEST
from datakit.places import place_of
from datakit.shards import ShardReader
from tests.runs import draw_source
from tests.small_shards import write_shards
from tests.small_training import TINY_RUN


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def shards(tmp_path):
    return write_shards(tmp_path / "shards", photos=6)


@pytest.fixture
def stored(datakit, tmp_path, bucket):
    """Shards of four photos in a store."""
    made = datakit("build-shards", draw_source(tmp_path / "ecssd", 4), "--out", bucket.place("shards"))
    assert made.exit_code == 0, made.output
    return bucket.place("shards")


def files(folder):
    """Path -> bytes of a folder's files but those of locks."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: data for path, data in found.items() if not path.endswith((".lock", ".lock-holder.json"))}


FILES = {
    "list": ("list", "{source}", "--out", "{out}/list.csv"),
    "inspect": ("inspect", "{shards}", "--csv", "{out}/triples.csv"),
    "preview": ("preview-deformations", "{shards}", "--out", "{out}/preview.png"),
    "clips": ("preview-clips", "{shards}", "--clips", 1, "--frames", 2, "--out", "{out}/clips.png"),
    "source": ("validate-source", "{source}", "--preview", "{out}/source.png"),
}


@pytest.mark.parametrize("words", FILES.values(), ids=FILES)
def test_a_file(datakit, tmp_path, shards, bucket, words):
    """Whole, and the only thing there."""
    source = draw_source(tmp_path / "ecssd", 3)
    for out in (tmp_path / "out", bucket.address("out")):
        ran = datakit(*(str(word).format(source=source, shards=shards, out=out) for word in words))
        assert ran.exit_code == 0, ran.output
    assert bucket.objects("out") == files(tmp_path / "out")


def test_a_listing_in_a_store_is_built_from(datakit, tmp_path, bucket):
    """Where its photos are said to lie."""
    source = draw_source(tmp_path / "ecssd", 3)
    assert datakit("list", source, "--out", bucket.address("list.jsonl")).exit_code == 0
    built = datakit("build-shards", "--listing", f"ecssd={bucket.address('list.jsonl')}", "--out", tmp_path / "shards")
    assert built.exit_code == 0, built.output
    assert len(ShardReader(tmp_path / "shards")) == 6


@pytest.mark.parametrize("name", ["coco", "webdataset"])
def test_an_export(datakit, tmp_path, shards, bucket, name):
    """Its list, too, by which `verify` finds what is wrong there."""
    place = bucket.place("out")
    for out in (tmp_path / "out", place):
        ran = datakit("export", shards, "--to", name, "--out", out, "--json")
        assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["out"] == str(place)
    assert bucket.objects("out") == files(tmp_path / "out")
    assert datakit("verify", place).exit_code == 0
    spoilt = next(path for path in bucket.objects("out") if path != EXPORT_MANIFEST)
    bucket.client.put_object(Bucket=bucket.name, Key=f"out/{spoilt}", Body=b"other")
    bucket.client.put_object(Bucket=bucket.name, Key="out/extra", Body=b"")
    found = datakit("verify", place, "--json")
    assert found.exit_code == 4
    assert {(each["file"], each["kind"]) for each in json.loads(found.stdout)["findings"]} == {
        (spoilt, "changed"), ("extra", "extra")
    }  # fmt: skip


def test_an_export_again_is_kept_and_another_is_refused(datakit, shards, bucket):
    """As on a disk; the message names the address."""
    place = bucket.place("out")
    words = ("export", shards, "--out", place)
    assert datakit(*words, "--to", "coco").exit_code == 0
    before = {
        each["Key"]: each["LastModified"] for each in bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
    }
    assert datakit(*words, "--to", "coco").exit_code == 0
    after = bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
    assert {each["Key"]: each["LastModified"] for each in after} == before
    refused = datakit(*words, "--to", "davis")
    assert refused.exit_code == 5 and f"--out {place}: holds an export to coco" in refused.output
    assert datakit(*words, "--to", "davis", "--overwrite").exit_code == 0
    assert not [path for path in bucket.objects("out") if path.endswith(".json") and path != EXPORT_MANIFEST]


def test_clips(datakit, tmp_path, shards, bucket):
    """The videos of a disk."""
    for out in (tmp_path / "out", bucket.place("out")):
        ran = datakit(
            "export-clips", shards, "--to", "davis", "--clips", 2, "--frames", 2, "--set", "size=96", "--out", out
        )
        assert ran.exit_code == 0, ran.output
    assert bucket.objects("out") == files(tmp_path / "out")


def test_a_training_run_goes_on(datakit, tmp_path, shards, bucket):
    """By its address alone, to the losses of a run on a disk; its weights are used by their address."""
    words = (*TINY_RUN, "--set", "validation_every=3")
    place = bucket.place("run")
    assert datakit("train", shards, "--out", place, *words, "--iterations", 3).exit_code == 0
    assert {"last.safetensors", "best.safetensors", "steps.csv", "run.json"} <= set(bucket.objects("run"))
    refused = datakit("train", shards, "--out", place, *words, "--iterations", 3)
    assert refused.exit_code == 2 and f"{place}: holds a run; go on with it by --resume {place}" in refused.output
    on = datakit("train", "--resume", place, "--iterations", 6)
    assert on.exit_code == 0, on.output
    assert len(bucket.objects("run")["steps.csv"].splitlines()) == 7
    scored = datakit("score", shards, "--weights", f"{place}/best.safetensors", "--size", 64, "--json")
    assert scored.exit_code == 0, scored.output
    begun = ("--init", f"{place}/best.safetensors", "--out", tmp_path / "run", *words, "--iterations", 1)
    assert datakit("train", shards, *begun).exit_code == 0


class TestViews:
    """`merge`, `select` and `split` beside the shards they name."""

    def test_a_view_is_a_manifest_that_finds_the_shards_beside_it(self, datakit, stored, bucket):
        """By a path from there, so that both can be copied together."""
        made = datakit("select", stored, "--where", "variant == 0", "--out", bucket.place("views/some"))
        assert made.exit_code == 0, made.output
        assert set(bucket.objects("views")) == {"some/manifest.json"}
        said = json.loads(bucket.objects("views")["some/manifest.json"])
        assert [each["path"] for each in said["folders"]] == ["../../shards"]
        assert len(ShardReader(bucket.place("views/some"))) == 4
        assert datakit("verify", bucket.place("views/some")).exit_code == 0

    def test_a_split_makes_two(self, datakit, stored, bucket):
        """That share no photo."""
        made = datakit("split", stored, "--val", 0.5, "--out", bucket.place("parts"))
        assert made.exit_code == 0, made.output
        train, val = (ShardReader(bucket.place(f"parts/{name}")).keys for name in ("train", "val"))
        assert sorted(train + val) == sorted(ShardReader(stored).keys)

    def test_the_same_again_is_kept_and_another_refused(self, datakit, stored, bucket):
        """As on a disk."""
        words = ("--out", bucket.place("all"))
        assert datakit("merge", stored, *words).exit_code == 0
        again = datakit("merge", stored, *words, "--json")
        assert again.exit_code == 0 and json.loads(again.stdout)["kept"] is True
        refused = datakit("select", stored, "--where", "variant == 0", "--photos", *words)
        assert refused.exit_code != 0 and "holds another view" in refused.output

    def test_shards_of_this_machine_are_refused(self, datakit, shards, bucket):
        """Who reads the view elsewhere has them not."""
        refused = datakit("merge", shards, "--out", bucket.place("all"))
        assert refused.exit_code == 2 and re.search(f"has not {shards} of this machine; copy", refused.output)
        assert bucket.objects() == {}

    def test_the_shards_themselves_are_not_written_to(self, datakit, stored):
        """Nor a folder in theirs."""
        for out in (stored, place_of(f"{stored}/deeper")):
            refused = datakit("select", stored, "--where", "variant == 0", "--out", out)
            assert refused.exit_code == 2 and "the folder of shards" in refused.output
