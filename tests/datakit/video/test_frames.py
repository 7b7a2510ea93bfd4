"""Frames of folders and video files: order, choice, rotation, and everything that can be wrong with them."""

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest

from datakit.errors import DatakitError, UsageError
from datakit.video.frames import check_count, open_frames
from datakit.video.video_file import VideoFacts
from tests.clips import SIZE, draw_file, draw_folder, edit_list, frame
from tests.damage import lose_the_middle
from tests.tiny import write_picture, write_rotated_jpeg


def test_a_folder_is_read_in_the_order_people_count(tmp_path):
    """frame2 comes before frame10, and outputs are named as the files are."""
    for number in (2, 10, 1):
        write_picture(tmp_path / f"frame{number}.png", frame(number))
    frames = open_frames(tmp_path)
    assert frames.names == ("frame1", "frame2", "frame10")
    assert (len(frames), frames.size) == (3, SIZE)
    np.testing.assert_array_equal(frames[2], frame(10))


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_start_stop_and_stride_choose_frames_by_their_number(tmp_path, kind):
    """Names and numbers are those of the whole video."""
    video = draw_folder(tmp_path / "clip", 9) if kind == "folder" else draw_file(tmp_path / "clip.avi", 9)
    frames = open_frames(video, 1, 8, 3)
    assert frames.numbers == (1, 4, 7)
    assert frames.names == ("00001", "00004", "00007")
    assert frames.fps == open_frames(video).fps / 3
    for index, number in enumerate(frames.numbers):
        assert np.abs(frames[index].astype(int) - frame(number)).mean() < 4


def test_going_backwards_in_a_file_gives_the_same_frames(tmp_path):
    """Whatever was asked for before."""
    frames = open_frames(draw_file(tmp_path / "clip.avi", 7))
    forwards = [frames[k].copy() for k in range(7)]
    for k in (6, 5, 0, 3, 2, 6):
        np.testing.assert_array_equal(frames[k], forwards[k])


def test_a_video_travels_to_another_process(tmp_path):
    """Opened there anew, with the frames that were chosen here."""
    frames = open_frames(draw_file(tmp_path / "clip.avi", 5), 1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(frames))[2], frames[2])


def test_rotated_photos_of_a_folder_come_upright(tmp_path):
    """EXIF orientation 6 asks for a quarter turn."""
    write_rotated_jpeg(tmp_path / "0.jpg", frame(0), 6)
    frames = open_frames(tmp_path)
    assert frames.size == SIZE[::-1]
    assert np.abs(frames[0].astype(int) - np.rot90(frame(0), -1)).mean() < 4


def test_a_folder_without_pictures_is_refused(tmp_path):
    """The message says what was expected."""
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(UsageError, match="holds no pictures; expected frames"):
        open_frames(tmp_path)


def test_a_video_that_is_not_there_is_refused(tmp_path):
    """By its name."""
    with pytest.raises(UsageError, match=r"gone\.mp4: no such video"):
        open_frames(tmp_path / "gone.mp4")


