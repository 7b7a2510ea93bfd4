"""The server: who is let in, what is kept, what runs in the background."""

import json

import cv2
import numpy as np
import pytest

for _needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extra `annotate`)")
pytest.importorskip("websocket", reason="websocket-client is not installed (extra `dev`)")

from pipelines.annotate.project import Project  # noqa: E402
from pipelines.annotate.runs import encode_runs  # noqa: E402
from pipelines.annotate.session import Session  # noqa: E402
from tests.clips import labels  # noqa: E402
from tests.pipelines.annotate.serving import DriftingMasker, serving, wait  # noqa: E402

OBJECT = np.where(labels() == 1, 1, 0).astype(np.uint8)


@pytest.fixture
def slow(project):
    """One whose network takes its time."""
    with serving(project, DriftingMasker(0.05)) as found:
        yield found


@pytest.mark.parametrize("path", [
    "/page/../server.py", "/page/%2e%2e/server.py", "/page/..%2fserver.py", "/page/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/page/..%5cserver.py", "/page//etc/passwd", "/../../etc/passwd", "/page/nothing.js", "/nothing", "/photo/10",
    "/photo/-1", "/photo/1e3", "/photo/..", "/mask/99999999999999999999", "/thumb/%00", "/page/index.html",
])  # fmt: skip
def test_paths_that_climb_out_or_lead_nowhere_get_404(served, path):
    """As they are sent, without a browser that tidies them."""
    assert served.ask("GET", path)[0] == 404


