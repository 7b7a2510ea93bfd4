"""What a session tells a page, without a server."""

import numpy as np
import pytest

pytest.importorskip("starlette", reason="starlette is not installed (extra `annotate`)")

from datakit.errors import UsageError
from pipelines.annotate.media import Media, open_media
from pipelines.annotate.project import Project
from pipelines.annotate.session import Session, spread
from pipelines.annotate.signs import signs
from tests.clips import Drifting, labels
from tests.pipelines.annotate.serving import DriftingMasker


def test_changes_of_a_later_session_are_later(project):
    """A page that stays open through both must not take them for old."""
    before = Session(project, None, print)
    revisions = [before.changes()["revision"], before.changes()["revision"]]
    assert revisions == sorted(revisions)
    time_passes = Session(project, None, print)
    assert time_passes.changes()["revision"] > revisions[0]


def test_a_thumbnail_is_read_once_and_takes_no_room_from_what_is_looked_at(project):
    """Its photo is kept small; its masks are those of the moment."""
    session = Session(project, None, print)
    before = session.thumb(3)
    assert len(project.media._kept) == 0
    project.draw(3, labels())
    assert session.thumb(3) != before
    assert session._small.cache_info().misses == 1


@pytest.mark.parametrize(("remembers", "looks"), [(True, [True, False]), (False, [])])
def test_a_network_with_a_memory_sees_a_drawing_before_it_is_asked(project, monkeypatch, remembers, looks):
    """As it would look between two drawings and at an end of the film; one without has nothing to keep."""
    masker, begun = DriftingMasker(), []
    masker.remembers, fresh = remembers, masker.fresh
    monkeypatch.setattr(masker, "fresh", lambda close: begun.append(close) or fresh(close))
    session = Session(project, masker, print)
    session.draw(0, labels())
    session.draw(0, labels(1))
    session._ahead.wait()
    assert begun == looks
    assert project.drawn == [0] and np.array_equal(project.labels(0), labels(1))


def test_nothing_is_seen_beforehand_while_a_job_runs(project, monkeypatch):
    """It would take the cores from what somebody waits for."""
    masker = DriftingMasker(steps=0)
    masker.remembers = True
    session = Session(project, masker, print)
    project.draw(0, labels())
    session.propagate("both", 0)
    begun = []
    monkeypatch.setattr(masker, "fresh", begun.append)
    session.draw(9, labels(9))
    session._ahead.wait()
    session.jobs.stop()
    monkeypatch.undo()
    masker.allow(100)
    session.jobs.wait()
    assert begun == []


def test_a_picture_that_was_drawn_is_not_decoded_again_for_a_run(project, monkeypatch):
    """To seek it in a film costs a second."""
    masker = DriftingMasker()
    masker.remembers = True
    reads, once = [], Media.once
    monkeypatch.setattr(Media, "once", lambda media, place: reads.append(place) or once(media, place))
    monkeypatch.setattr(Drifting, "replay", asking(Drifting.replay))
    session = Session(project, masker, print)
    for place in (0, 9):
        session.draw(place, labels(place))
        session._ahead.wait()
    assert reads == [0, 9]
    session.propagate("both", 0)
    session.jobs.wait()
    assert reads == [0, 9] and project.made_places


def asking(replay):
    """Looks at every picture, as a network with a memory does."""

    def asks(propagator, made, mask=None, frame=None):
        if frame is not None:
            frame()
        replay(propagator, made, mask, frame)

    return asks


def learned(project):
    """A session after it has learned, its masker, and what it told."""
    told, masker = [], DriftingMasker()
    session = Session(project, masker, told.append)
    session.learn()
    session.jobs.wait()
    return session, masker, told


def test_it_learns_from_what_was_drawn_alone(project):
    """Not from objects that go on below a drawing, nor from drawings without any."""
    project.draw(0, labels())
    project.draw(4, np.where(labels(4) == 1, 1, 0).astype(np.uint8), settled=[1])
    project.draw(8, np.zeros_like(labels()))
    project.keep_made(4, labels(4), {})
    assert set(np.unique(project.labels(4))) == {0, 1, 2}
    _, masker, told = learned(project)
    assert [set(np.unique(drawing)) for _, drawing in masker.lessons] == [{0, 1, 2}, {0, 1}]
    assert np.array_equal(masker.lessons[1][0], project.media[4])
    assert (told[-1]["state"], told[-1]["job"]) == ("done", "learn")


