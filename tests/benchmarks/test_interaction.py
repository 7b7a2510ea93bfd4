"""The simulated user of the interaction benchmark, on a drawn clip with a propagator that only moves masks."""

import numpy as np
import pytest

from benchmarks import interaction
from benchmarks.interaction import Film, Kept, at_share, by_offer, worst
from model.online import ONLINE
from pipelines.annotate.signs import signs
from tests.clips import draw_folder, labels, write_labels
from tests.pipelines.annotate.serving import DriftingMasker

COUNT = 10


@pytest.fixture
def film(tmp_path):
    """Ten frames with their truth, as DAVIS lays them out."""
    draw_folder(tmp_path / "JPEGImages/480p/clip", COUNT)
    for number in range(COUNT):
        plane = np.where(labels(number) == 1, 1, 0).astype(np.uint8)
        write_labels(tmp_path / "Annotations/480p/clip" / f"{number:05d}.png", plane)
    return Film(tmp_path, "clip", DriftingMasker())


def test_every_drawing_adds_a_point_and_makes_all_frames_better(film):
    """Whichever frame is chosen, and those that are left."""
    for choose in (by_offer, worst):
        curve, drawn = film.curve(choose, 0.3)
        assert len(curve) == len(drawn) == 3
        assert curve[0][0] < curve[1][0] < curve[2][0]
        assert all(drawn >= others for drawn, others in curve)


def test_evenly_spaced_frames_begin_with_the_same_drawing(film):
    """So that the curves have one beginning."""
    assert film.evenly(0.2)[0][0] == film.curve(worst, 0.1)[0][0]


def test_the_network_learns_from_all_drawings(film, monkeypatch):
    """Masks are made by what it learned, and the next film begins with the network as it was given."""
    masker, projects, seen = film._masker, [], []
    begun = Film.begun
    monkeypatch.setattr(Film, "begun", lambda *given: projects.append(begun(*given)) or projects[-1])
    monkeypatch.setattr(masker, "forget", lambda: seen.append((len(masker.lessons), signs(projects[-1]))))
    film.learned([0, 4, 9])
    assert len(seen) == 1 and seen[0][0] == 3
    assert seen[0][1].count("d") == 3 and seen[0][1].count("m") == 7


def test_a_curve_is_drawn_once_however_the_network_learns(film, tmp_path, monkeypatch):
    """Another lesson learns from the drawings that are kept."""
    monkeypatch.setattr(interaction, "OUT", tmp_path)
    monkeypatch.setattr(interaction, "NetworkMasker", lambda *_given, **_how: DriftingMasker())
    once = Kept(tmp_path, "bundled", 0.3).measure("clip", "worst", True)
    assert Kept(tmp_path, "bundled", 0.3).measure("clip", "worst", True) == once
    monkeypatch.setattr(Film, "curve", None)
    monkeypatch.setitem(ONLINE, interaction.PRESET, ONLINE["paper"])
    assert Kept(tmp_path, "bundled", 0.3).measure("clip", "worst", True)[0] == once[0]
    assert len(list(tmp_path.glob("clip-worst-*.json"))) == 3


def test_what_takes_minutes_is_left_out_where_it_is_not_asked_for(film, tmp_path, monkeypatch):
    """The curve alone, and a table without its end."""
    monkeypatch.setattr(interaction, "OUT", tmp_path)
    monkeypatch.setattr(interaction, "NetworkMasker", lambda *_given, **_how: DriftingMasker())
    monkeypatch.setattr(Film, "learned", None)
    ended = Kept(tmp_path, "bundled", 0.3).measure("clip", "worst", False)
    assert ended[1] is None
    figures = interaction.summary({"worst": {"clip": ended}}, {"clip": 10}, [0.0, 0.3])
    assert list(figures["worst, all frames"]) == ["one frame", "30%"] and "worst, learned, each" not in figures


def test_a_share_is_a_number_of_drawings():
    """One at least."""
    curve = [(0.5, 0.4), (0.6, 0.5), (0.7, 0.6), (0.8, 0.7)]
    assert [at_share(curve, 40, share) for share in (0, 0.02, 0.04, 0.1)] == [curve[0], curve[0], curve[1], curve[3]]
