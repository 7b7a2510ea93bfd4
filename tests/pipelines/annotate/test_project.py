"""A project's folder: what is drawn is there after a crash, and is on top of what was made."""

import os

import numpy as np
import pytest

from datakit.errors import DatakitError, UsageError
from datakit.video.labels import read_labels
from pipelines.annotate.media import open_media
from pipelines.annotate.project import FROM, Project
from pipelines.annotate.signs import signs
from tests.clips import labels


def again(project, **how):
    """The project as the next session opens it."""
    return Project(project.folder, open_media(project.media.path), **how)


def test_what_is_drawn_is_a_palette_png_of_ids(project):
    """Any program reads it."""
    project.draw(3, labels())
    found = read_labels(project.folder / "drawn" / "00003.png", "3")
    assert np.array_equal(found.labels, labels())


def test_a_session_that_was_killed_leaves_all_that_was_drawn(project):
    """Objects with their names, drawings, and where one was."""
    project.draw(3, labels())
    project.name_object(2, "a lamp")
    project.leave_at(7)
    found = again(project)
    assert np.array_equal(found.labels(3), labels())
    assert (found.objects(), found.drawn, found.at) == ({1: "block", 2: "a lamp"}, [3], 7)


def test_a_drawing_lies_on_what_was_made(project):
    """And what is made later does not change it."""
    project.draw(3, labels())
    project.keep_made(3, labels(5), {FROM: ""})
    assert np.array_equal(project.labels(3), labels())


def test_a_drawing_leaves_open_the_objects_that_it_never_showed(project):
    """They are seen below it; one that no drawing shows any more is not."""
    project.draw(0, labels())
    first = np.where(labels() == 1, 1, 0).astype(np.uint8)
    project.draw(3, first)
    project.keep_made(3, labels(), {FROM: ""})
    assert np.array_equal(project.labels(3), labels())
    project.undraw(0)
    assert np.array_equal(project.labels(3), first)


def test_an_object_that_was_erased_is_not_there(project):
    """Though the network has made one."""
    project.keep_made(3, labels(), {FROM: ""})
    without = np.where(labels() == 1, 1, 0).astype(np.uint8)
    project.draw(3, without)
    assert np.array_equal(project.labels(3), without)
    assert again(project).settled(3) == {1, 2}


def test_a_drawing_that_is_taken_back_shows_what_was_made(project):
    """As if nobody had drawn there."""
    project.keep_made(3, labels(2), {FROM: ""})
    project.draw(3, labels())
    project.undraw(3)
    assert np.array_equal(project.labels(3), labels(2))
    assert again(project).drawn == []


def test_signs_tell_drawn_made_and_outdated_pictures(project):
    """A mask is outdated once a drawing beside it changes."""
    project.draw(2, labels())
    project.keep_made(5, labels(), {FROM: project.origin(2, None)})
    assert signs(project) == "..d..m...."
    project.draw(2, labels(1))
    assert signs(project) == "..d..o...."
    project.undraw(2)
    assert signs(project) == ".....o...."


def test_a_removed_object_is_seen_nowhere_and_can_come_back(project):
    """Its pixels stay in the files; its id is given to no other."""
    project.draw(0, labels())
    project.remove_object(2)
    assert set(np.unique(again(project).labels(0))) == {0, 1}
    assert again(project).add_object() == 3
    project.remove_object(2, removed=False)
    assert np.array_equal(project.labels(0), labels())


def test_a_removed_object_keeps_its_pixels_where_one_draws_meanwhile(project):
    """But for those that were drawn over."""
    project.draw(0, labels())
    project.remove_object(2)
    stroke = np.where(labels() == 1, 1, 0).astype(np.uint8)
    stroke[:3] = 1
    project.draw(0, stroke)
    project.remove_object(2, removed=False)
    assert np.array_equal(project.labels(0), np.where(stroke > 0, stroke, labels()))


def test_a_removed_object_survives_a_drawing_that_is_taken_back_and_brought_again(project):
    """As undo does."""
    project.draw(0, labels())
    project.remove_object(2)
    one = project.labels(0)
    project.undraw(0)
    project.draw(0, one)
    project.remove_object(2, removed=False)
    assert np.array_equal(project.labels(0), labels())


def test_a_drawing_settles_what_its_picture_showed_to_whoever_drew(project):
    """A mask that was made meanwhile was not seen, and goes on below; nothing that is no object is kept."""
    project.draw(0, labels())
    project.keep_made(3, labels(), {FROM: ""})
    without = np.where(labels() == 1, 1, 0).astype(np.uint8)
    project.draw(3, without, settled={77})
    assert (project.settled(3), set(np.unique(project.labels(3)))) == ({1}, {0, 1, 2})
    project.draw(3, without, settled={1, 2})
    project.draw(3, without, settled=())
    assert project.settled(3) == {1}


