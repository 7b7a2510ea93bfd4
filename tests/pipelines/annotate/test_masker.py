"""The network that annotates: what it learns from drawings, keeps and forgets."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra `network`)")

from datakit.errors import DatakitError, UsageError
from model.checkpoint import checkpoint_path, read_checkpoint
from model.online import ONLINE, SEVERAL
from pipelines.annotate.masker import NetworkMasker
from tests.clips import frame, labels

QUICK = replace(SEVERAL, iterations=2, batch=1)


@pytest.fixture
def drawings(monkeypatch):
    """Two frames with an object, for a network that learns from them in two steps."""
    monkeypatch.setitem(ONLINE, "several", QUICK)
    return [(frame(place), labels(place)) for place in (0, 5)]


def carried(masker):
    """What it makes of a frame after a drawing."""
    propagator = masker.fresh(close=False)
    propagator.step(frame(0), labels(0))
    return propagator.step(frame(1)), dict(propagator.margins)


def test_what_was_learned_is_kept_for_the_next_session_and_can_be_forgotten(tmp_path, drawings):
    """Masks depend on it, and its name says so."""
    kept, left = tmp_path / "learned.safetensors", []
    masker = NetworkMasker("bundled", threads=1, kept=kept)
    given, before = masker.name, carried(masker)
    masker.learn(drawings, left.append)
    learned, after = masker.name, carried(masker)
    assert left == [1, 0] and masker.learned == 2
    assert learned.startswith(given + "+") and after[1] != before[1]
    again = NetworkMasker("bundled", threads=1, kept=kept)
    assert (again.name, again.learned) == (learned, 2)
    assert np.array_equal(carried(again)[0], after[0]) and carried(again)[1] == after[1]
    again.forget()
    assert (again.name, again.learned, kept.exists()) == (given, 0, False)
    assert carried(again)[1] == before[1]


def test_it_always_learns_from_the_network_as_it_was_given(drawings):
    """The same drawings teach the same, whatever was learned before."""
    masker = NetworkMasker("bundled", threads=1)
    masker.learn(drawings, lambda left: None)
    once = carried(masker)[1]
    masker.learn(drawings[:1], lambda left: None)
    masker.learn(drawings, lambda left: None)
    assert carried(masker)[1] == once


def test_it_looks_as_closely_when_it_has_learned(drawings):
    """Its lessons are at the scale of propagation."""
    masker = NetworkMasker("bundled", threads=1)
    sizes = [masker.fresh(close).config.size for close in (False, True)]
    masker.learn(drawings, lambda left: None)
    assert [masker.fresh(close).config.size for close in (False, True)] == sizes
    assert sizes[0] < sizes[1]


def test_what_was_learned_at_another_scale_is_not_used(tmp_path, drawings, monkeypatch):
    """An earlier version showed its objects smaller; they would be lost where one looks closely."""
    kept = tmp_path / "learned.safetensors"
    masker = NetworkMasker("bundled", threads=1, kept=kept)
    given = masker.name
    masker.learn(drawings, lambda left: None)
    monkeypatch.setitem(ONLINE, "several", replace(QUICK, view=replace(QUICK.view, size=256)))
    again = NetworkMasker("bundled", threads=1, kept=kept)
    assert (again.name, again.learned) == (given, 0)
    assert "was learned as an earlier version does" in again.remark


def test_the_same_lesson_has_the_same_name(tmp_path, drawings):
    """Masks that it made before are up to date, however long it took."""
    masker = NetworkMasker("bundled", threads=1, kept=tmp_path / "learned.safetensors")
    names = []
    for _ in range(2):
        masker.learn(drawings, lambda left: None)
        names.append(masker.name)
        masker.forget()
    assert names[0] == names[1]


def test_weights_that_are_gone_by_then_do_not_cost_the_lesson(tmp_path, drawings):
    """They were read at the beginning."""
    weights = shutil.copy(checkpoint_path("bundled"), tmp_path / "best.safetensors")
    masker = NetworkMasker(weights, threads=1, kept=tmp_path / "learned.safetensors")
    (tmp_path / "best.safetensors").unlink()
    masker.learn(drawings, lambda left: None)
    assert read_checkpoint(tmp_path / "learned.safetensors").about["learned"]["drawings"] == 2


def test_what_a_project_learned_is_not_its_weights(tmp_path, drawings):
    """Learning again would write over them, and forgetting remove them."""
    kept = tmp_path / "learned.safetensors"
    NetworkMasker("bundled", threads=1, kept=kept).learn(drawings, lambda left: None)
    with pytest.raises(UsageError, match="leave --weights out"):
        NetworkMasker(kept, threads=1, kept=kept)


def test_a_lesson_that_cannot_be_kept_has_changed_nothing(tmp_path, drawings):
    """It says what to do."""
    masker = NetworkMasker("bundled", threads=1, kept=tmp_path / "file" / "learned.safetensors")
    (tmp_path / "file").write_bytes(b"")  # no folder can be made there
    before = masker.name
    with pytest.raises(DatakitError, match=r"cannot be written .* learn again"):
        masker.learn(drawings, lambda left: None)
    assert (masker.name, masker.learned) == (before, 0)


def test_one_that_is_stopped_has_learned_nothing(tmp_path, drawings):
    """Nor written anything."""
    masker = NetworkMasker("bundled", threads=1, kept=tmp_path / "learned.safetensors")
    before = masker.name

    def stop(left):
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        masker.learn(drawings, stop)
    assert (masker.name, masker.learned, list(tmp_path.iterdir())) == (before, 0, [])


@pytest.mark.parametrize("harm", ["torn", "of other weights", "not ours"])
def test_what_cannot_be_used_is_told_and_left_alone(tmp_path, drawings, caplog, harm):
    """Masks are made by the network as it was given."""
    kept = tmp_path / "learned.safetensors"
    masker = NetworkMasker("bundled", threads=1, kept=kept)
    masker.learn(drawings, lambda left: None)
    data = kept.read_bytes()
    damaged = {"torn": data[: len(data) // 2], "of other weights": data, "not ours": b"{}"}[harm]
    kept.write_bytes(damaged)
    again = NetworkMasker("lite-memory" if harm == "of other weights" else "bundled", threads=1, kept=kept)
    assert again.learned == 0 and "+" not in again.name
    assert str(kept) in caplog.text and again.remark in caplog.text
    again.learn(drawings, lambda left: None)
    assert again.remark == ""


def test_drawings_of_nothing_teach_nothing(drawings):
    """Said plainly."""
    masker = NetworkMasker("bundled", threads=1)
    with pytest.raises(UsageError, match="holds an object"):
        masker.learn([(frame(0), np.zeros_like(labels()))], lambda left: None)
    assert masker.learned == 0
