"""What a session tells a page, without a server."""

import pytest

pytest.importorskip("starlette", reason="starlette is not installed (extra `annotate`)")

from pipelines.annotate.session import Session
from tests.clips import labels


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
    assert list(project.media._kept) == []
    project.draw(3, labels())
    assert session.thumb(3) != before
    assert session._small.cache_info().misses == 1