def test_a_mask_that_a_crash_has_torn_counts_as_not_made(project):
    """It is made again; a drawing that is torn is told."""
    project.keep_made(5, labels(), {FROM: ""})
    project.draw(2, labels())
    for path in (project.folder / "made" / "00005.png", project.folder / "drawn" / "00002.png"):
        path.write_bytes(path.read_bytes()[:60])
    assert project.made(5) is None
    (project.folder / "drawn" / "00002.png").rename(project.folder / "aside.png")
    assert signs(again(project)) == "." * 10
    (project.folder / "aside.png").rename(project.folder / "drawn" / "00002.png")
    with pytest.raises(DatakitError, match="drawn by hand"):
        again(project)


def test_a_cut_line_of_the_log_is_passed_over(project):
    """The next session goes on with those before."""
    project.keep_made(5, labels(), {FROM: "x"})
    with (project.folder / "made.jsonl").open("a") as log:
        log.write('{"frame": "000')
    assert again(project).row(5)[FROM] == "x"


@pytest.mark.parametrize("change", [
    lambda p: p.draw(0, labels()), lambda p: p.undraw(0), lambda p: p.add_object(), lambda p: p.name_object(1, "a"),
    lambda p: p.remove_object(1), lambda p: p.keep_made(0, labels(), {}),
])  # fmt: skip
def test_nothing_is_changed_in_a_project_to_look_at(project, change):
    """Opened with --read-only."""
    with pytest.raises(UsageError, match="looked at only"):
        change(again(project, writes=False))


def test_drawings_of_unknown_objects_and_other_sizes_are_refused(project):
    """Nothing is written."""
    with pytest.raises(UsageError, match="object 9"):
        project.draw(0, np.full((48, 64), 9, np.uint8))
    with pytest.raises(UsageError, match="size"):
        project.draw(0, np.zeros((3, 3), np.uint8))
    assert list((project.folder / "drawn").iterdir()) == []


def test_a_drawing_that_cannot_be_written_changes_nothing(project, monkeypatch):
    """Nor what is known of its objects."""
    project.draw(3, labels())
    before = (project.folder / "project.json").read_text()

    def full(*_, **_how):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.annotate.project.write_mask", full)
    for place in (3, 4):
        with pytest.raises(OSError, match="No space"):
            project.draw(place, np.zeros((48, 64), np.uint8))
    assert (project.drawn, project.settled(3), project.settled(4)) == ([3], {1, 2}, set())
    assert (project.folder / "project.json").read_text() == before


def test_who_only_looks_takes_in_what_another_session_writes(project):
    """And learns which pictures show something else."""
    project.draw(3, labels())
    looking = again(project, writes=False)
    assert looking.look_again() is None
    project.draw(5, labels())
    project.keep_made(4, labels(2), {FROM: ""})
    assert (looking.look_again(), looking.look_again()) == ([4, 5], None)
    assert np.array_equal(looking.labels(4), labels(2)) and looking.version(4) == 1
    project.undraw(3)
    assert (looking.look_again(), looking.drawn) == ([3], [5])
    project.remove_object(2)
    assert (looking.look_again(), looking.objects()) == ([], {1: "block"})


def test_a_project_that_can_no_longer_be_read_is_told_once(project):
    """Not every second anew."""
    project.draw(3, labels())
    looking = again(project, writes=False)
    (project.folder / "project.json").write_text("{")
    with pytest.raises(DatakitError, match="damaged"):
        looking.look_again()
    assert looking.look_again() is None and looking.drawn == [3]


def test_who_only_looks_sees_which_masks_are_up_to_date(project):
    """Though it has no network to compare them with: the last session says what made them."""
    made = again(project, maker="new@448")
    made.draw(3, labels())
    made.keep_made(4, labels(), {FROM: "old@448 " + made.origin(3, None).partition(" ")[2]})
    made.keep_made(5, labels(), {FROM: made.origin(3, None)})
    assert signs(again(project, writes=False)) == signs(made) == "...dom...."


def test_drawings_that_did_not_change_are_not_read_again(project):
    """There may be hundreds of them, and one looks every second."""
    for place in (3, 5):
        project.draw(place, labels())
    looking = again(project, writes=False)
    path = project.folder / "drawn/00003.png"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    project.draw(5, labels(2))
    assert looking.look_again() == [5]
    path.touch()
    with pytest.raises(DatakitError, match="00003"):
        looking.look_again()
