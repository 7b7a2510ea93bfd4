"""One session of `datakit annotate`: the project opened and locked, the server run until it is ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from datakit.errors import UsageError
from datakit.files import PART_PREFIX, check_writable
from datakit.wording import counted

from ..lock import run_lock
from .files import read_about
from .masker import WEIGHTS, Masker, NetworkMasker
from .media import Media, open_media
from .project import Project
from .server import make_app, new_token

HOST = "127.0.0.1"
OPENS_AFTER_S = 0.3


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
    with open_project(job) as (project, masker), _bound(job.port) as bound:
        token = new_token()
        address = f"http://{HOST}:{bound.getsockname()[1]}/{token}/"
        echo(f"{project.media.path}: {counted(len(project.media), 'picture')}; all is kept in {project.folder}")
        echo(f"The page is at {address}\nPress Ctrl-C here to end.")
        config = uvicorn.Config(
            make_app(project, masker, token), log_level="warning", lifespan="on", ws="websockets-sansio",
            timeout_graceful_shutdown=2, ws_max_size=1 << 20, server_header=False,
        )  # fmt: skip
        if job.browser:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):  # as uvicorn passes it on when it has ended
            uvicorn.Server(config).run(sockets=[bound])
        again = ["datakit", "annotate", str(project.folder), *(["--read-only"] if job.read_only else [])]
        echo(f"\nAll is saved. To go on: {shlex.join(again)}")


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
    check_writable(folder, f"--project {folder}")
    read_about(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with run_lock(folder):
        for part in folder.rglob(f"{PART_PREFIX}*.png"):
            part.unlink()
        masker = NetworkMasker(job.weights, job.device, job.threads)
        yield Project(folder, media, masker.name), masker


def _opened(job: AnnotateJob) -> tuple[Path, Media]:
    """Folder of the project, and what it annotates."""
    about = read_about(job.media) if job.media.is_dir() else None
    if about is None:
        media = open_media(job.media, job.stills)
        return job.project or Path(f"{job.media.resolve().stem}-annotations"), media
    path = Path(about["media"])
    if not path.exists():
        raise UsageError(
            f"{job.media}: was made of {path}, which is not there; give its new place and --project {job.media}"
        )
    return job.media, open_media(path, about["kind"] == "stills")


@contextlib.contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    """A socket of this machine alone.

    Raises:
        UsageError: the port is taken.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"--port {port}: {os.strerror(error.errno or 0)}; take another, or 0 for a free one"
            ) from None
        yield bound
