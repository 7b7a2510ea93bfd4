"""Who may ask the server: those that know its token, under a name of this machine, and from no other page.

A request with another token, from another origin or to another host's name is refused with 403 before it is looked
at: other pages in the browser, and names that are made to point here, reach nothing.
"""

from __future__ import annotations

import hmac
import secrets

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """A token for one session."""
    return secrets.token_urlsafe(16)


class Guard:
    """Lets through what knows the token, is asked under a name of this machine, and by no other page."""

    def __init__(self, app: ASGIApp, token: str):
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks."""
        if scope["type"] == "lifespan" or self._is_ours(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("403: open the address that the command printed\n", 403)(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"")
        known = host.decode("latin-1").rpartition(":")[0] in HOSTS or host.decode("latin-1") in HOSTS
        same = headers.get(b"origin", b"http://" + host) == b"http://" + host
        asked_here = headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
        token = str(scope["path"]).split("/")[1:2]
        return known and same and asked_here and hmac.compare_digest("".join(token).encode(), self._token)
