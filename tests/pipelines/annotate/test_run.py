"""The command: which project is opened, who holds it, where the page is."""

import json
import signal
import socket
import stat
import sys

import numpy as np
import pytest

for _needed in ("starlette", "uvicorn", "websockets", "torch"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extras `annotate`, `network`)")

from datakit.errors import Locked, UsageError  # noqa: E402
from pipelines.annotate import run  # noqa: E402
from pipelines.annotate.media import open_media  # noqa: E402
from pipelines.annotate.project import Project  # noqa: E402
from pipelines.annotate.run import SESSION, AnnotateJob, last_session, open_project, remember  # noqa: E402
from tests.clips import draw_folder, labels  # noqa: E402
from tests.pipelines.annotate.serving import DriftingMasker, wait  # noqa: E402
from tests.tiny import write_picture  # noqa: E402


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    """A network that needs no weights, and an empty folder to be in."""
    monkeypatch.setattr(run, "NetworkMasker", lambda *_: DriftingMasker())
    monkeypatch.chdir(tmp_path)


def test_a_project_is_opened_by_its_film_and_by_its_folder(clip, tmp_path):
    """The same, in the folder one is in."""
    with open_project(AnnotateJob(clip)) as (project, _):
        project.add_object()
        project.draw(0, (labels() == 1).astype("uint8"))
    assert project.folder.resolve() == tmp_path / "clip-annotations"
    for media in (clip, tmp_path / "clip-annotations"):
        with open_project(AnnotateJob(media)) as (project, _):
            assert project.drawn == [0]


def test_a_folder_of_the_same_name_has_a_project_of_its_own(clip, tmp_path):
    """It is told, and does not show the masks of another; a dot is no suffix of a folder."""
    with open_project(AnnotateJob(clip)):
        pass
    other = draw_folder(tmp_path / "elsewhere" / "clip", 10)
    with pytest.raises(UsageError, match=r"is the project of .*--project"), open_project(AnnotateJob(other)):
        pass
    with open_project(AnnotateJob(other, tmp_path / "second")) as (project, _):
        assert project.media.path == other
    with open_project(AnnotateJob(draw_folder(tmp_path / "scene.001", 3))) as (project, _):
        assert project.folder.name == "scene.001-annotations"


def test_the_network_keeps_what_it_learns_in_the_project(clip, monkeypatch):
    """So that the next session goes on with it."""
    asked = []
    monkeypatch.setattr(run, "NetworkMasker", lambda *given: asked.append(given) or DriftingMasker())
    with open_project(AnnotateJob(clip)) as (project, _):
        assert asked == [("lite-memory", "auto", 0, project.folder / "learned.safetensors")]


def test_what_a_kill_left_half_written_is_removed(clip, tmp_path):
    """Files and folders."""
    with open_project(AnnotateJob(clip)) as (project, _):
        folder = project.folder
    left = folder / ".part-1234"
    left.mkdir()
    (left / "learned.safetensors").write_bytes(b"half")
    (folder / ".part-made-00001.png").write_bytes(b"half")
    with open_project(AnnotateJob(clip)):
        assert not list(folder.rglob(".part-*"))


def test_a_second_session_is_refused_and_may_look(clip):
    """By the lock; --read-only needs none."""
    with open_project(AnnotateJob(clip)):
        with pytest.raises(Locked, match=r"has it open: .*pid .*--read-only"), open_project(AnnotateJob(clip)):
            pass
        with open_project(AnnotateJob(clip, read_only=True)) as (project, masker):
            assert (project.writes, masker) == (False, None)


def test_a_second_session_is_told_where_the_page_of_the_first_is(clip):
    """If it may read the token."""
    with open_project(AnnotateJob(clip)) as (project, _):
        remember(project, 4321, "t" * 22)
        with pytest.raises(Locked, match=rf"go on at http://127.0.0.1:4321/{'t' * 22}/, close that, or"):
            open_project(AnnotateJob(clip)).__enter__()
        (project.folder / SESSION).unlink()
        with pytest.raises(Locked) as refused:
            open_project(AnnotateJob(clip)).__enter__()
        assert "http" not in str(refused.value)


def test_a_folder_is_opened_as_what_it_was(clip, tmp_path):
    """Photos of one size stay photos without being said to be; the first time a folder of one size is a film."""
    for stills, kind in ((None, "frames"), (True, "stills"), (None, "stills")):
        with open_project(AnnotateJob(clip, tmp_path / "p", stills=stills)) as (project, _):
            assert project.media.kind == kind
    with open_project(AnnotateJob(clip, tmp_path / "p")) as (project, _):
        project.add_object()
        project.draw(2, np.eye(48, 64, dtype=np.uint8))
    with pytest.raises(UsageError, match="10 photos, opened by --stills"):
        open_project(AnnotateJob(clip, tmp_path / "p", stills=False)).__enter__()
    with open_project(AnnotateJob(tmp_path / "p", tmp_path / "other", stills=False)) as (project, _):
        assert (project.folder, project.media.kind) == (tmp_path / "other", "frames")
    write_picture(clip / "cover.png", np.zeros((40, 50, 3), np.uint8))
    with open_project(AnnotateJob(tmp_path / "other")) as (project, _):  # nothing is drawn there
        assert project.media.kind == "stills"


