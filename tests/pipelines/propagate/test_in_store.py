"""A propagation whose folder lies in a store."""

import json

import pytest

from tests.clips import draw_folder, labels, write_labels


@pytest.mark.usefixtures("no_weights")
def test_label_pictures_and_report_are_there(datakit, tmp_path, bucket, monkeypatch):
    """Label pictures and report; a second run keeps them."""
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    video, place = draw_folder(tmp_path / "clip", 3), bucket.place("out")
    words = ("propagate", video, "--mask", write_labels(tmp_path / "mask.png", labels()), "--no-overlay")
    here = datakit(*words, "--out", tmp_path / "out")
    assert here.exit_code == 0, here.output
    there = datakit(*words, "--out", place)
    assert there.exit_code == 0 and str(place) in there.stdout
    labelled = {path.name: path.read_bytes() for path in (tmp_path / "out/clip").iterdir()}
    assert bucket.objects("out/clip") == labelled and "report.json" in bucket.objects("out/_report/clip")
    again = json.loads(datakit(*words, "--out", place, "--json").stdout)
    assert again["kept"] == 3
