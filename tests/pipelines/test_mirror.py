"""Commands that work on a disk and write to a store: what is there afterwards, and what goes on after a death."""

import errno
import logging
import os
import shutil
import threading
import traceback

import pytest

from datakit.errors import DatakitError, Locked, UsageError
from datakit.places import place_of, write_bytes
from datakit.shards.cache import Cache
from datakit.stores import StoreError
from pipelines import mirror, store_lock
from pipelines.mirror import FOLDERS, output_at


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def out(bucket):
    return bucket.place("runs/a")


def in_child(work):
    """Do something in a process of its own that ends in the middle of it."""
    if (child := os.fork()) == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 9 << 8


def left_here() -> list[str]:
    """Files that lie in the folders of outputs of this machine."""
    home = Cache().folder / FOLDERS
    return sorted(path.name for path in home.rglob("*") if path.is_file())


def test_a_folder_of_this_machine_is_itself(tmp_path):
    """And nobody's folder stays nobody's."""
    with output_at(tmp_path / "out") as output:
        assert output.here == tmp_path / "out" and not output.here.exists()
    with output_at(None) as output:
        assert output.here is None and output.told("a text") == "a text"


def test_what_was_made_is_there_with_its_digest(bucket, out):
    """And nothing of it is left here."""
    with output_at(out) as output:
        (output.here / "deep").mkdir(parents=True)
        (output.here / "deep/b.txt").write_text("b")
        (output.here / ".part-c").write_text("half")
    assert bucket.objects("runs/a") == {"deep/b.txt": b"b"}
    kept = bucket.client.head_object(Bucket=bucket.name, Key="runs/a/deep/b.txt")["Metadata"]
    assert kept["sha256"].startswith("3e23e816")
    assert left_here() == []


def test_what_is_there_is_fetched_first(out, bucket):
    """So that a command goes on with it; only what changed is put there, and what it removed is removed."""
    for name in ("same", "old", "gone"):
        write_bytes(out / name, name.encode())
    before = bucket.client.head_object(Bucket=bucket.name, Key="runs/a/same")["LastModified"]
    with output_at(out) as output:
        assert {path.name: path.read_text() for path in output.here.iterdir()} == {
            n: n for n in ("same", "old", "gone")
        }
        (output.here / "old").write_text("new")
        (output.here / "gone").unlink()
    assert bucket.objects("runs/a") == {"same": b"same", "old": b"new"}
    head = bucket.client.head_object(Bucket=bucket.name, Key="runs/a/same")
    assert head["LastModified"] == before and head["Metadata"] == {}


def test_changes_are_put_there_while_it_runs(out, bucket, monkeypatch):
    """Without the end of the run, which may be hours away."""
    monkeypatch.setattr(mirror, "PUT_S", 0.05)
    seen = threading.Event()
    real = mirror.Mirror.put
    monkeypatch.setattr(mirror.Mirror, "put", lambda self: (real(self), (self.here / "log").exists() and seen.set()))
    with output_at(out) as output:
        output.here.mkdir(exist_ok=True)
        (output.here / "log").write_text("1")
        assert seen.wait(20)
        assert bucket.objects("runs/a")["log"] == b"1"


def test_what_vouches_for_the_others_goes_last(out, monkeypatch):
    """And is away while they change."""
    done = []
    monkeypatch.setattr(mirror, "upload", lambda _file, place, _sha: done.append(place.name))
    monkeypatch.setattr(mirror, "remove", lambda place: done.append(f"-{place.name}"))
    write_bytes(out / "export.json", b"old")
    with output_at(out) as output:
        (output.here / "export.json").write_text("new")
        for name in "ab":
            (output.here / name).write_text(name)
    assert done[0] == "-export.json" and done[-2:] == ["export.json", "-.putting.json"] and set(done[1:3]) == {"a", "b"}


@pytest.fixture
def killed(out, monkeypatch):
    """A run that died after it had changed a file here, and before that was put in the store."""
    write_bytes(out / "log", b"1")

    def work():
        with output_at(place_of(str(out))) as output:
            (output.here / "log").write_text("1 2")

    with monkeypatch.context() as patched:
        patched.setattr(mirror.Mirror, "_put_all", lambda _self: os._exit(9))
        in_child(work)


@pytest.mark.usefixtures("killed")
def test_a_killed_run_is_gone_on_with(out, bucket):
    """What lies here is newer than the store, which nobody else has changed."""
    with output_at(out) as output:
        assert (output.here / "log").read_text() == "1 2"
    assert bucket.objects("runs/a") == {"log": b"1 2"}


def test_a_run_that_was_killed_while_it_fetched_loses_nothing(out, bucket, monkeypatch):
    """What had not come yet is not taken for removed."""
    for name in "abc":
        write_bytes(out / name, name.encode())
    with output_at(out) as output:
        half = output.here.parent / ".part-x"  # as an export leaves it: the folder around it stays
        half.mkdir()
        (half / "y").write_text("z")
    real = mirror.download
    with monkeypatch.context() as patched:
        patched.setattr(mirror, "THREADS", 1)
        patched.setattr(mirror, "download", lambda place, path: os._exit(9) if place.name == "c" else real(place, path))
        in_child(lambda: output_at(place_of(str(out))).__enter__())
    with output_at(out) as output:
        assert sorted(path.name for path in output.here.iterdir()) == ["a", "b", "c"]
    assert set(bucket.objects("runs/a")) == {"a", "b", "c"}


