"""A small source on disk, and ways to run the command on it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

from pipelines.cli import cli
from tests.runs import draw_source
from tests.s3 import bucket, impatient, memory, s3_endpoint, storage_options, store_requests  # noqa: F401 (fixtures)
from tests.store_builds import on_disk  # noqa: F401 (a fixture)

settings.register_profile("same-each-run", derandomize=True, deadline=None)  # a busy machine is no failure
settings.load_profile("same-each-run")

DATAKIT = [sys.executable, "-P", "-c", "from pipelines.cli import cli; cli()"]


def pytest_collection_modifyitems(items):
    """The long loops run only when asked for (`make torture`)."""
    if not os.environ.get("DATAKIT_TORTURE"):
        for item in items:
            if "torture" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="long form: make torture"))


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """A suite that a shell has started in the background ignores Ctrl-C, and so would every command it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def source(tmp_path):
    """Twelve photos labelled `ecssd` when given as a bare root."""
    return draw_source(tmp_path / "ecssd")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One headless chromium for all tests of pages and films; they are skipped where there is none."""
    pytest.importorskip("websocket", reason="websocket-client is not installed (extra `dev`)")
    from tests.browser import Browser, find_browser

    if find_browser() is None:
        pytest.skip("no chromium on this machine")
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def datakit():
    """Run the command in this process; gives click's result."""

    def run(*arguments: object):
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def start():
    """Start the command as a process group of its own; whatever is left of it is killed afterwards."""
    started = []

    def run(*arguments: object, fault: str | None = None) -> subprocess.Popen:
        command = DATAKIT if fault is None else [sys.executable, "-m", "tests.faults", fault]
        process = subprocess.Popen(
            [*command, *(str(argument) for argument in arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=Path(__file__).parents[1],
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
