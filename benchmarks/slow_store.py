"""Training from a store behind a slow line: how long a step waits for data, and the second epoch against a disk.

The line is a proxy before moto's S3 server: it holds every request up and drops some connections.
Run alone: python -m benchmarks.slow_store SHARDS [--steps 120] [--delay 0.03] [--drops 0.01]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from datakit.shards.cache import FOLDER_VARIABLE
from datakit.transforms.views import ViewConfig
from model.compute import Compute
from model.dataset import TripleDataset
from model.networks import build_network
from model.sampler import EpochSampler, make_loader, opened
from model.settings import TrainConfig
from model.train import Trainer

from . import common

VIEW = ViewConfig(size=224)
WORKERS, BATCH, LEAD = 2, 10, 50  # the first steps, while loaders start, are not judged
BUCKET = "shards-of-a-benchmark"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Line:
    """A proxy that is slow and unreliable, and counts.

    Attributes:
        target: port of the server behind it.
        delay: seconds by which each request is held up.
        drops: share of requests whose connection is dropped instead.
    """

    target: int
    delay: float
    drops: float
    requests: int = 0
    dropped: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
            answers = asyncio.create_task(_pump(back, writer))
            while head := await reader.read(1 << 16):
                if head.startswith((b"GET ", b"HEAD ", b"PUT ", b"POST ")):
                    self.requests += 1
                    if self.chance.random() < self.drops:
                        self.dropped += 1
                        break
                    await asyncio.sleep(self.delay)
                forth.write(head)
                await forth.drain()
            answers.cancel()
            forth.close()
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def slow_line(line: Line) -> Iterator[int]:
    """The proxy on a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(line.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextlib.contextmanager
def store() -> Iterator[int]:
    """A server in a process of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()


def put(folder: Path, port: int) -> None:
    """A folder of shards as objects of a bucket."""
    import boto3

    client: Any = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
    client.create_bucket(Bucket=BUCKET)
    for path in sorted(folder.glob("*.*")):
        client.upload_file(str(path), BUCKET, f"shards/{path.name}")


def train(dataset: TripleDataset, steps: int) -> tuple[float, float]:
    """Share of the time that steps waited for data, after the first ones, and seconds a step."""
    net = build_network("lite")
    config = TrainConfig(network="lite", init="none", iterations=10**6, batch=BATCH, view=VIEW)
    trainer = Trainer(config, net, Compute.chosen(net))
    waited = seconds = 0.0
    with opened(make_loader(dataset, EpochSampler(dataset.weights, BATCH), WORKERS)) as batches:
        for step in trainer.run(batches):
            if step.step > LEAD:
                waited, seconds = waited + step.waited, seconds + step.seconds
            if step.step == steps:
                break
    return waited / seconds, seconds / (steps - LEAD)


def epoch(dataset: TripleDataset) -> None:
    """All items once, through the loader's processes."""
    with opened(make_loader(dataset, EpochSampler(dataset.weights, BATCH), WORKERS)) as batches:
        for _ in range(-(-len(dataset) // BATCH)):
            next(batches)


def measure(shards: Path, steps: int, delay: float, drops: float, rounds: int) -> dict[str, object]:
    """All figures."""
    cache = common.WORK / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    os.environ |= {**KEYS, FOLDER_VARIABLE: str(cache)}
    coding = build_network("lite").coding
    with store() as port:
        put(shards, port)
        line = Line(port, delay, drops)
        with slow_line(line) as slow:
            os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{slow}"
            there = TripleDataset(f"s3://{BUCKET}/shards", coding, VIEW, split="all", redraw=True)
            opening = line.requests
            share, seconds = train(there, steps)
            figures: dict[str, object] = {
                "requests to open": opening,
                f"share of a step spent waiting, after {LEAD} steps": round(share, 4),
                "seconds a step": round(seconds, 3),
                "requests for 1000 samples": round(1000 * (line.requests - opening) / (steps * BATCH)),
                "connections dropped": line.dropped,
            }
            epoch(there)  # what is not kept yet
            figures["requests a photo, in all"] = round(line.requests / _photos(there), 2)
            before = line.requests
            here = TripleDataset(shards, coding, VIEW, split="all", redraw=True)
            taken = common.by_turns({"disk": partial(epoch, here), "cache": partial(epoch, there)}, rounds)
            figures["second epoch: speed from the cache / from disk"] = round(
                common.median_ratio(taken["disk"], taken["cache"]), 3
            )
            figures["requests of those epochs"] = line.requests - before
    shutil.rmtree(cache, ignore_errors=True)
    return figures


def _photos(dataset: TripleDataset) -> int:
    return sum(len(reader.shard(number).images) for reader, number in dataset._shards)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--delay", type=float, default=0.03)
    parser.add_argument("--drops", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=3)
    common.save("slow_store", measure(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