@pytest.fixture
def killed_half_way(out, monkeypatch):
    """A run that died when it had put the first of two files there that a third one vouches for."""
    real = mirror.upload

    def upload(file, place, sha256):
        real(file, place, sha256) if place.name == "a" else os._exit(9)

    def work():
        with output_at(place_of(str(out))) as output:
            output.here.mkdir()
            for name in ("a", "b", "export.json"):
                (output.here / name).write_text(name)

    with monkeypatch.context() as patched:
        patched.setattr(mirror, "upload", upload)
        patched.setattr(mirror, "THREADS", 1)
        in_child(work)


@pytest.mark.usefixtures("killed_half_way")
def test_what_was_half_put_there_is_finished(out, bucket):
    """By the next run of this machine, which has it all."""
    assert "export.json" not in bucket.objects("runs/a")
    with output_at(out) as output:
        assert (output.here / "export.json").exists()
    assert set(bucket.objects("runs/a")) == {"a", "b", "export.json"}


@pytest.mark.usefixtures("killed_half_way")
def test_what_was_half_put_there_by_another_machine_is_cleared(out, bucket, tmp_path, monkeypatch):
    """It would be taken for somebody's files; what lay there before stays."""
    write_bytes(out / "theirs", b"1")
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "of another machine"))
    with output_at(out) as output:
        assert [path.name for path in output.here.iterdir()] == ["theirs"]
    assert set(bucket.objects("runs/a")) == {"theirs"}


@pytest.mark.usefixtures("killed")
def test_what_somebody_else_has_changed_meanwhile_counts(out):
    """Then the folder that was left is of no use."""
    write_bytes(out / "log", b"1 3")
    with output_at(out) as output:
        assert (output.here / "log").read_text() == "1 3"


def test_a_failure_keeps_what_was_made(out, bucket):
    """What was finished before is there, as it would be on a disk."""
    with pytest.raises(UsageError), output_at(out) as output:
        output.here.mkdir()
        (output.here / "done").write_text("1")
        raise UsageError(f"{output.here}/x: is wrong")
    assert bucket.objects("runs/a") == {"done": b"1"}


def test_errors_and_logs_name_the_address(out, caplog):
    """Nobody knows the folder of this machine."""
    logger = logging.getLogger("pipelines.some")
    logging.getLogger("pipelines").addHandler(caplog.handler)
    caplog.set_level(logging.INFO, "pipelines")
    with pytest.raises(UsageError, match=f"^{out}/x: is wrong$"), output_at(out) as output:
        logger.info("looking at %s", output.here / "y")
        raise UsageError(f"{output.here}/x: is wrong")
    assert f"looking at {out}/y" in caplog.messages


def test_a_store_that_goes_away_leaves_what_was_made(out, monkeypatch, impatient):
    """The message says where it lies."""

    def gone(*_words):
        raise StoreError(5, "s3://x: the store does not answer")

    with (
        pytest.raises(
            StoreError, match=r"^s3://.*/runs/a: the store does not answer; what was made lies in .*run the same"
        ) as caught,
        output_at(out) as output,
    ):
        output.here.mkdir()
        (output.here / "a").write_text("a")
        monkeypatch.setattr(mirror, "upload", gone)
    assert str(output.here.parent) in str(caught.value) and (output.here / "a").read_text() == "a"


def test_two_runs_at_once_are_kept_apart(out, monkeypatch):
    """By the lock of builds."""
    monkeypatch.setattr(store_lock, "BEAT_S", 0.1)
    monkeypatch.setattr(store_lock, "LOOK_S", 0.2)
    with output_at(out), pytest.raises(Locked, match="another run is building here"), output_at(out):
        pass


def test_a_store_that_can_only_be_read_is_refused(bucket, s3_endpoint):
    """Before anything is done."""
    with (
        pytest.raises(UsageError, match="--out https://x/y: can only be read"),
        output_at(place_of("https://x/y")),
    ):
        pass


def test_processes_of_torchrun_are_refused(out, monkeypatch):
    """They would share nothing."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="torchrun"), output_at(out):
        pass


def test_a_full_disk_of_the_cache_is_named(out):
    """And no other, which would not help."""
    with (
        pytest.raises(DatakitError, match=r"whose disk is full; make room there, or name .* by --cache DIR"),
        output_at(out),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")


def test_a_folder_that_is_lost_removes_nothing(out, bucket):
    """Somebody may clear the cache, and an export replaces its folder in two steps."""
    write_bytes(out / "a", b"1")
    with output_at(out) as output:
        shutil.rmtree(output.here)
    assert bucket.objects("runs/a") == {"a": b"1"}