def test_a_session_that_is_open_is_told_before_its_port(clip, tmp_path):
    """The same command twice."""
    with run._bound(0) as bound, open_project(AnnotateJob(clip, tmp_path / "p")), pytest.raises(Locked):
        run.annotate(AnnotateJob(clip, tmp_path / "p", port=bound.getsockname()[1]), print)


def test_what_was_opened_is_told_in_words(tmp_path, clip):
    """And why a folder that might be a film is none."""
    assert run._told(open_media(clip), None) == "10 frames of a film"
    write_picture(tmp_path / "photos/a.png", np.zeros((40, 50, 3), np.uint8))
    assert run._told(open_media(tmp_path / "photos", True), True) == "1 photo"
    write_picture(tmp_path / "photos/b.png", np.zeros((50, 50, 3), np.uint8))
    assert run._told(open_media(tmp_path / "photos"), None) == "2 photos of several sizes, so not frames of a film"


def test_a_film_that_was_moved_is_told(clip, tmp_path):
    """With the way out, which works."""
    with open_project(AnnotateJob(clip)) as (project, _):
        folder = project.folder
    moved = clip.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="--project"), open_project(AnnotateJob(folder)):
        pass
    with open_project(AnnotateJob(moved, folder)) as (project, _):
        assert project.media.path == moved


def test_the_next_session_has_the_address_of_the_last(project):
    """So that an open page goes on; in a file for oneself alone."""
    remember(project, 4321, "t" * 22)
    assert last_session(project) == (4321, "t" * 22)
    assert stat.S_IMODE((project.folder / SESSION).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "found", ["{", "[]", '{"port": 80, "token": "short"}', '{"port": -1, "token": "tttttttttttttttttttttt"}']
)
def test_a_broken_address_of_the_last_session_is_not_used(project, found):
    """A new token then."""
    (project.folder / SESSION).write_text(found)
    port, token = last_session(project)
    assert port == 0 and len(token) >= 20


def test_a_project_to_look_at_gets_no_old_token(project):
    """Nor leaves one."""
    remember(project, 4321, "t" * 22)
    looked_at = Project(project.folder, project.media, writes=False)
    remember(looked_at, 1, "u" * 22)
    assert last_session(looked_at)[1] not in ("t" * 22, "u" * 22)
    assert json.loads((project.folder / SESSION).read_text())["port"] == 4321


def test_a_port_that_is_taken_is_refused_only_if_it_was_asked_for():
    """That of the last session is just a wish."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {taken}"), run._bound(taken):
            pass
        with run._bound(0, taken) as bound:
            assert bound.getsockname()[1] not in (0, taken)


def test_a_port_that_is_taken_leaves_no_new_project(clip, tmp_path):
    """Nor a folder of one."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="--port"):
            run.annotate(AnnotateJob(clip, tmp_path / "new", port=other.getsockname()[1]), print)
    assert not (tmp_path / "new").exists()


def test_the_page_is_bound_to_this_machine_alone():
    """Not to its address in a network."""
    with run._bound(0) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"


def test_the_command_looks_at_a_project_without_a_network(project, start):
    """It prints the address, and ends by Ctrl-C with the command to go on."""
    process = start("annotate", project.folder, "--read-only", "--no-browser")
    told = [process.stdout.readline() for _ in range(3)]
    assert "nothing is kept" in told[0] and "http://127.0.0.1:" in told[1]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    end = process.stdout.read()
    assert f"datakit annotate {project.folder} --read-only" in end and "saved" not in end


def test_a_browser_that_is_quick_and_stays_gets_the_page(project, start, tmp_path, monkeypatch):
    """As a browser in a terminal does: it comes before the server, and its command ends with it."""
    script, answer = tmp_path / "browser.py", tmp_path / "answer"
    script.write_text(
        "import sys, time, urllib.request\n"
        "found = urllib.request.urlopen(sys.argv[1], timeout=20)\n"
        f"open({str(answer)!r}, 'w').write(str(found.status))\n"
        "time.sleep(5)\n"
    )
    monkeypatch.setenv("BROWSER", f"{sys.executable} {script} %s")
    process = start("annotate", project.folder, "--read-only")
    wait(lambda: answer.exists() and answer.read_text() == "200")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
