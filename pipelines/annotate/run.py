"""One session of `datakit annotate`: the project opened and locked, the server run until it is ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from datakit.errors import UsageError
from datakit.files import PART_PREFIX, check_writable, json_text, replacing
from datakit.wording import counted

from ..lock import run_lock
from ..propagate.network import WEIGHTS
from .about import read_about
from .files import LEARNED
from .guard import new_token
from .masker import Masker, NetworkMasker
from .media import Media, open_media
from .project import Project
from .server import make_app

HOST, SESSION = "127.0.0.1", ".session.json"
TOKENS = re.compile(r"[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True)
class AnnotateJob:
    """What a session is to do.

    Attributes:
        media: a film, a folder of pictures, or a project.
        project: its folder; None for the usual one.
        stills: whether the pictures of a folder are photos; None to tell by their sizes.
        weights, device, threads: of the network, see `masker.NetworkMasker`.
        port: of the page; 0 for a free one.
        browser: whether to open the page.
        read_only: only look at it.
    """

    media: Path
    project: Path | None = None
    stills: bool | None = None
    weights: str = WEIGHTS
    device: str = "auto"
    threads: int = 0
    port: int = 0
    browser: bool = True
    read_only: bool = False


def annotate(job: AnnotateJob, echo: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        Locked: another session has the project open.
        DatakitError: the media, the project or the network cannot be opened.
    """
    with open_project(job) as (project, masker):
        last, token = last_session(project)
        with _bound(job.port, last) as bound:
            _serve(job, project, masker, bound, token, echo)


def _serve(
    job: AnnotateJob,
    project: Project,
    masker: Masker | None,
    bound: socket.socket,
    token: str,
    echo: Callable[[str], None],
) -> None:
    port = bound.getsockname()[1]
    remember(project, port, token)
    address = _address(port, token)
    config = uvicorn.Config(
        make_app(project, masker, token), log_level="warning", lifespan="on", ws="websockets-sansio",
        timeout_graceful_shutdown=10, ws_max_size=1 << 20, server_header=False,
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):  # also as uvicorn passes it on when it has ended
        kept = (
            f"only {project.folder} is looked at, and nothing is kept"
            if job.read_only
            else f"all is kept in {project.folder}"
        )
        echo(f"{project.media.path}: {_told(project.media, job.stills)}; {kept}")
        echo(f"The page is at {address}\nPress Ctrl-C here to end.")
        bound.listen()  # a browser that comes before the server waits for it
        if job.browser:  # some commands end only with the browser
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[bound])
    again = ["datakit", "annotate", str(project.folder), *(["--read-only"] if job.read_only else [])]
    echo(f"\n{'To look again' if job.read_only else 'All is saved. To go on'}: {shlex.join(again)}")


def _told(media: Media, stills: bool | None) -> str:
    """What is annotated, in words."""
    if media.kind != "stills":
        return f"{counted(len(media), 'frame')} of a film"
    several = len({media.size(place) for place in range(len(media))}) > 1
    why = " of several sizes, so not frames of a film" if several and stills is None else ""
    return f"{counted(len(media), 'photo')}{why}"


@contextlib.contextmanager
def open_project(job: AnnotateJob) -> Iterator[tuple[Project, Masker | None]]:
    """The project, locked while it is written, and the network.

    Raises:
        Locked: another session has it open.
        DatakitError: it cannot be opened.
    """
    folder, media = _opened(job)
    if job.read_only:
        yield Project(folder, media, writes=False), None
        return
    if job.port and not folder.exists():
        with _bound(job.port):  # one that is taken leaves no new project
            pass
    check_writable(folder, f"--project {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    way_out = f"{_open_page(folder)}close that, or look at it meanwhile by --read-only"
    with run_lock(folder, "another session has it open", way_out):
        for part in list(folder.rglob(f"{PART_PREFIX}*")):  # what a kill has left
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        masker = NetworkMasker(job.weights, job.device, job.threads, folder / LEARNED)
        yield Project(folder, media, masker.name), masker


def _opened(job: AnnotateJob) -> tuple[Path, Media]:
    """Folder of the project, and what it annotates."""
    about = read_about(job.media) if job.media.is_dir() else None
    path = job.media if about is None else Path(about["media"])
    if about is not None and not path.exists():
        raise UsageError(
            f"{job.media}: was made of {path}, which is not there; give its new place and --project {job.media}"
        )
    folder = job.project or (_usual_folder(path.resolve()) if about is None else job.media)
    known, stills = read_about(folder), job.stills
    if stills is None and known is not None and known["kind"] == "stills" and path.is_dir():
        stills = True  # what are photos once stay photos, whatever their sizes
    return folder, open_media(path, stills)


def _usual_folder(media: Path) -> Path:
    """`NAME-annotations` in the folder one is in.

    Raises:
        UsageError: it is a project of something else of that name, which is still there.
    """
    folder = Path(f"{media.name if media.is_dir() else media.stem}-annotations")
    about = read_about(folder)
    if about is not None and Path(about["media"]) != media and Path(about["media"]).exists():
        raise UsageError(f"{folder}: is the project of {about['media']}; name another for {media} with --project")
    return folder


def _open_page(folder: Path) -> str:
    """What is said of the page of a session that has a project open; nothing to who may not read its token."""
    port, token = _stored(folder)
    return f"go on at {_address(port, token)}, " if port else ""


def _address(port: int, token: str) -> str:
    return f"http://{HOST}:{port}/{token}/"


def last_session(project: Project) -> tuple[int, str]:
    """Port and token of the last session, so that a page of it goes on; else 0 and a new token."""
    port, token = _stored(project.folder) if project.writes else (0, "")
    return port, token or new_token()


def _stored(folder: Path) -> tuple[int, str]:
    """Port and token of the last session on a project; 0 and none where they cannot be read."""
    try:
        found: dict[str, Any] = json.loads((folder / SESSION).read_text(encoding="utf-8"))
        port, token = found["port"], found["token"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0, ""
    if isinstance(port, int) and 0 <= port < 65536 and isinstance(token, str) and TOKENS.fullmatch(token):
        return port, token
    return 0, ""


def remember(project: Project, port: int, token: str) -> None:
    """Keep port and token for the next session, in a file that other users cannot read."""
    if project.writes:
        with replacing(project.folder / SESSION) as part:
            part.touch(mode=0o600)
            part.write_text(json_text({"port": port, "token": token}), encoding="utf-8")


@contextlib.contextmanager
def _bound(port: int, last: int = 0) -> Iterator[socket.socket]:
    """A socket of this machine alone; where no port is asked for, that of the last session, or any that is free.

    Raises:
        UsageError: the port is taken.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, port or last))
        except OSError as error:
            if port or not last:
                why = os.strerror(error.errno or 0)
                raise UsageError(f"--port {port}: {why}; take another, or 0 for a free one") from None
            bound.bind((HOST, 0))
        yield bound