def test_the_page_may_load_nothing_from_elsewhere(served):
    """By its policy; and it is kept nowhere."""
    status, headers, _ = served.ask("GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"


def test_a_photo_and_a_thumbnail_are_jpegs(served):
    """Upright, of the picture's size and a small one."""
    sizes = []
    for path in ("/photo/3", "/thumb/3"):
        data = served.ask("GET", path)[2]
        sizes.append(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape)
    assert sizes == [(48, 64, 3), (48, 64, 3)]


def test_a_drawing_is_on_disk_when_it_is_answered(served, project):
    """And comes back as it went."""
    answer = served.draw(4, labels())
    assert answer["signs"] == "....d....."
    assert (project.folder / "drawn" / "00004.png").exists()
    assert np.array_equal(served.mask(4), labels())
    assert served.json("DELETE", "/mask/4")["signs"] == ".........."


@pytest.mark.parametrize(("path", "body"), [
    ("/mask/4", b"abc"), ("/mask/4", b"\x01\x05\x00\x00"),
])  # fmt: skip
def test_a_broken_drawing_is_refused_and_told(served, project, path, body):
    """Nothing is written."""
    status, _, answer = served.ask("PUT", path, body)
    assert status == 400 and json.loads(answer)["error"]
    assert project.drawn == []


@pytest.mark.parametrize(("path", "body"), [
    ("/objects", b"["), ("/objects", b"[]"), ("/objects", b'{"do": "name", "id": "1"}'), ("/objects", b'{"do": 1}'),
    ("/box/0", b'{"id": 1, "box": [1, 2]}'), ("/box/0", b'{"id": 7, "box": [1, 2, 3, 4]}'), ("/box/0", b'{"id": 1}'),
    ("/propagate", b'{"direction": "up"}'), ("/propagate", b"{}"), ("/export", b'{"formats": ["../x"]}'),
    ("/export", b'{"formats": []}'), ("/export", b"{}"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_sentence(served, path, body):
    """Never with a traceback."""
    status, _, answer = served.ask("POST", path, body)
    assert status == 400 and len(json.loads(answer)["error"]) > 10


def test_a_full_disk_is_told_by_its_name(served, project, monkeypatch):
    """A drawing is answered by the reason, a new object is none."""

    def full(*_):
        raise OSError(28, "No space left on device", "project.json")

    monkeypatch.setattr("pipelines.annotate.about.write_json", full)
    for how in (("PUT", "/mask/0?settled=1", encode_runs(OBJECT)), ("POST", "/objects", {"do": "add"})):
        status, _, answer = served.ask(*how)
        assert (status, json.loads(answer)["error"]) == (500, "project.json: No space left on device")
    monkeypatch.undo()
    assert len(served.json("GET", "/state")["objects"]) == 2 and project.drawn == []


def test_a_box_becomes_a_mask(served):
    """Of that object alone; it is the page that draws it."""
    status, _, data = served.ask("POST", "/box/0", {"id": 2, "box": [3, 4, 20, 30]})
    assert status == 200
    assert (np.frombuffer(data, "<u4") & 255).max() == 2


def test_masks_appear_one_after_the_other(served):
    """Over a web socket, with the steps left and, at the end, what to look at next."""
    served.draw(0, OBJECT)
    socket = served.live()
    served.json("POST", "/propagate", {"direction": "both", "at": 0})
    events = []
    while not events or events[-1].get("state") != "done":
        events.append(json.loads(socket.recv()))
    assert [event["place"] for event in events if event["kind"] == "made"] == list(range(1, 10))
    assert any(event.get("left") for event in events)
    (changes,) = (event for event in events if event["kind"] == "changes")
    assert changes["signs"] == "dmmmmmmmmm" and changes["offer"] in range(1, 10)
    socket.close()


def test_a_drawing_goes_to_the_picture_of_its_name(served, project):
    """A page may be older than the folder; one whose picture is gone is refused."""
    served.json("PUT", "/mask/3?name=00007&settled=1,2", encode_runs(OBJECT))
    assert (project.drawn, project.settled(7)) == ([7], {1, 2})
    served.json("DELETE", "/mask/3?name=00007")
    assert project.drawn == []
    for query, said in (("name=another", "no picture of this project any more"), ("settled=a", "expected ids")):
        status, _, data = served.ask("PUT", f"/mask/3?{query}", encode_runs(OBJECT))
        assert status == 400 and said in json.loads(data)["error"]


def test_the_state_tells_other_files_from_those_before(served, project, clip):
    """By their names, sizes and times."""
    before = served.json("GET", "/state")["identity"]
    assert before == Session(project, None, print).state()["identity"]
    (clip / "00003.png").write_bytes((clip / "00004.png").read_bytes())
    assert before != Session(project, None, print).state()["identity"]


def test_another_page_hears_of_a_drawing(served):
    """So that two windows of one session show the same."""
    socket = served.live()
    version = served.draw(4, labels())["version"]
    assert json.loads(socket.recv()) == {"kind": "drawn", "place": 4, "version": version}
    assert json.loads(socket.recv())["signs"] == "....d....."
    socket.close()


def test_a_drawing_that_another_tab_has_changed_is_not_overwritten(served, project):
    """Nor taken back; what was sent twice, as the answer was lost, is taken twice."""
    first = served.draw(4, OBJECT)["drawing"]
    query = f"/mask/4?settled=1,2&base={first}"
    for _ in range(2):
        second = served.json("PUT", query, encode_runs(labels()))["drawing"]
    for method, path, body in (("PUT", query, encode_runs(OBJECT)), ("DELETE", f"/mask/4?base={first}", None)):
        status, _, answer = served.ask(method, path, body)
        assert status == 409 and "another tab" in json.loads(answer)["error"]
    assert np.array_equal(project.labels(4), labels())
    assert json.loads(served.ask("GET", "/mask/4")[1]["x-mask"])["drawing"] == second
    for _ in range(2):
        assert served.json("DELETE", f"/mask/4?base={second}")["drawing"] == ""


def test_drawings_without_objects_are_not_propagated(served):
    """All masks would be empty."""
    empty = encode_runs(np.zeros_like(OBJECT))
    served.draw(0, OBJECT)
    served.json("PUT", "/mask/0?settled=1,2", empty)
    status, _, answer = served.ask("POST", "/propagate", {"direction": "both", "at": 0})
    assert status == 400 and "nothing to propagate" in json.loads(answer)["error"]


def test_a_propagation_stops_at_once_and_goes_on_later(slow):
    """What was made stays."""
    slow.draw(0, OBJECT)
    slow.json("POST", "/propagate", {"direction": "forwards", "at": 0})
    wait(lambda: "m" in slow.json("GET", "/state")["signs"])
    slow.json("POST", "/stop")
    assert slow.until_done()["state"] == "stopped"
    made = slow.json("GET", "/state")["signs"].count("m")
    assert 1 <= made < 9
    slow.json("POST", "/propagate", {"direction": "forwards", "at": 0})
    assert slow.until_done()["state"] == "done"
    assert slow.json("GET", "/state")["signs"] == "dmmmmmmmmm"


def test_one_looks_and_draws_while_it_runs(slow):
    """And it goes on from what is drawn."""
    slow.draw(0, OBJECT)
    slow.json("POST", "/propagate", {"direction": "both", "at": 0})
    slow.draw(6, OBJECT)
    assert slow.ask("GET", "/photo/8")[0] == 200
    assert slow.until_done()["state"] == "done"
    assert slow.json("GET", "/state")["signs"] == "dmmmmmdmmm"
    assert np.array_equal(slow.mask(6), OBJECT)


def test_only_one_job_runs_at_a_time(slow):
    """The second is told so."""
    slow.draw(0, OBJECT)
    slow.json("POST", "/propagate", {"direction": "both", "at": 0})
    status, _, answer = slow.ask("POST", "/propagate", {"direction": "both", "at": 0})
    assert status == 400 and "running" in json.loads(answer)["error"]
    slow.json("POST", "/stop")


def test_a_job_that_fails_says_why(served, project):
    """Here a frame that is gone."""
    served.draw(0, OBJECT)
    for file in project.media.files[5:]:
        file.unlink()
    served.json("POST", "/propagate", {"direction": "both", "at": 0})
    job = served.until_done()
    assert job["state"] == "failed" and "00005.png" in job["message"]


def test_a_project_to_look_at_is_not_changed(project):
    """403 and a sentence; looking works."""
    project.draw(3, labels())
    looked_at = Project(project.folder, project.media, writes=False)
    with serving(looked_at) as served:
        for method, path, body in [("PUT", "/mask/0", b"\x00\x00\x0c\x00"), ("DELETE", "/mask/3", None),
                                   ("POST", "/objects", {"do": "add"}), ("POST", "/export", {"formats": ["coco"]}),
                                   ("POST", "/propagate", {"direction": "both"}), ("POST", "/learn", {}),
                                   ("POST", "/forget", {}),
                                   ("POST", "/box/0", {"id": 1, "box": [1, 2, 3, 4]})]:  # fmt: skip
            assert served.ask(method, path, body)[0] == 403, path
        assert np.array_equal(served.mask(3), labels())
        assert served.json("GET", "/state")["writes"] is False


def test_it_learns_from_drawings_and_forgets(served, project):
    """In the background; whoever asks too early is told so."""
    status, _, body = served.ask("POST", "/learn", {})
    assert status == 400 and b"two frames, far apart" in body
    for place in (0, 5):
        served.draw(place, OBJECT)
    served.json("POST", "/learn", {})
    assert served.until_done()["job"] == "learn"
    assert served.json("GET", "/state")["learned"] == 2
    served.json("POST", "/forget", {})
    assert served.until_done()["job"] == "forget"
    assert served.json("GET", "/state")["learned"] == 0