def test_masks_of_before_are_to_be_made_again(project):
    """After it has learned and after it has forgotten; those of the same network are up to date again."""
    project.made_by("drifting")
    for place in (0, 4):
        project.draw(place, labels(place))
    project.keep_made(2, labels(2), {"from": project.origin(0, 4)})
    assert signs(project)[2] == "m"
    session, _, told = learned(project)
    assert signs(project)[2] == "o" and [each["learned"] for each in told if each["kind"] == "changes"] == [2]
    session.forget()
    session.jobs.wait()
    assert signs(project)[2] == "m" and session.changes()["learned"] == 0


@pytest.mark.parametrize(("drawn", "said"), [((), "Draw an object in two frames"), ((3,), "Draw one more frame")])
def test_one_drawing_is_too_few_to_learn_from(project, drawn, said):
    """It does not stand for the film."""
    for place in drawn:
        project.draw(place, labels(place))
    with pytest.raises(UsageError, match=said):
        Session(project, DriftingMasker(), print).learn()


def test_photos_teach_nothing_and_nothing_learned_cannot_be_forgotten(tmp_path, clip):
    """Said plainly."""
    photos = Project(tmp_path / "photos", open_media(clip, stills=True))
    with pytest.raises(UsageError, match="one by one"):
        Session(photos, DriftingMasker(), print).learn()
    film = Project(tmp_path / "film", open_media(clip))
    with pytest.raises(UsageError, match="nothing was learned"):
        Session(film, DriftingMasker(), print).forget()


@pytest.mark.parametrize(("shown", "most", "taken"), [
    ({3: [1], 5: [1], 9: [1]}, 4, [3, 5, 9]),
    ({place: [1] for place in range(0, 100, 10)}, 4, [0, 20, 40, 90]),
    ({place: [1] for place in [*range(50), 400, 800]}, 4, [0, 49, 400, 800]),
    ({0: [1], 1: [1], 2: [1, 2], 3: [3], 90: [1]}, 4, [0, 2, 3, 90]),
    ({0: [1], 1: [2], 2: [3]}, 2, [0, 1]),
], ids=["few", "even", "crowded", "each object", "too many objects"])  # fmt: skip
def test_of_many_drawings_those_far_apart_are_learned_from(shown, most, taken):
    """One of each object first."""
    assert spread(shown, most) == taken


def test_a_lesson_tells_at_once_and_stops_while_drawings_are_read(project):
    """Nothing has changed then, and what was learned before stays."""
    for place in (0, 4, 8):
        project.draw(place, labels(place))
    session, masker, _ = learned(project)
    told = []
    session.jobs._tell = told.append
    with session.project.lock:  # the drawings cannot be read yet
        session.learn()
        assert (told[0]["state"], told[0]["job"]) == ("running", "learn")
        session.jobs.stop()
    session.jobs.wait()
    assert told[-1]["state"] == "stopped" and told[-1]["left"] >= masker.steps
    assert masker.learned == 3


def test_a_propagation_is_not_disturbed_by_a_lesson(project):
    """One after the other."""
    for place in (0, 4):
        project.draw(place, labels(place))
    session = Session(project, masker := DriftingMasker(steps=0), lambda event: None)
    session.propagate("both", 0)
    for ask in (session.learn, session.learn):
        with pytest.raises(UsageError, match="Propagation is running"):
            ask()
    session.jobs.stop()
    masker.allow(20)
    session.jobs.wait()
    assert masker.learned == 0


def test_a_full_disk_does_not_make_a_lesson_half_a_one(project, monkeypatch):
    """The network has learned, so masks of before are old, whatever could be written."""
    project.made_by("drifting")
    for place in (0, 4):
        project.draw(place, labels(place))
    project.keep_made(2, labels(2), {"from": project.origin(0, 4)})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.annotate.about.write_json", full)
    session, _, told = learned(project)
    assert told[-1]["state"] == "done" and signs(project)[2] == "o"
    monkeypatch.undo()
    project.leave_at(1)
    assert Project(project.folder, project.media, writes=False).origin(0, 4) == project.origin(0, 4)
    assert session.changes()["learned"] == 2
