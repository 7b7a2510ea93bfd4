"""Clips of stills as videos to export: which still and epoch each is of, its frames, its objects, its plan."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datakit.clips import ClipPlan, configure_clip_recipe, load_clip_recipe
from datakit.errors import UsageError
from datakit.export import EXPORTERS, ClipVideos
from datakit.export.from_clips import IGNORED, NO_OBJECT, ROUGH
from datakit.images import decode_picture, encode_jpeg
from tests.exported import Collected, label_map
from tests.runs import draw_source
from tests.tiny import voc

SMALL = replace(load_clip_recipe("cutie"), size=64, frames=3)


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Five photos."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    root = tmp_path_factory.mktemp("clips")
    words = ["build-shards", draw_source(root / "ecssd", 5), "--out", root / "out"]
    assert CliRunner().invoke(cli, [str(word) for word in words]).exit_code == 0
    return root / "out"


def names(videos: ClipVideos) -> list[str]:
    return [name for name, _, _ in videos.contents()["clip_photos"]]


def test_more_clips_than_stills_begin_with_each_in_turn(shards):
    """Clip n is of still n modulo their number, and of epoch n div that."""
    made = ClipVideos(shards, SMALL, 12).contents()["clip_photos"]
    assert [(key[-1], epoch) for _, key, epoch in made] == [(str(n % 5), n // 5) for n in range(12)]


def test_fewer_clips_than_stills_are_spread_over_them(shards):
    """Each of another still."""
    made = ClipVideos(shards, SMALL, 2).contents()["clip_photos"]
    assert [(key[-1], epoch) for _, key, epoch in made] == [("0", 0), ("2", 0)]


def test_names_are_unique_and_in_order(shards):
    """A number, and the photo's key without what loaders cut names at."""
    found = names(ClipVideos(shards, SMALL, 12))
    assert found == sorted(set(found))
    assert found[7] == "00007-ecssd_0002"


def test_a_still_of_another_epoch_gives_another_clip(shards):
    """And that of an equal one the same."""
    videos = ClipVideos(shards, SMALL, 10)
    first, again, other = (b"".join(frame.photo for frame in videos[n]) for n in (1, 1, 6))
    assert first == again != other


def test_frames_are_those_of_the_clip(shards):
    """Pixels exactly, as PNG; rows number all frames of the export."""
    videos = ClipVideos(shards, SMALL, 5, seed=3, codec="png")
    frames, clip = list(videos[2]), videos.maker.clip(2)
    np.testing.assert_array_equal([decode_picture(frame.photo) for frame in frames], clip.frames)
    assert [(frame.name, frame.row) for frame in frames] == [("00000", 6), ("00001", 7), ("00002", 8)]


def test_masks_are_those_of_the_label_maps(shards):
    """Each object by its number."""
    videos = ClipVideos(shards, SMALL, 5)
    for frame, labels in zip(videos[1], videos.maker.clip(1).labels, strict=True):
        np.testing.assert_array_equal(label_map(frame), labels)


def test_an_object_is_called_as_in_its_photo(shards):
    """Key of the photo, number of the object."""
    assert ClipVideos(shards, SMALL, 5)[1].objects == {1: "ecssd/0001#1"}


def test_the_origin_of_a_video_makes_it_again(shards):
    """Of the plan that stands there, to the very same bytes."""
    videos = ClipVideos(shards, SMALL, 5)
    video = videos[4]
    replayed = videos.maker.replay(ClipPlan.from_dict(video.origin["plan"]))
    assert [frame.photo for frame in video] == [encode_jpeg(image, 95) for image in replayed.frames]


def test_rough_masks_are_left_out_and_said_to_be(shards):
    """Frames are the same without."""
    rough = configure_clip_recipe(SMALL, ["rough=deformed"])
    with_rough, without = ClipVideos(shards, rough, 5), ClipVideos(shards, SMALL, 5)
    assert with_rough.remarks == {ROUGH: 5} and without.remarks == {}
    assert [frame.photo for frame in with_rough[0]] == [frame.photo for frame in without[0]]


def test_a_video_without_an_object_says_so(shards):
    """Its first frame shows none, so no frame has one."""
    lost = replace(SMALL, least_pixels=SMALL.size**2)
    video = ClipVideos(shards, lost, 5)[0]
    assert (video.objects, video.remarks) == ({}, [NO_OBJECT])
    assert all(not frame.objects for frame in video)


def test_a_video_with_an_ignore_region_says_so(tmp_path, datakit):
    """It is not exported."""
    built = datakit("build-shards", f"v:voc={voc(tmp_path / 'voc')}", "--out", tmp_path / "out", "--min-area", 0)
    assert built.exit_code == 0, built.output
    assert IGNORED in ClipVideos(tmp_path / "out", SMALL, 1)[0].remarks


@pytest.mark.parametrize("codec", ["source", "webp", "jpeg:0"])
def test_a_codec_that_makes_no_frames_is_refused(shards, codec):
    """Named, with those there are."""
    with pytest.raises(UsageError, match="png"):
        ClipVideos(shards, SMALL, 1, codec=codec)


def test_what_differs_in_bytes_differs_in_identity(shards):
    """Recipe, number, seed and codec."""
    others = [
        ClipVideos(shards, SMALL, 5),
        ClipVideos(shards, replace(SMALL, size=72), 5),
        ClipVideos(shards, SMALL, 6),
        ClipVideos(shards, SMALL, 5, seed=1),
        ClipVideos(shards, SMALL, 5, codec="png"),
    ]
    identities = [videos.identity() for videos in others]
    assert all(one not in identities[:n] for n, one in enumerate(identities))


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_every_format_takes_clips(shards, name):
    """Each frame once, in files of their own names."""
    videos, sink = ClipVideos(shards, SMALL, 2), Collected()
    entries = [EXPORTERS[name].write(videos[n], sink) for n in range(2)]
    EXPORTERS[name].close(entries, sink)
    assert sum(path.endswith(".jpg") for path in sink.files) == 6
