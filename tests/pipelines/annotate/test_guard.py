"""Who is let in: nobody without the token, no other page, no other name of this machine."""

import pytest

for _needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extra `annotate`)")
websocket = pytest.importorskip("websocket", reason="websocket-client is not installed (extra `dev`)")

from tests.pipelines.annotate.serving import TOKEN  # noqa: E402

REFUSED = {
    "no token": ("/", {}),
    "wrong token": ("/another/state", {}),
    "a part of it": (f"/{TOKEN[:-1]}/state", {}),
    "another origin": (f"/{TOKEN}/state", {"Origin": "http://evil.example"}),
    "no origin of a file": (f"/{TOKEN}/state", {"Origin": "null"}),
    "another port": (f"/{TOKEN}/state", {"Origin": "http://127.0.0.1:1"}),
    "a picture on another page": (f"/{TOKEN}/photo/0", {"Sec-Fetch-Site": "cross-site"}),
    "a page of another port": (f"/{TOKEN}/photo/0", {"Sec-Fetch-Site": "same-site"}),
    "a name that points here": (f"/{TOKEN}/state", {"Host": "evil.example:80"}),
    "climbing to it": (f"/../{TOKEN}/state", {}),
}


@pytest.mark.parametrize(("path", "headers"), REFUSED.values(), ids=REFUSED)
def test_strangers_get_403(served, path, headers):
    """Before anything is looked at; nothing of the token is told."""
    status, _, body = served.ask("GET", path, headers=headers, raw=True)
    assert status == 403
    assert TOKEN.encode() not in body


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_strangers_change_nothing(served, project, headers):
    """A form of another page could send this."""
    status, _, _ = served.ask("POST", "/objects", {"do": "add"}, headers)
    assert status == 403
    assert len(project.objects()) == 2


@pytest.mark.parametrize("how", [{"origin": "http://evil.example"}, {"host": "evil.example"}])
def test_a_web_socket_of_another_page_is_refused(served, how):
    """Browsers do not keep pages from opening one elsewhere."""
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        served.live(**how)


def test_a_tunnel_may_have_another_port(served):
    """The browser then asks under that name, and says so in the origin."""
    headers = {"Host": "localhost:9999", "Origin": "http://localhost:9999", "Sec-Fetch-Site": "same-origin"}
    assert served.ask("GET", "/state", headers=headers)[0] == 200