def test_a_file_that_is_no_video_is_refused(tmp_path):
    """It is there, so that it is not called missing."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video at all" * 100)
    with pytest.raises(UsageError, match=r"clip\.mp4: is not a video that FFmpeg can open"):
        open_frames(path)


def test_without_pyav_a_folder_is_read_and_a_file_is_refused(tmp_path, monkeypatch):
    """With what to install, or to give instead."""
    monkeypatch.setitem(sys.modules, "av", None)
    assert len(open_frames(draw_folder(tmp_path / "clip"))) == 6
    with pytest.raises(UsageError, match=r"needs av, .* pip install 'masktrack-datakit\[film\]'") as caught:
        open_frames(draw_file(tmp_path / "clip.avi"))
    assert "a folder of frames needs nothing" in str(caught.value)


def test_a_choice_of_no_frames_is_refused(tmp_path):
    """A start behind the end."""
    with pytest.raises(UsageError, match="leave none of its 6 frames"):
        open_frames(draw_folder(tmp_path), 6)


def test_frames_of_different_sizes_are_refused(tmp_path):
    """The first that differs is named, with both sizes."""
    draw_folder(tmp_path)
    write_picture(tmp_path / "00003.png", frame(3, (40, 64)))
    with pytest.raises(DatakitError, match=r"00003\.png: is 64x40, the frames before are 64x48"):
        open_frames(tmp_path)


def test_a_cut_frame_in_the_middle_is_named_before_anything_starts(tmp_path):
    """A truncated JPEG."""
    path = draw_folder(tmp_path, suffix=".jpg") / "00004.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DatakitError, match=r"00004\.jpg: ends after"):
        open_frames(tmp_path)
    assert len(open_frames(tmp_path, stop=4)) == 4


def test_a_frame_that_changes_later_is_named(tmp_path):
    """Between looking through the video and using it."""
    frames = open_frames(draw_folder(tmp_path))
    (tmp_path / "00002.png").unlink()
    with pytest.raises(DatakitError, match=r"00002\.png: was listed but is not there now"):
        frames[2]


def test_a_cut_video_file_is_refused(tmp_path):
    """Its header speaks of many more frames than there are; --stop takes what is there."""
    path = draw_file(tmp_path / "clip.avi", 60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatakitError, match="of the 60 frames it speaks of can be decoded"):
        open_frames(path)
    assert len(open_frames(path, stop=20)) == 20


def test_a_film_trimmed_by_its_edit_list_is_no_damaged_film(tmp_path):
    """The frames that the list shows, from the first of them, and a remark."""
    path = edit_list(draw_file(tmp_path / "clip.mp4", 30, codec="mp4v"), 10, 12, 12)
    frames = open_frames(path)
    assert len(frames) == 12
    assert frames.remarks == (f"{path}: its edit list shows 12 of the 30 frames in it, which are taken",)
    whole = open_frames(draw_file(tmp_path / "whole.mp4", 30, codec="mp4v"))
    np.testing.assert_array_equal(frames[0], whole[10])


def test_a_trimmed_film_that_is_cut_is_refused(tmp_path):
    """Frames that its list shows are missing."""
    facts = VideoFacts(20, SIZE, 12.0, seconds=3.3, stored=60, shown=40, duration=3.3)
    with pytest.raises(DatakitError, match="20 of the 40 frames it speaks of can be decoded; it is damaged or cut"):
        check_count(tmp_path / "clip.mp4", facts, None)


def test_frames_of_varying_distance_are_remarked(tmp_path):
    """Where a container counts no frames, its length times a rate is no count; a film that stops early is cut."""
    facts = VideoFacts(39, SIZE, 25.0, seconds=6.0, duration=6.0)
    (remark,) = check_count(tmp_path / "clip.mkv", facts, None)
    assert "39 frames up to its end, where its length and rate speak of 150" in remark
    with pytest.raises(DatakitError, match="damaged or cut"):
        check_count(tmp_path / "clip.mkv", replace(facts, seconds=1.6), None)


def test_frames_that_the_decoder_mended_are_named(tmp_path):
    """They are used, and a remark says which."""
    (remark,) = check_count(tmp_path / "clip.mp4", VideoFacts(9, SIZE, 12.0, stored=9, shown=9, damaged=(3, 4)), None)
    assert remark.endswith("clip.mp4: 2 frames are damaged, and the decoder mended them: 00003, 00004")


def test_a_frame_damaged_in_its_middle_is_named_before_anything_starts(tmp_path):
    """A JPEG of which OpenCV would make a picture."""
    for number in range(3):
        write_picture(tmp_path / f"{number}.jpg", np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8))
    lose_the_middle(tmp_path / "1.jpg")
    with pytest.raises(DatakitError, match=r"1\.jpg: JPEG header .* damaged pixels; libjpeg says: Corrupt JPEG data"):
        open_frames(tmp_path)


def test_a_folder_of_photos_that_are_not_read_names_them(tmp_path):
    """As phones give them out."""
    (tmp_path / "IMG_1.HEIC").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"holds no pictures; .*IMG_1\.HEIC is a HEIC photo, which is not read"):
        open_frames(tmp_path)


def test_frames_of_a_folder_say_what_they_are(tmp_path):
    """One line, as a notebook prints it."""
    frames = open_frames(draw_folder(tmp_path / "clip", 3))
    assert repr(frames) == f"FolderFrames({str(tmp_path / 'clip')!r}, 3 frames of {SIZE[1]}x{SIZE[0]})"
