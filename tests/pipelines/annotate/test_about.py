"""A project's description: whose pictures it is of, what a change of it leaves, what is told of a damaged one."""

import json
import shutil
from pathlib import Path

import pytest

from datakit.errors import DatakitError, UsageError
from pipelines.annotate.media import open_media
from pipelines.annotate.project import Project
from tests.clips import draw_folder, labels


def again(project, **how):
    """The project as the next session opens it."""
    return Project(project.folder, open_media(project.media.path), **how)


def test_names_are_plain_text(project):
    """Without control characters, and not without end."""
    number = project.add_object(" a\n\tb\x00  c " + "d" * 200)
    assert project.objects()[number] == ("ab c " + "d" * 200)[:100]


def test_another_folder_and_another_film_are_refused(project, tmp_path):
    """Before anything is written into them."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        Project(tmp_path / "mine", project.media)
    project.draw(3, labels())
    photos = open_media(draw_folder(tmp_path / "photos", 3), stills=True)
    with pytest.raises(UsageError, match=r"10 frames of a film.*--frames.*as 3 photos"):
        Project(project.folder, photos)


def test_a_clip_whose_frames_have_the_same_names_is_refused(project, tmp_path):
    """It would be shown with the masks of the other one; where the film was encoded anew, there is a way out."""
    project.draw(3, labels())
    other = shutil.copytree(project.media.path, tmp_path / "other")
    assert Project(project.folder, open_media(other)).drawn == [3]  # a copy
    (other / project.media.files[3].name).write_bytes(project.media.files[3].read_bytes() + b"\0")
    with pytest.raises(UsageError, match=r'00003 was drawn on a file of .*remove "bytes"'):
        Project(project.folder, open_media(other))
    path = project.folder / "project.json"
    path.write_text(json.dumps({key: each for key, each in json.loads(path.read_text()).items() if key != "bytes"}))
    assert Project(project.folder, open_media(other)).drawn == [3]
    with pytest.raises(UsageError, match="was drawn on a file"):
        again(project)


def test_a_clip_without_any_picture_that_was_drawn_on_is_refused(project, tmp_path):
    """Though a clip may have become longer or shorter."""
    project.draw(3, labels())
    other = shutil.copytree(project.media.path, tmp_path / "other")
    for place, file in enumerate(project.media.files):
        if place != 3:
            (other / file.name).unlink()
    assert Project(project.folder, open_media(other)).drawn == [0]
    (other / project.media.files[3].name).rename(other / f"a{project.media.files[3].suffix}")
    with pytest.raises(UsageError, match="none of the pictures"):
        Project(project.folder, open_media(other))


def test_one_photo_that_was_replaced_does_not_lock_the_others(project, tmp_path):
    """Moving what was drawn on it is enough; what was taken back does not count, nor a picture that is gone."""
    for place in (2, 3):
        project.draw(place, labels())
    file = project.media.files[3]
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(UsageError, match=r"move .*00003\.png elsewhere"):
        again(project)
    (project.folder / "drawn/00003.png").rename(tmp_path / "aside.png")
    assert again(project).drawn == [2]
    other = again(project)
    other.draw(4, labels())
    project.media.files[4].unlink()
    looking = Project(project.folder, other.media, writes=False)
    other.draw(5, labels())
    assert looking.look_again() == [5]
    other.undraw(5)
    assert "00005" not in json.loads((project.folder / "project.json").read_text())["bytes"]


def test_masks_of_a_film_are_not_those_of_photos(project):
    """Though no drawing is left."""
    project.draw(3, labels())
    project.keep_made(4, labels(), {})
    project.undraw(3)
    with pytest.raises(UsageError, match="opened as 10 photos"):
        Project(project.folder, open_media(project.media.path, stills=True))


def test_a_project_in_which_nothing_was_drawn_becomes_one_of_photos(project):
    """So that a wrong guess is no dead end."""
    photos = open_media(project.media.path, stills=True)
    assert Project(project.folder, photos).media.kind == "stills"
    assert json.loads((project.folder / "project.json").read_text())["kind"] == "stills"


def test_a_change_that_cannot_be_written_is_none(project, monkeypatch):
    """Neither a new object nor another name is there afterwards."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.annotate.about.write_json", full)
    for change in (project.add_object, lambda: project.name_object(1, "dog"), lambda: project.remove_object(1)):
        with pytest.raises(OSError, match="No space"):
            change()
    assert project.objects() == {1: "block", 2: "other"}


@pytest.mark.parametrize("about", ["{", "[]", '{"format": 1}', None])
def test_a_damaged_description_is_told(project, about):
    """With the way out."""
    path = project.folder / "project.json"
    text = json.dumps({**json.loads(path.read_text()), "objects": {"1": {}}}) if about is None else about
    path.write_text(text)
    with pytest.raises(DatakitError, match=r"project\.json: (damaged|is)"):
        again(project)


@pytest.mark.parametrize("links", [True, False])
def test_a_drawing_whose_description_cannot_be_written_is_as_before(project, monkeypatch, links):
    """On disk, too, also where it has no hard links: none is lost, and none is there that nobody was told of."""
    project.draw(3, labels())
    before = {path.name: path.read_bytes() for path in (project.folder / "drawn").iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.annotate.about.write_json", full)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", full)
    for change in (lambda: project.draw(3, labels(2)), lambda: project.draw(5, labels()), lambda: project.undraw(3)):
        with pytest.raises(OSError, match="No space"):
            change()
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in (project.folder / "drawn").iterdir()} == before
    assert again(project).drawn == [3]
    assert not [path for path in project.folder.iterdir() if path.name.startswith(".part")]
